-- Organization first in every key, index and query. Ids are UUIDv7 as 16-byte BLOBs, times µs since 1970 UTC.
-- Hot tables carry no foreign keys: the writer checks what it needs in the same transaction.
CREATE TABLE organizations (
  id BLOB NOT NULL PRIMARY KEY, slug TEXT NOT NULL, name TEXT NOT NULL, parent BLOB,
  state TEXT NOT NULL DEFAULT 'active', features TEXT NOT NULL DEFAULT '{}', settings TEXT NOT NULL DEFAULT '{}',
  created BIGINT NOT NULL, modified BIGINT NOT NULL, version BIGINT NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX organizations_slug_key ON organizations (slug);

CREATE TABLE connections (
  organization BLOB NOT NULL REFERENCES organizations (id), id BLOB NOT NULL, provider TEXT NOT NULL, name TEXT NOT NULL,
  state TEXT NOT NULL, settings TEXT NOT NULL DEFAULT '{}',
  created BIGINT NOT NULL, modified BIGINT NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX connections_organization_name_key ON connections (organization, name);

CREATE TABLE scim_tokens (
  organization BLOB NOT NULL, id BLOB NOT NULL, connection BLOB NOT NULL, name TEXT NOT NULL, hash BLOB NOT NULL,
  fingerprint TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL, expires_at BIGINT, revoked_at BIGINT,
  last_used_at BIGINT, last_used_ip TEXT,
  PRIMARY KEY (organization, id), FOREIGN KEY (organization, connection) REFERENCES connections (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX scim_tokens_hash_key ON scim_tokens (hash);
CREATE INDEX scim_tokens_connection ON scim_tokens (organization, connection, id);

-- A rowid table: the trigram index refers to rows by number.
CREATE TABLE users (
  organization BLOB NOT NULL, id BLOB NOT NULL, connection BLOB,
  user_name TEXT NOT NULL, user_name_key TEXT NOT NULL, external_id_key TEXT,
  active BOOLEAN, access BOOLEAN NOT NULL, suspension TEXT, display_name TEXT, display_name_key TEXT,
  document TEXT NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL, modified BIGINT NOT NULL, deleted BIGINT,
  PRIMARY KEY (organization, id));
CREATE UNIQUE INDEX users_user_name_key ON users (organization, user_name_key) WHERE deleted IS NULL;
CREATE INDEX users_page ON users (organization, connection, id) WHERE deleted IS NULL;
CREATE INDEX users_external_id ON users (organization, connection, external_id_key) WHERE external_id_key IS NOT NULL AND deleted IS NULL;
CREATE INDEX users_display_name ON users (organization, connection, display_name_key, id) WHERE deleted IS NULL;

CREATE TABLE groups (
  organization BLOB NOT NULL, id BLOB NOT NULL, connection BLOB,
  display_name TEXT NOT NULL, display_name_key TEXT NOT NULL, unique_key TEXT, external_id_key TEXT,
  document TEXT NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL, modified BIGINT NOT NULL, deleted BIGINT,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX groups_unique_key ON groups (organization, unique_key) WHERE unique_key IS NOT NULL AND deleted IS NULL;
CREATE INDEX groups_page ON groups (organization, connection, id) WHERE deleted IS NULL;
CREATE INDEX groups_display_name ON groups (organization, connection, display_name_key, id) WHERE deleted IS NULL;
CREATE INDEX groups_external_id ON groups (organization, connection, external_id_key) WHERE external_id_key IS NOT NULL AND deleted IS NULL;

-- One row per element of a multi-valued attribute of a user or group (kind: 1 user, 2 group is the attribute's number's).
CREATE TABLE attribute_values (
  organization BLOB NOT NULL, resource BLOB NOT NULL, attribute SMALLINT NOT NULL,
  value_key TEXT NOT NULL, type_key TEXT NOT NULL, is_primary BOOLEAN NOT NULL,
  PRIMARY KEY (organization, resource, attribute, value_key, type_key)) WITHOUT ROWID;
CREATE INDEX attribute_values_find ON attribute_values (organization, attribute, value_key, resource);

-- member_type: 1 user, 2 group, 3 user whose deletion the brake holds.
CREATE TABLE members (
  organization BLOB NOT NULL, group_id BLOB NOT NULL, member_id BLOB NOT NULL, member_type SMALLINT NOT NULL,
  PRIMARY KEY (organization, group_id, member_id)) WITHOUT ROWID;
CREATE INDEX members_of ON members (organization, member_id, group_id);

-- kind: 1 user created, 2 user changed, 3 user deleted, 4 group created, 5 group changed, 6 group deleted; more follow.
CREATE TABLE events (
  position INTEGER PRIMARY KEY AUTOINCREMENT, organization BLOB NOT NULL, id BLOB NOT NULL, connection BLOB,
  kind SMALLINT NOT NULL, actor TEXT NOT NULL, request_id TEXT NOT NULL, resource BLOB NOT NULL, version BIGINT NOT NULL,
  at BIGINT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX events_organization ON events (organization, position);

-- The exact total is the sum over writers; type: 1 users, 2 groups.
CREATE TABLE counts (
  organization BLOB NOT NULL, connection BLOB NOT NULL, type SMALLINT NOT NULL, writer INTEGER NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (organization, connection, type, writer)) WITHOUT ROWID;
