//! `rollcall organization create|list|suspend|resume|verify-domain`.

use serde_json::{Value, json};

use super::{Output, Result, open, operator, output};
use crate::config::Settings;
use crate::service::backoffice::{domains, organizations};
use crate::storage::{Database, OrganizationRecord};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create an organization, empty
    Create {
        /// Name for people
        #[arg(long)]
        name: String,
        /// Short unique name [default: made from the name]
        #[arg(long)]
        slug: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// List all organizations in the order of their creation
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Refuse every credential of an organization; nothing is deleted
    Suspend {
        /// Slug or id
        organization: String,
        #[command(flatten)]
        output: Output,
    },
    /// End a suspension
    Resume {
        /// Slug or id
        organization: String,
        #[command(flatten)]
        output: Output,
    },
    /// Take a domain for an organization's own, without a DNS record
    ///
    /// Directories may then take over people of the organization whose address is in the domain.
    VerifyDomain {
        /// Slug or id
        #[arg(long)]
        organization: String,
        /// A name such as example.com
        domain: String,
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
    let ctx = operator();
    match command {
        Command::Create { name, slug, output } => {
            let made = organizations::create(&ctx, db, name, slug.as_deref()).await?;
            show(*output, &made)
        }
        Command::Suspend { organization, output } => {
            show(*output, &organizations::suspend(&ctx, db, organization).await?)
        }
        Command::Resume { organization, output } => {
            show(*output, &organizations::resume(&ctx, db, organization).await?)
        }
        Command::VerifyDomain { organization, domain, output } => {
            let verified = domains::verify_named(&ctx, db, organization, domain).await?;
            let json = json!({
                "domain": verified.domain,
                "state": verified.state,
                "method": verified.method,
                "verified_at": output::time_or_null(verified.verified_at),
            });
            Ok(output.print(&json, || format!("Domain {} is {}.", verified.domain, verified.state))?)
        }
        Command::List { output } => {
            let all = organizations::list(db).await?;
            let rows: Vec<_> =
                all.iter().map(|o| vec![o.slug.clone(), o.id.to_string(), o.state.clone(), o.name.clone()]).collect();
            let json = Value::Array(all.iter().map(view).collect());
            Ok(output.print(&json, || output::table(&["SLUG", "ID", "STATE", "NAME"], &rows))?)
        }
    }
}

fn show(output: Output, organization: &OrganizationRecord) -> Result<()> {
    let OrganizationRecord { slug, id, state, .. } = organization;
    Ok(output.print(&view(organization), || format!("Organization {slug} ({id}) is {state}."))?)
}

fn view(organization: &OrganizationRecord) -> Value {
    json!({
        "id": organization.id.to_string(),
        "slug": organization.slug,
        "name": organization.name,
        "state": organization.state,
        "created_at": output::time(organization.created),
    })
}
