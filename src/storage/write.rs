//! `Write`: what one request changes, as data: changes with their preconditions, and their event rows. Backends apply it
//! whole or not at all, many of them in one commit.

use super::rows::GroupRecord;
pub use crate::domain::event::EventKind;
use crate::domain::ids::{EventId, ResourceId, Scope};
use crate::storage::db::Db;
use crate::storage::error::Result;
use crate::storage::{postgres, sqlite};

/// One request's changes. Usually one.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Tenant and connection.
    pub scope: Scope,
    /// Time of the deed, µs since 1970 UTC.
    pub at: i64,
    /// `domain::actor::Actor`, printed.
    pub actor: String,
    /// Request id.
    pub request_id: String,
    /// In order.
    pub changes: Vec<Change>,
    /// Whether the receipt is to hold the group of a single `UpdateGroup`, as it stands after the commit.
    pub shows_group: bool,
}

impl Write {
    /// Applies it inside the transaction of a deed on cold tables, whole or not at all: a refusal undoes the write alone, and
    /// the deed may go on or answer it. To be the last thing of a deed, so that rows are locked for a short time.
    ///
    /// # Errors
    /// The refusals that `Action` names; `Busy`, `Broken`.
    pub async fn apply(&self, db: &mut Db<'_>) -> Result<Receipt> {
        db.tx(async |db: &mut Db<'_>| match db {
            Db::Pg(conn) => postgres::apply_within(conn, self).await,
            Db::Sqlite(conn) => sqlite::apply_within(conn, self),
        })
        .await
    }
}

/// A change with its event.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// Id of the event row.
    pub event: EventId,
    /// JSON of what changed (`changed` paths, `before`, `after`), without secrets.
    pub detail: String,
}

/// What to do, with its precondition.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A new user; refused as `NotUnique(UserName)`.
    InsertUser {
        /// Id, not used before.
        id: ResourceId,
        /// Its columns.
        columns: UserColumns,
        /// Rows of `attribute_values`.
        values: Vec<AttributeValue>,
    },
    /// A user's new state; refused as `Missing`, `Stale`, `NotUnique(UserName)`.
    ReplaceUser {
        /// Who.
        id: ResourceId,
        /// Version that was read.
        expected: i64,
        /// All columns.
        columns: UserColumns,
        /// Whether `user_name_key` differs from the stored one.
        renames: bool,
        /// Rows to add or to set `primary` on.
        add_values: Vec<AttributeValue>,
        /// Rows to remove.
        remove_values: Vec<AttributeValue>,
    },
    /// A user leaves: tombstone, key free, memberships and values gone. `Missing`, `Stale`.
    DeleteUser {
        /// Who.
        id: ResourceId,
        /// Version of `If-Match`, if any.
        expected: Option<i64>,
    },
    /// A new group with its members; `NotUnique(GroupDisplayName)`, `MissingMembers`.
    InsertGroup {
        /// Id, not used before.
        id: ResourceId,
        /// Its columns.
        columns: GroupColumns,
        /// Its members.
        members: Vec<ResourceId>,
        /// What to do with ids that do not exist.
        unknown_members: UnknownMembers,
    },
    /// A group's new columns and/or members. `Missing`, `Stale`, `NotUnique`, `MissingMembers`.
    /// Where nothing differs, no new version and no event.
    UpdateGroup {
        /// Which.
        id: ResourceId,
        /// Version that must be stored; needed with `columns`, optional for members alone.
        expected: Option<i64>,
        /// New columns, where they differ.
        columns: Option<GroupColumns>,
        /// Effect on members.
        members: MemberChange,
        /// What to do with ids that do not exist.
        unknown_members: UnknownMembers,
    },
    /// A group goes: tombstone, key free, members gone, and itself out of other groups. `Missing`, `Stale`.
    DeleteGroup {
        /// Which.
        id: ResourceId,
        /// Version of `If-Match`, if any.
        expected: Option<i64>,
    },
}

/// Effect on the rows of `members`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// None.
    None,
    /// These rows only; touches as many rows as it names. No id is in both lists.
    Delta {
        /// Added; there already is fine.
        add: Vec<ResourceId>,
        /// Removed; absent already is fine.
        remove: Vec<ResourceId>,
    },
    /// Afterwards exactly these.
    Exactly(Vec<ResourceId>),
}

/// Connection setting `unknown_members`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownMembers {
    /// `MissingMembers` names them.
    Refuse,
    /// They are left out.
    Ignore,
}

/// Promoted columns and document of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserColumns {
    /// As sent.
    pub user_name: String,
    /// Folded, bounded (`keys::bounded`).
    pub user_name_key: String,
    /// Exact `externalId`, bounded.
    pub external_id_key: Option<String>,
    /// `active` as the resource shows it; `None` when absent.
    pub active: Option<bool>,
    /// The last explicit `active`: whether the directory lets the person in.
    pub access: bool,
    /// As sent, for `members.display`.
    pub display_name: Option<String>,
    /// Folded, bounded.
    pub display_name_key: Option<String>,
    /// SCIM JSON without `id meta groups password`.
    pub document: String,
}

/// Promoted columns and document of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupColumns {
    /// As sent.
    pub display_name: String,
    /// Folded, bounded.
    pub display_name_key: String,
    /// Whether the name must be unique in the organization (not with `duplicate_group_names: allow`).
    pub unique_name: bool,
    /// Exact `externalId`, bounded.
    pub external_id_key: Option<String>,
    /// SCIM JSON without `id meta members`.
    pub document: String,
}

/// One row of `attribute_values`; (attribute, value_key, type_key) is its identity within a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeValue {
    /// Number of the attribute (`keys::attribute_number`).
    pub attribute: i16,
    /// Folded, bounded.
    pub value_key: String,
    /// Folded `type`, or empty.
    pub type_key: String,
    /// `primary`
    pub primary: bool,
}

/// What a committed change came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// Version now stored.
    pub version: i64,
    /// `false`: nothing differed; no new version, no event.
    pub changed: bool,
    /// The group as `Database::find_small_group` answers it, where `Write::shows_group` asked for it; of this version or
    /// a later one. `None` as well where it could not be read, which voids nothing.
    pub group: Option<GroupRecord>,
}

impl Applied {
    /// A change to `version`, or none.
    pub fn new(version: i64, changed: bool) -> Self {
        Applied { version, changed, group: None }
    }
}

/// One entry for each change of the `Write`.
pub type Receipt = Vec<Applied>;

impl Action {
    /// The user or group it changes.
    pub fn target(&self) -> ResourceId {
        match self {
            Action::InsertUser { id, .. }
            | Action::ReplaceUser { id, .. }
            | Action::DeleteUser { id, .. }
            | Action::InsertGroup { id, .. }
            | Action::UpdateGroup { id, .. }
            | Action::DeleteGroup { id, .. } => *id,
        }
    }

    /// The kind of its event.
    pub fn event_kind(&self) -> EventKind {
        match self {
            Action::InsertUser { .. } => EventKind::UserCreated,
            Action::ReplaceUser { .. } => EventKind::UserChanged,
            Action::DeleteUser { .. } => EventKind::UserDeleted,
            Action::InsertGroup { .. } => EventKind::GroupCreated,
            Action::UpdateGroup { .. } => EventKind::GroupChanged,
            Action::DeleteGroup { .. } => EventKind::GroupDeleted,
        }
    }
}
