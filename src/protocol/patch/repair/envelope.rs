//! R1: `op` in any letter case (Entra sends `Replace`). And `Operations` in any letter case.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::protocol::policy::Policy;

/// The name of the operation as RFC 7644 spells it.
pub(in crate::protocol::patch) fn op_name<'a>(op: &'a str, policy: &Policy) -> Cow<'a, str> {
    if policy.repairs.op_any_case { Cow::Owned(op.to_ascii_lowercase()) } else { Cow::Borrowed(op) }
}

/// The key under which the operations stand.
pub(in crate::protocol::patch) fn operations_key(body: &Map<String, Value>, policy: &Policy) -> Option<String> {
    const NAME: &str = "Operations";
    let same = |key: &&String| *key == NAME || (policy.repairs.patch_envelope && key.eq_ignore_ascii_case(NAME));
    body.keys().find(same).cloned()
}
