-- The protected Admin of an organization: found without a look at all accounts, and never two.
CREATE UNIQUE INDEX accounts_protected_key ON accounts (organization) WHERE is_protected;
