//! Conditions on rows that belong to a resource: one EXISTS (or IN) over one row, so that the parts of a value path meet
//! in the same element. IN where the rows are few and an index finds them: SQLite evaluates EXISTS for each resource.

use serde_json::json;

use super::target::{KeyColumn, Source};
use super::{Context, Predicate, holds_for, text, uid};
use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::schema::{Resolved, ResourceKind};
use crate::storage::Backend;
use crate::storage::search::trigram;
use crate::storage::sql::Sql;

/// Attribute number of `emails`, whose values SQLite's trigram index holds.
const EMAILS: i16 = 1;

/// Some element compares so; `Ne` is the caller's negation of `Eq`.
pub(super) fn any(ctx: &Context, source: Source, attr: &Resolved, op: CompareOp, operand: &Operand) -> Predicate {
    wrap(ctx, source, &compare(ctx, source, attr, op, operand), Some(&(attr, op, operand)))
}

/// Some element fulfils the whole inner filter.
pub(super) fn element(ctx: &Context, source: Source, inner: &BoundFilter) -> Predicate {
    wrap(ctx, source, &condition(ctx, source, inner), narrowing(inner).as_ref())
}

/// Some element has the sub-attribute, or anything at all.
pub(super) fn present(ctx: &Context, source: Source, attr: &Resolved) -> Predicate {
    wrap(ctx, source, &row_present(ctx, source, attr), None)
}

fn condition(ctx: &Context, source: Source, filter: &BoundFilter) -> Predicate {
    match filter {
        BoundFilter::And(all) => Predicate::joined(all.iter().map(|f| condition(ctx, source, f)), " AND "),
        BoundFilter::Or(any) => Predicate::joined(any.iter().map(|f| condition(ctx, source, f)), " OR "),
        BoundFilter::Not(inner) => condition(ctx, source, inner).negated(),
        BoundFilter::Compare(attr, CompareOp::Ne, operand) => {
            compare(ctx, source, attr, CompareOp::Eq, operand).negated()
        }
        BoundFilter::Compare(attr, op, operand) => compare(ctx, source, attr, *op, operand),
        BoundFilter::Present(attr) => row_present(ctx, source, attr),
        BoundFilter::Element(..) => Predicate::unknown(),
    }
}

fn compare(ctx: &Context, source: Source, attr: &Resolved, op: CompareOp, operand: &Operand) -> Predicate {
    let sub = attr.sub.as_deref().unwrap_or("value");
    match (source, sub, operand) {
        (Source::Values(_), "value", Operand::Text { key, .. }) => text::compare(ctx, VALUE, op, key),
        (Source::Values(_), "type", Operand::Text { key, .. }) => text::compare(ctx, TYPE, op, key),
        (Source::Values(_), "primary", Operand::Bool(true)) if op == CompareOp::Eq => {
            Predicate::exact(Sql::new("v.is_primary"))
        }
        // An absent `primary` is stored as false, and equals nothing.
        (Source::Values(_), "primary", Operand::Bool(false)) if op == CompareOp::Eq => {
            Predicate::at_least(Sql::new("NOT v.is_primary"))
        }
        (Source::Members, "value", Operand::Text { raw, .. }) => uid("m.member_id", op, raw),
        (Source::Members, "type", _) => member_type(attr, op, operand),
        (Source::Members, "display", Operand::Text { key, .. }) => {
            member_display(&text::compare(ctx, KeyColumn::new("x.display_name_key", true), op, key))
        }
        (Source::Groups, "value", Operand::Text { raw, .. }) => uid("g.id", op, raw),
        (Source::Groups, "display", Operand::Text { key, .. }) => {
            text::compare(ctx, KeyColumn::new("g.display_name_key", false), op, key)
        }
        (Source::Groups, "type", _) => {
            Predicate::constant(holds_for(attr, op, operand, json!({ "groups": [{ "type": "direct" }] })))
        }
        _ => Predicate::unknown(),
    }
}

const VALUE: KeyColumn = KeyColumn { empty_is_absent: true, ..KeyColumn::new("v.value_key", false) };
const TYPE: KeyColumn = KeyColumn { empty_is_absent: true, ..KeyColumn::new("v.type_key", false) };

fn row_present(ctx: &Context, source: Source, attr: &Resolved) -> Predicate {
    match (source, attr.sub.as_deref()) {
        (Source::Values(_), None) if ctx.odd_keys => Predicate::unknown(),
        (Source::Values(_), Some("value")) => text::present(VALUE),
        (Source::Values(_), Some("type")) => text::present(TYPE),
        (Source::Groups, Some("display")) => text::present(KeyColumn::new("g.display_name_key", false)),
        (Source::Members, Some("display")) => {
            member_display(&text::present(KeyColumn::new("x.display_name_key", true)))
        }
        (_, None) | (Source::Members | Source::Groups, Some("value" | "type" | "$ref")) => Predicate::constant(true),
        _ => Predicate::unknown(),
    }
}

