//! The total order of a search and places in it: (is absent, key, id), wholly reversed when descending. Orders that a
//! column has are left to SQL, one segment of present and one of absent keys, so that a place is a range of an index.
//! Other attributes are read out of the document.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::protocol::compare;
use crate::protocol::list::Sort;
use crate::protocol::schema::{Kind, Resolved, ResourceKind};
use crate::storage::sql::{Sql, Value};

/// What orders a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) by: By,
    pub(super) descending: bool,
}

/// Where the sort key stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum By {
    /// The id alone.
    Id,
    /// A text column of `u`.
    Text { column: &'static str, nullable: bool },
    /// `created` or `modified` of `u`.
    Time(&'static str),
    /// Only the document has it.
    Document(Resolved),
}

/// A sort key. Of one order all keys are of one variant, or absent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Bool(bool),
    Number(f64),
    Big(i64),
    Text(String),
}

/// The place of a resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// `None`: absent; always so in the order by id.
    pub(super) key: Option<Key>,
    pub(super) id: Uuid,
}

impl Order {
    pub(super) fn new(kind: ResourceKind, sort: Option<&Sort>) -> Self {
        let Some(Sort { by, descending }) = sort else { return Order { by: By::Id, descending: false } };
        let user = kind == ResourceKind::User;
        let column = match (&by.extension, &*by.name, by.sub.as_deref()) {
            (None, "id", None) => By::Id,
            (None, "userName", None) if user => By::Text { column: "user_name_key", nullable: false },
            (None, "displayName", None) => By::Text { column: "display_name_key", nullable: user },
            (None, "externalId", None) => By::Text { column: "external_id_key", nullable: true },
            (None, "meta", Some("created")) => By::Time("created"),
            (None, "meta", Some("lastModified")) => By::Time("modified"),
            _ => By::Document(by.clone()),
        };
        Order { by: column, descending: *descending }
    }

    /// Name for cache keys.
    pub(super) fn name(&self) -> String {
        let by = match &self.by {
            By::Id => "id".to_owned(),
            By::Text { column, .. } | By::Time(column) => (*column).to_owned(),
            By::Document(attr) => format!(" {}", attr.path()),
        };
        format!("{by}{}", if self.descending { " down" } else { "" })
    }

    /// Whether SQL can order by it.
    pub(super) fn is_column(&self) -> bool {
        !matches!(self.by, By::Document(_))
    }

    /// Whether an index has this order for one connection, so that reading a page reads no more than the page.
    pub(super) fn is_indexed(&self) -> bool {
        matches!(self.by, By::Id | By::Text { column: "display_name_key", .. })
    }

    /// In the order of the search: `false` present keys, `true` absent ones.
    pub(super) fn segments(&self) -> &'static [bool] {
        match (&self.by, self.descending) {
            (By::Text { nullable: true, .. }, false) => &[false, true],
            (By::Text { nullable: true, .. }, true) => &[true, false],
            _ => &[false],
        }
    }

    /// Index of the segment that holds a place.
    pub(super) fn segment_of(&self, place: &Place) -> usize {
        let absent = self.segments().len() > 1 && place.key.is_none();
        self.segments().iter().position(|a| *a == absent).unwrap_or(0)
    }

    /// Narrows to a segment, and in it to what comes after `after`.
    pub(super) fn restrict(&self, sql: &mut Sql, absent: bool, after: Option<&Place>) {
        let column = self.column(absent);
        if let By::Text { column, nullable: true } = &self.by {
            sql.push(&format!(" AND u.{column} IS {}NULL", if absent { "" } else { "NOT " }));
        }
        let Some(place) = after else { return };
        let operator = if self.descending { '<' } else { '>' };
        let bind = match &place.key {
            Some(Key::Text(text)) => Some(Value::Text(text.clone())),
            Some(Key::Big(n)) => Some(Value::Big(*n)),
            _ => None,
        };
        match (column, bind) {
            (Some(column), Some(bind)) => {
                sql.push(&format!(" AND (u.{column}, u.id) {operator} ("));
                sql.bind(bind).push(", ").id(place.id).push(")");
            }
            _ => {
                sql.push(&format!(" AND u.id {operator} ")).id(place.id);
            }
        }
    }

    /// ` ORDER BY …` within a segment, of a table or subquery named `alias`.
    pub(super) fn order_by(&self, absent: bool, alias: &str) -> String {
        let down = if self.descending { " DESC" } else { "" };
        match self.column(absent) {
            Some(column) => format!(" ORDER BY {alias}.{column}{down}, {alias}.id{down}"),
            None => format!(" ORDER BY {alias}.id{down}"),
        }
    }

    /// The column that orders a segment before the id.
    pub(super) fn column(&self, absent: bool) -> Option<&'static str> {
        match &self.by {
            By::Text { column, .. } if !absent => Some(column),
            By::Time(column) => Some(column),
            _ => None,
        }
    }

    pub(super) fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let ascending = match (&a.key, &b.key) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
        .then_with(|| a.id.cmp(&b.id));
        if self.descending { ascending.reverse() } else { ascending }
    }
}

impl Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Bool(a), Key::Bool(b)) => a.cmp(b),
            (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
            (Key::Big(a), Key::Big(b)) => a.cmp(b),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            // Of different types only where a document has another type than its schema says.
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
    fn rank(&self) -> u8 {
        match self {
            Key::Bool(_) => 0,
            Key::Number(_) => 1,
            Key::Big(_) => 2,
            Key::Text(_) => 3,
        }
    }
}

/// The sort key of a resource. A multi-valued attribute sorts by its primary value, or else its first (RFC 7644
/// §3.4.2.3); a complex one without sub-attribute by its `value`.
pub(super) fn document_key(attr: &Resolved, resource: &Map<String, Json>) -> Option<Key> {
    let holder = match &attr.extension {
        Some(urn) => resource.get(&**urn)?.as_object()?,
        None => resource,
    };
    let top = match holder.get(&*attr.name)? {
        Json::Array(elements) => elements
            .iter()
            .find(|e| e.get("primary").and_then(Json::as_bool) == Some(true))
            .or_else(|| elements.first())?,
        single => single,
    };
    let value = match (top, &attr.sub) {
        (Json::Object(map), Some(sub)) => map.get(&**sub)?,
        (Json::Object(map), None) => map.get("value")?,
        (single, None) => single,
        (_, Some(_)) => return None,
    };
    match value {
        Json::Bool(b) => Some(Key::Bool(*b)),
        Json::Number(n) => n.as_f64().map(Key::Number),
        Json::String(text) if attr.kind == Kind::DateTime => compare::instant(text).map(Key::Big),
        Json::String(text) => Some(Key::Text(compare::key(text, attr.case_exact).into_owned())),
        _ => None,
    }
}
