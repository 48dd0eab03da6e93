-- What the admin and backoffice surfaces store. Organization first in every key, index and query; operators and their keys
-- belong to none. Ids are UUIDv7, times µs since 1970 UTC; `created_by` and the like are `domain::actor::Actor`, printed.

-- People and groups that no directory owns have the nil id as their connection, so that one set of keys serves both kinds.
-- `invited`: not joined yet. `deactivated_at`: since when the directory keeps the person out. `suspension`: the local hold as
-- JSON (by, at, reason, actor). `search_key`: names and e-mails without accents, where these differ from the keys.
ALTER TABLE users ADD COLUMN invited BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN deactivated_at BIGINT;
ALTER TABLE users ADD COLUMN search_key TEXT;
CREATE INDEX organizations_parent ON organizations (parent, id) WHERE parent IS NOT NULL;

-- Where from, what the refusal was, why: of deeds on the admin surfaces.
ALTER TABLE events ADD COLUMN ip TEXT;
ALTER TABLE events ADD COLUMN problem TEXT;
ALTER TABLE events ADD COLUMN reason TEXT;

-- A person as the console knows them, beside what the directory says: made when there is something to keep. `version` rises
-- with every change that is no change of the user's document (roles, suspension, notes), and is part of the ETag.
-- `former_*`: the directory that a released person came from, for relinking.
CREATE TABLE accounts (
  organization BLOB NOT NULL, user_id BLOB NOT NULL, locale TEXT, time_zone TEXT, notes TEXT, invited_by TEXT,
  managed_since BIGINT, former_connection BLOB, former_external_id TEXT, is_protected BOOLEAN NOT NULL DEFAULT FALSE,
  created BIGINT NOT NULL, modified BIGINT NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (organization, user_id)) WITHOUT ROWID;
CREATE INDEX accounts_former ON accounts (organization, former_connection, former_external_id) WHERE former_connection IS NOT NULL;

-- When a person was last active; a narrow row, since it is written often. No row: never.
CREATE TABLE activity (
  organization BLOB NOT NULL, user_id BLOB NOT NULL, last_active_at BIGINT NOT NULL,
  PRIMARY KEY (organization, user_id)) WITHOUT ROWID;
CREATE INDEX activity_last ON activity (organization, last_active_at, user_id);

-- What is left of a deleted person for the audit log. mode: delete, remove, block, erase.
CREATE TABLE tombstones (
  organization BLOB NOT NULL, user_id BLOB NOT NULL, email_hash BLOB, mode TEXT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL,
  PRIMARY KEY (organization, user_id)) WITHOUT ROWID;

-- Direct roles only. Roles by group follow from role_mappings and members, roles by directory from attribute_values.
CREATE TABLE role_grants (
  organization BLOB NOT NULL, user_id BLOB NOT NULL, role TEXT NOT NULL, granted_at BIGINT NOT NULL, granted_by TEXT NOT NULL,
  PRIMARY KEY (organization, user_id, role)) WITHOUT ROWID;
CREATE INDEX role_grants_role ON role_grants (organization, role, user_id);

CREATE TABLE role_mappings (
  organization BLOB NOT NULL, group_id BLOB NOT NULL, role TEXT NOT NULL, mapped_at BIGINT NOT NULL, mapped_by TEXT NOT NULL,
  PRIMARY KEY (organization, group_id, role)) WITHOUT ROWID;
CREATE INDEX role_mappings_role ON role_mappings (organization, role, group_id);

