DROP INDEX users_keys;
DROP TRIGGER activity_moved;
DROP TRIGGER activity_begun;
DROP TRIGGER users_renamed;
DROP TRIGGER role_grants_given;
DROP INDEX role_grants_active;
DROP INDEX role_grants_name;
ALTER TABLE role_grants DROP COLUMN last_active_at;
ALTER TABLE role_grants DROP COLUMN name_key;
