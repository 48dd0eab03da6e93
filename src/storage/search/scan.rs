//! Searches that must look into documents, because the filter or the order has no column: candidates stream by in
//! batches, each is judged by `protocol::filter::evaluate`, and only the places of the wanted page are kept.

use std::time::{Duration, Instant};

use super::compile::Predicate;
use super::job::{Job, LooksAt};
use super::order::{By, Order, Place, document_key};
use super::pages::known_total;
use super::select::{self, Row, Shape};
use super::writes;
use crate::protocol::filter::evaluate::evaluate;
use crate::storage::db::Db;
use crate::storage::{Backend, Found, References, Result, StorageError};

/// Resources read at once.
const BATCH: u64 = 500;
/// Those of the first batch, and bytes of documents that a later one should come to: a scan's memory.
const FIRST_BATCH: u64 = 50;
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// The same where each comes with all its members.
const BATCH_WITH_REFERENCES: u64 = 20;
/// Places kept to find a page far from the start in an order that only documents have.
const MOST_KEPT: u64 = 100_000;

/// A page by looking at each candidate, and its total.
pub(super) async fn page(db: &mut Db<'_>, job: &Job, predicate: Option<&Predicate>) -> Result<Found<Row>> {
    let (start, count) = (job.search.start_index, job.search.count);
    let before = if start > 1 { job.walks.before(&job.walk, start) } else { None };
    let known = known_total(db, job).await?;
    if count == 0
        && let Some(total) = known
    {
        return Ok(Found { total, records: Vec::new() });
    }
    let stamp = writes::stamp(db, job.scope.organization).await?;
    let mut window = Window::new(job, before.clone())?;
    // With the total known, a page in column order ends the scan; it begins where the last page ended.
    let ends_early = known.is_some() && job.order.is_column();
    let mut scan = Scan::new(job, predicate, before.filter(|_| ends_early));
    let mut pause = Pause::new();
    while let Some(rows) = scan.next_batch(db).await? {
        for row in rows {
            job.check_deadline()?;
            pause.now_and_then(db).await;
            if let Some(place) = scan.judge(&row)? {
                window.offer(place);
            }
        }
        if ends_early && window.is_full() {
            break;
        }
    }
    let total = match known {
        Some(total) => total,
        None => {
            job.walks.counted(&job.walk, window.seen, stamp);
            window.seen
        }
    };
    let places = window.into_page();
    if let Some(last) = places.last() {
        job.walks.ended(&job.walk, start.saturating_add(places.len() as u64), last.clone());
    }
    let ids: Vec<_> = places.iter().map(|place| place.id).collect();
    let records = select::read_ids(db, &job.shape(job.search.references), &ids).await?;
    Ok(Found { total, records })
}

/// Lets other requests of this thread go on: on PostgreSQL a scan is judged where requests are answered.
struct Pause {
    since: Instant,
}

impl Pause {
    /// Longest stretch without a pause, but for the judgement of one resource.
    const STRETCH: Duration = Duration::from_millis(5);

    fn new() -> Self {
        Pause { since: Instant::now() }
    }

    async fn now_and_then(&mut self, db: &Db<'_>) {
        // On SQLite a scan has a thread of its own, where nothing may be waited for.
        if db.backend() == Backend::Postgres && self.since.elapsed() > Self::STRETCH {
            tokio::task::yield_now().await;
            self.since = Instant::now();
        }
    }
}

/// Goes through the candidates, in the order of the search where a column has it, by id otherwise.
struct Scan<'j> {
    job: &'j Job,
    predicate: Option<&'j Predicate>,
    order: Order,
    looks: LooksAt,
    after: Option<Place>,
    /// Index of the current segment of the order.
    segment: usize,
    /// Size of the next batch.
    batch: u64,
}

impl<'j> Scan<'j> {
    fn new(job: &'j Job, predicate: Option<&'j Predicate>, after: Option<Place>) -> Self {
        let order = if job.order.is_column() { job.order.clone() } else { Order { by: By::Id, descending: false } };
        let segment = after.as_ref().map_or(0, |place| order.segment_of(place));
        Scan { job, predicate, order, looks: job.looks_at(), after, segment, batch: FIRST_BATCH }
    }

