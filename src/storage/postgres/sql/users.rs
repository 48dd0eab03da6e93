//! Statements that change users and what depends on them.

use diesel::sql_types::*;

use crate::storage::hot::hot;
use crate::storage::uid::Uid;

/// What follows from the `access` of the rows in `h`, on which no index of `users` may depend (see the migration
/// `without_access`). Probes users_without_access_pkey; rows go by their place, as in ReplaceUsers.
macro_rules! keep_access {
    () => {
        r"
k AS (INSERT INTO users_without_access (organization, user_id) SELECT organization, id FROM h WHERE NOT access ON CONFLICT DO NOTHING),
g AS (DELETE FROM users_without_access w WHERE w.ctid = ANY (ARRAY(
    SELECT l.place FROM h CROSS JOIN LATERAL (SELECT w.ctid AS place FROM users_without_access w
        WHERE w.organization = h.organization AND w.user_id = h.id OFFSET 0) l
    WHERE h.access))),"
    };
}

// Waits only on unique keys, in key order: users_user_name_key, users_pkey. Answers the accepted ids.
hot!(
    InsertUsers,
    Uid,
    r"
WITH i AS (SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::text[], ?::bool[], ?::bool[], ?::text[], ?::text[], ?::text[], ?::bigint[])
    AS i(organization, id, connection, user_name, user_name_key, external_id_key, active, access, display_name, display_name_key, document, at)),
h AS (INSERT INTO users (organization, id, connection, user_name, user_name_key, external_id_key, active, access, display_name, display_name_key, document, version, created, modified)
    SELECT organization, id, connection, user_name, user_name_key, external_id_key, active, access, display_name, display_name_key, document, 1, at, at FROM i
    ON CONFLICT DO NOTHING RETURNING organization, id, connection, access),
k AS (INSERT INTO users_without_access (organization, user_id) SELECT organization, id FROM h WHERE NOT access),
v AS (INSERT INTO attribute_values (organization, resource, attribute, value_key, type_key, is_primary)
    SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::smallint[], ?::text[], ?::text[], ?::bool[]) AS a(organization, resource, attribute, value_key, type_key, is_primary)
    WHERE (resource IN (SELECT id FROM h)) IS TRUE),
e AS (INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
    SELECT organization, id, connection, 1, actor, request_id, resource, 1, at, detail
    FROM unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::uuid[], ?::bigint[], ?::text[])
        AS e(organization, id, connection, actor, request_id, resource, at, detail)
    WHERE (resource IN (SELECT id FROM h)) IS TRUE),
c AS (INSERT INTO counts AS t (organization, connection, type, writer, n)
    SELECT organization, connection, 1, ?::int, count(*) FROM h GROUP BY organization, connection
    ON CONFLICT (organization, connection, type, writer) DO UPDATE SET n = t.n + excluded.n)
SELECT id FROM h"
);

// Probes users_pkey; row locks in the order of the arrays (session settings let them drive the join). Leaves
// user_name_key alone, so it cannot collide. Old values go by their place (see MemberDeltas): `expected` was read before
// this statement's snapshot, so the snapshot holds the values of that version. Answers ids and new versions.
hot!(
    ReplaceUsers,
    (Uid, BigInt),
    concat!(
        r"
WITH i AS (SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::bigint[], ?::text[], ?::text[], ?::bool[], ?::bool[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::uuid[], ?::text[], ?::text[], ?::text[])
    AS i(organization, id, connection, expected, user_name, external_id_key, active, access, display_name, display_name_key, document, at, event, actor, request_id, detail)),
h AS (UPDATE users u SET user_name = i.user_name, external_id_key = i.external_id_key, active = i.active, access = i.access,
        display_name = i.display_name, display_name_key = i.display_name_key, document = i.document, version = u.version + 1, modified = i.at
    FROM i WHERE u.organization = i.organization AND u.id = i.id AND u.connection = i.connection AND u.version = i.expected AND u.deleted IS NULL
    RETURNING u.organization, u.id, u.connection, u.version, u.access, u.modified, i.event, i.actor, i.request_id, i.detail),",
        keep_access!(),
        r"
d AS (DELETE FROM attribute_values v WHERE v.ctid = ANY (ARRAY(
    SELECT l.place FROM unnest(?::uuid[], ?::uuid[], ?::smallint[], ?::text[], ?::text[]) AS x(organization, resource, attribute, value_key, type_key)
    CROSS JOIN LATERAL (SELECT v.ctid AS place FROM attribute_values v
        WHERE v.organization = x.organization AND v.resource = x.resource
          AND v.attribute = x.attribute AND v.value_key = x.value_key AND v.type_key = x.type_key OFFSET 0) l
    WHERE (x.resource IN (SELECT id FROM h)) IS TRUE))),
v AS (INSERT INTO attribute_values (organization, resource, attribute, value_key, type_key, is_primary)
    SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::smallint[], ?::text[], ?::text[], ?::bool[]) AS a(organization, resource, attribute, value_key, type_key, is_primary)
    WHERE (resource IN (SELECT id FROM h)) IS TRUE
    ON CONFLICT (organization, resource, attribute, value_key, type_key) DO UPDATE SET is_primary = excluded.is_primary),
e AS (INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
    SELECT organization, event, connection, 2, actor, request_id, id, version, modified, detail FROM h)
SELECT id, version FROM h"
    )
);

