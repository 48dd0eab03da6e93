-- Which keys were cut at 255 characters, or say nothing of their element: nearly always none, and then `co` and the like need
-- no look into documents. The conditions stand word for word in storage/search/writes.rs.
CREATE INDEX users_odd_keys ON users (organization)
  WHERE (length(user_name_key) > 255 OR length(display_name_key) > 255 OR length(external_id_key) > 255);
CREATE INDEX groups_odd_keys ON groups (organization)
  WHERE (length(display_name_key) > 255 OR length(external_id_key) > 255);
CREATE INDEX attribute_values_odd_keys ON attribute_values (organization, attribute)
  WHERE (length(value_key) > 255 OR length(type_key) > 255 OR (value_key = '' AND type_key = ''));

-- Trigrams, where the extensions may be created (both are trusted from PostgreSQL 13 on); without them `co` reads the
-- organization. The extensions may stand in any schema, so their operator classes are named with it.
DO $$
DECLARE
  trigrams text;
  plain text;
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
  CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public;
  SELECT quote_ident(n.nspname) INTO trigrams FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
  SELECT quote_ident(n.nspname) INTO plain FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'btree_gin';
  -- One index for both names: each insert then lists its organization once, not twice.
  EXECUTE format('CREATE INDEX users_name_trigrams ON users USING gin (organization %1$s.uuid_ops, user_name_key %2$s.gin_trgm_ops, display_name_key %2$s.gin_trgm_ops) WHERE deleted IS NULL', plain, trigrams);
  EXECUTE format('CREATE INDEX groups_display_name_trigrams ON groups USING gin (organization %s.uuid_ops, display_name_key %s.gin_trgm_ops) WHERE deleted IS NULL', plain, trigrams);
  EXECUTE format('CREATE INDEX attribute_values_email_trigrams ON attribute_values USING gin (organization %s.uuid_ops, value_key %s.gin_trgm_ops) WHERE attribute = 1', plain, trigrams);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'no trigram indexes: %', SQLERRM;
END $$;