    async fn next_batch(&mut self, db: &mut Db<'_>) -> Result<Option<Vec<Row>>> {
        let limit = if self.looks.references { BATCH_WITH_REFERENCES } else { self.batch };
        while let Some(absent) = self.order.segments().get(self.segment).copied() {
            let mut tail = self.job.candidates(db, self.predicate);
            self.order.restrict(&mut tail, absent, self.after.as_ref());
            tail.push(&self.order.order_by(absent, "u")).push(&format!(" LIMIT {limit}"));
            let references = if self.looks.references { References::All } else { References::Skip };
            let shape = Shape { order: &self.order, ..self.job.shape(references) };
            let prepared = self.job.keeps_prepared(db, &tail);
            let rows = select::read(db, &shape, &tail, prepared).await?;
            match rows.last() {
                Some(last) => {
                    self.after = Some(last.place(&self.order));
                    let bytes: u64 = rows.iter().map(|row| row.document.len() as u64).sum();
                    let average = bytes / rows.len() as u64 + 1;
                    self.batch = (BATCH_BYTES / average).clamp(1, BATCH);
                    return Ok(Some(rows));
                }
                None => {
                    self.segment += 1;
                    self.after = None;
                }
            }
        }
        Ok(None)
    }

    /// The place of a row that matches.
    fn judge(&self, row: &Row) -> Result<Option<Place>> {
        let exact = self.predicate.is_none_or(|p| p.exact);
        if exact && self.job.order.is_column() {
            return Ok(Some(row.place(&self.job.order)));
        }
        let resource = self.job.complete(row, self.looks)?;
        if !exact && !self.job.search.filter.as_ref().is_none_or(|filter| evaluate(filter, &resource)) {
            return Ok(None);
        }
        Ok(Some(match &self.job.order.by {
            By::Document(attr) => Place { key: document_key(attr, &resource), id: row.id },
            _ => row.place(&self.job.order),
        }))
    }
}

/// Keeps the places of the wanted page out of all that are offered.
struct Window<'j> {
    job: &'j Job,
    /// Only later places are wanted: the page begins there.
    after: Option<Place>,
    /// Places before the page, among the kept ones.
    skip: usize,
    /// Places up to the page's end.
    most: usize,
    kept: Vec<Place>,
    seen: u64,
}

impl<'j> Window<'j> {
    fn new(job: &'j Job, after: Option<Place>) -> Result<Self> {
        let skip = if after.is_some() { 0 } else { job.search.start_index.saturating_sub(1) };
        let most = skip.saturating_add(job.search.count);
        // In column order nothing before the page is kept.
        if most > MOST_KEPT && !job.order.is_column() && job.search.count > 0 {
            return Err(StorageError::TooSlow);
        }
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Ok(Window { job, after, skip: size(skip), most: size(most), kept: Vec::new(), seen: 0 })
    }

    fn offer(&mut self, place: Place) {
        self.seen += 1;
        let order = &self.job.order;
        if self.job.search.count == 0 || self.after.as_ref().is_some_and(|after| order.compare(&place, after).is_le()) {
            return;
        }
        if order.is_column() {
            // They come in order.
            if self.skip > 0 {
                self.skip -= 1;
                self.most = self.most.saturating_sub(1);
            } else if self.kept.len() < self.most {
                self.kept.push(place);
            }
            return;
        }
        self.kept.push(place);
        if self.kept.len() >= self.most.saturating_mul(2).max(1024) {
            self.settle();
        }
    }

    fn is_full(&self) -> bool {
        self.skip == 0 && self.kept.len() >= self.most
    }

    fn settle(&mut self) {
        self.kept.sort_by(|a, b| self.job.order.compare(a, b));
        self.kept.truncate(self.most);
    }

    fn into_page(mut self) -> Vec<Place> {
        if !self.job.order.is_column() {
            self.settle();
        }
        self.kept.into_iter().skip(self.skip).collect()
    }
}
