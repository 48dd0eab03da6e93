//! `rollcall token create|list|revoke`. To change a token without a gap: create a second one, give it to the identity
//! provider, revoke the first.

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use super::{Output, Refused, Result, open, operator, output};
use crate::config::Settings;
use crate::domain::token::Lifetime;
use crate::service::backoffice::{connections, organizations, tokens};
use crate::state::Clock;
use crate::storage::{Database, TokenRecord};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create a SCIM token and print it, this once; tokens made before stay valid
    Create {
        /// Slug or id of the organization
        #[arg(long)]
        organization: String,
        /// Name or id of the connection [default: the only one]
        #[arg(long)]
        connection: Option<String>,
        /// Name for people
        #[arg(long, default_value = "token")]
        name: String,
        /// When it ends
        #[arg(long, default_value = "1y", value_parser = PossibleValuesParser::new(Lifetime::OFFERED.map(|(name, _)| name)))]
        expires: String,
        #[command(flatten)]
        output: Output,
    },
    /// List tokens, ended ones included; never their secrets
    List {
        /// Slug or id of the organization
        #[arg(long)]
        organization: String,
        /// Name or id of a connection [default: all]
        #[arg(long)]
        connection: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Refuse a token from now on
    Revoke {
        /// Id of the token (`token list` shows it)
        token: String,
        /// Slug or id of its organization [default: looked for in all]
        #[arg(long)]
        organization: Option<String>,
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
    match command {
        Command::Create { organization, connection, name, expires, output } => {
            let lifetime = Lifetime::OFFERED.iter().find(|(offered, _)| offered == expires).map(|(_, l)| *l);
            let lifetime = lifetime.ok_or_else(|| Refused(format!("`{expires}` is no lifetime")))?;
            let organization = organizations::load(db, organization).await?;
            let connection = connections::load(db, organization.id, connection.as_deref()).await?;
            let issued = tokens::create(&operator(), db, &connection, name, lifetime).await?;
            show_issued(*output, settings, &issued)
        }
        Command::List { organization, connection, output } => {
            let organization = organizations::load(db, organization).await?;
            let all = tokens::list(db, organization.id, connection.as_deref()).await?;
            show_list(*output, &all)
        }
        Command::Revoke { token, organization, output } => {
            let revoked = tokens::revoke(&operator(), db, organization.as_deref(), token).await?;
            Ok(output.print(&view(&revoked), || format!("Token {} ({}) is revoked.", revoked.name, revoked.id))?)
        }
    }
}

fn show_issued(output: Output, settings: &Settings, issued: &tokens::Issued) -> Result<()> {
    let base = format!("{}/scim/v2", settings.public_url);
    let mut json = view(&issued.record);
    if let Value::Object(members) = &mut json {
        members.insert("token".to_owned(), Value::String(issued.secret.clone()));
        members.insert("base_url".to_owned(), Value::String(base.clone()));
    }
    let ends = issued.record.expires_at.map_or_else(|| "never".to_owned(), output::time);
    let text = || {
        let (id, secret) = (issued.record.id, &issued.secret);
        format!(
            "SCIM base URL  {base}\nSCIM token     {secret}   (shown this once)\nId             {id}\nExpires        {ends}"
        )
    };
    Ok(output.print(&json, text)?)
}

fn show_list(output: Output, all: &[TokenRecord]) -> Result<()> {
    let row = |t: &TokenRecord| {
        let (expires, used) = (
            t.expires_at.map_or("never".to_owned(), output::time),
            t.last_used_at.map_or("-".to_owned(), output::time),
        );
        vec![t.id.to_string(), t.fingerprint.clone(), state(t).to_owned(), expires, used, t.name.clone()]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let json = Value::Array(all.iter().map(view).collect());
    Ok(output.print(&json, || output::table(&["ID", "TOKEN", "STATE", "EXPIRES", "LAST USED", "NAME"], &rows))?)
}

fn state(token: &TokenRecord) -> &'static str {
    let now = Clock::system().now();
    match (token.revoked_at, token.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        _ => "live",
    }
}

fn view(token: &TokenRecord) -> Value {
    json!({
        "id": token.id.to_string(),
        "organization": token.organization.to_string(),
        "connection": token.connection.to_string(),
        "name": token.name,
        "fingerprint": token.fingerprint,
        "state": state(token),
        "created_at": output::time(token.created),
        "expires_at": output::time_or_null(token.expires_at),
        "revoked_at": output::time_or_null(token.revoked_at),
        "last_used_at": output::time_or_null(token.last_used_at),
    })
}
