//! Operations on a group's `members`: rows, not values. What a path tells by id needs no group; everything folds into one
//! `MemberPlan` with the meaning of the operations in their order.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::envelope::Verb;
use super::step::{MemberChange, Step};
use super::target::Target;
use super::work::{Work, terms, text_weight};
use super::{Member, MemberPlan, repair};
use crate::protocol::error::ScimError;
use crate::protocol::filter::bind::bind_selection;
use crate::protocol::filter::evaluate::evaluate_element;
use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::policy::Policy;
use crate::protocol::schema::ResourceType;
use crate::protocol::validate::member_id;

/// Reads an operation on `members`; `None` where it changes nothing whatever the group holds.
pub(super) fn read(
    verb: Verb,
    target: &Target<'_>,
    value: Option<Value>,
    rt: &ResourceType,
    policy: &Policy,
) -> Result<Option<MemberChange>, ScimError> {
    match target.attr.sub.as_deref() {
        Some("value") => return Err(ScimError::mutability("'members.value' is immutable: remove and add members")),
        // R20 lets a member bring them along; a path that names them means to change them.
        Some(sub) => {
            return Err(ScimError::mutability(format!("'members.{sub}' is filled by the server, from the member")));
        }
        None => {}
    }
    if let Some(filter) = &target.selection {
        let filter = bind_selection(filter, &target.top, rt, policy)?;
        return select(verb, filter, value, policy);
    }
    if verb == Verb::Remove {
        let listed = repair::remove::listed(value, true, policy)?;
        return Ok(Some(match listed {
            Some(values) => MemberChange::Remove(ids(values, Bare::Accept)?),
            None => MemberChange::Exactly(Vec::new()),
        }));
    }
    let Some(value) = value else {
        return Err(ScimError::invalid_value("The operation on 'members' has no 'value'"));
    };
    let ids = ids(value, Bare::Refuse)?;
    Ok(match verb {
        Verb::Add => (!ids.is_empty()).then_some(MemberChange::Add(ids)),
        _ => Some(MemberChange::Exactly(ids)),
    })
}

fn select(
    verb: Verb,
    filter: BoundFilter,
    value: Option<Value>,
    policy: &Policy,
) -> Result<Option<MemberChange>, ScimError> {
    if verb != Verb::Remove {
        let ids = ids(value.unwrap_or_default(), Bare::Refuse)?;
        return Ok(Some(MemberChange::ReplaceWhere(filter, ids)));
    }
    repair::remove::listed(value, false, policy)?;
    Ok(Some(match by_id(&filter) {
        Some(ids) => MemberChange::Remove(ids),
        None => MemberChange::RemoveWhere(filter),
    }))
}

/// The ids that a filter of `value eq` and `or` names.
fn by_id(filter: &BoundFilter) -> Option<Vec<String>> {
    match filter {
        BoundFilter::Compare(attr, CompareOp::Eq, Operand::Text { raw, .. })
            if attr.sub.as_deref() == Some("value") && attr.case_exact =>
        {
            Some(vec![raw.clone()])
        }
        BoundFilter::Or(any) => any.iter().map(by_id).collect::<Option<Vec<_>>>().map(|ids| ids.concat()),
        _ => None,
    }
}

/// Whether an id may stand without an object around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    Accept,
    Refuse,
}

fn ids(value: Value, bare: Bare) -> Result<Vec<String>, ScimError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => {
            values.into_iter().filter(|value| !value.is_null()).map(|value| id(value, bare)).collect()
        }
        single => Ok(vec![id(single, bare)?]),
    }
}

fn id(element: Value, bare: Bare) -> Result<String, ScimError> {
    match element {
        Value::String(id) if bare == Bare::Accept && !id.is_empty() => Ok(id),
        element => member_id(element),
    }
}

/// Operations of one request that may look at every member.
const MOST_SELECTIONS: usize = 10;

/// Refuses more members, or more looks at all of them, than one request may ask for.
///
/// # Errors
/// 400 `invalidValue`, 400 `tooMany`.
pub(super) fn check_count(steps: &[Step], policy: &Policy) -> Result<(), ScimError> {
    let named = |step: &Step| match step {
        Step::Members(
            MemberChange::Add(ids)
            | MemberChange::Remove(ids)
            | MemberChange::Exactly(ids)
            | MemberChange::ReplaceWhere(_, ids),
        ) => ids.len(),
        _ => 0,
    };
    let most = policy.limits.group_members;
    if steps.iter().map(named).sum::<usize>() > most {
        return Err(ScimError::invalid_value(format!("A request may name at most {most} members")));
    }
    let selects = |step: &&Step| matches!(step, Step::Members(change) if change.selects());
    if steps.iter().filter(selects).count() > MOST_SELECTIONS {
        let text = format!("At most {MOST_SELECTIONS} operations may select members by anything but their id");
        return Err(ScimError::too_many(text));
    }
    Ok(())
}

