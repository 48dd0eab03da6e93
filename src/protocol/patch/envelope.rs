//! Reads the body of a PATCH request down to `op`, `path` and `value` (RFC 7644 §3.5.2); these are untouched yet.

use serde_json::{Map, Value};

use super::repair;
use crate::protocol::error::ScimError;
use crate::protocol::policy::Policy;
use crate::protocol::urn;

/// `op`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Remove,
    Replace,
}

/// An element of `Operations`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) verb: Verb,
    /// `None` where it is missing, null or empty.
    pub(super) path: Option<String>,
    /// `None` where it is missing.
    pub(super) value: Option<Value>,
}

/// Reads the envelope.
pub(super) fn read(body: Value, policy: &Policy) -> Result<Vec<Operation>, ScimError> {
    let Value::Object(mut body) = body else {
        return Err(ScimError::invalid_syntax("The body must be a JSON object"));
    };
    check_schemas(&body, policy)?;
    let operations = match repair::envelope::operations_key(&body, policy).and_then(|key| body.remove(&key)) {
        Some(Value::Array(operations)) => operations,
        Some(_) => return Err(ScimError::invalid_syntax("'Operations' must be an array")),
        None => return Err(ScimError::invalid_syntax("'Operations' is missing")),
    };
    if operations.is_empty() {
        return Err(ScimError::invalid_syntax("'Operations' must hold at least one operation"));
    }
    let most = policy.limits.patch_operations;
    if operations.len() > most {
        return Err(ScimError::invalid_syntax(format!("'Operations' holds more than {most} operations")));
    }
    operations.into_iter().map(|operation| read_operation(operation, policy)).collect()
}

fn check_schemas(body: &Map<String, Value>, policy: &Policy) -> Result<(), ScimError> {
    let schemas = body.iter().find(|(key, _)| key.eq_ignore_ascii_case("schemas")).map(|(_, value)| value);
    let fits = match schemas {
        None | Some(Value::Null) => policy.repairs.patch_envelope,
        Some(Value::Array(urns)) => {
            urns.iter().any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(urn::PATCH_OP)))
        }
        Some(_) => false,
    };
    if fits { Ok(()) } else { Err(ScimError::invalid_syntax(format!("'schemas' must hold '{}'", urn::PATCH_OP))) }
}

fn read_operation(operation: Value, policy: &Policy) -> Result<Operation, ScimError> {
    let Value::Object(members) = operation else {
        return Err(ScimError::invalid_syntax("Each operation must be a JSON object"));
    };
    let (mut op, mut path, mut value) = (None, None, None);
    for (key, member) in members {
        let slot = match () {
            () if key.eq_ignore_ascii_case("op") => &mut op,
            () if key.eq_ignore_ascii_case("path") => &mut path,
            () if key.eq_ignore_ascii_case("value") => &mut value,
            () => continue,
        };
        if slot.replace(member).is_some() {
            return Err(ScimError::invalid_syntax("An operation has 'op', 'path' or 'value' twice"));
        }
    }
    Ok(Operation { verb: read_verb(op.as_ref(), policy)?, path: read_path(path)?, value })
}

fn read_verb(op: Option<&Value>, policy: &Policy) -> Result<Verb, ScimError> {
    let text = op.and_then(Value::as_str).unwrap_or_default();
    match &*repair::envelope::op_name(text, policy) {
        "add" => Ok(Verb::Add),
        "remove" => Ok(Verb::Remove),
        "replace" => Ok(Verb::Replace),
        _ => Err(ScimError::invalid_syntax("'op' must be 'add', 'remove' or 'replace'")),
    }
}

fn read_path(path: Option<Value>) -> Result<Option<String>, ScimError> {
    match path {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(_) => Err(ScimError::invalid_path("'path' must be a string")),
    }
}
