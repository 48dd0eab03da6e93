-- The provisioning log, many requests a row: a row of its own for each request cost more than the request.
-- slot: which quarter of a second since 1970; what is in different slots does not overlap in time. names: a Bloom filter of
-- what the entries are about. entries and bodies are packed (storage/cold/provisioning_log/segment.rs), bodies apart, since
-- lists do not read them.
CREATE TABLE provisioning_segments (
  organization BLOB NOT NULL, slot BIGINT NOT NULL, id BLOB NOT NULL, format SMALLINT NOT NULL, length INTEGER NOT NULL,
  not_done INTEGER NOT NULL, names BLOB NOT NULL, entries BLOB NOT NULL, bodies BLOB NOT NULL,
  PRIMARY KEY (organization, slot, id));
CREATE INDEX provisioning_segments_not_done ON provisioning_segments (organization, slot, id) WHERE not_done > 0;

-- Entries of at most thirty days that nobody reads any more; no release ever wrote one.
DROP TABLE provisioning_log;
DROP TABLE provisioning_bodies;

-- What the client of a deed on the admin surfaces calls itself.
ALTER TABLE events ADD COLUMN user_agent TEXT;
