//! CSV and NDJSON.

use serde_json::Value;

use crate::helpers::*;

on_both! {
    async fn a_list_comes_as_csv(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let answer = send(admin.request("GET", "/roles?sort=-name&key=admin&key=billing").header("Accept", "text/csv")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.header("content-type").starts_with("text/csv"));
        let lines: Vec<&str> = answer.text.split("\r\n").collect();
        assert_eq!(lines[0], "key,name,description,permissions,limited_permissions,member_count,group_count");
        assert!(lines[1].starts_with("billing,Billing,Sees and pays the bills.,profile.self "), "{}", lines[1]);
        assert!(lines[1].ends_with(",organization.read,0,0"));
        assert!(lines[2].starts_with("admin,Admin,\"Everything, including who else is an Admin.\","), "{}", lines[2]);
        assert_eq!(&lines[3..], [""]);
    }

    async fn a_list_comes_as_ndjson(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        let answer = send(admin.request("GET", "/roles").header("Accept", "application/x-ndjson")).await;
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        let rows: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let list = admin.get("/roles").await.expect(200);
        assert_eq!(Value::Array(rows), list["data"]);
    }

    async fn an_export_has_no_pages(app: &TestApp) {
        let admin = app.admin(&app.tenant().await, "admin").await;
        for query in ["limit=2", "include_total=true"] {
            let request = admin.request("GET", &format!("/roles?{query}")).header("Accept", "text/csv");
            send(request).await.expect_problem(400, "filter-invalid");
        }
    }
}
