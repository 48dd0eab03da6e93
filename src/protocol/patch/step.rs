//! The steps a PATCH request comes to. A step is legal by the schema and its values are canonical; only what depends on
//! the resource's present state is left to `apply`.

use serde_json::{Map, Value};

use crate::protocol::filter::BoundFilter;
use crate::protocol::schema::Resolved;
use std::sync::Arc;

/// One change to the resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Gives a single-valued attribute, or a sub-attribute of one, its value.
    Set(Resolved, Value),
    /// Makes an attribute, a sub-attribute of a single value, or an extension unassigned.
    Clear(Resolved),
    /// Adds values to a multi-valued attribute.
    Add(Resolved, Vec<Value>),
    /// Gives a multi-valued attribute exactly these values.
    Replace(Resolved, Vec<Value>),
    /// Takes these values out of a multi-valued attribute (R9).
    Discard(Resolved, Vec<Value>),
    /// Changes the selected elements of a complex attribute.
    Elements(Resolved, Selection, Change),
    /// Changes members.
    Members(MemberChange),
}

/// Which elements.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// `None` selects all.
    pub(super) filter: Option<BoundFilter>,
    /// What an element to create starts with where none is selected (R7); `None` refuses with `noTarget` (R8).
    pub(super) seed: Option<Map<String, Value>>,
}

/// What becomes of a selected element.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// It goes.
    Remove,
    /// It has these sub-attributes and no others.
    Replace(Map<String, Value>),
    /// It has these sub-attributes beside its others.
    Merge(Map<String, Value>),
    /// It loses a sub-attribute.
    ClearSub(Arc<str>),
}

/// A change to `members`, by id where the path allows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum MemberChange {
    /// These join.
    Add(Vec<String>),
    /// These leave.
    Remove(Vec<String>),
    /// Exactly these remain.
    Exactly(Vec<String>),
    /// Those whom the filter selects leave.
    RemoveWhere(BoundFilter),
    /// Those whom the filter selects leave for these.
    ReplaceWhere(BoundFilter, Vec<String>),
}

impl MemberChange {
    /// Whether the stored members must be known.
    pub(super) fn selects(&self) -> bool {
        matches!(self, MemberChange::RemoveWhere(_) | MemberChange::ReplaceWhere(..))
    }
}
