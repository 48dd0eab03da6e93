CREATE TABLE departures (
  organization uuid NOT NULL, connection uuid NOT NULL, at bigint NOT NULL, user_id uuid NOT NULL,
  PRIMARY KEY (organization, connection, at, user_id));
DROP TABLE brake_windows;
DROP TABLE admin_links;
DROP INDEX adoptions_user;
ALTER TABLE accounts DROP COLUMN login_address;
DROP INDEX groups_name;
ALTER TABLE groups DROP COLUMN mapping_version;
DROP INDEX users_not_active;
