//! Statements that change groups themselves.

use diesel::sql_types::*;

use crate::storage::hot::hot;
use crate::storage::uid::Uid;

// Goes before MemberDeltas, as a statement of its own, when a batch removes: a snapshot taken before the wait for the
// group's lock would not see members added meanwhile (adds look at the current rows, DELETE only at its snapshot's).
// Probes groups_pkey.
hot!(
    LockGroups,
    Uid,
    r"
SELECT l.id FROM unnest(?::uuid[], ?::uuid[]) AS t(organization, id)
CROSS JOIN LATERAL (SELECT g.id FROM groups g WHERE g.organization = t.organization AND g.id = t.id FOR NO KEY UPDATE) l"
);

// The same, strong enough for a delete, before the first change of a write that has several. Probes groups_pkey.
hot!(
    LockGroupsFully,
    Uid,
    r"
SELECT l.id FROM unnest(?::uuid[], ?::uuid[]) AS t(organization, id)
CROSS JOIN LATERAL (SELECT g.id FROM groups g WHERE g.organization = t.organization AND g.id = t.id FOR UPDATE) l"
);

// One group, locked for what follows in the transaction. Probes groups_pkey.
hot!(
    LockGroup,
    BigInt,
    r"
SELECT version FROM groups WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL FOR NO KEY UPDATE"
);

// Collides on groups_unique_key. Answers the id unless the name is taken.
hot!(
    InsertGroup,
    Uid,
    r"
WITH h AS (INSERT INTO groups (organization, id, connection, display_name, display_name_key, unique_key, external_id_key, document, version, created, modified)
    SELECT organization, id, connection, display_name, display_name_key, unique_key, external_id_key, document, 1, at, at
    FROM (VALUES (?::uuid, ?::uuid, ?::uuid, ?::text, ?::text, ?::text, ?::text, ?::text, ?::bigint))
        AS i(organization, id, connection, display_name, display_name_key, unique_key, external_id_key, document, at)
    ON CONFLICT DO NOTHING RETURNING organization, id, connection, created),
e AS (INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
    SELECT organization, ?::uuid, connection, 4, ?::text, ?::text, id, 1, created, ?::text FROM h),
c AS (INSERT INTO counts AS t (organization, connection, type, writer, n) SELECT organization, connection, 2, ?::int, 1 FROM h
    ON CONFLICT (organization, connection, type, writer) DO UPDATE SET n = t.n + excluded.n)
SELECT id FROM h"
);

// A group locked before; collides on groups_unique_key. Probes groups_pkey. Answers a row where something differed.
hot!(
    UpdateGroup,
    Integer,
    r"
UPDATE groups g SET display_name = i.display_name, display_name_key = i.display_name_key, unique_key = i.unique_key,
    external_id_key = i.external_id_key, document = i.document
FROM (VALUES (?::text, ?::text, ?::text, ?::text, ?::text)) AS i(display_name, display_name_key, unique_key, external_id_key, document)
WHERE g.organization = ? AND g.id = ? AND (g.display_name, g.display_name_key, g.unique_key, g.external_id_key, g.document)
    IS DISTINCT FROM (i.display_name, i.display_name_key, i.unique_key, i.external_id_key, i.document) RETURNING 1"
);

// A group locked before that changed. Probes groups_pkey.
hot!(
    BumpGroup,
    BigInt,
    "UPDATE groups SET modified = ?, version = version + 1 WHERE organization = ? AND id = ? RETURNING version"
);

hot!(
    GroupChanged,
    Integer,
    r"
INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
VALUES (?, ?, ?, 5, ?, ?, ?, ?, ?, ?) RETURNING 1"
);

// FOR UPDATE: it must shut out FOR KEY SHARE of those who nest this group. Probes groups_pkey.
hot!(
    DeleteGroup,
    BigInt,
    r"
WITH i AS MATERIALIZED (SELECT * FROM (VALUES (?::uuid, ?::uuid, ?::uuid, ?::bigint, ?::bigint)) AS i(organization, id, connection, expected, at)),
l AS MATERIALIZED (SELECT l.organization, l.id FROM i CROSS JOIN LATERAL (SELECT g.organization, g.id FROM groups g
    WHERE g.organization = i.organization AND g.id = i.id AND g.connection = i.connection AND g.deleted IS NULL
      AND (i.expected < 0 OR g.version = i.expected) FOR UPDATE) l),
h AS (UPDATE groups g SET deleted = i.at, modified = i.at, version = g.version + 1, document = '', unique_key = NULL, external_id_key = NULL
    FROM i JOIN l USING (organization, id) WHERE g.organization = i.organization AND g.id = i.id
    RETURNING g.organization, g.id, g.connection, g.version, g.modified),
e AS (INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
    SELECT organization, ?::uuid, connection, 6, ?::text, ?::text, id, version, modified, ?::text FROM h),
c AS (INSERT INTO counts AS t (organization, connection, type, writer, n) SELECT organization, connection, 2, ?::int, -1 FROM h
    ON CONFLICT (organization, connection, type, writer) DO UPDATE SET n = t.n + excluded.n)
SELECT version FROM h"
);

// A statement of its own, like ClearDeleted: the group's members, and itself out of other groups, in member and group
// order. Probes members_pkey by prefix, members_of.
hot!(
    ClearGroup,
    BigInt,
    r"
WITH s AS MATERIALIZED (SELECT ?::uuid AS organization, ?::uuid AS id),
b AS MATERIALIZED (SELECT m.group_id, m.member_id FROM members m WHERE m.organization = (SELECT organization FROM s) AND m.group_id = (SELECT id FROM s)
    UNION SELECT m.group_id, m.member_id FROM members m WHERE m.organization = (SELECT organization FROM s) AND m.member_id = (SELECT id FROM s)
    ORDER BY 2, 1),
l AS MATERIALIZED (SELECT l.place FROM b CROSS JOIN LATERAL (SELECT m.ctid AS place FROM members m
    WHERE m.organization = (SELECT organization FROM s) AND m.group_id = b.group_id AND m.member_id = b.member_id FOR UPDATE) l),
d AS (DELETE FROM members m WHERE m.ctid = ANY (ARRAY(SELECT place FROM l)) RETURNING 1)
SELECT count(*) FROM d"
);

// Why a group was refused. Probes groups_pkey.
hot!(
    WhyGroup,
    BigInt,
    "SELECT version FROM groups WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL"
);
