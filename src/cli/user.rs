//! `rollcall user create`: the first people of an organization, whom no directory manages.

use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::{Output, Result, open, operator};
use crate::config::Settings;
use crate::domain::permission::Role;
use crate::service::backoffice::local_people::{self, CreatePerson};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create an active person
    Create {
        /// Slug or id of the organization
        #[arg(long)]
        organization: String,
        /// E-mail address
        #[arg(long)]
        email: String,
        /// User name, unique in the organization [default: the address]
        #[arg(long)]
        user_name: Option<String>,
        /// Given name
        #[arg(long)]
        given_name: Option<String>,
        /// Family name
        #[arg(long)]
        family_name: Option<String>,
        /// A role of the person; may be given several times
        #[arg(long = "role", value_parser = PossibleValuesParser::new(Role::ALL.map(Role::key)))]
        roles: Vec<String>,
        #[command(flatten)]
        output: Output,
    },
}

pub(super) async fn run(command: &Command, settings: &Settings) -> Result<()> {
    let Command::Create { organization, email, user_name, given_name, family_name, roles, output } = command;
    let asked = CreatePerson {
        email: email.clone(),
        user_name: user_name.clone(),
        given: given_name.clone(),
        family: family_name.clone(),
        roles: roles.iter().filter_map(|key| Role::parse(key)).collect(),
    };
    let db = open(settings).await?;
    let made = local_people::create(&operator(), &db, organization, asked).await;
    db.close().await;
    let made = made?;
    let json = json!({ "id": made.id.to_string(), "user_name": made.user_name, "email": email, "roles": roles });
    Ok(output.print(&json, || format!("Person {} ({}) is created.", made.user_name, made.id))?)
}
