//! Format of secrets: `rc_st_` + 32 random bytes in base62 + 6-character checksum; stored as SHA-256 only.
