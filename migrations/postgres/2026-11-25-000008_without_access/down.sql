DROP INDEX users_not_active;
CREATE INDEX users_not_active ON users (organization, invited, id) WHERE deleted IS NULL AND (invited OR NOT access OR suspension IS NOT NULL);
DROP TABLE users_without_access;
