CREATE TABLE departures (
  organization BLOB NOT NULL, connection BLOB NOT NULL, at BIGINT NOT NULL, user_id BLOB NOT NULL,
  PRIMARY KEY (organization, connection, at, user_id)) WITHOUT ROWID;
DROP TABLE brake_windows;
DROP TABLE admin_links;
DROP INDEX adoptions_user;
ALTER TABLE accounts DROP COLUMN login_address;
DROP INDEX groups_name;
ALTER TABLE groups DROP COLUMN mapping_version;
DROP INDEX users_not_active;
