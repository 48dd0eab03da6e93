-- Whom a directory keeps out has a row here rather than in an index of `users`: an index that names `access`, be it in its
-- condition, makes each update that changes it write all indexes anew, the trigrams' among them (no heap-only tuple).
CREATE TABLE users_without_access (
  organization uuid NOT NULL, user_id uuid NOT NULL,
  PRIMARY KEY (organization, user_id)) WITH (autovacuum_vacuum_scale_factor = 0.05);
INSERT INTO users_without_access (organization, user_id) SELECT organization, id FROM users WHERE NOT access AND deleted IS NULL;

DROP INDEX users_not_active;
CREATE INDEX users_not_active ON users (organization, invited, id) WHERE deleted IS NULL AND (invited OR suspension IS NOT NULL);
