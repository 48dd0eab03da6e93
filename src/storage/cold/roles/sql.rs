//! The statements behind `held`. CROSS JOIN keeps the order of the tables: without statistics SQLite would rather read everybody,
//! or all memberships, than those few. Keys of roles stand in the text: they are ours. `source`: 1 direct, 2 group, 3 directory.

use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::permission::{Directories, GUARDED, Role};
use crate::protocol::schema::ResourceKind;
use crate::storage::Backend;
use crate::storage::keys::attribute_number;
use crate::storage::sql::Sql;

/// What each of `users` holds: user, role or value of SCIM `roles`, source, mapped group, its name.
pub(super) fn of_users(
    backend: Backend,
    organization: OrganizationId,
    directories: &Directories,
    users: &[ResourceId],
) -> Sql {
    let people = |column: &str| {
        let mut sql = Sql::new(" AND ");
        sql.any_of(backend, column, users.iter().map(|user| user.0));
        sql
    };
    let mut sql = Sql::new(
        "WITH RECURSIVE up (user_id, group_id, directory) AS (\
         SELECT m.member_id, m.group_id, g.connection FROM members m \
         CROSS JOIN groups g WHERE g.organization = m.organization AND g.id = m.group_id AND m.organization = ",
    );
    sql.id(organization.0).append(&people("m.member_id"));
    sql.push(
        " UNION SELECT up.user_id, m.group_id, up.directory FROM up \
         CROSS JOIN members m WHERE m.member_id = up.group_id AND m.organization = ",
    );
    sql.id(organization.0).push(
        ") SELECT h.user_id, h.role, h.source, h.group_id, h.name FROM (\
         SELECT DISTINCT up.user_id AS user_id, p.role AS role, 2 AS source, g.id AS group_id, g.display_name AS name FROM up \
         CROSS JOIN role_mappings p CROSS JOIN groups g WHERE p.group_id = up.group_id \
         AND g.organization = p.organization AND g.id = p.group_id AND p.organization = ",
    );
    sql.id(organization.0).push(" AND ");
    sql.append(&is_granted("p.role", "up.directory", directories));
    sql.push(" UNION ALL SELECT r.user_id, r.role, 1, NULL, NULL FROM role_grants r WHERE r.organization = ");
    sql.id(organization.0).append(&people("r.user_id"));
    sql.push(
        " UNION ALL SELECT v.resource, v.value_key, 3, NULL, NULL FROM attribute_values v WHERE v.organization = ",
    );
    sql.id(organization.0).append(&people("v.resource")).append(&is_role_value(&Role::ALL));
    sql.push(") h CROSS JOIN users u WHERE u.id = h.user_id AND u.organization = ").id(organization.0);
    sql.push(" AND u.deleted IS NULL").append(&is_live(directories));
    sql.push(" AND (h.source <> 3 OR ").append(&may_say("h.role", directories)).push(")");
    sql
}

/// The condition that the user `u` can sign in and goes on doing so.
pub(super) fn can_sign_in(directories: &Directories) -> Sql {
    let mut sql = Sql::new(" AND NOT u.invited AND u.access AND u.suspension IS NULL");
    sql.append(&one_of("u.connection", ids(&directories.leaving), " AND NOT (")).push(")");
    sql
}

