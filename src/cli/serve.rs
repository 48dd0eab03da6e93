//! `rollcall serve`: runs the service until SIGTERM or SIGINT. On a database without any organization it makes "Example",
//! so that the first request can be sent at once.

use super::{Refused, Result, output};
use crate::config::Settings;
use crate::service::backoffice::organizations::{self, Bootstrapped};
use crate::service::backoffice::{OperatorCtx, Refusal};
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
    if let Some(address) = &state.settings.backoffice_listen {
        output::line(&format!("Backoffice: {address}, {}", crate::http::backoffice::BASE))?;
    }
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
            Ok(made) => return Ok(credentials(&state.settings.public_url, &made)),
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

fn credentials(public_url: &str, made: &Bootstrapped) -> String {
    let (secret, key) = (&made.token.secret, &made.api_key.secret);
    let (base, api) = (format!("{public_url}/scim/v2"), format!("{public_url}{}", crate::http::admin::BASE));
    format!(
        "\nThis database is new: the organization \"Example\" was made for you. Token and key are shown this once.\n\n  \
         SCIM base URL  {base}\n  SCIM token     {secret}\n  Admin API      {api}\n  API key        {key}\n\nTry it:\n\n  \
         curl -H 'Authorization: Bearer {secret}' {base}/Users\n"
    )
}
