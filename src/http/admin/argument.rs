//! What the arguments of a handler say about its route, for the documentation: a handler that reads a body can answer 415,
//! one that takes conditions 412. So the document cannot leave out what the signature brings with it.

use std::collections::BTreeSet;

use super::audit_events::EventId;
use super::body::{JsonBody, MergePatch, NoBodyNeeded};
use super::granted::Format;
use super::list::{ListQuery, Listing};
use super::path::{PathAdoption, PathDomain, PathId, PathToken, PathUser};
use super::query::NoQuery;
use crate::http::extract::conditions::RequestConditions;

/// Refusals of a body: broken, too slow, too large, of another type, with wrong members.
const OF_A_BODY: &[u16] = &[400, 408, 413, 415, 422];

/// An argument of a handler.
pub(crate) trait Argument {
    /// Refusals that it brings with it.
    const REFUSALS: &'static [u16] = &[];
    /// Whether it reads `If-Match` and `If-None-Match`.
    const IS_CONDITIONAL: bool = false;
    /// Fields that its list can be sorted by.
    const SORTS: &'static [&'static str] = &[];
}

macro_rules! arguments {
    ($($name:ident: $refusals:expr,)*) => {$(
        impl Argument for $name {
            const REFUSALS: &'static [u16] = $refusals;
        }
    )*};
}
arguments! {
    JsonBody: OF_A_BODY,
    MergePatch: OF_A_BODY,
    NoBodyNeeded: OF_A_BODY,
    NoQuery: &[400],
    EventId: &[404],
    PathId: &[404],
    PathUser: &[404],
    PathToken: &[404],
    PathAdoption: &[404],
    PathDomain: &[404],
}

impl<L: Listing> Argument for ListQuery<L> {
    const REFUSALS: &'static [u16] = &[400];
    const SORTS: &'static [&'static str] = L::SORTS;
}

impl Argument for RequestConditions {
    const REFUSALS: &'static [u16] = &[412];
    const IS_CONDITIONAL: bool = true;
}

/// What all arguments of a handler say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Takes {
    /// Refusals by status.
    pub(super) refusals: BTreeSet<u16>,
    /// Whether the route honours `If-Match` and `If-None-Match`.
    pub(super) is_conditional: bool,
    /// Fields that the list can be sorted by; none where the route is no list.
    pub(super) sorts: &'static [&'static str],
    /// Media types of the answer.
    pub(super) formats: &'static [Format],
}

impl Takes {
    /// Of a handler that answers in these media types.
    pub(super) fn answering(formats: &'static [Format]) -> Self {
        Takes { formats, ..Takes::default() }
    }

    /// With one more argument.
    pub(super) fn and<A: Argument>(mut self) -> Self {
        self.refusals.extend(A::REFUSALS);
        self.is_conditional |= A::IS_CONDITIONAL;
        if !A::SORTS.is_empty() {
            self.sorts = A::SORTS;
        }
        self
    }
}
