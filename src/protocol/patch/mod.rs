//! PATCH (RFC 7644 §3.5.2): request, operations, outcome. `repair` mends client dialects, `target` gives a path its
//! shape, `apply` runs the sequence on a copy; `add`, `remove`, `replace`, `primary` are the parts.
//! Members of a group never take part as values: operations on them fold into a `MemberPlan`.

use super::error::ScimError;
use super::policy::Policy;
use super::resource::Resource;
use super::schema::ResourceType;
use serde_json::Value;

/// A validated request: operations with resolved targets, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {/* operations: Vec<Operation>, ... */}

/// What the operations on `members` come to, in terms that need no group: the result is
/// `(clear ? nothing : what is stored) − remove + add`. An id is never in both lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberPlan {
    /// Forget what is stored first (`replace`, or `remove` without value).
    pub clear: bool,
    /// Ids to add, in order, each once.
    pub add: Vec<String>,
    /// Ids to remove, in order, each once; empty when `clear`.
    pub remove: Vec<String>,
}

/// A member as the evaluator sees it, for the rare path that selects members by more than `value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `value`
    pub value: String,
    /// `User` or `Group`
    pub kind: &'static str,
    /// `display`
    pub display: Option<String>,
}

/// The state after all operations.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The new resource.
    pub resource: Resource,
    /// Canonical paths of what differs from before, `members` excepted; empty when nothing does.
    pub changed: Vec<String>,
    /// Effect on members.
    pub members: MemberPlan,
}

impl PatchRequest {
    /// Reads a PATCH body: envelope, `op`, path, value; repairs by policy; names resolved against the type.
    ///
    /// # Errors
    /// 400 `invalidSyntax` (envelope, empty `Operations`), `invalidPath`, `noTarget` (remove without path), `mutability`
    /// (readOnly path), `invalidValue`.
    pub fn parse(_body: Value, _rt: &ResourceType, _policy: &Policy) -> Result<Self, ScimError> {
        todo!()
    }

    /// Whether no operation reads or writes anything but `members` by id, so that the group need not be read.
    pub fn only_members(&self) -> bool {
        todo!()
    }

    /// Whether an operation selects members by something else than `value eq`, so that the stored members are needed.
    pub fn needs_members(&self) -> bool {
        todo!()
    }

    /// Applies all operations to a copy, whole or not at all, then validates the result.
    ///
    /// # Errors
    /// 400 `noTarget`, `invalidValue`, `mutability`, `invalidPath`.
    pub fn apply(
        &self,
        _rt: &ResourceType,
        _current: &Resource,
        _members: &[Member],
        _policy: &Policy,
    ) -> Result<Outcome, ScimError> {
        todo!()
    }
}
