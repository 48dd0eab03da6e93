//! Changes of a person's profile: what a directory manages is changed there, the rest here.

use serde_json::{Map, Value, json};

use super::{Subject, User, deed::noted, leave::write, managed, resource, shown};
use crate::domain::event::EventKind;
use crate::domain::ids::{ResourceId, Scope};
use crate::domain::ownership::{Operation, Rule, Way, rule};
use crate::domain::person::{Action, Profile, ProfileChange};
use crate::protocol::compare;
use crate::protocol::policy::Policy;
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Registry, ResourceKind};
use crate::protocol::validate;
use crate::service::admin::Caller;
use crate::service::admin::error::{Invalid, Refusal, Result};
use crate::storage::cold::people::{self, Preferences};
use crate::storage::write::{self, Change};
use crate::storage::{Database, Db, StorageError, UniqueKey, keys};

/// Longest locale, time zone; longest notes, in characters.
const SHORT: usize = 64;
const NOTES: usize = 2_000;

/// What to change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatchUser {
    /// What a directory manages where one manages the person.
    pub profile: ProfileChange,
    /// What is kept here.
    pub preferences: Preferences,
}

/// Refuses a patch that names what the person's directory manages, whatever it says about it.
///
/// # Errors
/// `Missing`, `ManagedExternally`.
pub async fn check_locked(caller: &Caller, db: &Database, id: ResourceId, names_locked: bool) -> Result<()> {
    if !names_locked {
        return Ok(());
    }
    let setting = super::Setting::read(db, caller.organization).await?;
    let user = shown(caller, db, id).await?;
    let person = super::facts(&setting, &user.record, &user.roles, &[]);
    match rule(Operation::EditIdentity, Way::Api, person.kind) {
        Rule::Yes => Ok(()),
        _ => Err(managed(&setting, &user.record, Action::Update.deed())),
    }
}

/// Changes a person's profile.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Guarded`, `ManagedExternally`, `Invalid`, `EmailTaken`.
pub async fn patch(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    patch: PatchUser,
) -> Result<User> {
    let errors = check(&patch);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let caller_of = caller.clone();
    let deed = async move |db: &mut Db<'_>| within(db, &caller_of, id, expected, &patch).await;
    match db.transaction(deed).await {
        Err(refused) => Err(noted(caller, db, id, Action::Update, refused).await?),
        Ok(()) => shown(caller, db, id).await,
    }
}

fn check(patch: &PatchUser) -> Vec<Invalid> {
    let mut errors: Vec<Invalid> =
        patch.profile.check().into_iter().map(|(pointer, detail)| Invalid::new(pointer, detail)).collect();
    let texts = [
        ("/locale", &patch.preferences.locale, SHORT),
        ("/time_zone", &patch.preferences.time_zone, SHORT),
        ("/notes", &patch.preferences.notes, NOTES),
    ];
    for (pointer, text, most) in texts {
        let is_wrong = |text: &str| {
            let is_control = |c: char| c.is_control() && !(c == '\n' && pointer == "/notes");
            text.chars().count() > most || text.chars().any(is_control)
        };
        if text.as_ref().is_some_and(|text| text.as_deref().is_some_and(is_wrong)) {
            let detail = format!("This has at most {most} characters, without control characters.");
            errors.push(Invalid::new(pointer, detail));
        }
    }
    errors
}

async fn within(
    db: &mut Db<'_>,
    caller: &Caller,
    id: ResourceId,
    expected: Option<i64>,
    patch: &PatchUser,
) -> Result<()> {
    let subject = Subject::load(db, caller, id, expected, Action::Update).await?;
    let record = &subject.record;
    let identity = rule(Operation::EditIdentity, Way::Api, subject.person.kind);
    if !patch.profile.is_empty() && identity != Rule::Yes {
        return Err(managed(&subject.setting, record, Action::Update.deed()));
    }
    let organization = caller.organization;
    let before = resource(record)?;
    let next = changed(&before, &patch.profile)?;
    let preferences = differing(record, &patch.preferences);
    let deed = caller.deed();
    if preferences != Preferences::default() {
        let account = people::set_preferences(db, organization, id, caller.now, &preferences).await?;
        let version = record.version.saturating_add(account);
        let detail = told(&preferences);
        let kind = EventKind::UserChanged;
        people::record_deed(db, &deed, organization, kind, record, version, &detail).await?;
    }
    if next.attributes == before.attributes {
        return Ok(());
    }
    let email = Profile::of(&next).email.filter(|email| Profile::of(&before).email.as_ref() != Some(email));
    if let Some(email) = email
        && people::is_address_taken(db, organization, &keys::bounded(&compare::fold(&email)), id).await?
    {
        return Err(Refusal::EmailTaken);
    }
    let (columns, add_values, remove_values) = keys::user_change(&before, &next, record.access);
    let renames = before.user_name().map(compare::fold) != next.user_name().map(compare::fold);
    let action =
        write::Action::ReplaceUser { id, expected: record.version, columns, renames, add_values, remove_values };
    let event = caller.deed();
    let change = Change { action, event: event.event, detail: difference(&before, &next) };
    let scope = Scope { organization, connection: record.connection };
    match write(caller, scope, change).apply(db).await {
        Err(StorageError::NotUnique(UniqueKey::UserName)) => return Err(Refusal::EmailTaken),
        other => other?,
    };
    Ok(people::explain(db, &event, organization).await?)
}

/// The document afterwards, judged as if a directory had sent it.
fn changed(before: &Resource, change: &ProfileChange) -> Result<Resource> {
    let mut next = change.apply(before);
    let rt = Registry::builtin().resource_type(ResourceKind::User);
    validate::list_schemas(&mut next.attributes, rt);
    if change.is_empty() {
        return Ok(before.clone());
    }
    validate::check(&next, rt, &Policy::default())
        .map_err(|error| Refusal::Invalid(vec![Invalid::new("/user_name", error.detail)]))?;
    Ok(next)
}

/// Those that are not so already.
fn differing(record: &people::PersonRecord, wanted: &Preferences) -> Preferences {
    let differs = |wanted: &Option<Option<String>>, stored: &Option<String>| wanted.clone().filter(|w| w != stored);
    Preferences {
        locale: differs(&wanted.locale, &record.locale),
        time_zone: differs(&wanted.time_zone, &record.time_zone),
        notes: differs(&wanted.notes, &record.notes),
    }
}

/// Which preferences changed; notes are about a person, so that the log does not repeat them.
fn told(preferences: &Preferences) -> String {
    let all = [("locale", &preferences.locale), ("time_zone", &preferences.time_zone)];
    let named = all.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let mut after: Map<String, Value> = named.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let mut names: Vec<String> = after.keys().cloned().collect();
    if preferences.notes.is_some() {
        names.push("notes".to_owned());
    }
    after.sort_keys();
    json!({ "changed": names, "after": after }).to_string()
}

fn difference(before: &Resource, after: &Resource) -> String {
    let (mut old, mut new) = (Map::new(), Map::new());
    let names = before.attributes.keys().chain(after.attributes.keys());
    let names: std::collections::BTreeSet<&String> = names.collect();
    for name in names {
        let (was, is) = (before.attributes.get(name), after.attributes.get(name));
        if was != is {
            old.extend(was.map(|value| (name.clone(), value.clone())));
            new.extend(is.map(|value| (name.clone(), value.clone())));
        }
    }
    let changed: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    json!({ "changed": changed, "before": old, "after": new }).to_string()
}
