//! Tables of the admin surfaces: people's accounts, roles, keys, invitations.

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    accounts (organization, user_id) {
        organization -> Uid,
        user_id -> Uid,
        locale -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        notes -> Nullable<Text>,
        invited_by -> Nullable<Text>,
        managed_since -> Nullable<BigInt>,
        former_connection -> Nullable<Uid>,
        former_external_id -> Nullable<Text>,
        login_address -> Nullable<Text>,
        is_protected -> Bool,
        created -> BigInt,
        modified -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    activity (organization, user_id) {
        organization -> Uid,
        user_id -> Uid,
        last_active_at -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    tombstones (organization, user_id) {
        organization -> Uid,
        user_id -> Uid,
        email_hash -> Nullable<Binary>,
        mode -> Text,
        at -> BigInt,
        actor -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    role_grants (organization, user_id, role) {
        organization -> Uid,
        user_id -> Uid,
        role -> Text,
        granted_at -> BigInt,
        granted_by -> Text,
        name_key -> Nullable<Text>,
        last_active_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    role_mappings (organization, group_id, role) {
        organization -> Uid,
        group_id -> Uid,
        role -> Text,
        mapped_at -> BigInt,
        mapped_by -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    api_keys (organization, id) {
        organization -> Uid,
        id -> Uid,
        name -> Text,
        description -> Text,
        hash -> Binary,
        fingerprint -> Text,
        previous_hash -> Nullable<Binary>,
        previous_until -> Nullable<BigInt>,
        roles -> Text,
        ip_allowlist -> Text,
        created -> BigInt,
        created_by -> Text,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        rotated_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        last_used_ip -> Nullable<Text>,
        modified -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    operators (id) {
        id -> Uid,
        name -> Text,
        role -> Text,
        created -> BigInt,
        created_by -> Text,
        removed_at -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    operator_keys (id) {
        id -> Uid,
        operator -> Uid,
        name -> Text,
        hash -> Binary,
        fingerprint -> Text,
        created -> BigInt,
        created_by -> Text,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        last_used_ip -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    idempotency_keys (organization, credential, idempotency_key) {
        organization -> Uid,
        credential -> Uid,
        idempotency_key -> Text,
        fingerprint -> Binary,
        status -> Nullable<SmallInt>,
        headers -> Nullable<Text>,
        body -> Nullable<Text>,
        is_secret -> Bool,
        created -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    invitations (organization, id) {
        organization -> Uid,
        id -> Uid,
        user_id -> Uid,
        email -> Text,
        email_key -> Text,
        hash -> Binary,
        delivery -> Text,
        message -> Text,
        state -> Text,
        expires_at -> BigInt,
        sent_at -> BigInt,
        created -> BigInt,
        created_by -> Text,
        ended_at -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    sub_account_access (organization, home, user_id) {
        organization -> Uid,
        home -> Uid,
        user_id -> Uid,
        roles -> Text,
        granted_at -> BigInt,
        granted_by -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::storage::uid::Uid;

    admin_links (organization) {
        organization -> Uid,
        hash -> Binary,
        fingerprint -> Text,
        created -> BigInt,
        created_by -> Text,
        expires_at -> BigInt,
    }
}
