//! Client dialects of PATCH, turned into what RFC 7644 says: each unit answers for one rule of the connector catalogue
//! and does nothing where its flag in `policy::Repairs` is off. Boolean strings (R3) and `""` (R19) are mended with the
//! value itself, in `validate::canonical_value`.

pub(super) mod create;
pub(super) mod envelope;
pub(super) mod keys;
pub(super) mod manager;
pub(super) mod remove;
