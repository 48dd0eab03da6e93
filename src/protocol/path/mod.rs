//! Attribute paths and PATCH paths (RFC 7644 §3.5.2 and §3.10): `parse` reads the grammar, `resolve` binds names to the schema.
