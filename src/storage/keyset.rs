//! Pages of a sorted list by the place of a row, never by a number of rows to skip. The id is the last key of every sort and
//! always ascends.

use uuid::Uuid;

use super::sql::{Sql, Value};
use super::uid::Id;

/// A value of the row beside a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Bound {
    Number(i64),
    Text(String),
    Id(Uuid),
}

/// Which rows of a list, whose sort is `S` for each key before the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset<S> {
    /// Keys, with `true` for the greatest first.
    pub sort: Vec<(S, bool)>,
    /// Values of the row beside the page for each key and the id; `None` begins at the start.
    pub beside: Option<Vec<Bound>>,
    /// Whether the page lies before that row; its rows then come in reverse order.
    pub is_backward: bool,
    /// Rows at most.
    pub limit: u32,
}

impl<S: Copy> Keyset<S> {
    /// ` AND <condition> ORDER BY … LIMIT …`, to go behind a WHERE. `column` names a key's column, which is never NULL.
    pub(crate) fn tail(&self, column: impl Fn(S) -> &'static str, id: &'static str) -> Sql {
        let keys = self.sort.iter().map(|(sort, descending)| (column(*sort), *descending)).chain([(id, false)]);
        let keys: Vec<(&str, bool)> = keys.map(|(name, descending)| (name, descending != self.is_backward)).collect();
        let mut sql = Sql::default();
        if let Some(bounds) = &self.beside {
            sql.push(" AND ").append(&beyond(&keys, bounds));
        }
        let order: Vec<String> =
            keys.iter().map(|(name, descending)| format!("{name}{}", if *descending { " DESC" } else { "" })).collect();
        sql.push(&format!(" ORDER BY {} LIMIT ", order.join(", "))).bind(Value::Big(i64::from(self.limit)));
        sql
    }
}

/// `(a >= ? AND (a > ? OR (b >= ? AND (b > ? OR …))))`: the first comparison lets an index begin at the place.
fn beyond(keys: &[(&str, bool)], bounds: &[Bound]) -> Sql {
    let mut sql = Sql::default();
    let mut depth = 0;
    for (at, ((name, descending), bound)) in keys.iter().zip(bounds).enumerate() {
        let sign = if *descending { "<" } else { ">" };
        if at + 1 == keys.len().min(bounds.len()) {
            sql.push(&format!("{name} {sign} ")).bind(value(bound));
        } else {
            sql.push(&format!("({name} {sign}= ")).bind(value(bound));
            sql.push(&format!(" AND ({name} {sign} ")).bind(value(bound)).push(" OR ");
            depth += 2;
        }
    }
    sql.push(&")".repeat(depth));
    sql
}

fn value(bound: &Bound) -> Value {
    match bound {
        Bound::Number(number) => Value::Big(*number),
        Bound::Text(text) => Value::Text(text.clone()),
        Bound::Id(id) => Value::Id(Id(*id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(sort: Vec<(&'static str, bool)>, beside: Option<Vec<Bound>>, is_backward: bool) -> String {
        Keyset { sort, beside, is_backward, limit: 3 }.tail(|name| name, "id").as_str().to_owned()
    }

    #[test]
    fn the_row_beside_bounds_the_page() {
        let id = Bound::Id(Uuid::nil());
        assert_eq!(tail(vec![("a", true)], None, false), " ORDER BY a DESC, id LIMIT ?");
        assert_eq!(tail(vec![], Some(vec![id.clone()]), false), " AND id > ? ORDER BY id LIMIT ?");
        let bounds = vec![Bound::Text("x".to_owned()), Bound::Number(1), id];
        assert_eq!(
            tail(vec![("a", false), ("b", true)], Some(bounds.clone()), false),
            " AND (a >= ? AND (a > ? OR (b <= ? AND (b < ? OR id > ?)))) ORDER BY a, b DESC, id LIMIT ?"
        );
        assert_eq!(
            tail(vec![("a", false), ("b", true)], Some(bounds), true),
            " AND (a <= ? AND (a < ? OR (b >= ? AND (b > ? OR id < ?)))) ORDER BY a DESC, b, id DESC LIMIT ?"
        );
    }
}
