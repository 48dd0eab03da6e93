//! The application under test, its callers, and bodies to send. `on_both!` runs a test on both backends.

mod admin;
mod app;
mod bodies;
mod caller;
mod database;
mod raw;

pub(crate) use rollcall::domain::token::Lifetime;

pub(crate) use admin::Admin;
pub(crate) use app::{Tenant, TestApp, run, run_with};
pub(crate) use bodies::*;
pub(crate) use caller::{Answer, Caller};
pub(crate) use database::Kind;

/// Runs each async body with a fresh application on both backends. `with` takes a function that changes the settings.
macro_rules! on_both {
    ($(async fn $name:ident($app:ident: &TestApp) $(with $change:expr,)? $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a body may need nothing of the file")]
            use super::*;
            async fn body($app: &$crate::helpers::TestApp) $body
            #[test]
            fn sqlite() {
                on_both!(@run $crate::helpers::Kind::Sqlite, stringify!($name), $($change)?);
            }
            #[test]
            fn postgres() {
                on_both!(@run $crate::helpers::Kind::Postgres, stringify!($name), $($change)?);
            }
        }
    )*};
    (@run $kind:expr, $name:expr,) => { $crate::helpers::run($kind, $name, body) };
    (@run $kind:expr, $name:expr, $change:expr) => { $crate::helpers::run_with($kind, $name, $change, body) };
}
