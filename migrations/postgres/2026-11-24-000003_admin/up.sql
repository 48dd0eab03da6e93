-- What the admin and backoffice surfaces store. Organization first in every key, index and query; operators and their keys
-- belong to none. Ids are UUIDv7, times µs since 1970 UTC; `created_by` and the like are `domain::actor::Actor`, printed.

-- People and groups that no directory owns have the nil id as their connection, so that one set of keys serves both kinds.
-- `invited`: not joined yet. `deactivated_at`: since when the directory keeps the person out. `suspension`: the local hold as
-- JSON (by, at, reason, actor). `search_key`: names and e-mails without accents, where these differ from the keys.
ALTER TABLE users ADD COLUMN invited boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN deactivated_at bigint;
ALTER TABLE users ADD COLUMN search_key text COLLATE "C";
CREATE INDEX organizations_parent ON organizations (parent, id) WHERE parent IS NOT NULL;

-- Where from, what the refusal was, why: of deeds on the admin surfaces.
ALTER TABLE events ADD COLUMN ip text;
ALTER TABLE events ADD COLUMN problem text;
ALTER TABLE events ADD COLUMN reason text;

-- A person as the console knows them, beside what the directory says: made when there is something to keep. `version` rises
-- with every change that is no change of the user's document (roles, suspension, notes), and is part of the ETag.
-- `former_*`: the directory that a released person came from, for relinking.
CREATE TABLE accounts (
  organization uuid NOT NULL, user_id uuid NOT NULL, locale text, time_zone text, notes text, invited_by text,
  managed_since bigint, former_connection uuid, former_external_id text COLLATE "C", is_protected boolean NOT NULL DEFAULT false,
  created bigint NOT NULL, modified bigint NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (organization, user_id));
CREATE INDEX accounts_former ON accounts (organization, former_connection, former_external_id) WHERE former_connection IS NOT NULL;

-- When a person was last active; a narrow row, since it is written often. No row: never.
CREATE TABLE activity (
  organization uuid NOT NULL, user_id uuid NOT NULL, last_active_at bigint NOT NULL,
  PRIMARY KEY (organization, user_id));
CREATE INDEX activity_last ON activity (organization, last_active_at, user_id);

-- What is left of a deleted person for the audit log. mode: delete, remove, block, erase.
CREATE TABLE tombstones (
  organization uuid NOT NULL, user_id uuid NOT NULL, email_hash bytea, mode text NOT NULL, at bigint NOT NULL, actor text NOT NULL,
  PRIMARY KEY (organization, user_id));

-- Direct roles only. Roles by group follow from role_mappings and members, roles by directory from attribute_values.
CREATE TABLE role_grants (
  organization uuid NOT NULL, user_id uuid NOT NULL, role text COLLATE "C" NOT NULL, granted_at bigint NOT NULL, granted_by text NOT NULL,
  PRIMARY KEY (organization, user_id, role));
CREATE INDEX role_grants_role ON role_grants (organization, role, user_id);

CREATE TABLE role_mappings (
  organization uuid NOT NULL, group_id uuid NOT NULL, role text COLLATE "C" NOT NULL, mapped_at bigint NOT NULL, mapped_by text NOT NULL,
  PRIMARY KEY (organization, group_id, role));
CREATE INDEX role_mappings_role ON role_mappings (organization, role, group_id);

-- A key keeps its id when it is rotated; until `previous_until` its former secret works too.
CREATE TABLE api_keys (
  organization uuid NOT NULL REFERENCES organizations (id), id uuid NOT NULL, name text NOT NULL, description text NOT NULL,
  hash bytea NOT NULL, fingerprint text NOT NULL, previous_hash bytea, previous_until bigint,
  roles text NOT NULL, ip_allowlist text NOT NULL, created bigint NOT NULL, created_by text NOT NULL, expires_at bigint,
  revoked_at bigint, rotated_at bigint, last_used_at bigint, last_used_ip text, modified bigint NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (organization, id));
CREATE UNIQUE INDEX api_keys_hash_key ON api_keys (hash);
CREATE UNIQUE INDEX api_keys_previous_hash_key ON api_keys (previous_hash) WHERE previous_hash IS NOT NULL;

-- role: operator, support.
CREATE TABLE operators (
  id uuid NOT NULL PRIMARY KEY, name text NOT NULL, role text NOT NULL, created bigint NOT NULL, created_by text NOT NULL,
  removed_at bigint, version bigint NOT NULL);
CREATE TABLE operator_keys (
  id uuid NOT NULL PRIMARY KEY, operator uuid NOT NULL REFERENCES operators (id), name text NOT NULL, hash bytea NOT NULL,
  fingerprint text NOT NULL, created bigint NOT NULL, created_by text NOT NULL, expires_at bigint, revoked_at bigint,
  last_used_at bigint, last_used_ip text);
CREATE UNIQUE INDEX operator_keys_hash_key ON operator_keys (hash);
CREATE INDEX operator_keys_operator ON operator_keys (operator, id);

-- Answers of POSTs for a repeat; status NULL: still running. Of the backoffice the organization is the nil id. `body` is NULL
-- where it held a secret.
CREATE TABLE idempotency_keys (
  organization uuid NOT NULL, credential uuid NOT NULL, idempotency_key text COLLATE "C" NOT NULL, fingerprint bytea NOT NULL,
  status smallint, headers text, body text, is_secret boolean NOT NULL DEFAULT false, created bigint NOT NULL,
  PRIMARY KEY (organization, credential, idempotency_key));
CREATE INDEX idempotency_keys_created ON idempotency_keys (organization, created);

