//! Texts out of closed sets, for the documentation: the set stands once in the code, and the document lists it.

/// A type that stands for the texts of a set in a documented body or parameter.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $texts:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let text = utoipa::openapi::schema::Type::String;
                utoipa::openapi::ObjectBuilder::new().schema_type(text).enum_values(Some($texts)).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(super) use choice;

use crate::domain::permission::Role;

choice!(
    /// The key of a role.
    RoleKey,
    Role::ALL.map(Role::key)
);
choice!(
    /// Who manages a person or a group.
    ManagedBy,
    ["local", "external"]
);