-- A key keeps its id when it is rotated; until `previous_until` its former secret works too.
CREATE TABLE api_keys (
  organization BLOB NOT NULL REFERENCES organizations (id), id BLOB NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
  hash BLOB NOT NULL, fingerprint TEXT NOT NULL, previous_hash BLOB, previous_until BIGINT,
  roles TEXT NOT NULL, ip_allowlist TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL, expires_at BIGINT,
  revoked_at BIGINT, rotated_at BIGINT, last_used_at BIGINT, last_used_ip TEXT, modified BIGINT NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_hash_key ON api_keys (hash);
CREATE UNIQUE INDEX api_keys_previous_hash_key ON api_keys (previous_hash) WHERE previous_hash IS NOT NULL;

-- role: operator, support.
CREATE TABLE operators (
  id BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL,
  removed_at BIGINT, version BIGINT NOT NULL) WITHOUT ROWID;
CREATE TABLE operator_keys (
  id BLOB NOT NULL PRIMARY KEY, operator BLOB NOT NULL REFERENCES operators (id), name TEXT NOT NULL, hash BLOB NOT NULL,
  fingerprint TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL, expires_at BIGINT, revoked_at BIGINT,
  last_used_at BIGINT, last_used_ip TEXT) WITHOUT ROWID;
CREATE UNIQUE INDEX operator_keys_hash_key ON operator_keys (hash);
CREATE INDEX operator_keys_operator ON operator_keys (operator, id);

-- Answers of POSTs for a repeat; status NULL: still running. Of the backoffice the organization is the nil id. `body` is NULL
-- where it held a secret.
CREATE TABLE idempotency_keys (
  organization BLOB NOT NULL, credential BLOB NOT NULL, idempotency_key TEXT NOT NULL, fingerprint BLOB NOT NULL,
  status SMALLINT, headers TEXT, body TEXT, is_secret BOOLEAN NOT NULL DEFAULT FALSE, created BIGINT NOT NULL,
  PRIMARY KEY (organization, credential, idempotency_key));
CREATE INDEX idempotency_keys_created ON idempotency_keys (organization, created);

-- state: pending, accepted, revoked; expired follows from expires_at. roles and groups are granted to the user at once.
CREATE TABLE invitations (
  organization BLOB NOT NULL, id BLOB NOT NULL, user_id BLOB NOT NULL, email TEXT NOT NULL, email_key TEXT NOT NULL,
  hash BLOB NOT NULL, delivery TEXT NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL, expires_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL, ended_at BIGINT, version BIGINT NOT NULL,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_hash_key ON invitations (hash);
CREATE UNIQUE INDEX invitations_pending_key ON invitations (organization, email_key) WHERE state = 'pending';
CREATE INDEX invitations_user ON invitations (organization, user_id);

-- state: pending, verified. method: dns, operator. value: what the TXT record must say.
CREATE TABLE verified_domains (
  organization BLOB NOT NULL REFERENCES organizations (id), domain TEXT NOT NULL, state TEXT NOT NULL, method TEXT NOT NULL,
  value TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL, checked_at BIGINT, verified_at BIGINT,
  PRIMARY KEY (organization, domain)) WITHOUT ROWID;

-- Someone a directory would create who exists here. state: previewed (connection in observe), pending, accepted, refused.
CREATE TABLE adoptions (
  organization BLOB NOT NULL, id BLOB NOT NULL, connection BLOB NOT NULL, user_id BLOB NOT NULL, user_name TEXT NOT NULL,
  external_id TEXT, incoming TEXT NOT NULL, state TEXT NOT NULL, created BIGINT NOT NULL, modified BIGINT NOT NULL,
  decided_at BIGINT, decided_by TEXT, request_id TEXT NOT NULL,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX adoptions_open_key ON adoptions (organization, connection, user_id) WHERE state IN ('previewed', 'pending');
CREATE INDEX adoptions_connection ON adoptions (organization, connection, state, id);

-- Who left a connection when (deactivated or deleted): what the brake counts.
CREATE TABLE departures (
  organization BLOB NOT NULL, connection BLOB NOT NULL, at BIGINT NOT NULL, user_id BLOB NOT NULL,
  PRIMARY KEY (organization, connection, at, user_id)) WITHOUT ROWID;

-- Departures that the brake holds. deed: deactivate, delete. written: what the directory wrote and reads. state: held,
-- released, discarded, withdrawn.
CREATE TABLE held_changes (
  organization BLOB NOT NULL, id BLOB NOT NULL, connection BLOB NOT NULL, user_id BLOB NOT NULL, deed TEXT NOT NULL,
  user_name_key TEXT NOT NULL, written TEXT NOT NULL, state TEXT NOT NULL, created BIGINT NOT NULL, request_id TEXT NOT NULL,
  decided_at BIGINT, decided_by TEXT,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX held_changes_user_key ON held_changes (organization, user_id) WHERE state = 'held';
CREATE INDEX held_changes_connection ON held_changes (organization, connection, state, id);

-- Who may not be created again: by userName, or by externalId of a connection.
CREATE TABLE blocks (
  organization BLOB NOT NULL, id BLOB NOT NULL, connection BLOB NOT NULL, user_id BLOB NOT NULL, user_name_key TEXT NOT NULL,
  external_id_key TEXT, reason TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX blocks_user_name_key ON blocks (organization, user_name_key);
CREATE INDEX blocks_external_id ON blocks (organization, connection, external_id_key) WHERE external_id_key IS NOT NULL;

-- One row per logged SCIM request; bodies apart, since lists do not read them. The id is in the order of time.
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

-- When a connection was last heard of; written at most every few seconds.
CREATE TABLE connection_health (
  organization BLOB NOT NULL, connection BLOB NOT NULL, last_request_at BIGINT, last_success_at BIGINT, last_error_at BIGINT,
  last_error TEXT, reads BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (organization, connection)) WITHOUT ROWID;

-- Resumable work. kind: activate, decommission, import, retention. state: queued, running, done, failed. cursor: how far it
-- came. leased_until: the instance that runs it says so again and again.
CREATE TABLE jobs (
  organization BLOB NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, subject BLOB, arguments TEXT NOT NULL, state TEXT NOT NULL,
  cursor TEXT, done BIGINT NOT NULL DEFAULT 0, total BIGINT, error TEXT, created BIGINT NOT NULL, created_by TEXT NOT NULL,
  modified BIGINT NOT NULL, leased_until BIGINT, request_id TEXT NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE INDEX jobs_open ON jobs (organization, id) WHERE state IN ('queued', 'running');

-- People of another organization (the parent, or one above) who reach a sub-account, which is `organization`.
CREATE TABLE sub_account_access (
  organization BLOB NOT NULL, home BLOB NOT NULL, user_id BLOB NOT NULL, roles TEXT NOT NULL, granted_at BIGINT NOT NULL,
  granted_by TEXT NOT NULL,
  PRIMARY KEY (organization, home, user_id)) WITHOUT ROWID;
CREATE INDEX sub_account_access_home ON sub_account_access (home, user_id, organization);

-- A rotated token: the one whose place it takes.
ALTER TABLE scim_tokens ADD COLUMN rotated_from BLOB;
