DROP TABLE user_trigram_state;
DROP TABLE user_trigrams;
DROP TABLE user_trigram_rows;
DROP INDEX attribute_values_odd_keys;
DROP INDEX groups_odd_keys;
DROP INDEX users_odd_keys;
