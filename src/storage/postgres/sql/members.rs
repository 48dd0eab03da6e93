//! Statements that change the rows of `members`. A group that no directory owns (the nil id is its connection) holds people
//! and groups of every connection.

use diesel::sql_types::*;

use crate::storage::hot::hot;
use crate::storage::uid::Uid;

// Locks: groups (groups_pkey, id order), then members' users FOR KEY SHARE (users_pkey, id order), nested groups likewise,
// then member rows (members_pkey, member and group order). KEY SHARE shuts out deletes only.
// Locked member rows are deleted by their place (ctid: they are locked, and nothing updates a row of members): a plan
// made while the table was small joins the delete to every member there is, and is kept.
// A (group, member) pair appears once in a batch. Several writes `w` may aim at one group: each that changed something
// gets its own version. Ids are compared with their connection, since a batch may serve several.
// Answer rows: 0 group found, 1 member missing, 2 write that changed something.
hot!(
    MemberDeltas,
    (Integer, Nullable<Integer>, Nullable<Uid>, Nullable<BigInt>),
    r"
WITH i AS MATERIALIZED (SELECT * FROM unnest(?::int[], ?::uuid[], ?::uuid[], ?::uuid[], ?::bigint[], ?::bool[], ?::bigint[], ?::uuid[], ?::text[], ?::text[], ?::text[])
    AS i(w, organization, connection, group_id, expected, lenient, at, event, actor, request_id, detail)),
g AS MATERIALIZED (SELECT l.organization, l.id, l.version FROM unnest(?::uuid[], ?::uuid[], ?::uuid[]) AS t(organization, connection, id)
    CROSS JOIN LATERAL (SELECT g.organization, g.id, g.version FROM groups g
        WHERE g.organization = t.organization AND g.id = t.id AND g.connection = t.connection AND g.deleted IS NULL FOR NO KEY UPDATE) l),
t AS MATERIALIZED (SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::uuid[]) AS t(organization, connection, id)),
u AS MATERIALIZED (SELECT t.connection, l.id FROM t CROSS JOIN LATERAL (SELECT u.id FROM users u
        WHERE u.organization = t.organization AND u.id = t.id AND t.connection IN (u.connection, '00000000-0000-0000-0000-000000000000') AND u.deleted IS NULL FOR KEY SHARE) l
    WHERE (SELECT count(*) FROM g) > 0),
n AS MATERIALIZED (SELECT t.connection, l.id FROM t CROSS JOIN LATERAL (SELECT n.id FROM groups n
        WHERE n.organization = t.organization AND n.id = t.id AND t.connection IN (n.connection, '00000000-0000-0000-0000-000000000000') AND n.deleted IS NULL FOR KEY SHARE) l
    WHERE ((t.connection, t.id) IN (SELECT connection, id FROM u)) IS NOT TRUE),
a AS MATERIALIZED (SELECT a.*, ((connection, member_id) IN (SELECT connection, id FROM u)) IS TRUE AS is_user
    FROM unnest(?::int[], ?::uuid[], ?::uuid[], ?::uuid[], ?::uuid[]) AS a(w, organization, connection, group_id, member_id)),
r AS MATERIALIZED (SELECT * FROM unnest(?::int[], ?::uuid[], ?::uuid[], ?::uuid[]) AS r(w, organization, group_id, member_id)),
bad AS MATERIALIZED (SELECT w, member_id FROM a
    WHERE NOT is_user AND (member_id = group_id OR ((connection, member_id) IN (SELECT connection, id FROM n)) IS NOT TRUE)),
ok AS MATERIALIZED (SELECT w FROM i WHERE ((organization, group_id, coalesce(expected, -1)) IN
        (SELECT organization, id, v FROM g CROSS JOIN LATERAL (VALUES (version), (-1)) AS x(v))) IS TRUE
    AND (lenient OR (w IN (SELECT w FROM bad)) IS NOT TRUE)),
ins AS (INSERT INTO members (organization, group_id, member_id, member_type)
    SELECT organization, group_id, member_id, CASE WHEN is_user THEN 1 ELSE 2 END FROM a
    WHERE (w IN (SELECT w FROM ok)) IS TRUE AND (is_user OR ((w, member_id) IN (SELECT w, member_id FROM bad)) IS NOT TRUE)
    ON CONFLICT DO NOTHING RETURNING group_id, member_id),
rl AS MATERIALIZED (SELECT l.place FROM r CROSS JOIN LATERAL (SELECT m.ctid AS place FROM members m
        WHERE m.organization = r.organization AND m.group_id = r.group_id AND m.member_id = r.member_id FOR UPDATE) l
    WHERE (r.w IN (SELECT w FROM ok)) IS TRUE),
