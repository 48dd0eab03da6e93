//! The one place where a person whom a directory manages can be deleted: remove, block or erase.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::OperatorCtx;
use crate::domain::event::EventKind;
use crate::domain::ids::{BlockId, ConnectionId, OrganizationId, ResourceId, Scope};
use crate::protocol::compare;
use crate::protocol::resource::Resource;
use crate::service::admin::error::{Refusal, Result};
use crate::service::jobs::erase;
use crate::service::{ServiceError, ids};
use crate::storage::cold::blocks::{self, NewBlock};
use crate::storage::cold::hidden::{self, Memberships};
use crate::storage::cold::leavers::{self, Leaver, Tombstone};
use crate::storage::cold::{jobs, operator_log, people, roles};
use crate::storage::write::{Action, Change};
use crate::storage::{Database, Db, Deed, StorageError, Write, keys};

/// Times that a deletion is tried again when the person was changed meanwhile.
const ATTEMPTS: u32 = 5;

/// What becomes of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Gone; the directory may create them anew.
    Remove,
    /// Gone; the directory's creates are refused until the block is lifted.
    Block,
    /// Gone, with all personal data.
    Erase,
}

impl Mode {
    /// All of them.
    pub const ALL: [Mode; 3] = [Mode::Remove, Mode::Block, Mode::Erase];

    /// Its name in the API and in the database.
    pub fn key(self) -> &'static str {
        match self {
            Mode::Remove => "remove",
            Mode::Block => "block",
            Mode::Erase => "erase",
        }
    }

    /// The mode of that key.
    pub fn parse(key: &str) -> Option<Self> {
        Mode::ALL.into_iter().find(|mode| mode.key() == key)
    }
}

/// What a deletion came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The block, with mode `block`.
    pub block: Option<BlockId>,
    /// The job that takes the person out of the logs, with mode `erase`.
    pub job: Option<uuid::Uuid>,
    /// What the directory's next push does, in a sentence.
    pub next_sync_effect: String,
}

/// A person to delete. Who is deleted already can still be erased.
///
/// # Errors
/// `Missing`.
pub async fn load(db: &Database, organization: OrganizationId, id: ResourceId, mode: Mode) -> Result<Leaver> {
    let found = db.find_leaver(organization, id).await?.ok_or(Refusal::Missing)?;
    if found.is_deleted && mode != Mode::Erase { Err(Refusal::Missing) } else { Ok(found) }
}

/// Deletes a person, whoever manages them.
///
/// # Errors
/// `Missing`; those of storage.
pub async fn delete(
    ctx: &OperatorCtx,
    db: &Database,
    organization: OrganizationId,
    id: ResourceId,
    mode: Mode,
) -> Result<Deleted> {
    let mut attempt = 1;
    loop {
        let leaver = load(db, organization, id, mode).await?;
        let manager = match leaver.connection {
            ConnectionId::LOCAL => None,
            connection => db.find_connection(organization, connection.owner()).await?.map(|found| found.name),
        };
        let plan = Plan::new(ctx, organization, leaver, mode)?;
        match db.transaction(async move |db: &mut Db<'_>| plan.run(db).await).await {
            Err(StorageError::Stale) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
            Ok((block, job)) => {
                // The search index follows searches; erased names must not wait for one.
                db.forget_in_search_index(organization, id).await?;
                return Ok(Deleted { block, job, next_sync_effect: effect(mode, manager.as_deref()) });
            }
        }
    }
}

/// Everything that one transaction does.
struct Plan {
    organization: OrganizationId,
    leaver: Leaver,
    mode: Mode,
    /// User name and e-mails, folded and bounded.
    names: Vec<String>,
    tombstone: Tombstone,
    block: Option<NewBlock>,
    /// Of the deletion, of the block or the erasure, and of the job.
    deeds: [Deed; 3],
    write: Option<Write>,
}