/// `type` of a member is User or Group.
fn member_type(attr: &Resolved, op: CompareOp, operand: &Operand) -> Predicate {
    let fits = |name: &str| holds_for(attr, op, operand, json!({ "members": [{ "type": name }] }));
    match (fits(ResourceKind::User.name()), fits(ResourceKind::Group.name())) {
        (true, false) => Predicate::exact(Sql::new("m.member_type = 1")),
        (false, true) => Predicate::exact(Sql::new("m.member_type = 2")),
        (both, _) => Predicate::constant(both),
    }
}

/// A condition on the display name key of the member, user or group, as `x`.
fn member_display(on_target: &Predicate) -> Predicate {
    let mut sql = Sql::new("(");
    for (i, table) in ["users", "groups"].into_iter().enumerate() {
        sql.push(if i == 0 { "" } else { " OR " });
        sql.push("EXISTS (SELECT 1 FROM ").push(table);
        sql.push(" x WHERE x.organization = m.organization AND x.id = m.member_id AND x.deleted IS NULL AND ");
        sql.append(&on_target.sql).push(")");
    }
    sql.push(")");
    Predicate { sql, exact: on_target.exact }
}

/// A comparison that every matching row fulfils.
type Term<'f> = (&'f Resolved, CompareOp, &'f Operand);

/// The conjunct that leaves few rows, if there is one: `eq` or `sw` on the value, or else `co`.
fn narrowing(inner: &BoundFilter) -> Option<(&Resolved, CompareOp, &Operand)> {
    let rank = |op: CompareOp| match op {
        CompareOp::Eq => 0,
        CompareOp::Sw => 1,
        CompareOp::Co => 2,
        _ => 9,
    };
    match inner {
        BoundFilter::And(all) => all.iter().filter_map(narrowing).min_by_key(|(_, op, _)| rank(*op)),
        BoundFilter::Compare(attr, op, operand) if attr.sub.as_deref() == Some("value") && rank(*op) < 9 => {
            Some((attr, *op, operand))
        }
        _ => None,
    }
}

/// The rows' condition as a condition on the resource.
fn wrap(ctx: &Context, source: Source, on_row: &Predicate, term: Option<&Term<'_>>) -> Predicate {
    let org = ctx.scope.organization.0;
    let few = term.is_some_and(|(attr, op, _)| {
        matches!(op, CompareOp::Eq | CompareOp::Sw) && matches!(attr.sub.as_deref(), None | Some("value"))
    });
    let by_set = few && ctx.backend == Backend::Sqlite;
    let (resource, table, of) = match source {
        Source::Values(_) => ("v.resource", "attribute_values v WHERE v.organization = ", "v.resource"),
        Source::Members => ("m.group_id", "members m WHERE m.member_type < 3 AND m.organization = ", "m.group_id"),
        Source::Groups => (
            "m.member_id",
            "members m JOIN groups g ON g.organization = m.organization AND g.id = m.group_id WHERE m.organization = ",
            "m.member_id",
        ),
    };
    let mut sql = Sql::new("(");
    if let Some(candidates) = term.and_then(|term| candidates(ctx, source, term)) {
        sql.append(&candidates).push(" AND ");
    }
    if by_set {
        sql.push("u.id IN (SELECT ").push(resource).push(" FROM ");
    } else {
        sql.push("EXISTS (SELECT 1 FROM ");
    }
    sql.push(table).id(org);
    if !by_set {
        sql.push(&format!(" AND {of} = u.id"));
    }
    match source {
        // A literal, since the trigram index on PostgreSQL is a partial one.
        Source::Values(number) => sql.push(&format!(" AND v.attribute = {number}")),
        Source::Groups => {
            sql.push(" AND g.connection = ").id(ctx.scope.connection.0);
            sql.push(" AND g.deleted IS NULL")
        }
        Source::Members => &mut sql,
    };
    sql.push(" AND ").append(&on_row.sql).push("))");
    Predicate { sql, exact: on_row.exact }
}

fn candidates(ctx: &Context, source: Source, (attr, op, operand): &Term<'_>) -> Option<Sql> {
    let is_value = matches!(attr.sub.as_deref(), None | Some("value"));
    match operand {
        Operand::Text { key, .. } if source == Source::Values(EMAILS) && *op == CompareOp::Co && is_value => {
            trigram::candidates(ctx, Some("emails"), key)
        }
        _ => None,
    }
}