del AS (DELETE FROM members m WHERE m.ctid = ANY (ARRAY(SELECT place FROM rl)) RETURNING m.group_id, m.member_id),
k AS MATERIALIZED (SELECT i.*, row_number() OVER (PARTITION BY organization, group_id ORDER BY w) AS k FROM i
    WHERE (w IN (SELECT a.w FROM a WHERE ((a.group_id, a.member_id) IN (SELECT group_id, member_id FROM ins)) IS TRUE
        UNION ALL SELECT r.w FROM r WHERE ((r.group_id, r.member_id) IN (SELECT group_id, member_id FROM del)) IS TRUE)) IS TRUE),
up AS (UPDATE groups g SET version = g.version + t.k, modified = t.at
    FROM (SELECT organization, group_id, max(k) AS k, max(at) AS at FROM k GROUP BY organization, group_id) t
    WHERE g.organization = t.organization AND g.id = t.group_id
    RETURNING g.organization, g.id, g.version - t.k AS base),
nv AS MATERIALIZED (SELECT k.w, k.organization, k.connection, k.group_id, k.at, k.event, k.actor, k.request_id, k.detail, up.base + k.k AS version
    FROM k JOIN up ON up.organization = k.organization AND up.id = k.group_id),
e AS (INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
    SELECT organization, event, connection, 5, actor, request_id, group_id, version, at, detail FROM nv ORDER BY w)
SELECT 0, NULL::int, id, version FROM g UNION ALL SELECT 1, w, member_id, NULL FROM bad UNION ALL SELECT 2, w, NULL, version FROM nv"
);

// Members of one group whose row this transaction has locked; versions and events are the caller's. Same probes and
// order as MemberDeltas. Answer rows: 0 member missing (nothing was changed), 1 something was changed.
hot!(
    ChangeMembers,
    (Integer, Nullable<Uid>),
    r"
WITH s AS MATERIALIZED (SELECT ?::uuid AS organization, ?::uuid AS connection, ?::uuid AS group_id, ?::bool AS lenient),
t AS MATERIALIZED (SELECT * FROM unnest(?::uuid[]) AS t(id)),
u AS MATERIALIZED (SELECT l.id FROM t CROSS JOIN LATERAL (SELECT u.id FROM users u
    WHERE u.organization = (SELECT organization FROM s) AND u.id = t.id AND (SELECT connection FROM s) IN (u.connection, '00000000-0000-0000-0000-000000000000') AND u.deleted IS NULL FOR KEY SHARE) l),
n AS MATERIALIZED (SELECT l.id FROM t CROSS JOIN LATERAL (SELECT n.id FROM groups n
        WHERE n.organization = (SELECT organization FROM s) AND n.id = t.id AND (SELECT connection FROM s) IN (n.connection, '00000000-0000-0000-0000-000000000000') AND n.deleted IS NULL FOR KEY SHARE) l
    WHERE (t.id IN (SELECT id FROM u)) IS NOT TRUE AND t.id <> (SELECT group_id FROM s)),
bad AS MATERIALIZED (SELECT id FROM t WHERE (id IN (SELECT id FROM u)) IS NOT TRUE AND (id IN (SELECT id FROM n)) IS NOT TRUE),
ok AS MATERIALIZED (SELECT s.* FROM s WHERE lenient OR NOT EXISTS (SELECT FROM bad)),
ins AS (INSERT INTO members (organization, group_id, member_id, member_type)
    SELECT ok.organization, ok.group_id, t.id, CASE WHEN (t.id IN (SELECT id FROM u)) IS TRUE THEN 1 ELSE 2 END
    FROM ok CROSS JOIN t WHERE (t.id IN (SELECT id FROM bad)) IS NOT TRUE
    ON CONFLICT DO NOTHING RETURNING 1),
rl AS MATERIALIZED (SELECT l.place FROM unnest(?::uuid[]) AS r(id)
    CROSS JOIN LATERAL (SELECT m.ctid AS place FROM members m
        WHERE m.organization = (SELECT organization FROM ok) AND m.group_id = (SELECT group_id FROM ok) AND m.member_id = r.id FOR UPDATE) l),
del AS (DELETE FROM members m WHERE m.ctid = ANY (ARRAY(SELECT place FROM rl)) RETURNING 1)
SELECT 0, id FROM bad WHERE NOT (SELECT lenient FROM s)
UNION ALL SELECT 1, NULL WHERE (SELECT count(*) FROM ins) + (SELECT count(*) FROM del) > 0"
);

// All members of one group: members_pkey by prefix. Whose deletion is held is no member over SCIM, and stays one here until
// that is decided.
hot!(MemberIds, Uid, "SELECT member_id FROM members WHERE organization = ? AND group_id = ? AND member_type < 3");
