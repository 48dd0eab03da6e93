//! String comparisons on key columns. Keys compare by code point, which is their byte order on both backends.
//! A key longer than `keys::MAX_KEY_CHARS` is stored cut, with a hash for its end: equality, and order and prefix against
//! a shorter operand, are right on it all the same; `co` and `ew` are not, nor is anything against a longer operand.

use super::target::KeyColumn;
use super::{Context, Predicate, operator};
use crate::protocol::filter::CompareOp;
use crate::storage::Backend;
use crate::storage::keys;
use crate::storage::search::trigram;
use crate::storage::sql::Sql;

/// `column op key`; `Ne` is the caller's negation of `Eq`.
pub(super) fn compare(ctx: &Context, column: KeyColumn, op: CompareOp, key: &str) -> Predicate {
    // No stored text holds NUL, and PostgreSQL takes none.
    if key.contains('\0') {
        return if operator(op).is_none() || op == CompareOp::Eq {
            Predicate::constant(false)
        } else {
            Predicate::unknown()
        };
    }
    if column.empty_is_absent && (key.is_empty() || matches!(op, CompareOp::Lt | CompareOp::Le)) {
        return Predicate::unknown();
    }
    let mut sql = Sql::new("(");
    if column.nullable {
        sql.push(column.column).push(" IS NOT NULL AND ");
    }
    sql.append(&condition(ctx, column, op, key)).push(")");
    let unsure = matches!(op, CompareOp::Co | CompareOp::Ew) || (op != CompareOp::Eq && keys::is_cut(key));
    if unsure && ctx.odd_keys {
        let mut wider = Sql::new("(");
        wider.append(&sql).push(" OR ");
        if column.nullable {
            wider.push(column.column).push(" IS NOT NULL AND ");
        }
        wider.push(&format!("length({}) > {})", column.column, keys::MAX_KEY_CHARS));
        return Predicate::at_least(wider);
    }
    Predicate::exact(sql)
}

/// `column pr`: not the empty string either.
pub(super) fn present(column: KeyColumn) -> Predicate {
    let name = column.column;
    Predicate::exact(Sql::new(if column.nullable {
        format!("({name} IS NOT NULL AND {name} <> '')")
    } else {
        format!("({name} <> '')")
    }))
}

fn condition(ctx: &Context, column: KeyColumn, op: CompareOp, key: &str) -> Sql {
    let name = column.column;
    match op {
        CompareOp::Eq | CompareOp::Ne => {
            let mut sql = Sql::new(format!("{name} = "));
            sql.text(keys::bounded(key));
            sql
        }
        CompareOp::Sw => prefix(name, key),
        CompareOp::Co => contains(ctx, column, key),
        CompareOp::Ew => {
            let (tail, end) = match ctx.backend {
                Backend::Sqlite => (format!("substr({name}, -length("), ")) = "),
                Backend::Postgres => (format!("right({name}, length("), ")) = "),
            };
            if key.is_empty() {
                return Sql::new("TRUE");
            }
            let mut sql = Sql::new(tail);
            sql.text(key).push(end).text(key);
            sql
        }
        CompareOp::Gt | CompareOp::Ge | CompareOp::Lt | CompareOp::Le => {
            let mut sql = Sql::new(format!("{name} {} ", operator(op).unwrap_or("=")));
            sql.text(key);
            sql
        }
    }
}

/// A range, which an index serves, instead of LIKE.
fn prefix(name: &str, key: &str) -> Sql {
    let mut sql = Sql::new(format!("{name} >= "));
    sql.text(key);
    if let Some(end) = successor(key) {
        sql.push(&format!(" AND {name} < ")).text(end);
    }
    sql
}

/// The least text above all that begin with `prefix`; `None` when there is none.
pub(super) fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn contains(ctx: &Context, column: KeyColumn, key: &str) -> Sql {
    let name = column.column;
    match ctx.backend {
        Backend::Postgres if like_has_trigram(key) => {
            let mut sql = Sql::new(format!("{name} LIKE "));
            sql.text(format!("%{}%", like_escaped(key)));
            sql
        }
        Backend::Postgres => {
            let mut sql = Sql::new(format!("strpos({name}, "));
            sql.text(key).push(") > 0");
            sql
        }
        Backend::Sqlite => {
            let mut sql = Sql::default();
            if let Some(candidates) = trigram::candidates(ctx, column.trigrams, key) {
                sql.append(&candidates).push(" AND ");
            }
            sql.push(&format!("instr({name}, ")).text(key).push(") > 0");
            sql
        }
    }
}

/// Whether pg_trgm finds a trigram in `%key%`: three letters or digits in a row. Without one the index is read whole.
pub(in super::super) fn like_has_trigram(key: &str) -> bool {
    let mut run = 0;
    key.chars().any(|c| {
        run = if c.is_alphanumeric() { run + 1 } else { 0 };
        run >= 3
    })
}

/// With the default escape character of PostgreSQL.
pub(in super::super) fn like_escaped(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for c in key.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