/// Folds changes in order.
pub(super) struct Fold<'a> {
    stored: &'a [Member],
    clear: bool,
    /// Whether the id joins or leaves, and the number of the change that said so last.
    last: BTreeMap<String, (bool, usize)>,
    count: usize,
    /// `stored` as filters see it, by id.
    elements: OnceCell<BTreeMap<&'a str, Value>>,
}

impl<'a> Fold<'a> {
    /// `stored` matters to changes that select.
    pub(super) fn new(stored: &'a [Member]) -> Self {
        Fold { stored, clear: false, last: BTreeMap::new(), count: 0, elements: OnceCell::new() }
    }

    /// Takes the next change in.
    pub(super) fn apply(&mut self, change: &MemberChange, work: &mut Work) -> Result<(), ScimError> {
        match change {
            MemberChange::Add(ids) => ids.iter().for_each(|id| self.join(id)),
            MemberChange::Remove(ids) => ids.iter().for_each(|id| self.leave(id)),
            MemberChange::Exactly(ids) => {
                self.clear = true;
                self.last.clear();
                ids.iter().for_each(|id| self.join(id));
            }
            MemberChange::RemoveWhere(filter) => self.selected(filter, work)?.iter().for_each(|id| self.leave(id)),
            MemberChange::ReplaceWhere(filter, ids) => {
                let selected = self.selected(filter, work)?;
                if selected.is_empty() {
                    return Err(ScimError::no_target("No member is selected by the path"));
                }
                selected.iter().for_each(|id| self.leave(id));
                ids.iter().for_each(|id| self.join(id));
            }
        }
        Ok(())
    }

    fn join(&mut self, id: &str) {
        self.note(id, true);
    }

    fn leave(&mut self, id: &str) {
        if self.clear {
            self.last.remove(id);
        } else {
            self.note(id, false);
        }
    }

    fn note(&mut self, id: &str, joins: bool) {
        self.count += 1;
        match self.last.get_mut(id) {
            // Said again: the first place counts.
            Some((before, _)) if *before == joins => {}
            Some(entry) => *entry = (joins, self.count),
            None => drop(self.last.insert(id.to_owned(), (joins, self.count))),
        }
    }

    /// Ids of the members, as they are by now, that the filter selects. One that joined in this request is known by its
    /// id alone.
    ///
    /// # Errors
    /// 400 `tooMany`.
    fn selected(&self, filter: &BoundFilter, work: &mut Work) -> Result<Vec<String>, ScimError> {
        let names = |member: &Member| member.display.as_deref().map_or(1, text_weight);
        work.spend(self.stored.iter().map(names).sum::<usize>() + self.last.len(), terms(filter))?;
        let stored = self.elements.get_or_init(|| self.stored.iter().map(|m| (m.value.as_str(), element(m))).collect());
        let stays = |id: &str| !self.clear && self.last.get(id).is_none_or(|(joins, _)| *joins);
        let stored_now = stored.iter().filter(|(id, _)| stays(id)).map(|(id, element)| (*id, Cow::Borrowed(element)));
        let is_stored = |id: &str| !self.clear && stored.contains_key(id);
        let joined = self.last.iter().filter(|(id, (joins, _))| *joins && !is_stored(id));
        let joined = joined.map(|(id, _)| (id.as_str(), Cow::Owned(json!({ "value": id }))));
        let selected = stored_now.chain(joined).filter(|(_, element)| evaluate_element(filter, element));
        Ok(selected.map(|(id, _)| id.to_owned()).collect())
    }

    /// What all of it comes to.
    pub(super) fn plan(self) -> MemberPlan {
        let mut ordered: Vec<_> = self.last.into_iter().collect();
        ordered.sort_by_key(|(_, (_, number))| *number);
        let (add, remove): (Vec<_>, Vec<_>) = ordered.into_iter().partition(|(_, (joins, _))| *joins);
        let ids = |list: Vec<(String, _)>| list.into_iter().map(|(id, _)| id).collect();
        MemberPlan { clear: self.clear, add: ids(add), remove: ids(remove) }
    }
}

fn element(member: &Member) -> Value {
    let mut element = Map::new();
    element.insert("value".into(), member.value.as_str().into());
    element.insert("type".into(), member.kind.into());
    if let Some(display) = &member.display {
        element.insert("display".into(), display.as_str().into());
    }
    Value::Object(element)
}
