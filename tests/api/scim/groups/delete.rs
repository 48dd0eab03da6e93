//! `DELETE /Groups/{id}` (RFC 7644 §3.6).

on_both! {
    async fn a_deleted_group_is_gone_from_users_and_groups(app: &TestApp) {
        let caller = app.caller().await;
        let user = caller.user("a").await;
        let group = caller.group("g", &[&user]).await;
        let outer = caller.group("outer", &[&group]).await;
        let path = format!("/Groups/{group}");
        assert_eq!(caller.delete(&path).await.status, 204);
        caller.get(&path).await.expect_error(404, None);
        caller.delete(&path).await.expect_error(404, None);
        assert_eq!(caller.get(&format!("/Users/{user}")).await.expect(200).get("groups"), None);
        assert_eq!(caller.members(&outer).await, [""; 0]);
        assert_eq!(caller.get("/Groups").await.expect(200)["totalResults"], 1);
        caller.group("G", &[]).await;
    }
}