-- state: pending, accepted, revoked; expired follows from expires_at. roles and groups are granted to the user at once.
CREATE TABLE invitations (
  organization uuid NOT NULL, id uuid NOT NULL, user_id uuid NOT NULL, email text NOT NULL, email_key text COLLATE "C" NOT NULL,
  hash bytea NOT NULL, delivery text NOT NULL, message text NOT NULL, state text NOT NULL, expires_at bigint NOT NULL,
  sent_at bigint NOT NULL, created bigint NOT NULL, created_by text NOT NULL, ended_at bigint, version bigint NOT NULL,
  PRIMARY KEY (organization, id));
CREATE UNIQUE INDEX invitations_hash_key ON invitations (hash);
CREATE UNIQUE INDEX invitations_pending_key ON invitations (organization, email_key) WHERE state = 'pending';
CREATE INDEX invitations_user ON invitations (organization, user_id);

-- state: pending, verified. method: dns, operator. value: what the TXT record must say.
CREATE TABLE verified_domains (
  organization uuid NOT NULL REFERENCES organizations (id), domain text COLLATE "C" NOT NULL, state text NOT NULL, method text NOT NULL,
  value text NOT NULL, created bigint NOT NULL, created_by text NOT NULL, checked_at bigint, verified_at bigint,
  PRIMARY KEY (organization, domain));

-- Someone a directory would create who exists here. state: previewed (connection in observe), pending, accepted, refused.
CREATE TABLE adoptions (
  organization uuid NOT NULL, id uuid NOT NULL, connection uuid NOT NULL, user_id uuid NOT NULL, user_name text NOT NULL,
  external_id text, incoming text NOT NULL, state text NOT NULL, created bigint NOT NULL, modified bigint NOT NULL,
  decided_at bigint, decided_by text, request_id text NOT NULL,
  PRIMARY KEY (organization, id));
CREATE UNIQUE INDEX adoptions_open_key ON adoptions (organization, connection, user_id) WHERE state IN ('previewed', 'pending');
CREATE INDEX adoptions_connection ON adoptions (organization, connection, state, id);

-- Who left a connection when (deactivated or deleted): what the brake counts.
CREATE TABLE departures (
  organization uuid NOT NULL, connection uuid NOT NULL, at bigint NOT NULL, user_id uuid NOT NULL,
  PRIMARY KEY (organization, connection, at, user_id));

-- Departures that the brake holds. deed: deactivate, delete. written: what the directory wrote and reads. state: held,
-- released, discarded, withdrawn.
CREATE TABLE held_changes (
  organization uuid NOT NULL, id uuid NOT NULL, connection uuid NOT NULL, user_id uuid NOT NULL, deed text NOT NULL,
  user_name_key text COLLATE "C" NOT NULL, written text NOT NULL, state text NOT NULL, created bigint NOT NULL, request_id text NOT NULL,
  decided_at bigint, decided_by text,
  PRIMARY KEY (organization, id));
CREATE UNIQUE INDEX held_changes_user_key ON held_changes (organization, user_id) WHERE state = 'held';
CREATE INDEX held_changes_connection ON held_changes (organization, connection, state, id);

-- Who may not be created again: by userName, or by externalId of a connection.
CREATE TABLE blocks (
  organization uuid NOT NULL, id uuid NOT NULL, connection uuid NOT NULL, user_id uuid NOT NULL, user_name_key text COLLATE "C" NOT NULL,
  external_id_key text COLLATE "C", reason text NOT NULL, created bigint NOT NULL, created_by text NOT NULL,
  PRIMARY KEY (organization, id));
CREATE UNIQUE INDEX blocks_user_name_key ON blocks (organization, user_name_key);
CREATE INDEX blocks_external_id ON blocks (organization, connection, external_id_key) WHERE external_id_key IS NOT NULL;

-- One row per logged SCIM request; bodies apart, since lists do not read them. The id is in the order of time.
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

-- When a connection was last heard of; written at most every few seconds.
CREATE TABLE connection_health (
  organization uuid NOT NULL, connection uuid NOT NULL, last_request_at bigint, last_success_at bigint, last_error_at bigint,
  last_error text, reads bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization, connection));

-- Resumable work. kind: activate, decommission, import, retention. state: queued, running, done, failed. cursor: how far it
-- came. leased_until: the instance that runs it says so again and again.
CREATE TABLE jobs (
  organization uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL, subject uuid, arguments text NOT NULL, state text NOT NULL,
  cursor text, done bigint NOT NULL DEFAULT 0, total bigint, error text, created bigint NOT NULL, created_by text NOT NULL,
  modified bigint NOT NULL, leased_until bigint, request_id text NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (organization, id));
CREATE INDEX jobs_open ON jobs (organization, id) WHERE state IN ('queued', 'running');

-- People of another organization (the parent, or one above) who reach a sub-account, which is `organization`.
CREATE TABLE sub_account_access (
  organization uuid NOT NULL, home uuid NOT NULL, user_id uuid NOT NULL, roles text NOT NULL, granted_at bigint NOT NULL,
  granted_by text NOT NULL,
  PRIMARY KEY (organization, home, user_id));
CREATE INDEX sub_account_access_home ON sub_account_access (home, user_id, organization);

-- A rotated token: the one whose place it takes.
ALTER TABLE scim_tokens ADD COLUMN rotated_from uuid;

-- As in 000002: where the extensions may be created.
DO $$
DECLARE
  trigrams text;
  plain text;
BEGIN
  SELECT quote_ident(n.nspname) INTO STRICT trigrams FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
  SELECT quote_ident(n.nspname) INTO STRICT plain FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'btree_gin';
  EXECUTE format('CREATE INDEX users_search_trigrams ON users USING gin (organization %s.uuid_ops, search_key %s.gin_trgm_ops) WHERE search_key IS NOT NULL AND deleted IS NULL', plain, trigrams);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'no trigram index: %', SQLERRM;
END $$;
