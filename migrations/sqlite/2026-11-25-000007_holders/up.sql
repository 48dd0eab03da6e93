-- A direct role's row holds what its holders are listed by, so that a page of them is read along an index however many they
-- are. Triggers keep it: no writer can forget it, and a write that changes no name does not pay for it.
ALTER TABLE role_grants ADD COLUMN name_key TEXT;
ALTER TABLE role_grants ADD COLUMN last_active_at BIGINT;
UPDATE role_grants SET
  name_key = (SELECT u.display_name_key FROM users u WHERE u.organization = role_grants.organization AND u.id = role_grants.user_id),
  last_active_at = (SELECT a.last_active_at FROM activity a WHERE a.organization = role_grants.organization AND a.user_id = role_grants.user_id);
CREATE INDEX role_grants_name ON role_grants (organization, role, name_key, user_id);
CREATE INDEX role_grants_active ON role_grants (organization, role, last_active_at, user_id);

CREATE TRIGGER role_grants_given AFTER INSERT ON role_grants BEGIN
  UPDATE role_grants SET
    name_key = (SELECT u.display_name_key FROM users u WHERE u.organization = NEW.organization AND u.id = NEW.user_id),
    last_active_at = (SELECT a.last_active_at FROM activity a WHERE a.organization = NEW.organization AND a.user_id = NEW.user_id)
  WHERE organization = NEW.organization AND user_id = NEW.user_id AND role = NEW.role;
END;
CREATE TRIGGER users_renamed AFTER UPDATE OF display_name_key ON users
  WHEN NEW.deleted IS NULL AND NEW.display_name_key IS NOT OLD.display_name_key BEGIN
  UPDATE role_grants SET name_key = NEW.display_name_key WHERE organization = NEW.organization AND user_id = NEW.id;
END;
CREATE TRIGGER activity_begun AFTER INSERT ON activity BEGIN
  UPDATE role_grants SET last_active_at = NEW.last_active_at WHERE organization = NEW.organization AND user_id = NEW.user_id;
END;
CREATE TRIGGER activity_moved AFTER UPDATE OF last_active_at ON activity BEGIN
  UPDATE role_grants SET last_active_at = NEW.last_active_at WHERE organization = NEW.organization AND user_id = NEW.user_id;
END;

-- What a list needs of people whom it has by id, beside the rows with their documents. In the order of ids, so that new
-- people are appended. PostgreSQL gains too little by it.
CREATE INDEX users_keys ON users (organization, id, connection, display_name_key) WHERE deleted IS NULL;