/// `WITH held (user_id, role, source)`: who holds one of `roles`, `also` being a further condition on the user `u`.
pub(super) fn held_by(organization: OrganizationId, directories: &Directories, roles: &[Role], also: &Sql) -> Sql {
    let keys: Vec<String> = roles.iter().map(|role| format!("'{}'", role.key())).collect();
    let keys = keys.join(", ");
    let mut sql = Sql::new(
        "WITH RECURSIVE down (role, group_id) AS (SELECT p.role, p.group_id FROM role_mappings p WHERE p.organization = ",
    );
    sql.id(organization.0).push(&format!(
        " AND p.role IN ({keys}) UNION SELECT d.role, m.member_id FROM down d \
         CROSS JOIN members m WHERE m.group_id = d.group_id AND m.member_type = 2 AND m.organization = "
    ));
    sql.id(organization.0).push(&format!(
        "), held (user_id, role, source) AS (SELECT h.user_id, h.role, h.source FROM (\
         SELECT r.user_id AS user_id, r.role AS role, 1 AS source FROM role_grants r \
         WHERE r.role IN ({keys}) AND r.organization = "
    ));
    sql.id(organization.0).push(
        " UNION ALL SELECT m.member_id, d.role, 2 FROM down d CROSS JOIN groups g CROSS JOIN members m \
         WHERE g.id = d.group_id AND m.organization = g.organization AND m.group_id = g.id AND m.member_type <> 2 \
         AND g.organization = ",
    );
    sql.id(organization.0).push(" AND ");
    sql.append(&is_granted("d.role", "g.connection", directories));
    sql.push(&format!(
        " UNION ALL SELECT v.resource, {}, 3 FROM attribute_values v WHERE v.organization = ",
        role_of_value(roles)
    ));
    sql.id(organization.0).append(&is_role_value(roles));
    sql.push(") h CROSS JOIN users u WHERE u.id = h.user_id AND u.organization = ").id(organization.0);
    sql.push(" AND u.deleted IS NULL").append(also).append(&is_live(directories));
    sql.push(" AND (h.source <> 3 OR ").append(&may_say("h.role", directories)).push("))");
    sql
}

/// `<before>column IN (…)`
fn one_of(column: &str, ids: impl Iterator<Item = uuid::Uuid>, before: &str) -> Sql {
    let mut sql = Sql::new(before);
    sql.any_id(column, ids);
    sql
}

fn ids(connections: &[ConnectionId]) -> impl Iterator<Item = uuid::Uuid> {
    connections.iter().map(|connection| connection.0)
}

fn guarded() -> String {
    let keys = GUARDED.map(|role| format!("'{}'", role.key()));
    keys.join(", ")
}

/// Whether a mapping counts that reaches the person through a group of `directory`.
fn is_granted(role: &str, directory: &str, directories: &Directories) -> Sql {
    let mut sql = Sql::new(format!("({role} NOT IN ({}) OR {directory} = ", guarded()));
    sql.id(ConnectionId::LOCAL.0).append(&one_of(directory, ids(&directories.granting), " OR ")).push(")");
    sql
}

/// Whether the directory of the user `u` may give the role; `role` is a key, which is one of the spellings too.
fn may_say(role: &str, directories: &Directories) -> Sql {
    let mut sql = Sql::new(format!("{role} NOT IN ({})", guarded()));
    sql.append(&one_of("u.connection", ids(&directories.granting), " OR "));
    sql
}

fn is_live(directories: &Directories) -> Sql {
    let mut sql = one_of("u.connection", ids(&directories.staged), " AND NOT (");
    sql.push(")");
    sql
}

/// Rows `v` that name one of the roles.
fn is_role_value(roles: &[Role]) -> Sql {
    let number = attribute_number(ResourceKind::User, "roles").unwrap_or_default();
    let spellings: Vec<String> = roles.iter().flat_map(|role| role.spellings()).map(|s| format!("'{s}'")).collect();
    Sql::new(format!(" AND v.attribute = {number} AND v.value_key IN ({})", spellings.join(", ")))
}

/// The key of the role that a row `v` names.
fn role_of_value(roles: &[Role]) -> String {
    let mut case = "CASE v.value_key".to_owned();
    for role in roles {
        for spelling in role.spellings() {
            case.push_str(&format!(" WHEN '{spelling}' THEN '{}'", role.key()));
        }
    }
    case + " END"
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// SQLite is free to begin such a join at either end, and without statistics it begins at the large one.
    #[test]
    fn every_join_keeps_its_order() {
        let (organization, user) = (OrganizationId(Uuid::nil()), ResourceId(Uuid::nil()));
        let directories = Directories::default();
        let also = can_sign_in(&directories);
        for sql in [
            of_users(Backend::Sqlite, organization, &directories, &[user]),
            held_by(organization, &directories, &[Role::Admin], &also),
        ] {
            let text = sql.as_str().replace("CROSS JOIN", "");
            assert!(!text.contains("JOIN"), "{text}");
        }
    }
}
