//! `/organization`, and with it ETags of single resources.

use crate::helpers::*;

on_both! {
    async fn the_organization_is_the_credentials(app: &TestApp) {
        let (one, other) = (app.tenant().await, app.tenant().await);
        for tenant in [&one, &other] {
            let body = app.admin(tenant, "read_only").await.get("/organization").await.expect(200);
            let organization = &tenant.made.organization;
            assert_eq!(body["id"], organization.id.to_string());
            assert_eq!(body["name"], *organization.name);
            assert_eq!(body["slug"], *organization.slug);
            assert_eq!(body["state"], "active");
            assert!(body["created_at"].as_str().is_some_and(|time| time.ends_with('Z')));
        }
    }

    async fn billing_sees_the_name_only(app: &TestApp) {
        let tenant = app.tenant().await;
        let body = app.admin(&tenant, "billing").await.get("/organization").await.expect(200);
        assert_eq!(body, serde_json::json!({ "name": tenant.made.organization.name }));
    }

    async fn an_etag_saves_the_body(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let answer = admin.get("/organization").await;
        answer.expect(200);
        let tag = answer.header("etag").to_owned();
        assert_eq!(tag, "W/\"1\"");
        let with = async |name: &str, value: &str| send(admin.request("GET", "/organization").header(name, value)).await;
        let unmodified = with("If-None-Match", &tag).await;
        assert_eq!((unmodified.status, unmodified.text.as_str(), unmodified.header("etag")), (304, "", &*tag));
        with("If-None-Match", "W/\"2\"").await.expect(200);
        with("If-Match", &tag).await.expect(200);
        with("If-Match", "W/\"2\"").await.expect_problem(412, "precondition-failed");
        with("If-Match", "nonsense").await.expect_problem(412, "precondition-failed");
    }
}
