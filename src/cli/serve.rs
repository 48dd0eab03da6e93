//! `rollcall serve`: runs the service until SIGTERM or SIGINT. On a database without any organization it makes "Example",
//! so that the first request can be sent at once.

use super::{Refused, Result, output};
use crate::config::Settings;
use crate::service::backoffice::{OperatorCtx, Refusal, organizations};
use crate::startup::{Application, Signals, Surroundings};
use crate::state::AppState;
use crate::storage::Backend;
use crate::telemetry::LogWriter;

pub(super) async fn run(settings: Settings, log: LogWriter) -> Result<()> {
    // Before anything is printed: who reads it may send one at once.
    let signals = Signals::listen()?;
    let surroundings = Surroundings { log: Some(log), ..Surroundings::default() };
    let application = Application::build_in(settings, surroundings).await?;
    let state = application.state();
    let database = match state.db.backend() {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    let version = env!("CARGO_PKG_VERSION");
    output::line(&format!("Rollcall {version} serves {} on {database}.", state.settings.public_url))?;
    if let Some(port) = application.metrics_port() {
        output::line(&format!("Metrics: port {port}, /metrics"))?;
    }
    output::line(&welcome(state).await?)?;
    Ok(application.run_until_signalled(signals).await?)
}

/// Credentials on a fresh database, else how to make some.
async fn welcome(state: &AppState) -> Result<String> {
    let base = format!("{}/scim/v2", state.settings.public_url);
    if organizations::is_empty(&state.db).await? {
        let ctx = OperatorCtx::system(state.clock.now());
        match organizations::bootstrap(&ctx, &state.db, "Example", Some("example")).await {
            Ok(made) => return Ok(credentials(&base, &made.token.secret)),
            // Another instance on the same database was faster, and prints them.
            Err(Refusal::Taken { .. }) => {}
            Err(e) => return Err(Refused::from(e)),
        }
    }
    Ok(format!(
        "SCIM base URL: {base}\nA token for it: `rollcall token create --organization SLUG`; \
         organizations: `rollcall organization list`."
    ))
}

fn credentials(base: &str, secret: &str) -> String {
    format!(
        "\nThis database is new: the organization \"Example\" was made for you. The token is shown this once.\n\n  \
         SCIM base URL  {base}\n  SCIM token     {secret}\n\nTry it:\n\n  \
         curl -H 'Authorization: Bearer {secret}' {base}/Users\n"
    )
}
