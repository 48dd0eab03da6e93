//! `rollcall bootstrap`: an organization with all that a first request to each surface needs, for scripts.

use serde_json::json;

use super::{Output, Result, open, operator};
use crate::config::Settings;
use crate::service::backoffice::organizations;

/// Migrates the database where needed. Two calls make two organizations.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Name of the organization, for people
    #[arg(long)]
    name: String,
    /// Its short unique name [default: made from the name]
    #[arg(long)]
    slug: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(arguments: &Arguments, settings: &Settings) -> Result<()> {
    let db = open(settings).await?;
    let made =
        organizations::bootstrap_with_operator(&operator(), &db, &arguments.name, arguments.slug.as_deref()).await;
    db.close().await;
    let made = made?;
    let base = format!("{}/scim/v2", settings.public_url);
    let api = format!("{}{}", settings.public_url, crate::http::admin::BASE);
    let backoffice = format!("{}{}", settings.backoffice_url(), crate::http::backoffice::BASE);
    let operator_key = made.operator.map(|issued| issued.secret).unwrap_or_default();
    let json = json!({
        "organization": { "id": made.organization.id.to_string(), "slug": made.organization.slug },
        "connection": { "id": made.connection.id.to_string() },
        "scim": { "base_url": base, "token": made.token.secret },
        "api": { "base_url": api, "key": made.api_key.secret },
        "backoffice": { "base_url": backoffice, "key": operator_key },
    });
    arguments.output.print(&json, || {
        format!(
            "Organization    {} ({})\nConnection      {}\nSCIM base URL   {base}\nSCIM token      {}   (shown this once)\n\
             Admin API       {api}\nAPI key         {}   (shown this once)\n\
             Backoffice API  {backoffice}\nOperator key    {operator_key}   (shown this once)",
            made.organization.slug, made.organization.id, made.connection.id, made.token.secret, made.api_key.secret
        )
    })?;
    Ok(())
}
