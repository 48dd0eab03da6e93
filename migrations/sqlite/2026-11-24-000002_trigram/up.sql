-- Which keys were cut at 255 characters, or say nothing of their element: nearly always none, and then `co` and the like need
-- no look into documents. The conditions stand word for word in storage/search/writes.rs.
CREATE INDEX users_odd_keys ON users (organization)
  WHERE (length(user_name_key) > 255 OR length(display_name_key) > 255 OR length(external_id_key) > 255);
CREATE INDEX groups_odd_keys ON groups (organization)
  WHERE (length(display_name_key) > 255 OR length(external_id_key) > 255);
CREATE INDEX attribute_values_odd_keys ON attribute_values (organization, attribute)
  WHERE (length(value_key) > 255 OR length(type_key) > 255 OR (value_key = '' AND type_key = ''));

-- Trigrams of users' keys, by number. The index follows the events: whoever removes events keeps those after `position`.
CREATE TABLE user_trigram_rows (
  number INTEGER NOT NULL PRIMARY KEY, organization BLOB NOT NULL, id BLOB NOT NULL, digest TEXT NOT NULL);
CREATE UNIQUE INDEX user_trigram_rows_user_key ON user_trigram_rows (organization, id);
CREATE VIRTUAL TABLE user_trigrams USING fts5 (
  user_name, display_name, emails, content='', contentless_delete=1, detail='column', tokenize='trigram case_sensitive 1');

-- One row. Until `built`, the first pass over all users has come as far as (organization, id).
CREATE TABLE user_trigram_state (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), position BIGINT NOT NULL, built BOOLEAN NOT NULL,
  organization BLOB NOT NULL, id BLOB NOT NULL);
INSERT INTO user_trigram_state (one, position, built, organization, id) VALUES (1, 0, FALSE, x'', x'');
