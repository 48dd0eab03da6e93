//! What a batch of lines does. Every line is its own `Write`, many of them under way at once, so that storage puts them into
//! common commits. Ids follow from the file: a batch that was done before, wholly or in part, changes nothing again.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Holdings, Line, Outcome, check};
use crate::domain::connection::{ConnectionSettings, DuplicateGroupNames};
use crate::domain::ids::{ResourceId, Scope};
use crate::domain::permission::Role;
use crate::domain::transfer::{Import, Owner, Person, Record, Source};
use crate::protocol::policy::Policy;
use crate::protocol::schema::{Registry, ResourceKind};
use crate::protocol::validate;
use crate::service::backoffice::{OperatorCtx, Result};
use crate::service::ids;
use crate::storage::cold::transfer::{self, Holder};
use crate::storage::write::{Action, AttributeValue, Change, MemberChange, UnknownMembers, UserColumns};
use crate::storage::{Database, Db, Receipt, References, StorageError, UniqueKey, Write, keys};

/// Lines of a batch at most, which is the most that one commit may hold.
pub const BATCH: usize = 500;
/// Repetitions while the database is away or locked; the pauses double up to a minute together.
const ATTEMPTS: u32 = 10;

/// Does batches of one import.
pub struct Importer {
    db: Database,
    ctx: OperatorCtx,
    scope: Scope,
    settings: ConnectionSettings,
    policy: Policy,
    import: Import,
    /// Of a dry run, which writes nothing.
    dry: Option<check::Seen>,
}

/// A person or group to make, ready for storage.
pub(super) struct Made {
    pub(super) at: usize,
    pub(super) id: ResourceId,
    pub(super) action: Action,
    pub(super) detail: String,
    pub(super) hold: Option<(bool, Option<String>)>,
}

/// Outcomes of a batch by place, filled as they come.
type Outcomes = Vec<Outcome>;

impl Importer {
    /// Into what `holdings` names.
    ///
    /// # Errors
    /// `Invalid` settings of the connection.
    pub fn new(db: &Database, ctx: OperatorCtx, holdings: &Holdings, import: Import) -> Result<Self> {
        let settings = holdings.settings()?;
        let policy = Policy { repairs: settings.repairs(), ..Policy::default() };
        Ok(Importer { db: db.clone(), ctx, scope: holdings.scope, settings, policy, import, dry: None })
    }

    /// Only looks what would become of the lines.
    #[must_use]
    pub fn dry(self) -> Self {
        Importer { dry: Some(check::Seen::default()), ..self }
    }