impl Plan {
    fn new(ctx: &OperatorCtx, organization: OrganizationId, leaver: Leaver, mode: Mode) -> Result<Self> {
        let scope = Scope { organization, connection: leaver.connection.owner() };
        let deeds = [ctx.deed(), ctx.deed(), ctx.deed()];
        let [first, ..] = &deeds;
        let detail = match mode {
            Mode::Erase => "{}".to_owned(),
            Mode::Remove | Mode::Block => format!(r#"{{"before":{}}}"#, leaver.document),
        };
        let write = (!leaver.is_deleted).then(|| Write {
            scope,
            at: ctx.now,
            actor: ctx.actor.to_string(),
            request_id: ctx.request_id.clone(),
            changes: vec![Change {
                action: Action::DeleteUser { id: leaver.id, expected: Some(leaver.version) },
                event: first.event,
                detail,
            }],
            shows_group: false,
        });
        let block = (mode == Mode::Block).then(|| NewBlock {
            scope,
            id: ids::block(),
            user: leaver.id,
            user_name_key: leaver.user_name_key.clone(),
            external_id_key: leaver.external_id_key.clone(),
        });
        let emails = emails(&leaver)?;
        let email_hash = emails.first().map(|address| Sha256::digest(compare::fold(address).as_bytes()).into());
        let tombstone = Tombstone { mode: mode.key(), email_hash: email_hash.filter(|_| mode != Mode::Erase) };
        let folded = emails.iter().map(|address| keys::bounded(&compare::fold(address)));
        let names = std::iter::once(leaver.user_name_key.clone()).chain(folded).collect();
        Ok(Plan { organization, leaver, mode, names, tombstone, block, deeds, write })
    }

    async fn run(self, db: &mut Db<'_>) -> std::result::Result<(Option<BlockId>, Option<uuid::Uuid>), StorageError> {
        let (organization, id) = (self.organization, self.leaver.id);
        let [first, second, third] = &self.deeds;
        // The person may be an Admin, and be made the protected one meanwhile.
        roles::lock_admins(db, organization).await?;
        leavers::bury(db, first, organization, id, &self.tombstone).await?;
        leavers::end(db, organization, id).await?;
        if let Some(write) = &self.write {
            if self.leaver.connection.is_held() {
                hidden::show(db, write.scope, id, Memberships::Kept).await?;
            }
            write.apply(db).await?;
            people::explain(db, first, organization).await?;
            operator_log::copy(db, first, organization).await?;
        }
        let mut job = None;
        let block = match &self.block {
            Some(new) => {
                let stored = blocks::insert(db, second, new).await?;
                operator_log::copy(db, second, organization).await?;
                Some(stored.id)
            }
            None => None,
        };
        if self.mode == Mode::Erase {
            leavers::erase(db, organization, id).await?;
            job = Some(jobs::insert(db, third, &erase::job(organization, id, &self.names)).await?.id);
            operator_log::note(db, second, organization, EventKind::UserErased, id, "{}").await?;
            operator_log::copy(db, second, organization).await?;
        }
        Ok((block, job))
    }
}

/// The e-mail addresses of a person, the primary one first. (Of that one the SHA-256 stays: it tells whether an address was
/// somebody's here, and no more.)
fn emails(leaver: &Leaver) -> Result<Vec<String>> {
    if leaver.document.is_empty() {
        return Ok(Vec::new());
    }
    let document = Resource::from_document(&leaver.document)
        .map_err(|error| ServiceError::Internal(format!("document of resource {}: {error}", leaver.id)))?;
    let emails = document.attributes.get("emails").and_then(Value::as_array);
    let mut emails: Vec<&Value> = emails.into_iter().flatten().collect();
    emails.sort_by_key(|email| email.get("primary") != Some(&Value::Bool(true)));
    let address = |email: &Value| Some(email.get("value")?.as_str()?.to_owned());
    Ok(emails.into_iter().filter_map(address).collect())
}

/// What happens when the directory next pushes the person.
fn effect(mode: Mode, manager: Option<&str>) -> String {
    let Some(manager) = manager else {
        return match mode {
            Mode::Remove => "No directory manages this person: nobody creates them again by itself.",
            Mode::Block => {
                "No directory manages this person; a create of the same user name is refused until the block is lifted."
            }
            Mode::Erase => "No directory manages this person: nothing but a tombstone without personal data is left.",
        }
        .to_owned();
    };
    match mode {
        Mode::Remove => format!(
            "Requests of {manager} for this id are answered 404; if it still has the person assigned, it creates a new user \
             without the former roles and groups."
        ),
        Mode::Block => format!(
            "Requests of {manager} for this id are answered 404, and its attempts to create the person are refused with 409 \
             until the block is lifted."
        ),
        Mode::Erase => format!(
            "Requests of {manager} for this id are answered 404; if it still has the person assigned, it creates a new user: \
             unassign them there first."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_says_what_comes_next_and_names_the_directory() {
        let mut seen = std::collections::BTreeSet::new();
        for mode in Mode::ALL {
            assert_eq!(Mode::parse(mode.key()), Some(mode));
            for manager in [None, Some("Okta")] {
                let sentence = effect(mode, manager);
                assert_eq!(sentence.contains("Okta"), manager.is_some());
                assert!(sentence.ends_with('.'), "{sentence}");
                assert!(seen.insert(sentence));
            }
        }
        assert_eq!(Mode::parse("Remove"), None);
    }
}
