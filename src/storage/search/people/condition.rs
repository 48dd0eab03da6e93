//! Filters as conditions on a user `u`, true on both backends.

use super::{FEW, PeopleFilter, PeopleQuery, PeopleRoleSource, driver, text};
use crate::domain::ids::{ConnectionId, ResourceId};
use crate::domain::permission::{GUARDED, Role};
use crate::domain::person::Status;
use crate::protocol::schema::ResourceKind;
use crate::storage::Result;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::keys::attribute_number;
use crate::storage::search::select::number;
use crate::storage::sql::{Sql, Value};
use crate::storage::uid::{Id, Uid};

/// The filters of a query, with what had to be looked up for them.
pub(super) struct Conditions {
    /// ` AND …`, for a user `u` of the organization: that of roles; empty where none is asked for.
    pub(super) roles: Sql,
    /// The same of all other filters.
    pub(super) others: Sql,
    /// Pairs of roles and groups: whoever is a member of one holds a wanted role by group.
    pub(super) role_groups: Vec<ResourceId>,
    /// Whether a directory gives somebody a wanted role: mostly none does, and then nobody need be looked at for it.
    pub(super) by_directory: bool,
}

impl Conditions {
    pub(super) async fn of(db: &mut Db<'_>, query: &PeopleQuery) -> Result<Self> {
        let filter = &query.filter;
        let role_groups =
            if by_group(filter).is_empty() { Vec::new() } else { role_groups(db, query, &by_group(filter)).await? };
        let by_directory = asks_for_roles(filter)
            && sources(filter).contains(&PeopleRoleSource::Directory)
            && is_given_by_directory(db, query).await?;
        let (mut sql, mut roles) = (Sql::default(), Sql::default());
        if !filter.statuses.is_empty() {
            let any: Vec<&str> = filter.statuses.iter().map(|status| has_status(*status)).collect();
            sql.push(&format!(" AND ({})", any.join(" OR ")));
        }
        if asks_for_roles(filter) {
            roles.push(" AND (FALSE");
            let counts = |source: &PeopleRoleSource| by_directory || *source != PeopleRoleSource::Directory;
            for source in sources(filter).into_iter().filter(counts) {
                roles.push(" OR ").append(&holds(query, source, &role_groups));
            }
            roles.push(")");
        }
        if !filter.groups.is_empty() {
            sql.push(" AND ").append(&is_member(&filter.groups));
        }
        if let Some(at) = filter.inactive_since {
            sql.push(
                " AND NOT EXISTS (SELECT 1 FROM activity y WHERE y.organization = u.organization AND y.user_id = u.id \
                 AND y.last_active_at >= ",
            );
            sql.bind(Value::Big(at)).push(")");
        }
        if let Some(at) = filter.created_after {
            sql.push(" AND u.created > ").bind(Value::Big(at));
        }
        if !filter.texts.is_empty() {
            sql.push(" AND ").append(&text::contains(db, &filter.texts));
        }
        Ok(Conditions { roles, others: sql, role_groups, by_directory })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roles.as_str().is_empty() && self.others.as_str().is_empty()
    }
}

pub(super) fn asks_for_roles(filter: &PeopleFilter) -> bool {
    !filter.roles.is_empty() || !filter.sources.is_empty()
}

/// The roles that are asked for.
pub(super) fn roles(filter: &PeopleFilter) -> Vec<Role> {
    if filter.roles.is_empty() { Role::ALL.to_vec() } else { filter.roles.clone() }
}

pub(super) fn sources(filter: &PeopleFilter) -> Vec<PeopleRoleSource> {
    if filter.sources.is_empty() {
        vec![PeopleRoleSource::Direct, PeopleRoleSource::Group, PeopleRoleSource::Directory]
    } else {
        filter.sources.clone()
    }
}

fn by_group(filter: &PeopleFilter) -> Vec<Role> {
    let wanted = asks_for_roles(filter) && sources(filter).contains(&PeopleRoleSource::Group);
    if wanted { roles(filter) } else { Vec::new() }
}

pub(super) fn has_status(status: Status) -> &'static str {
    match status {
        Status::Active => "(NOT u.invited AND u.access AND u.suspension IS NULL)",
        Status::Invited => "(u.invited AND u.access AND u.suspension IS NULL)",
        Status::Suspended => "(NOT u.access OR u.suspension IS NOT NULL)",
    }
}

/// `column IN (…)`; nothing is in an empty list.
pub(super) fn one_of(column: &str, ids: impl IntoIterator<Item = uuid::Uuid>) -> Sql {
    let mut sql = Sql::default();
    let mut open = format!("{column} IN (");
    for id in ids {
        sql.push(&open).id(id);
        open = ", ".to_owned();
    }
    sql.push(if open == ", " { ")" } else { "FALSE" });
    sql
}

