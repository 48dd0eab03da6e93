DROP INDEX accounts_protected_key;
