//! `rollcall admin-link`: a one-time link for the first Admin of an organization.

use serde_json::json;

use super::{Output, Result, open, operator, output};
use crate::config::Settings;
use crate::service::backoffice::admin_links;

/// It can be used once, within an hour; the organization's last link is refused from now on.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Slug or id of the organization
    #[arg(long)]
    organization: String,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(arguments: &Arguments, settings: &Settings) -> Result<()> {
    let db = open(settings).await?;
    let issued = admin_links::create_named(&operator(), &db, &arguments.organization).await;
    db.close().await;
    let issued = issued?;
    let link = issued.link(&settings.public_url);
    let expires = output::time(issued.expires_at);
    let json = json!({ "link": link, "fingerprint": issued.fingerprint, "expires_at": expires });
    arguments.output.print(&json, || format!("Admin link  {link}   (shown this once)\nExpires     {expires}"))?;
    Ok(())
}