fn holds(query: &PeopleQuery, source: PeopleRoleSource, groups: &[ResourceId]) -> Sql {
    let mut sql = Sql::new("EXISTS (SELECT 1 FROM ");
    match source {
        PeopleRoleSource::Direct => {
            sql.push("role_grants r WHERE r.organization = u.organization AND r.user_id = u.id AND r.role IN (");
            sql.push(&keys(&roles(&query.filter))).push("))");
        }
        PeopleRoleSource::Group => return is_member(groups),
        PeopleRoleSource::Directory => {
            sql.push("attribute_values v WHERE v.organization = u.organization AND v.resource = u.id AND ");
            sql.append(&names_role(query)).push(")");
        }
    }
    sql
}

fn is_member(groups: &[ResourceId]) -> Sql {
    if groups.is_empty() {
        return Sql::new("FALSE");
    }
    let mut sql =
        Sql::new("EXISTS (SELECT 1 FROM members m WHERE m.organization = u.organization AND m.member_id = u.id AND ");
    sql.append(&one_of("m.group_id", groups.iter().map(|group| group.0))).push(")");
    sql
}

/// Rows `v` of SCIM `roles` of a user `u` that name a wanted role, guarded ones only where the directory may give them.
pub(super) fn names_role(query: &PeopleQuery) -> Sql {
    let (guarded, free): (Vec<Role>, Vec<Role>) =
        roles(&query.filter).into_iter().partition(|role| GUARDED.contains(role));
    let number = attribute_number(ResourceKind::User, "roles").unwrap_or_default();
    let mut sql = Sql::new(format!("v.attribute = {number} AND (v.value_key IN ({})", spellings(&free)));
    if !guarded.is_empty() {
        sql.push(&format!(" OR (v.value_key IN ({}) AND ", spellings(&guarded)));
        sql.append(&one_of("u.connection", connections(&query.directories.granting))).push(")");
    }
    sql.push(")");
    sql
}

fn connections(ids: &[ConnectionId]) -> impl Iterator<Item = uuid::Uuid> {
    ids.iter().map(|id| id.0)
}

pub(super) fn keys(roles: &[Role]) -> String {
    let keys: Vec<String> = roles.iter().map(|role| format!("'{}'", role.key())).collect();
    keys.join(", ")
}

/// Every spelling in quotes; an empty text, which no role has, where there is none.
fn spellings(roles: &[Role]) -> String {
    let all: Vec<String> = roles.iter().flat_map(|role| role.spellings()).map(|text| format!("'{text}'")).collect();
    if all.is_empty() { "''".to_owned() } else { all.join(", ") }
}

/// Whether a directory gives somebody a wanted role.
async fn is_given_by_directory(db: &mut Db<'_>, query: &PeopleQuery) -> Result<bool> {
    let mut sql = Sql::new("SELECT count(*) FROM (");
    sql.append(&driver::by_directory(query)).push(" LIMIT 1) x");
    Ok(number(db, sql, is_kept(query)).await? > 0)
}

/// Of one role there are few texts.
fn is_kept(query: &PeopleQuery) -> bool {
    query.filter.roles.len() == 1
}

/// Groups whose members hold one of the roles by a mapping: the mapped ones and those inside of them. A group of a
/// directory hands out guarded roles only where its connection may.
async fn role_groups(db: &mut Db<'_>, query: &PeopleQuery, roles: &[Role]) -> Result<Vec<ResourceId>> {
    let organization = query.organization.0;
    let mut sql = Sql::new(
        "WITH RECURSIVE down (role, group_id) AS (SELECT p.role, p.group_id FROM role_mappings p WHERE p.organization = ",
    );
    sql.id(organization).push(&format!(
        " AND p.role IN ({}) UNION SELECT d.role, m.member_id FROM down d \
         CROSS JOIN members m WHERE m.group_id = d.group_id AND m.member_type = 2 AND m.organization = ",
        keys(roles)
    ));
    sql.id(organization).push(
        ") SELECT DISTINCT g.id FROM down d CROSS JOIN groups g WHERE g.id = d.group_id AND g.deleted IS NULL \
         AND g.organization = ",
    );
    let granting = connections(&query.directories.granting).chain([ConnectionId::LOCAL.0]);
    sql.id(organization).push(" AND (d.role NOT IN (").push(&keys(&GUARDED)).push(") OR ");
    sql.append(&one_of("g.connection", granting)).push(&format!(") LIMIT {FEW}"));
    let rows: Vec<Id> = sql.statement::<Uid>(is_kept(query)).all(db).await?;
    Ok(rows.into_iter().map(ResourceId::from).collect())
}
