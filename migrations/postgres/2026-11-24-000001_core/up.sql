-- Organization first in every key, index and query. Ids are UUIDv7, times µs since 1970 UTC.
-- Hot tables carry no foreign keys: the writer checks what it needs in the same transaction.
CREATE TABLE organizations (
  id uuid NOT NULL PRIMARY KEY, slug text NOT NULL, name text NOT NULL, parent uuid,
  state text NOT NULL DEFAULT 'active', features text NOT NULL DEFAULT '{}', settings text NOT NULL DEFAULT '{}',
  created bigint NOT NULL, modified bigint NOT NULL, version bigint NOT NULL);
CREATE UNIQUE INDEX organizations_slug_key ON organizations (slug);

CREATE TABLE connections (
  organization uuid NOT NULL REFERENCES organizations (id), id uuid NOT NULL, provider text NOT NULL, name text NOT NULL,
  state text NOT NULL, settings text NOT NULL DEFAULT '{}',
  created bigint NOT NULL, modified bigint NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (organization, id));
CREATE UNIQUE INDEX connections_organization_name_key ON connections (organization, name);

CREATE TABLE scim_tokens (
  organization uuid NOT NULL, id uuid NOT NULL, connection uuid NOT NULL, name text NOT NULL, hash bytea NOT NULL,
  fingerprint text NOT NULL, created bigint NOT NULL, created_by text NOT NULL, expires_at bigint, revoked_at bigint,
  last_used_at bigint, last_used_ip text,
  PRIMARY KEY (organization, id), FOREIGN KEY (organization, connection) REFERENCES connections (organization, id));
CREATE UNIQUE INDEX scim_tokens_hash_key ON scim_tokens (hash);
CREATE INDEX scim_tokens_connection ON scim_tokens (organization, connection, id);

CREATE TABLE users (
  organization uuid NOT NULL, id uuid NOT NULL, connection uuid,
  user_name text NOT NULL, user_name_key text COLLATE "C" NOT NULL, external_id_key text COLLATE "C",
  active boolean, access boolean NOT NULL, suspension text, display_name text, display_name_key text COLLATE "C",
  document text NOT NULL, version bigint NOT NULL, created bigint NOT NULL, modified bigint NOT NULL, deleted bigint,
  PRIMARY KEY (organization, id)) WITH (fillfactor = 85);
CREATE UNIQUE INDEX users_user_name_key ON users (organization, user_name_key) WHERE deleted IS NULL;
CREATE INDEX users_page ON users (organization, connection, id) WHERE deleted IS NULL;
CREATE INDEX users_external_id ON users (organization, connection, external_id_key) WHERE external_id_key IS NOT NULL AND deleted IS NULL;
CREATE INDEX users_display_name ON users (organization, connection, display_name_key, id) WHERE deleted IS NULL;

CREATE TABLE groups (
  organization uuid NOT NULL, id uuid NOT NULL, connection uuid,
  display_name text NOT NULL, display_name_key text COLLATE "C" NOT NULL, unique_key text COLLATE "C", external_id_key text COLLATE "C",
  document text NOT NULL, version bigint NOT NULL, created bigint NOT NULL, modified bigint NOT NULL, deleted bigint,
  PRIMARY KEY (organization, id)) WITH (fillfactor = 50);
CREATE UNIQUE INDEX groups_unique_key ON groups (organization, unique_key) WHERE unique_key IS NOT NULL AND deleted IS NULL;
CREATE INDEX groups_page ON groups (organization, connection, id) WHERE deleted IS NULL;
CREATE INDEX groups_display_name ON groups (organization, connection, display_name_key, id) WHERE deleted IS NULL;
CREATE INDEX groups_external_id ON groups (organization, connection, external_id_key) WHERE external_id_key IS NOT NULL AND deleted IS NULL;

-- One row per element of a multi-valued attribute of a user or group (kind: 1 user, 2 group is the attribute's number's).
CREATE TABLE attribute_values (
  organization uuid NOT NULL, resource uuid NOT NULL, attribute smallint NOT NULL,
  value_key text COLLATE "C" NOT NULL, type_key text COLLATE "C" NOT NULL, is_primary boolean NOT NULL,
  PRIMARY KEY (organization, resource, attribute, value_key, type_key));
CREATE INDEX attribute_values_find ON attribute_values (organization, attribute, value_key, resource);

-- member_type: 1 user, 2 group, 3 user whose deletion the brake holds.
CREATE TABLE members (
  organization uuid NOT NULL, group_id uuid NOT NULL, member_id uuid NOT NULL, member_type smallint NOT NULL,
  PRIMARY KEY (organization, group_id, member_id));
CREATE INDEX members_of ON members (organization, member_id, group_id);

-- kind: 1 user created, 2 user changed, 3 user deleted, 4 group created, 5 group changed, 6 group deleted; more follow.
CREATE TABLE events (
  organization uuid NOT NULL, tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
  position bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1), id uuid NOT NULL, connection uuid,
  kind smallint NOT NULL, actor text NOT NULL, request_id text NOT NULL, resource uuid NOT NULL, version bigint NOT NULL,
  at bigint NOT NULL, detail text NOT NULL,
  PRIMARY KEY (organization, tx, position));

-- The exact total is the sum over writers; type: 1 users, 2 groups.
CREATE TABLE counts (
  organization uuid NOT NULL, connection uuid NOT NULL, type smallint NOT NULL, writer integer NOT NULL, n bigint NOT NULL,
  PRIMARY KEY (organization, connection, type, writer)) WITH (fillfactor = 50);
