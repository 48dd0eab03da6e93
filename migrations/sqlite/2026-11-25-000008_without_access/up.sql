-- On PostgreSQL a table takes over from the condition `NOT access` of users_not_active. SQLite writes an index only where its
-- columns or its condition change, so that the index stays.
SELECT 1;
