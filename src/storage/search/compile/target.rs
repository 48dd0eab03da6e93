//! Where the value of an attribute stands: promoted column, rows of another table, or only the document.

use crate::protocol::schema::{Resolved, ResourceKind};
use crate::storage::keys;

/// The place of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Id,
    Key(KeyColumn),
    Active,
    /// `u.created` or `u.modified`
    Instant(&'static str),
    ResourceType,
    Rows(Source),
    Document,
}

/// A column with comparison keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyColumn {
    pub(super) column: &'static str,
    /// Whether NULL means absent.
    pub(super) nullable: bool,
    /// Whether the empty key may mean absent as well as an empty string.
    pub(super) empty_is_absent: bool,
    /// Column of SQLite's trigram index, where one holds this key.
    pub(super) trigrams: Option<&'static str>,
}

/// Rows that belong to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// `attribute_values` of that attribute number.
    Values(i16),
    /// `members` of a group.
    Members,
    /// Groups of a user.
    Groups,
}

impl Target {
    pub(super) fn of(kind: ResourceKind, attr: &Resolved) -> Self {
        if attr.extension.is_some() {
            return Target::Document;
        }
        let user = kind == ResourceKind::User;
        match (&*attr.name, attr.sub.as_deref()) {
            ("id", None) => Target::Id,
            ("externalId", None) => Target::Key(KeyColumn::new("u.external_id_key", true)),
            ("userName", None) if user => {
                Target::Key(KeyColumn { trigrams: Some("user_name"), ..KeyColumn::new("u.user_name_key", false) })
            }
            ("displayName", None) => Target::Key(KeyColumn {
                trigrams: user.then_some("display_name"),
                ..KeyColumn::new("u.display_name_key", user)
            }),
            ("active", None) if user => Target::Active,
            ("meta", Some("created")) => Target::Instant("u.created"),
            ("meta", Some("lastModified")) => Target::Instant("u.modified"),
            ("meta", Some("resourceType")) => Target::ResourceType,
            ("members", _) if !user => Target::Rows(Source::Members),
            ("groups", _) if user => Target::Rows(Source::Groups),
            (name, _) => match keys::attribute_number(kind, name) {
                Some(number) => Target::Rows(Source::Values(number)),
                None => Target::Document,
            },
        }
    }
}

impl KeyColumn {
    pub(super) const fn new(column: &'static str, nullable: bool) -> Self {
        KeyColumn { column, nullable, empty_is_absent: false, trigrams: None }
    }
}
