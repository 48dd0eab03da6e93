//! Groups with their members where these are few, several at once: what answers to changes of members show.

use diesel::sql_types::*;

use crate::domain::ids::{ResourceId, Scope};
use crate::protocol::splice::Reference;
use crate::storage::hot::{Bind, hot};
use crate::storage::rows::GroupRecord;
use crate::storage::uid::{Id, Uid};

// Probes groups_pkey; members_pkey is counted as far as the bound, and read only within it, by prefix, in its order;
// users_pkey or groups_pkey per member. A member is its type, id and, behind a mark, its name: an array of one expression
// is cheaper than three. The test of `small` stands inside, where it comes once and before the scan; in ON it would come
// behind. The numbers (SMALL_GROUP) stand in the text: for a bound LIMIT a general plan counts on a tenth of the rows.
hot!(
    SmallGroups,
    (Uid, BigInt, BigInt, BigInt, Text, Bool, Array<Text>),
    r"
SELECT g.id, g.version, g.created, g.modified, g.document, s.small,
    ARRAY(SELECT m.member_type || m.member_id::text || coalesce('=' || CASE m.member_type
            WHEN 1 THEN (SELECT u.display_name FROM users u WHERE u.organization = m.organization AND u.id = m.member_id)
            ELSE (SELECT n.display_name FROM groups n WHERE n.organization = m.organization AND n.id = m.member_id) END, '')
        FROM members m WHERE s.small AND m.organization = g.organization AND m.group_id = g.id AND m.member_type < 3
        ORDER BY m.organization, m.group_id, m.member_id)
FROM unnest(?::uuid[], ?::uuid[], ?::uuid[]) AS t(organization, id, connection)
CROSS JOIN LATERAL (SELECT * FROM groups g
    WHERE g.organization = t.organization AND g.id = t.id AND g.connection = t.connection AND g.deleted IS NULL OFFSET 0) g
CROSS JOIN LATERAL (SELECT count(*) <= 100 AS small FROM (SELECT FROM members m
    WHERE m.organization = g.organization AND m.group_id = g.id LIMIT 101) c) s"
);

/// One of its rows.
pub(crate) type SmallGroupRow = (Id, i64, i64, i64, String, bool, Vec<String>);

/// Values of `SmallGroups`: each group once.
pub(crate) fn binds(groups: &[(Scope, ResourceId)]) -> Vec<Bind<'static>> {
    vec![
        Bind::Ids(groups.iter().map(|(scope, _)| scope.organization.into()).collect()),
        Bind::Ids(groups.iter().map(|(_, id)| (*id).into()).collect()),
        Bind::Ids(groups.iter().map(|(scope, _)| scope.connection.into()).collect()),
    ]
}

/// What a row tells.
pub(crate) fn record(row: SmallGroupRow) -> GroupRecord {
    let (id, version, created, modified, document, small, members) = row;
    let members = small.then(|| members.iter().filter_map(|text| reference(text)).collect());
    GroupRecord { id: id.into(), version, created, modified, document, members }
}

/// Type (one digit), id (36 characters), then `=` and the name where there is one.
fn reference(text: &str) -> Option<Reference> {
    let (kind, rest) = text.split_at_checked(1)?;
    let (id, name) = rest.split_at_checked(36)?;
    let display = name.strip_prefix('=').map(str::to_owned);
    Some(Reference { id: uuid::Uuid::try_parse(id).ok()?, display, is_group: kind == "2" })
}
