ALTER TABLE events DROP COLUMN user_agent;
DROP TABLE provisioning_segments;
CREATE TABLE provisioning_log (
  organization uuid NOT NULL, id uuid NOT NULL, at bigint NOT NULL, connection uuid NOT NULL, token uuid, fingerprint text,
  method text NOT NULL, path text NOT NULL, resource_type text, resource uuid, external_id text, subject text,
  subject_key text COLLATE "C", operation text NOT NULL, status smallint NOT NULL, outcome text NOT NULL, scim_type text,
  explanation text NOT NULL, duration_us bigint NOT NULL, request_id text NOT NULL, ip text, changes text NOT NULL,
  PRIMARY KEY (organization, id));
CREATE INDEX provisioning_log_resource ON provisioning_log (organization, resource, id) WHERE resource IS NOT NULL;
CREATE INDEX provisioning_log_subject ON provisioning_log (organization, subject_key, id) WHERE subject_key IS NOT NULL;
CREATE INDEX provisioning_log_refused ON provisioning_log (organization, id) WHERE outcome IN ('held', 'refused', 'rejected_credential');
CREATE TABLE provisioning_bodies (
  organization uuid NOT NULL, id uuid NOT NULL, request_body text, response_body text,
  PRIMARY KEY (organization, id));
