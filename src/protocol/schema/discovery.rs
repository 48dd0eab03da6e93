//! The published documents of RFC 7644 §4.
