//! What is too old goes.

use rollcall::service::retention;

const DAY: i64 = 86_400_000_000;

on_both! {
    async fn old_entries_and_events_go_once_an_hour(app: &TestApp) {
        let tenant = app.tenant().await;
        let admin = app.admin(&tenant, "admin").await;
        let (state, limits) = (&app.state, &app.state.settings.limits);
        let run = async || retention::run_due(&state.db, limits, &state.clock).await.expect("runs");
        let count = async |path: &str| {
            let page = admin.get(&format!("{path}from=2001-01-01T00:00:00Z&include_total=true")).await.expect(200);
            page["page"]["total"].as_u64().expect("a total")
        };
        tenant.caller.user("ben").await;
        state.provisioning_log.flush().await;
        assert_eq!(count("/provisioning-log?").await, 1);
        app.advance(31 * DAY);
        tenant.caller.user("ann").await;
        state.provisioning_log.flush().await;
        // The application itself may be first whenever the time has moved.
        let cleared = run().await.unwrap_or_default();
        app.advance(DAY / 24);
        let again = run().await.unwrap_or_default();
        assert!(cleared.entries + again.entries <= 1 && cleared.events + again.events == 0, "{cleared:?} {again:?}");
        assert_eq!(run().await, None);
        assert_eq!(count("/provisioning-log?").await, 1);
        let events = count("/audit-events?action=user.created&").await;
        assert_eq!(events, 2);
        app.advance(380 * DAY);
        run().await;
        assert_eq!(count("/audit-events?action=user.created&").await, 1);
    }
}
