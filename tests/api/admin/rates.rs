//! Rate limits by credential.

use crate::helpers::*;

on_both! {
    async fn each_answer_tells_what_is_left(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for (path, left) in [("/roles", 599), ("/nothing", 598), ("/roles?x=1", 597)] {
            let answer = admin.get(path).await;
            assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=600;w=60");
            let field = answer.header("ratelimit");
            // A tenth of a second gives one back.
            let remaining: u32 = field.split("r=").nth(1).unwrap().split(';').next().unwrap().parse().unwrap();
            assert!((left..600).contains(&remaining), "{field}");
        }
        let answer = send(admin.anonymous("GET", "/api/v1/roles")).await;
        assert_eq!(answer.header("ratelimit"), "");
    }

    async fn a_credential_past_its_limit_waits_and_another_does_not(app: &TestApp) with |settings| {
        settings.limits.api_rate = 2;
    }, {
        let tenant = app.tenant().await;
        let (admin, other) = (app.admin(&tenant, "admin").await, app.admin(&tenant, "admin").await);
        for _ in 0..2 {
            admin.get("/roles").await.expect(200);
        }
        let answer = admin.get("/roles").await;
        answer.expect_problem(429, "rate-limited");
        let wait: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=31).contains(&wait), "{wait}");
        assert!(answer.header("ratelimit").starts_with("\"default\";r=0;t="), "{}", answer.header("ratelimit"));
        other.get("/roles").await.expect(200);
    }

    async fn rate_limits_can_be_off(app: &TestApp) with |settings| {
        settings.limits.api_rate = 1;
        settings.rate_limit = false;
    }, {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for _ in 0..3 {
            assert_eq!(admin.get("/roles").await.header("ratelimit"), "");
        }
    }
}
