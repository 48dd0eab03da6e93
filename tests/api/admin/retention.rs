//! What is too old goes.

use rollcall::service::retention::{self, Cleared};

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
        app.advance(31 * DAY);
        tenant.caller.user("ann").await;
        assert_eq!(count("/provisioning-log?").await, 2);
        // The application itself may have been first within this hour.
        let cleared = run().await.unwrap_or_default();
        app.advance(DAY / 24);
        let again = run().await.expect("an hour later");
        assert_eq!((cleared.entries + again.entries, cleared.events + again.events), (1, 0));
        assert_eq!(run().await, None);
        assert_eq!(count("/provisioning-log?").await, 1);
        let events = count("/audit-events?action=user.created&").await;
        assert_eq!(events, 2);
        app.advance(380 * DAY);
        let Cleared { events, .. } = run().await.expect("due");
        assert!(events > 0);
        assert_eq!(count("/audit-events?action=user.created&").await, 1);
    }
}
