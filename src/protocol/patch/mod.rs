//! PATCH (RFC 7644 §3.5.2): request and outcome. `envelope` reads the body, `repair` mends client dialects, `target` gives
//! a path its shape, `read` turns each operation into steps that need no further judgement, `apply` runs them on a copy
//! (`values` and `primary` for multi-valued attributes), `outcome` tells what differs.
//! Members of a group never take part as values: operations on them fold into a `MemberPlan` (`members`).

use super::error::ScimError;
use super::policy::Policy;
use super::resource::Resource;
use super::schema::ResourceType;
use serde_json::Value;

mod apply;
mod document;
mod envelope;
mod members;
mod outcome;
mod primary;
mod read;
mod repair;
mod step;
mod target;
#[cfg(test)]
mod tests;
mod values;
mod work;

use step::Step;

/// A validated request: steps with resolved targets and canonical values, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchRequest {
    steps: Vec<Step>,
}

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
    /// 400 `invalidSyntax` (envelope, empty `Operations`, too many), `invalidPath`, `invalidFilter` (names and types between
    /// brackets), `noTarget` (remove without path), `mutability` (readOnly path, removal of a required attribute),
    /// `invalidValue`.
    pub fn parse(body: Value, rt: &ResourceType, policy: &Policy) -> Result<Self, ScimError> {
        let operations = envelope::read(body, policy)?;
        Ok(PatchRequest { steps: read::steps(operations, rt, policy)? })
    }

    /// Whether no operation reads or writes anything but `members` by id, so that the group need not be read. `apply`
    /// then gives its `MemberPlan` for an empty resource too. False for a request that comes to nothing.
    pub fn only_members(&self) -> bool {
        let by_id = |step: &Step| matches!(step, Step::Members(change) if !change.selects());
        !self.steps.is_empty() && self.steps.iter().all(by_id)
    }

    /// Whether an operation selects members by something else than `value eq`, so that the stored members are needed.
    pub fn needs_members(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Members(change) if change.selects()))
    }

    /// Applies all operations to a copy, whole or not at all, then validates the result where it differs.
    ///
    /// # Errors
    /// 400 `noTarget`, `invalidValue`, `mutability`.
    pub fn apply(
        &self,
        rt: &ResourceType,
        current: &Resource,
        members: &[Member],
        policy: &Policy,
    ) -> Result<Outcome, ScimError> {
        apply::run(&self.steps, rt, current, members, policy)
    }
}
