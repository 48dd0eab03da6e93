//! The tables that SCIM needs. `events.tx` exists on PostgreSQL only and is not declared here.

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    organizations (id) {
        id -> Uid,
        slug -> Text,
        name -> Text,
        parent -> Nullable<Uid>,
        state -> Text,
        features -> Text,
        settings -> Text,
        created -> BigInt,
        modified -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    connections (organization, id) {
        organization -> Uid,
        id -> Uid,
        provider -> Text,
        name -> Text,
        state -> Text,
        settings -> Text,
        created -> BigInt,
        modified -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    scim_tokens (organization, id) {
        organization -> Uid,
        id -> Uid,
        connection -> Uid,
        name -> Text,
        hash -> Binary,
        fingerprint -> Text,
        created -> BigInt,
        created_by -> Text,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        last_used_ip -> Nullable<Text>,
        rotated_from -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    users (organization, id) {
        organization -> Uid,
        id -> Uid,
        connection -> Nullable<Uid>,
        user_name -> Text,
        user_name_key -> Text,
        external_id_key -> Nullable<Text>,
        active -> Nullable<Bool>,
        access -> Bool,
        suspension -> Nullable<Text>,
        display_name -> Nullable<Text>,
        display_name_key -> Nullable<Text>,
        document -> Text,
        version -> BigInt,
        created -> BigInt,
        modified -> BigInt,
        deleted -> Nullable<BigInt>,
        invited -> Bool,
        deactivated_at -> Nullable<BigInt>,
        search_key -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    groups (organization, id) {
        organization -> Uid,
        id -> Uid,
        connection -> Nullable<Uid>,
        display_name -> Text,
        display_name_key -> Text,
        unique_key -> Nullable<Text>,
        external_id_key -> Nullable<Text>,
        document -> Text,
        version -> BigInt,
        created -> BigInt,
        modified -> BigInt,
        deleted -> Nullable<BigInt>,
        mapping_version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    attribute_values (organization, resource, attribute, value_key, type_key) {
        organization -> Uid,
        resource -> Uid,
        attribute -> SmallInt,
        value_key -> Text,
        type_key -> Text,
        is_primary -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    members (organization, group_id, member_id) {
        organization -> Uid,
        group_id -> Uid,
        member_id -> Uid,
        member_type -> SmallInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    events (organization, position) {
        position -> BigInt,
        organization -> Uid,
        id -> Uid,
        connection -> Nullable<Uid>,
        kind -> SmallInt,
        actor -> Text,
        request_id -> Text,
        resource -> Uid,
        version -> BigInt,
        at -> BigInt,
        detail -> Text,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        problem -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    counts (organization, connection, kind, writer) {
        organization -> Uid,
        connection -> Uid,
        #[sql_name = "type"]
        kind -> SmallInt,
        writer -> Integer,
        n -> BigInt,
    }
}
