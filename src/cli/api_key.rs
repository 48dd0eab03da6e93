//! `rollcall api-key create`: a key of the admin API, for an organization that has nobody yet who could make one there.

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use super::{Output, Refused, Result, open, operator, output};
use crate::config::Settings;
use crate::domain::permission::{Role, RoleSet};
use crate::domain::token::Lifetime;
use crate::service::admin::api_keys::{CreateApiKey, Expiry, Issued};
use crate::service::backoffice::api_keys;
use crate::storage::Database;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create an API key and print it, this once; keys made before stay valid
    Create {
        /// Slug or id of the organization
        #[arg(long)]
        organization: String,
        /// Name for people
        #[arg(long, default_value = "API key")]
        name: String,
        /// A role of the key; may be given several times
        #[arg(long = "role", default_value = "admin", value_parser = PossibleValuesParser::new(Role::ALL.map(Role::key)))]
        roles: Vec<String>,
        /// When it ends
        #[arg(long, default_value = "90d", value_parser = PossibleValuesParser::new(Lifetime::OFFERED.map(|(name, _)| name)))]
        expires: String,
        #[command(flatten)]
        output: Output,
    },
}

pub(super) async fn run(command: &Command, settings: &Settings) -> Result<()> {
    let db = open(settings).await?;
    let result = execute(command, settings, &db).await;
    db.close().await;
    result
}

async fn execute(command: &Command, settings: &Settings, db: &Database) -> Result<()> {
    let Command::Create { organization, name, roles, expires, output } = command;
    let lifetime = Lifetime::OFFERED.iter().find(|(offered, _)| offered == expires).map(|(_, l)| *l);
    let lifetime = lifetime.ok_or_else(|| Refused(format!("`{expires}` is no lifetime")))?;
    let ctx = operator();
    let expires = lifetime.ends_at(ctx.now).map_or(Expiry::Never, Expiry::At);
    let asked =
        CreateApiKey { name: name.clone(), roles: roles.clone(), expires: Some(expires), ..CreateApiKey::default() };
    let issued = api_keys::create(&ctx, db, organization, asked).await?;
    show(*output, settings, &issued)
}

fn show(output: Output, settings: &Settings, issued: &Issued) -> Result<()> {
    let base = format!("{}{}", settings.public_url, crate::http::admin::BASE);
    let record = &issued.record;
    let json = json!({
        "id": record.id.to_string(),
        "organization": record.organization.to_string(),
        "name": record.name,
        "fingerprint": record.fingerprint,
        "roles": RoleSet::parse(&record.roles).iter().map(|role| Value::from(role.key())).collect::<Vec<_>>(),
        "created_at": output::time(record.created),
        "expires_at": output::time_or_null(record.expires_at),
        "key": issued.secret,
        "base_url": base,
    });
    let ends = record.expires_at.map_or_else(|| "never".to_owned(), output::time);
    let text = || {
        format!(
            "Admin API  {base}\nAPI key    {}   (shown this once)\nId         {}\nExpires    {ends}",
            issued.secret, record.id
        )
    };
    Ok(output.print(&json, text)?)
}
