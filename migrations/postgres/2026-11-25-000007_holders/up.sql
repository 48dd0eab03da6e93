-- A direct role's row holds what its holders are listed by, so that a page of them is read along an index however many they
-- are. Triggers keep it: no writer can forget it, and a write that changes no name does not pay for it.
ALTER TABLE role_grants ADD COLUMN name_key text COLLATE "C";
ALTER TABLE role_grants ADD COLUMN last_active_at bigint;
UPDATE role_grants r SET
  name_key = (SELECT u.display_name_key FROM users u WHERE u.organization = r.organization AND u.id = r.user_id),
  last_active_at = (SELECT a.last_active_at FROM activity a WHERE a.organization = r.organization AND a.user_id = r.user_id);
CREATE INDEX role_grants_name ON role_grants (organization, role, name_key, user_id);
CREATE INDEX role_grants_active ON role_grants (organization, role, last_active_at, user_id);

-- A change of the name waits for the lock until the grant is there for it to find.
CREATE FUNCTION role_grants_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT u.display_name_key INTO NEW.name_key FROM users u
    WHERE u.organization = NEW.organization AND u.id = NEW.user_id FOR SHARE;
  SELECT a.last_active_at INTO NEW.last_active_at FROM activity a
    WHERE a.organization = NEW.organization AND a.user_id = NEW.user_id FOR SHARE;
  RETURN NEW;
END $$;
CREATE TRIGGER role_grants_given BEFORE INSERT ON role_grants FOR EACH ROW EXECUTE FUNCTION role_grants_given();

CREATE FUNCTION users_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE role_grants SET name_key = NEW.display_name_key WHERE organization = NEW.organization AND user_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER users_renamed AFTER UPDATE OF display_name_key ON users FOR EACH ROW
  WHEN (NEW.deleted IS NULL AND NEW.display_name_key IS DISTINCT FROM OLD.display_name_key) EXECUTE FUNCTION users_renamed();

CREATE FUNCTION activity_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE role_grants SET last_active_at = NEW.last_active_at WHERE organization = NEW.organization AND user_id = NEW.user_id;
  RETURN NULL;
END $$;
CREATE TRIGGER activity_moved AFTER INSERT OR UPDATE OF last_active_at ON activity FOR EACH ROW EXECUTE FUNCTION activity_moved();
