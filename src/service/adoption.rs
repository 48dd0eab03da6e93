//! Local people and directories that would create them. The SCIM surface asks what becomes of a person and takes them over; an
//! Admin's acceptance and the activation of a connection do the same in other names.

use crate::domain::adoption::{Candidate, Verdict, domain_of, judge};
use crate::domain::connection::AdoptionPolicy;
use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, Scope};
use crate::protocol::compare;
use crate::protocol::resource::Resource;
use crate::service::scim::resources::detail;
use crate::service::{Result, ServiceError, ids};
use crate::storage::cold::adoptions::{self, CandidateRecord, Incoming, Sought};
use crate::storage::cold::ownership::{self, AccountOrigin, Handover};
use crate::storage::cold::security_settings;
use crate::storage::write::{Action, Change};
use crate::storage::{Database, Db, Deed, StorageError, Write, keys};

/// A local person, with what they are to a connection.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// The person and their account.
    pub(super) record: CandidateRecord,
    /// The person's resource as it is here.
    pub(super) resource: Resource,
    /// What becomes of them.
    pub(super) verdict: Verdict,
}

/// The local person that is meant, judged for a connection; `None` where nobody local is.
///
/// # Errors
/// Those of storage.
pub(super) async fn find(
    db: &Database,
    scope: Scope,
    policy: AdoptionPolicy,
    sought: &Sought,
) -> Result<Option<Judged>> {
    let Some(record) = db.find_candidate(scope.organization, sought).await? else { return Ok(None) };
    let damaged = |error| ServiceError::Internal(format!("document of resource {}: {error}", record.person.id));
    let resource = Resource::from_document(&record.person.document).map_err(damaged)?;
    let address = login_address(&record, &resource);
    // Only the externalId tells that a directory means the person whom it had before.
    let former = record.account.former_connection.filter(|_| record.account.former_external_id.is_some());
    let candidate = Candidate { address: address.as_deref(), is_protected: record.account.is_protected, former };
    let mut is_verified = false;
    if policy == AdoptionPolicy::VerifiedDomain
        && let Some(domain) = address.as_deref().and_then(domain_of)
    {
        let found = db.find_domain(scope.organization, &domain).await?;
        is_verified = found.is_some_and(|domain| domain.state == "verified");
    }
    let mut verdict = judge(policy, scope.connection, candidate, |_| is_verified);
    if verdict == Verdict::Wait && db.is_adoption_refused(scope, record.person.id).await? {
        verdict = Verdict::Refuse;
    }
    Ok(Some(Judged { record, resource, verdict }))
}

/// What a person signs in with: what was kept, or the primary e-mail, or the userName.
pub(super) fn login_address(record: &CandidateRecord, resource: &Resource) -> Option<String> {
    record.account.login_address.clone().or_else(|| primary_email(resource)).or_else(|| {
        let name = &record.person.user_name;
        name.contains('@').then(|| name.clone())
    })
}

/// The primary e-mail of a resource, or its first.
pub(super) fn primary_email(resource: &Resource) -> Option<String> {
    let emails = resource.attributes.get("emails")?.as_array()?;
    let is_primary = |email: &&serde_json::Value| email.get("primary").is_some_and(|primary| primary == true);
    let email = emails.iter().find(is_primary).or_else(|| emails.first())?;
    Some(email.get("value")?.as_str()?.to_owned())
}

/// What a directory would have, to be kept.
pub(super) fn incoming(judged: &Judged, next: &Resource, state: &'static str) -> Incoming {
    Incoming {
        id: ids::adoption(),
        user: judged.record.person.id,
        user_name: next.user_name().unwrap_or_default().to_owned(),
        external_id: next.external_id().map(str::to_owned),
        document: next.to_document(),
        state,
    }
}

/// Hands a local person over to a connection, as `next`, in the caller's transaction; answers the new version. `deed` makes
/// one event's worth each time. `stays`: the person is let in still, though `next` keeps them out.
///
/// # Errors
/// `Stale` where the person changed, is not local any more or was protected meanwhile; `NotUnique`.
pub(super) async fn adopt(
    db: &mut Db<'_>,
    deed: impl Fn() -> Deed,
    scope: Scope,
    judged: &Judged,
    next: &Resource,
    stays: bool,
) -> crate::storage::Result<i64> {
    let person = &judged.record.person;
    let handover = Handover { organization: scope.organization, from: ConnectionId::LOCAL, to: scope.connection };
    if ownership::hand_over_people(db, handover, &[person.id]).await? != 1 {
        return Err(StorageError::Stale);
    }
    // Protected since they were judged; from here on the row's lock keeps others from protecting them.
    if security_settings::find_protected(db, scope.organization).await? == Some(person.id) {
        return Err(StorageError::Stale);
    }
    let detail = detail::changed(&judged.resource.attributes, &next.attributes, None);
    let once = deed();
    let applied = write(&once, scope, judged, next, stays, detail.clone()).apply(db).await?;
    let version = applied.first().map(|applied| applied.version).ok_or(StorageError::Missing)?;
    ownership::set_standing(db, scope.organization, person.id, person.suspension.as_deref(), false).await?;
    let origin = AccountOrigin { managed_since: Some(once.at), ..AccountOrigin::default() };
    ownership::set_origin(db, once.at, scope.organization, person.id, &origin).await?;
    let address = login_address(&judged.record, &judged.resource);
    adoptions::settle(db, once.at, scope.organization, person.id, address.as_deref()).await?;
    adoptions::put(db, &once, scope, &incoming(judged, next, "accepted")).await?;
    ownership::record_handover(db, &deed(), handover, EventKind::UserAdopted, person.id, version, &detail).await?;
    Ok(version)
}

fn write(deed: &Deed, scope: Scope, judged: &Judged, next: &Resource, stays: bool, detail: String) -> Write {
    let person = &judged.record.person;
    let (columns, add_values, remove_values) =
        keys::user_change(&judged.resource, next, stays || next.active().unwrap_or(person.access));
    let action = Action::ReplaceUser {
        id: person.id,
        expected: person.version,
        renames: judged.resource.user_name().map(compare::fold) != next.user_name().map(compare::fold),
        columns,
        add_values,
        remove_values,
    };
    Write {
        scope,
        at: deed.at,
        actor: deed.actor.clone(),
        request_id: deed.request_id.clone(),
        changes: vec![Change { action, event: ids::event(), detail }],
        shows_group: false,
    }
}