// The same without value difference: what a PATCH of `active` needs. Probes users_pkey.
hot!(
    PatchUsers,
    (Uid, BigInt),
    concat!(
        r"
WITH i AS (SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::bigint[], ?::text[], ?::text[], ?::bool[], ?::bool[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::uuid[], ?::text[], ?::text[], ?::text[])
    AS i(organization, id, connection, expected, user_name, external_id_key, active, access, display_name, display_name_key, document, at, event, actor, request_id, detail)),
h AS (UPDATE users u SET user_name = i.user_name, external_id_key = i.external_id_key, active = i.active, access = i.access,
        display_name = i.display_name, display_name_key = i.display_name_key, document = i.document, version = u.version + 1, modified = i.at
    FROM i WHERE u.organization = i.organization AND u.id = i.id AND u.connection = i.connection AND u.version = i.expected AND u.deleted IS NULL
    RETURNING u.organization, u.id, u.connection, u.version, u.access, u.modified, i.event, i.actor, i.request_id, i.detail),",
        keep_access!(),
        r"
e AS (INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
    SELECT organization, event, connection, 2, actor, request_id, id, version, modified, detail FROM h)
SELECT id, version FROM h"
    )
);

// Probes users_pkey, collides on users_user_name_key: one at a time, the violation is the answer NotUnique.
hot!(
    RenameUser,
    BigInt,
    r"
UPDATE users SET user_name_key = ? WHERE organization = ? AND id = ? AND connection = ? AND version = ? AND deleted IS NULL RETURNING version"
);

// Probes users_pkey. FOR UPDATE, not the weaker lock of a plain UPDATE: it must shut out FOR KEY SHARE of member adds.
hot!(
    DeleteUsers,
    (Uid, BigInt),
    r"
WITH i AS MATERIALIZED (SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::bigint[], ?::bigint[], ?::uuid[], ?::text[], ?::text[], ?::text[])
    AS i(organization, id, connection, expected, at, event, actor, request_id, detail)),
l AS MATERIALIZED (SELECT l.organization, l.id FROM i CROSS JOIN LATERAL (SELECT u.organization, u.id FROM users u
    WHERE u.organization = i.organization AND u.id = i.id AND u.connection = i.connection AND u.deleted IS NULL
      AND (i.expected IS NULL OR u.version = i.expected) FOR UPDATE) l),
h AS (UPDATE users u SET deleted = i.at, modified = i.at, version = u.version + 1, document = '', access = false, active = NULL,
        external_id_key = NULL, display_name = NULL, display_name_key = NULL
    FROM i WHERE (i.id IN (SELECT id FROM l)) IS TRUE AND u.organization = i.organization AND u.id = i.id
    RETURNING u.organization, u.id, u.connection, u.version, i.at, i.event, i.actor, i.request_id, i.detail),
e AS (INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail)
    SELECT organization, event, connection, 3, actor, request_id, id, version, at, detail FROM h),
c AS (INSERT INTO counts AS t (organization, connection, type, writer, n)
    SELECT organization, connection, 1, ?::int, -count(*) FROM h GROUP BY organization, connection
    ON CONFLICT (organization, connection, type, writer) DO UPDATE SET n = t.n + excluded.n)
SELECT id, version FROM h"
);

// A statement of its own: its snapshot is younger than the locks of DeleteUsers. Harmless for refused ones: it touches
// only what belongs to tombstones. Probes users_pkey, users_without_access_pkey, the key of attribute_values by prefix, members_of.
hot!(
    ClearDeleted,
    BigInt,
    r"
WITH dead AS MATERIALIZED (SELECT u.organization, u.id FROM unnest(?::uuid[], ?::uuid[]) AS i(organization, id)
    CROSS JOIN LATERAL (SELECT u.organization, u.id FROM users u
        WHERE u.organization = i.organization AND u.id = i.id AND u.deleted IS NOT NULL OFFSET 0) u),
g AS (DELETE FROM users_without_access w WHERE w.ctid = ANY (ARRAY(SELECT l.place FROM dead CROSS JOIN LATERAL (SELECT w.ctid AS place FROM users_without_access w
    WHERE w.organization = dead.organization AND w.user_id = dead.id OFFSET 0) l))),
v AS (DELETE FROM attribute_values v WHERE v.ctid = ANY (ARRAY(SELECT l.place FROM dead CROSS JOIN LATERAL (SELECT v.ctid AS place FROM attribute_values v
    WHERE v.organization = dead.organization AND v.resource = dead.id OFFSET 0) l))),
l AS MATERIALIZED (SELECT l.place FROM (SELECT * FROM dead ORDER BY organization, id) dead CROSS JOIN LATERAL (SELECT m.ctid AS place FROM members m
    WHERE m.organization = dead.organization AND m.member_id = dead.id ORDER BY m.group_id FOR UPDATE) l),
d AS (DELETE FROM members m WHERE m.ctid = ANY (ARRAY(SELECT place FROM l)) RETURNING 1)
SELECT count(*) FROM d"
);

// Probes users_pkey: why a write was refused (asked only then), within the connection.
hot!(
    WhyUsers,
    (Uid, BigInt),
    r"
SELECT l.id, l.version FROM unnest(?::uuid[], ?::uuid[], ?::uuid[]) AS t(organization, id, connection)
CROSS JOIN LATERAL (SELECT u.id, u.version FROM users u
    WHERE u.organization = t.organization AND u.id = t.id AND u.connection = t.connection AND u.deleted IS NULL OFFSET 0) l"
);

// Probes users_pkey: what a write of several changes touches, locked before its first change.
hot!(
    LockUsers,
    Uid,
    r"
SELECT l.id FROM unnest(?::uuid[], ?::uuid[]) AS t(organization, id)
CROSS JOIN LATERAL (SELECT u.id FROM users u WHERE u.organization = t.organization AND u.id = t.id FOR UPDATE) l"
);
