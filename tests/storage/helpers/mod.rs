//! A fresh database for each test, the macro that runs a test on both backends, and raw looks at the tables.

mod build;
mod database;
pub(crate) mod model;

pub(crate) use build::*;
pub(crate) use database::{Kind, TestDatabase, options, run};

/// Runs each async body with a fresh, migrated `TestDatabase` on both backends.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($t:ident: &TestDatabase) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a body may need nothing")]
            use super::*;
            async fn body($t: &$crate::helpers::TestDatabase) $body
            $(#[$attribute])*
            #[test]
            fn sqlite() {
                $crate::helpers::run($crate::helpers::Kind::Sqlite, stringify!($name), body);
            }
            $(#[$attribute])*
            #[test]
            fn postgres() {
                $crate::helpers::run($crate::helpers::Kind::Postgres, stringify!($name), body);
            }
        }
    )*};
}
