//! `rollcall connection create|list`.

use serde_json::{Value, json};

use super::{Output, Result, open, operator, output};
use crate::config::Settings;
use crate::service::backoffice::connections::{self, PROVIDERS};
use crate::service::backoffice::organizations;
use crate::storage::{ConnectionRecord, Database};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create an active connection
    Create {
        /// Slug or id of the organization
        #[arg(long)]
        organization: String,
        /// Name for people, unique in the organization
        #[arg(long)]
        name: String,
        /// Identity provider; `custom` is any other SCIM client
        #[arg(long, default_value = "custom", value_parser = PROVIDERS)]
        provider: String,
        #[command(flatten)]
        output: Output,
    },
    /// List the connections of an organization
    List {
        /// Slug or id of the organization
        #[arg(long)]
        organization: String,
        #[command(flatten)]
        output: Output,
    },
}

pub(super) async fn run(command: &Command, settings: &Settings) -> Result<()> {
    let db = open(settings).await?;
    let result = execute(command, &db).await;
    db.close().await;
    result
}

async fn execute(command: &Command, db: &Database) -> Result<()> {
    match command {
        Command::Create { organization, name, provider, output } => {
            let organization = organizations::load(db, organization).await?;
            let made = connections::create(&operator(), db, organization.id, provider, name).await?;
            Ok(output.print(&view(&made), || format!("Connection {} ({}) is {}.", made.name, made.id, made.state))?)
        }
        Command::List { organization, output } => {
            let organization = organizations::load(db, organization).await?;
            let all = connections::list(db, organization.id).await?;
            let row =
                |c: &ConnectionRecord| vec![c.id.to_string(), c.provider.clone(), c.state.clone(), c.name.clone()];
            let rows: Vec<_> = all.iter().map(row).collect();
            let json = Value::Array(all.iter().map(view).collect());
            Ok(output.print(&json, || output::table(&["ID", "PROVIDER", "STATE", "NAME"], &rows))?)
        }
    }
}

fn view(connection: &ConnectionRecord) -> Value {
    json!({
        "id": connection.id.to_string(),
        "organization": connection.organization.to_string(),
        "name": connection.name,
        "provider": connection.provider,
        "state": connection.state,
        "created_at": output::time(connection.created),
    })
}
