//! Texts out of closed sets, for the documentation: in a documented body or parameter a type of these stands for them.

use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::connections::adoptions::STATES as ADOPTION_STATES;
use super::endpoint::NamedSchema;
use super::sub_accounts::STATES as SUB_ACCOUNT_STATES;
use super::users::bulk::KINDS;
use crate::domain::permission::Role;
use crate::domain::provisioning::{Operation, Outcome};
use crate::domain::security_settings::RolesForManagedUsers;
use crate::service::backoffice::connections::PROVIDERS;

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident: $texts:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some($texts)).into()
                }
            }

            impl ToSchema for $name {}
        )*

        /// All of them by name: `utoipa` does not follow the types of parameters.
        pub(super) fn schemas() -> Vec<NamedSchema> {
            vec![$(($name::name().into_owned(), $name::schema())),*]
        }
    };
}

choices! {
    /// What becomes of a local person whom the directory would create.
    AdoptionChoice: ["verified_domain", "review", "refuse"];
    /// What was decided.
    AdoptionState: ADOPTION_STATES;
    /// What became of a deed.
    AuditResult: ["ok", "refused"];
    /// What is done to each person.
    BulkAction: KINDS.map(|(name, _)| name);
    /// How far a connection is.
    ConnectionState: ["setup", "observe", "active", "paused", "decommissioned"];
    /// How the link comes to the person.
    DeliveryChoice: ["link"];
    /// What became of an invitation.
    InvitationStateFilter: ["pending", "expired", "accepted", "revoked"];
    /// What a request was to do.
    LogOperation: Operation::ALL.map(Operation::as_str);
    /// What became of a request.
    LogOutcome: Outcome::ALL.map(Outcome::as_str);
    /// Who manages a person or a group.
    ManagedBy: ["local", "external"];
    /// What a member is.
    MemberType: ["user", "group"];
    /// Whether a person has a second factor.
    MfaFilter: ["on", "off", "at_identity_provider"];
    /// What becomes of the people.
    PeopleChoice: ["suspend", "invite", "delete"];
    /// An identity provider.
    Provider: PROVIDERS;
    /// The key of a role.
    RoleKey: Role::ALL.map(Role::key);
    /// Where a role comes from.
    RoleSourceFilter: ["direct", "group", "directory"];
    /// Who gives roles to people whom a directory manages.
    RolesForManagedUsersChoice: RolesForManagedUsers::ALL.map(RolesForManagedUsers::key);
    /// Whether a person can sign in.
    StatusFilter: ["active", "invited", "suspended"];
    /// Whether a sub-account can be used.
    SubAccountState: SUB_ACCOUNT_STATES;
}
