//! What identity providers send, step by step with the state after each: `tests/fixtures/idp/README.md` has the format.

mod flow;
mod matcher;

use std::collections::BTreeSet;
use std::path::Path;

/// A test on both backends for each file of a folder.
macro_rules! flows {
    ($($folder:ident { $($file:ident)* })*) => {
        $(mod $folder {
            $(mod $file {
                const TEXT: &str = include_str!(concat!("../../fixtures/idp/", stringify!($folder), "/", stringify!($file), ".json"));

                on_both! {
                    async fn flow(app: &TestApp) {
                        $crate::idp::flow::run(app, concat!(stringify!($folder), "/", stringify!($file)), TEXT).await;
                    }
                }
            })*
        })*

        const RUN: &[&str] = &[$($(concat!(stringify!($folder), "/", stringify!($file), ".json"),)*)*];
    };
}

flows! {
    okta {
        connection_test groups_app_wizard groups_catalogue import_users reprovision spec_test users_app_wizard
        users_catalogue
    }
    entra {
        connection_test custom_extension discovery gallery_paging group_lifecycle group_members_default
        group_members_flag user_create user_disable_restore user_manager user_match user_null_update user_roles
        user_soft_delete user_update_default user_update_flag validator_groups validator_users
    }
    onelogin { provisioning }
    jumpcloud { activation members }
    ping { match_and_deprovision }
    cyberark { connection_test }
    sailpoint { aggregation }
    authentik { update }
}

#[test]
fn every_file_of_the_fixtures_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/idp");
    let mut found = BTreeSet::new();
    for folder in root.read_dir().expect("the fixtures").map(|entry| entry.expect("readable")) {
        if !folder.path().is_dir() {
            continue;
        }
        for file in folder.path().read_dir().expect("a folder").map(|entry| entry.expect("readable")) {
            let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
            found.insert(format!("{}/{}", name(&folder), name(&file)));
        }
    }
    assert_eq!(found, RUN.iter().map(|name| (*name).to_owned()).collect());
}