    /// Does at most `BATCH` lines: people and groups first, then memberships, then roles; answers what each came to.
    ///
    /// # Errors
    /// The database's. Then some lines may be done and others not; the same batch may be given again.
    pub async fn apply(&mut self, lines: &[Line]) -> Result<Vec<Outcome>> {
        let mut outcomes = vec![Outcome::Present; lines.len()];
        let mut made = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let prepared = match &line.record {
                Record::User(person) => self.user(at, line.number, person),
                Record::Group { id, data } => self.group(at, line.number, id.as_deref(), data),
                Record::Member { .. } | Record::Role { .. } => continue,
            };
            match prepared {
                Ok(ready) => made.push(ready),
                Err(reason) => set(&mut outcomes, at, Outcome::Refused(reason)),
            }
        }
        if let Some(seen) = &mut self.dry {
            return check::apply(&self.db, self.scope, &self.import, seen, lines, made, outcomes).await;
        }
        self.make(made, &mut outcomes).await?;
        self.join(lines, &mut outcomes).await?;
        self.give(lines, &mut outcomes).await?;
        Ok(outcomes)
    }

    fn user(&self, at: usize, number: u64, person: &Person) -> std::result::Result<Made, String> {
        let id = self.import.id_of(person.id.as_deref().map_or(Source::Line(number), Source::Id));
        let rt = Registry::builtin().resource_type(ResourceKind::User);
        let validated = validate::create(Value::Object(person.data.clone()), rt, &self.policy);
        let resource = validated.map_err(|error| error.detail)?.resource;
        let (columns, values): (UserColumns, Vec<AttributeValue>) =
            keys::user_columns(&resource, resource.active().unwrap_or(true));
        validate::check_size(&columns.document, &self.policy).map_err(|error| error.detail)?;
        let detail = created(&columns.document);
        let suspension = person.suspension.as_ref().map(Value::to_string);
        let hold = (person.invited || suspension.is_some()).then_some((person.invited, suspension));
        Ok(Made { at, id, action: Action::InsertUser { id, columns, values }, detail, hold })
    }

    fn group(
        &self,
        at: usize,
        number: u64,
        id: Option<&str>,
        data: &Map<String, Value>,
    ) -> std::result::Result<Made, String> {
        let id = self.import.id_of(id.map_or(Source::Line(number), Source::Id));
        let rt = Registry::builtin().resource_type(ResourceKind::Group);
        let validated = validate::create(Value::Object(data.clone()), rt, &self.policy).map_err(|e| e.detail)?;
        if validated.members.is_some_and(|members| !members.is_empty()) {
            return Err("members stand on lines of their own, of type member".to_owned());
        }
        let is_unique = self.settings.duplicate_group_names == DuplicateGroupNames::Refuse;
        let columns = keys::group_columns(&validated.resource, is_unique);
        validate::check_size(&columns.document, &self.policy).map_err(|error| error.detail)?;
        let detail = created(&columns.document);
        let action = Action::InsertGroup { id, columns, members: Vec::new(), unknown_members: UnknownMembers::Refuse };
        Ok(Made { at, id, action, detail, hold: None })
    }

    /// Makes people and groups, all at once but for the few that begin under a hold.
    async fn make(&self, made: Vec<Made>, outcomes: &mut Outcomes) -> Result<()> {
        let (mut tasks, mut holds) = (Vec::with_capacity(made.len()), Vec::new());
        for made in made {
            let is_user = matches!(made.action, Action::InsertUser { .. });
            let write = self.write(made.action, made.detail);
            match made.hold {
                None => tasks.push((made.at, made.id, is_user, tokio::spawn(patiently(self.db.clone(), write)))),
                Some(hold) => holds.push((made.at, made.id, write, hold)),
            }
        }
        // All of them, so that none is under way any more when a failure is told.
        let mut done = Vec::with_capacity(tasks.len());
        for (at, id, is_user, task) in tasks {
            let committed = task.await.map_err(|error| StorageError::Broken(error.to_string())).flatten();
            done.push((at, id, is_user, committed.map(|_| ())));
        }
        for (at, id, write, hold) in holds {
            done.push((at, id, true, held(&self.db, self.scope, id, write, hold).await));
        }
        for (at, id, is_user, committed) in done {
            let outcome = match committed {
                Ok(()) => Outcome::Done,
                Err(StorageError::NotUnique(key)) if !self.is_there(id, is_user).await? => {
                    Outcome::Refused(taken(key).to_owned())
                }
                Err(StorageError::NotUnique(_)) => Outcome::Present,
                Err(error) => return Err(error.into()),
            };
            set(outcomes, at, outcome);
        }
        Ok(())
    }

    /// Whether this import, or one before of the same file, made it.
    async fn is_there(&self, id: ResourceId, is_user: bool) -> Result<bool> {
        Ok(match is_user {
            true => self.db.find_user(self.scope, id, References::Skip).await?.is_some(),
            false => self.db.find_group(self.scope, id, References::Skip).await?.is_some(),
        })
    }

    /// Puts members into groups, those of one group together.
    async fn join(&self, lines: &[Line], outcomes: &mut Outcomes) -> Result<()> {
        let mut by_group: BTreeMap<ResourceId, Vec<(usize, ResourceId)>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            if let Record::Member { group, member } = &line.record {
                let id = |text| self.import.id_of(Source::Id(text));
                by_group.entry(id(group)).or_default().push((at, id(member)));
            }
        }
        for (group, mut wanted) in by_group {
            loop {
                let add = wanted.iter().map(|(_, member)| *member).collect();
                match self.add(group, add).await {
                    Ok(changed) => {
                        let outcome = if changed { Outcome::Done } else { Outcome::Present };
                        wanted.iter().for_each(|(at, _)| set(outcomes, *at, outcome.clone()));
                        break;
                    }
                    Err(StorageError::MissingMembers(missing)) => {
                        for (at, _) in wanted.extract_if(.., |(_, member)| missing.contains(member)) {
                            let reason = "its member is not there: no line before has that id, or it was refused";
                            set(outcomes, at, Outcome::Refused(reason.to_owned()));
                        }
                    }
                    Err(StorageError::Missing) => {
                        let reason = "its group is not there: no line before has that id, or it was refused";
                        wanted.iter().for_each(|(at, _)| set(outcomes, *at, Outcome::Refused(reason.to_owned())));
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
                if wanted.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn add(&self, id: ResourceId, add: Vec<ResourceId>) -> std::result::Result<bool, StorageError> {
        let names: Vec<String> = add.iter().map(ToString::to_string).collect();
        let action = Action::UpdateGroup {
            id,
            expected: None,
            columns: None,
            members: MemberChange::Delta { add, remove: Vec::new() },
            unknown_members: UnknownMembers::Refuse,
        };
        let detail = serde_json::json!({ "changed": ["members"], "members": { "add": names, "remove": [] } });
        let receipt = patiently(self.db.clone(), self.write(action, detail.to_string())).await?;
        Ok(receipt.iter().any(|applied| applied.changed))
    }

    /// Gives roles, in one transaction.
    async fn give(&self, lines: &[Line], outcomes: &mut Outcomes) -> Result<()> {
        let mut wanted: Vec<(usize, Holder, Role)> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let id = |text: &str| self.import.id_of(Source::Id(text));
            match &line.record {
                Record::Role { owner: Owner::User(user), role } => wanted.push((at, Holder::User(id(user)), *role)),
                Record::Role { owner: Owner::Group(group), role } => wanted.push((at, Holder::Group(id(group)), *role)),
                Record::User(person) if !matches!(outcomes.get(at), Some(Outcome::Refused(_))) => {
                    let user = self.import.id_of(person.id.as_deref().map_or(Source::Line(line.number), Source::Id));
                    wanted.extend(person.roles.iter().map(|role| (at, Holder::User(user), *role)));
                }
                _ => {}
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        // In one order, so that two imports do not wait for each other.
        wanted.sort_by_key(|(_, holder, role)| (*holder, *role));
        let organization = self.scope.organization;
        for attempt in 0.. {
            let wanted: Vec<_> = wanted.iter().map(|given| (*given, self.ctx.deed())).collect();
            let given = self.db.transaction(async move |db: &mut Db<'_>| {
                let mut given = Vec::with_capacity(wanted.len());
                for ((at, holder, role), deed) in wanted {
                    given.push((at, transfer::give(db, &deed, organization, holder, role).await?));
                }
                Ok::<_, StorageError>(given)
            });
            match given.await {
                Err(StorageError::Busy(_)) if attempt < ATTEMPTS => tokio::time::sleep(pause(attempt)).await,
                given => {
                    for (at, given) in given? {
                        // A person's own line tells of the person.
                        if !matches!(lines.get(at).map(|line| &line.record), Some(Record::Role { .. })) {
                            continue;
                        }
                        let outcome = match given {
                            Some(true) => Outcome::Done,
                            Some(false) => Outcome::Present,
                            None => Outcome::Refused(
                                "its owner is not there: no line before has that id, or it was refused".to_owned(),
                            ),
                        };
                        set(outcomes, at, outcome);
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn write(&self, action: Action, detail: String) -> Write {
        Write {
            scope: self.scope,
            at: self.ctx.now,
            actor: self.ctx.actor.to_string(),
            request_id: self.ctx.request_id.clone(),
            changes: vec![Change { action, event: ids::event(), detail }],
            shows_group: false,
        }
    }
}

/// A person under a hold from the first moment.
async fn held(
    db: &Database,
    scope: Scope,
    id: ResourceId,
    write: Write,
    (invited, suspension): (bool, Option<String>),
) -> std::result::Result<(), StorageError> {
    for attempt in 0.. {
        let (write, suspension) = (write.clone(), suspension.clone());
        let done = db.transaction(async move |db: &mut Db<'_>| {
            write.apply(db).await?;
            transfer::hold(db, scope.organization, id, invited, suspension.as_deref()).await
        });
        match done.await {
            Err(StorageError::Busy(_)) if attempt < ATTEMPTS => tokio::time::sleep(pause(attempt)).await,
            done => return done,
        }
    }
    Ok(())
}

/// Commits; waits while the database is away or locked.
async fn patiently(db: Database, write: Write) -> std::result::Result<Receipt, StorageError> {
    for attempt in 0..ATTEMPTS {
        match db.commit(write.clone()).await {
            Err(StorageError::Busy(_)) => tokio::time::sleep(pause(attempt)).await,
            done => return done,
        }
    }
    db.commit(write).await
}

fn pause(attempt: u32) -> Duration {
    Duration::from_millis(50) * 2u32.saturating_pow(attempt.min(8))
}

pub(super) fn taken(key: UniqueKey) -> &'static str {
    match key {
        UniqueKey::UserName => "its userName is taken by another person",
        UniqueKey::GroupDisplayName => "its displayName is taken by another group",
        UniqueKey::OrganizationSlug | UniqueKey::ConnectionName => "its name is taken",
    }
}

pub(super) fn set(outcomes: &mut [Outcome], at: usize, outcome: Outcome) {
    if let Some(place) = outcomes.get_mut(at) {
        *place = outcome;
    }
}

/// As the event of a create over SCIM.
fn created(document: &str) -> String {
    format!(r#"{{"after":{document}}}"#)
}
