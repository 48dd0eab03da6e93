ALTER TABLE events DROP COLUMN user_agent;
DROP TABLE provisioning_segments;
CREATE TABLE provisioning_log (
  organization BLOB NOT NULL, id BLOB NOT NULL, at BIGINT NOT NULL, connection BLOB NOT NULL, token BLOB, fingerprint TEXT,
  method TEXT NOT NULL, path TEXT NOT NULL, resource_type TEXT, resource BLOB, external_id TEXT, subject TEXT,
  subject_key TEXT, operation TEXT NOT NULL, status SMALLINT NOT NULL, outcome TEXT NOT NULL, scim_type TEXT,
  explanation TEXT NOT NULL, duration_us BIGINT NOT NULL, request_id TEXT NOT NULL, ip TEXT, changes TEXT NOT NULL,
  PRIMARY KEY (organization, id));
CREATE INDEX provisioning_log_resource ON provisioning_log (organization, resource, id) WHERE resource IS NOT NULL;
CREATE INDEX provisioning_log_subject ON provisioning_log (organization, subject_key, id) WHERE subject_key IS NOT NULL;
CREATE INDEX provisioning_log_refused ON provisioning_log (organization, id) WHERE outcome IN ('held', 'refused', 'rejected_credential');
CREATE TABLE provisioning_bodies (
  organization BLOB NOT NULL, id BLOB NOT NULL, request_body TEXT, response_body TEXT,
  PRIMARY KEY (organization, id));
