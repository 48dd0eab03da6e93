//! Batch statements of the commit queues, by table. Every array is sorted by the caller in lock order; each statement
//! decides per write, does its dependents for the accepted ones only, and tells which they were. Lock order over all of
//! them: unique keys, groups, users, member rows.
//!
//! `(x IN (SELECT …)) IS TRUE` is always a hashed subplan, where a join of two arrays may become a nested loop.
//! `CROSS JOIN LATERAL (SELECT … FOR …)` is never flattened: one index probe per element, in the array's order.

pub(super) mod groups;
pub(super) mod members;
pub(super) mod outcomes;
pub(super) mod small_groups;
pub(super) mod users;
