//! What holds for every route: the table of routes is walked, so that a new route is tested as soon as it is there.

use rollcall::domain::permission::{PermissionSet, Role};
use rollcall::http::admin;

use crate::helpers::*;

/// A path whose parameters are ids that nobody has.
fn path_of(pattern: &str) -> String {
    pattern.replace("{domain}", "nobody.example").split('/').map(id_for).collect::<Vec<_>>().join("/")
}

fn id_for(segment: &str) -> &str {
    if segment.starts_with('{') { "0192f3a0-0000-7000-8000-000000000000" } else { segment }
}

on_both! {
    async fn a_route_is_open_to_the_roles_that_have_its_permission(app: &TestApp) {
        let tenant = app.tenant().await;
        let second = admin::second_permissions();
        for role in Role::ALL {
            let admin = app.admin(&tenant, role.key()).await;
            for (method, path, permission) in admin::routes() {
                let answer = send(admin.request(method.as_str(), &path_of(&path))).await;
                let also = second.iter().find(|(m, p, _)| *m == method && *p == path).map(|(_, _, also)| *also);
                let needed = [Some(permission), also].into_iter().flatten();
                match needed.into_iter().find(|needed| !PermissionSet::of(role.into()).allows(*needed)) {
                    None => assert_ne!(answer.status, 403, "{role:?} {method} {path}: {}", answer.text),
                    Some(missing) => {
                        let problem = answer.expect_problem(403, "permission-denied");
                        assert_eq!(problem["permission"], missing.key(), "{role:?} {method} {path}");
                    }
                }
                assert!(![401, 405].contains(&answer.status), "{method} {path}: {}", answer.text);
            }
        }
    }

    async fn no_route_answers_without_a_credential(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for (method, path, _) in admin::routes() {
            let request = admin.anonymous(method.as_str(), &format!("/api/v1{}", path_of(&path)));
            send(request).await.expect_problem(401, "unauthenticated");
        }
    }

    async fn no_route_takes_a_parameter_that_it_does_not_know(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for (method, path, _) in admin::routes() {
            let request = admin.request(method.as_str(), &format!("{}?no_such_parameter=1", path_of(&path)));
            let answer = send(request.header("Content-Type", "application/json").body("{}")).await;
            assert_eq!(answer.status, 400, "{method} {path}: {}", answer.text);
            answer.expect_problem(400, "unknown-parameter");
        }
    }
}
