-- The provisioning log, many requests a row: a row of its own for each request cost more than the request.
-- slot: which quarter of a second since 1970; what is in different slots does not overlap in time. names: a Bloom filter of
-- what the entries are about. entries and bodies are packed (storage/cold/provisioning_log/segment.rs), bodies apart, since
-- lists do not read them.
CREATE TABLE provisioning_segments (
  organization uuid NOT NULL, slot bigint NOT NULL, id uuid NOT NULL, format smallint NOT NULL, length integer NOT NULL,
  not_done integer NOT NULL, names bytea NOT NULL, entries bytea NOT NULL, bodies bytea NOT NULL,
  PRIMARY KEY (organization, slot, id));
-- Packed already.
ALTER TABLE provisioning_segments ALTER COLUMN names SET STORAGE EXTERNAL, ALTER COLUMN entries SET STORAGE EXTERNAL,
  ALTER COLUMN bodies SET STORAGE EXTERNAL;
CREATE INDEX provisioning_segments_not_done ON provisioning_segments (organization, slot, id) WHERE not_done > 0;

-- Entries of at most thirty days that nobody reads any more; no release ever wrote one.
DROP TABLE provisioning_log;
DROP TABLE provisioning_bodies;

-- What the client of a deed on the admin surfaces calls itself.
ALTER TABLE events ADD COLUMN user_agent text;
