-- People by status, the list of groups, adopted addresses, one-time admin links, the windows of the brake. Only adds, but for a
-- table that no version ever read.

-- The list of people by status; a directory's write of `active` pays for it.
CREATE INDEX IF NOT EXISTS users_not_active ON users (organization, invited, id) WHERE deleted IS NULL AND (invited OR NOT access OR suspension IS NOT NULL);

-- Rises when the group's role mapping changes, which is no change of what its directory sees; part of the ETag.
ALTER TABLE groups ADD COLUMN mapping_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX groups_name ON groups (organization, display_name_key, id) WHERE deleted IS NULL;

-- What an adopted person signs in with, which no change by the directory moves.
ALTER TABLE accounts ADD COLUMN login_address TEXT;

-- What was decided on a person: asked when a directory meets one who is here.
CREATE INDEX adoptions_user ON adoptions (organization, user_id, connection, state);

-- The one-time link for the first Admin of an organization, at most one: a new one takes the place of the last, and using it
-- removes it.
CREATE TABLE admin_links (
  organization BLOB NOT NULL REFERENCES organizations (id), hash BLOB NOT NULL, fingerprint TEXT NOT NULL, created BIGINT NOT NULL,
  created_by TEXT NOT NULL, expires_at BIGINT NOT NULL,
  PRIMARY KEY (organization)) WITHOUT ROWID;
CREATE UNIQUE INDEX admin_links_hash_key ON admin_links (hash);

-- How many people left a connection (deactivated or deleted) since `started`, when `active` were active; in advance, since
-- a process takes a number of departures at once. `alarmed`: whether the first one that is held was told of.
CREATE TABLE brake_windows (
  organization BLOB NOT NULL, connection BLOB NOT NULL, started BIGINT NOT NULL, active BIGINT NOT NULL,
  departed BIGINT NOT NULL, alarmed BOOLEAN NOT NULL,
  PRIMARY KEY (organization, connection)) WITHOUT ROWID;
DROP TABLE departures;
