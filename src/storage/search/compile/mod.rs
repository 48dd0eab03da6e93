//! A bound filter as an SQL condition on a row `u` of `users` or `groups`. The condition is never NULL. It is either
//! *exact* (true for just the resources that `protocol::filter::evaluate` accepts) or true for these and perhaps more:
//! what has no column (`title`, `name.familyName`, `meta.version` …) compiles to TRUE, and the caller evaluates the
//! filter on each resource that the condition leaves.

mod probe;
mod rows;
mod target;
mod text;

#[cfg(test)]
mod tests;

use crate::domain::ids::Scope;
use crate::protocol::filter::evaluate::evaluate;
use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::schema::{Resolved, ResourceKind};
use crate::storage::Backend;
use crate::storage::sql::Sql;
pub(super) use probe::Probe;
use target::Target;
pub(super) use text::{like_escaped, like_has_trigram};

/// What the compiler must know of the database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) backend: Backend,
    pub(super) scope: Scope,
    pub(super) kind: ResourceKind,
    /// Whether keys longer than `keys::MAX_KEY_CHARS` may exist, whose end is a hash, or rows of `attribute_values` that
    /// have neither value nor type.
    pub(super) odd_keys: bool,
    /// Whether SQLite's trigram index is filled.
    pub(super) trigrams: bool,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Predicate {
    pub(super) sql: Sql,
    /// Whether it is true for no more resources than the filter is.
    pub(super) exact: bool,
}

impl Predicate {
    fn exact(sql: Sql) -> Self {
        Predicate { sql, exact: true }
    }
    fn constant(truth: bool) -> Self {
        Predicate::exact(Sql::new(if truth { "TRUE" } else { "FALSE" }))
    }
    /// Says nothing: every resource must be looked at.
    fn unknown() -> Self {
        Predicate { sql: Sql::new("TRUE"), exact: false }
    }
    fn at_least(sql: Sql) -> Self {
        Predicate { sql, exact: false }
    }
    /// The opposite of "perhaps" is "perhaps" too, so an inexact condition narrows nothing once negated.
    fn negated(self) -> Self {
        if !self.exact {
            return Predicate::unknown();
        }
        let mut sql = Sql::new("NOT (");
        sql.append(&self.sql).push(")");
        Predicate::exact(sql)
    }
    fn joined(parts: impl IntoIterator<Item = Predicate>, by: &str) -> Self {
        let mut sql = Sql::new("(");
        let mut exact = true;
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                sql.push(by);
            }
            sql.append(&part.sql);
            exact &= part.exact;
        }
        sql.push(")");
        Predicate { sql, exact }
    }
}

/// Compiles a whole filter.
pub(super) fn compile(ctx: &Context, filter: &BoundFilter) -> Predicate {
    match filter {
        BoundFilter::And(all) => Predicate::joined(all.iter().map(|f| compile(ctx, f)), " AND "),
        BoundFilter::Or(any) => Predicate::joined(any.iter().map(|f| compile(ctx, f)), " OR "),
        BoundFilter::Not(inner) => compile(ctx, inner).negated(),
        // "None equals" is the opposite of "one equals", for absent and multi-valued attributes alike.
        BoundFilter::Compare(attr, CompareOp::Ne, operand) => compare(ctx, attr, CompareOp::Eq, operand).negated(),
        BoundFilter::Compare(attr, op, operand) => compare(ctx, attr, *op, operand),
        BoundFilter::Present(attr) => present(ctx, attr),
        BoundFilter::Element(attr, inner) => match Target::of(ctx.kind, attr) {
            Target::Rows(source) => rows::element(ctx, source, inner),
            _ => Predicate::unknown(),
        },
    }
}

fn compare(ctx: &Context, attr: &Resolved, op: CompareOp, operand: &Operand) -> Predicate {
    match (Target::of(ctx.kind, attr), operand) {
        (Target::Id, Operand::Text { raw, .. }) => uid("u.id", op, raw),
        (Target::Key(column), Operand::Text { key, .. }) => text::compare(ctx, column, op, key),
        (Target::Active, Operand::Bool(wanted)) if op == CompareOp::Eq => Predicate::exact(Sql::new(if *wanted {
            "(u.active IS NOT NULL AND u.active)"
        } else {
            "(u.active IS NOT NULL AND NOT u.active)"
        })),
        (Target::Instant(column), Operand::Instant(at)) => instant(column, op, *at),
        (Target::ResourceType, _) => Predicate::constant(holds_for(
            attr,
            op,
            operand,
            serde_json::json!({ "meta": { "resourceType": ctx.kind.name() } }),
        )),
        (Target::Rows(source), _) => rows::any(ctx, source, attr, op, operand),
        _ => Predicate::unknown(),
    }
}

fn present(ctx: &Context, attr: &Resolved) -> Predicate {
    match Target::of(ctx.kind, attr) {
        Target::Id | Target::Instant(_) | Target::ResourceType => Predicate::constant(true),
        Target::Key(column) => text::present(column),
        Target::Active => Predicate::exact(Sql::new("(u.active IS NOT NULL)")),
        Target::Rows(source) => rows::present(ctx, source, attr),
        Target::Document => Predicate::unknown(),
    }
}

/// Ids compare as text. Text that is no canonical id equals none; its order among ids is not worth a column.
fn uid(column: &str, op: CompareOp, raw: &str) -> Predicate {
    let canonical = crate::domain::ids::ResourceId::parse(raw).filter(|id| id.to_string() == raw);
    match (canonical, op, operator(op)) {
        (Some(id), _, Some(operator)) => {
            let mut sql = Sql::new(format!("{column} {operator} "));
            sql.id(id.0);
            Predicate::exact(sql)
        }
        (None, CompareOp::Eq, _) => Predicate::constant(false),
        _ => Predicate::unknown(),
    }
}

fn instant(column: &str, op: CompareOp, at: i64) -> Predicate {
    let Some(operator) = operator(op) else { return Predicate::unknown() };
    let mut sql = Sql::new(format!("{column} {operator} "));
    sql.bind(crate::storage::sql::Value::Big(at));
    Predicate::exact(sql)
}

/// The SQL operator of those that have one.
fn operator(op: CompareOp) -> Option<&'static str> {
    match op {
        CompareOp::Eq => Some("="),
        CompareOp::Gt => Some(">"),
        CompareOp::Ge => Some(">="),
        CompareOp::Lt => Some("<"),
        CompareOp::Le => Some("<="),
        CompareOp::Ne | CompareOp::Co | CompareOp::Sw | CompareOp::Ew => None,
    }
}

/// What a comparison says of a value that all resources share.
fn holds_for(attr: &Resolved, op: CompareOp, operand: &Operand, resource: serde_json::Value) -> bool {
    let filter = BoundFilter::Compare(attr.clone(), op, operand.clone());
    resource.as_object().is_some_and(|map| evaluate(&filter, map))
}
