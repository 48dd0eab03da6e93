//! Tables around connections: ownership, the brake, the log, jobs.

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    verified_domains (organization, domain) {
        organization -> Uid,
        domain -> Text,
        state -> Text,
        method -> Text,
        value -> Text,
        created -> BigInt,
        created_by -> Text,
        checked_at -> Nullable<BigInt>,
        verified_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    adoptions (organization, id) {
        organization -> Uid,
        id -> Uid,
        connection -> Uid,
        user_id -> Uid,
        user_name -> Text,
        external_id -> Nullable<Text>,
        incoming -> Text,
        state -> Text,
        created -> BigInt,
        modified -> BigInt,
        decided_at -> Nullable<BigInt>,
        decided_by -> Nullable<Text>,
        request_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    brake_windows (organization, connection) {
        organization -> Uid,
        connection -> Uid,
        started -> BigInt,
        active -> BigInt,
        departed -> BigInt,
        alarmed -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    held_changes (organization, id) {
        organization -> Uid,
        id -> Uid,
        connection -> Uid,
        user_id -> Uid,
        deed -> Text,
        user_name_key -> Text,
        written -> Text,
        state -> Text,
        created -> BigInt,
        request_id -> Text,
        decided_at -> Nullable<BigInt>,
        decided_by -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    blocks (organization, id) {
        organization -> Uid,
        id -> Uid,
        connection -> Uid,
        user_id -> Uid,
        user_name_key -> Text,
        external_id_key -> Nullable<Text>,
        reason -> Text,
        created -> BigInt,
        created_by -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    provisioning_segments (organization, slot, id) {
        organization -> Uid,
        slot -> BigInt,
        id -> Uid,
        format -> SmallInt,
        length -> Integer,
        not_done -> Integer,
        names -> Binary,
        entries -> Binary,
        bodies -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    connection_health (organization, connection) {
        organization -> Uid,
        connection -> Uid,
        last_request_at -> Nullable<BigInt>,
        last_success_at -> Nullable<BigInt>,
        last_error_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        reads -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    jobs (organization, id) {
        organization -> Uid,
        id -> Uid,
        kind -> Text,
        subject -> Nullable<Uid>,
        arguments -> Text,
        state -> Text,
        cursor -> Nullable<Text>,
        done -> BigInt,
        total -> Nullable<BigInt>,
        error -> Nullable<Text>,
        created -> BigInt,
        created_by -> Text,
        modified -> BigInt,
        leased_until -> Nullable<BigInt>,
        request_id -> Text,
        version -> BigInt,
    }
}
