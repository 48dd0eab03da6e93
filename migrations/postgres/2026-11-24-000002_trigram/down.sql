DROP INDEX IF EXISTS attribute_values_email_trigrams;
DROP INDEX IF EXISTS groups_display_name_trigrams;
DROP INDEX IF EXISTS users_name_trigrams;
DROP INDEX attribute_values_odd_keys;
DROP INDEX groups_odd_keys;
DROP INDEX users_odd_keys;
