//! One search, prepared: what does not depend on the connection it runs on. `pages` and `scan` run it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};

use super::compile::{Context, Predicate, Probe, compile};
use super::order::{By, Order};
use super::select::{self, Row, Shape};
use super::walks::{WalkKey, Walks};
use super::{trigram, writes};
use crate::domain::ids::Scope;
use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Resolved, ResourceKind};
use crate::protocol::splice::{self, Head};
use crate::storage::db::Db;
use crate::storage::keys;
use crate::storage::sql::Sql;
use crate::storage::{Backend, References, Result, Search, StorageError};

/// A search on its way.
pub(super) struct Job {
    pub(super) scope: Scope,
    pub(super) kind: ResourceKind,
    pub(super) search: Search,
    pub(super) order: Order,
    pub(super) walks: Arc<Walks>,
    pub(super) walk: WalkKey,
    pub(super) probe: Option<Probe>,
    /// Of one or two comparisons, so that its statements are worth keeping prepared.
    pub(super) simple: bool,
    deadline: Instant,
    /// Whether it may read much, so that on SQLite each row asks for the deadline.
    pub(super) scanning: bool,
}

impl Job {
    pub(super) fn new(
        scope: Scope,
        kind: ResourceKind,
        search: &Search,
        walks: &Arc<Walks>,
        timeout: Duration,
    ) -> Self {
        let order = Order::new(kind, search.sort.as_ref());
        Job {
            walk: WalkKey::new(scope, kind, search.filter_text.as_deref(), &order),
            probe: search.filter.as_ref().and_then(|f| Probe::of(kind, f)),
            simple: search.filter.as_ref().is_none_or(|f| terms(f) <= 2),
            scope,
            kind,
            search: search.clone(),
            order,
            walks: walks.clone(),
            deadline: Instant::now() + timeout,
            scanning: true,
        }
    }

    pub(super) fn shape(&self, references: References) -> Shape<'_> {
        Shape { scope: self.scope, kind: self.kind, order: &self.order, references }
    }

    /// Compiles the filter for this connection.
    pub(super) async fn predicate(&self, db: &mut Db<'_>) -> Result<Option<Predicate>> {
        let Some(filter) = &self.search.filter else { return Ok(None) };
        let ctx = Context {
            backend: db.backend(),
            scope: self.scope,
            kind: self.kind,
            odd_keys: match Unsure::of(self.kind, filter) {
                Some(unsure) => {
                    writes::has_odd_keys(db, self.scope.organization, self.kind, &unsure.attributes).await?
                }
                None => false,
            },
            trigrams: db.backend() == Backend::Sqlite && self.contains_text() && trigram::is_ready(db).await?,
        };
        Ok(Some(compile(&ctx, filter)))
    }

    /// Whether it asks for users by `co`, which SQLite's trigram index serves.
    pub(super) fn contains_text(&self) -> bool {
        let is_co = |filter| any_term(filter, &|_, op, _| op == CompareOp::Co);
        self.kind == ResourceKind::User && self.search.filter.as_ref().is_some_and(is_co)
    }

    /// ` WHERE` what belongs to the scope and passes the condition.
    pub(super) fn candidates(&self, db: &Db<'_>, predicate: Option<&Predicate>) -> Sql {
        let mut sql = select::in_scope(self.scope);
        if self.scanning && db.backend() == Backend::Sqlite {
            sql.push(" AND within_deadline()");
        }
        if let Some(predicate) = predicate {
            sql.push(" AND ").append(&predicate.sql);
        }
        sql
    }

    /// Whether a statement is worth keeping prepared. PostgreSQL plans a range or `co` well only for its very operand.
    pub(super) fn keeps_prepared(&self, db: &Db<'_>, sql: &Sql) -> bool {
        let any_operand = self.search.filter.is_none() || self.probe.is_some();
        self.simple && (any_operand || db.backend() == Backend::Sqlite) && self.walks.keeps_prepared(sql.as_str())
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// # Errors
    /// `TooSlow` after the deadline.
    pub(super) fn check_deadline(&self) -> Result<()> {
        if Instant::now() > self.deadline { Err(StorageError::TooSlow) } else { Ok(()) }
    }

    /// What of a resource the filter and the sort look at.
    pub(super) fn looks_at(&self) -> LooksAt {
        let mut looks = LooksAt::default();
        if let Some(filter) = &self.search.filter {
            each_attribute(filter, &mut |attr| looks.add(attr));
        }
        if let By::Document(attr) = &self.order.by {
            looks.add(attr);
        }
        looks
    }

    /// The resource as the filter sees it.
    ///
    /// # Errors
    /// `Broken` for a damaged document.
    pub(super) fn complete(&self, row: &Row, looks: LooksAt) -> Result<Map<String, Json>> {
        let damaged = |e| StorageError::Broken(format!("{} {} is damaged: {e}", self.kind.name(), row.id));
        if !looks.head && !looks.references {
            return Resource::from_document(&row.document).map(|r| r.attributes).map_err(damaged);
        }
        let head = Head { id: row.id, version: row.version, created: row.created, modified: row.modified };
        let mut text = String::new();
        match self.kind {
            ResourceKind::User => {
                splice::user(&mut text, "", &row.document, &head, row.references.as_deref().unwrap_or_default());
            }
            ResourceKind::Group => splice::group(&mut text, "", &row.document, &head, row.references.as_deref()),
        }
        serde_json::from_str(&text).map_err(damaged)
    }
}

