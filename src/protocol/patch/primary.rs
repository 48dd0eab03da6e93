//! `primary` of multi-valued attributes: true at most once (RFC 7643 §2.4); a value that becomes primary takes it from the
//! others (RFC 7644 §3.5.2).

use serde_json::Value;

use crate::protocol::error::ScimError;

/// Refuses a list that names two primary values.
pub(super) fn check_one(values: &[Value]) -> Result<(), ScimError> {
    if values.iter().filter(|value| is_primary(value)).nth(1).is_some() {
        return Err(ScimError::invalid_value("Only one value of an attribute may have 'primary' true"));
    }
    Ok(())
}

/// After the elements `touched` got their values: if one of them is primary, no other one is.
pub(super) fn settle(values: &mut [Value], touched: &[usize]) -> Result<(), ScimError> {
    let mut new = touched.iter().copied().filter(|&index| values.get(index).is_some_and(is_primary));
    let Some(keeper) = new.next() else {
        return Ok(());
    };
    if new.any(|index| index != keeper) {
        return Err(ScimError::invalid_value("Only one value of an attribute may have 'primary' true"));
    }
    for (index, value) in values.iter_mut().enumerate() {
        if let Some(primary) = value.get_mut("primary").filter(|primary| index != keeper && **primary == true) {
            *primary = false.into();
        }
    }
    Ok(())
}

/// Whether the element has `primary` true.
pub(super) fn is_primary(value: &Value) -> bool {
    value.get("primary").and_then(Value::as_bool).unwrap_or(false)
}
