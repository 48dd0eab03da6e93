//! The reference meaning of a bound filter over a whole resource (with `id`, `meta`, `groups`, `members`).

use super::BoundFilter;
use serde_json::{Map, Value};

/// Whether the resource fulfils the filter. Never undefined: an absent attribute compares false, `ne` true.
pub fn evaluate(_filter: &BoundFilter, _resource: &Map<String, Value>) -> bool {
    todo!()
}