/// Parts of a resource beside its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LooksAt {
    /// `id`, `meta`
    pub(super) head: bool,
    /// `groups`, `members`
    pub(super) references: bool,
}

impl LooksAt {
    fn add(&mut self, attr: &Resolved) {
        self.head |= attr.extension.is_none() && matches!(&*attr.name, "id" | "meta");
        self.references |= attr.extension.is_none() && matches!(&*attr.name, "groups" | "members");
    }
}

/// A filter whose meaning hangs on keys that were cut or on elements without value.
struct Unsure {
    attributes: Vec<i16>,
}

impl Unsure {
    fn of(kind: ResourceKind, filter: &BoundFilter) -> Option<Self> {
        let unsure = any_term(filter, &|_, op, operand| {
            matches!(op, CompareOp::Co | CompareOp::Ew)
                || matches!(operand, Operand::Text { key, .. } if op != CompareOp::Eq && keys::is_cut(key))
        });
        let mut attributes = Vec::new();
        each_attribute(filter, &mut |attr| attributes.extend(keys::attribute_number(kind, &attr.name)));
        (unsure || has_bare_present(filter)).then_some(Unsure { attributes })
    }
}

fn has_bare_present(filter: &BoundFilter) -> bool {
    match filter {
        BoundFilter::And(all) | BoundFilter::Or(all) => all.iter().any(has_bare_present),
        BoundFilter::Not(inner) | BoundFilter::Element(_, inner) => has_bare_present(inner),
        BoundFilter::Present(attr) => attr.multi_valued && attr.sub.is_none(),
        BoundFilter::Compare(..) => false,
    }
}

fn any_term(filter: &BoundFilter, test: &dyn Fn(&Resolved, CompareOp, &Operand) -> bool) -> bool {
    match filter {
        BoundFilter::And(all) | BoundFilter::Or(all) => all.iter().any(|f| any_term(f, test)),
        BoundFilter::Not(inner) | BoundFilter::Element(_, inner) => any_term(inner, test),
        BoundFilter::Compare(attr, op, operand) => test(attr, *op, operand),
        BoundFilter::Present(_) => false,
    }
}

fn each_attribute(filter: &BoundFilter, visit: &mut dyn FnMut(&Resolved)) {
    match filter {
        BoundFilter::And(all) | BoundFilter::Or(all) => all.iter().for_each(|f| each_attribute(f, visit)),
        BoundFilter::Not(inner) => each_attribute(inner, visit),
        BoundFilter::Element(attr, inner) => {
            visit(attr);
            each_attribute(inner, visit);
        }
        BoundFilter::Compare(attr, ..) | BoundFilter::Present(attr) => visit(attr),
    }
}

fn terms(filter: &BoundFilter) -> usize {
    match filter {
        BoundFilter::And(all) | BoundFilter::Or(all) => all.iter().map(terms).sum(),
        BoundFilter::Not(inner) | BoundFilter::Element(_, inner) => terms(inner),
        BoundFilter::Compare(..) | BoundFilter::Present(_) => 1,
    }
}
