//! Pages whose filter and order SQL knows wholly: a probe of an index, or a seek to the place where the page begins.

use uuid::Uuid;

use super::compile::Predicate;
use super::job::{Job, LooksAt};
use super::order::{By, Place, document_key};
use super::select::{self, Row};
use super::writes;
use crate::protocol::filter::evaluate::evaluate;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::sql::Sql;
use crate::storage::uid::{Id, Uid};
use crate::storage::{Found, References, Result};

/// Rows that a probe takes at once.
const PROBED: usize = 200;

/// All matches of a filter with a selective equality, if they are few: ordered and counted here, in one round trip.
pub(super) async fn probe(db: &mut Db<'_>, job: &Job, predicate: &Predicate) -> Result<Option<Found<Row>>> {
    let looks = if predicate.exact && job.order.is_column() { LooksAt::default() } else { job.looks_at() };
    let references = if looks.references { References::All } else { job.search.references };
    let mut tail = job.candidates(db, Some(predicate));
    tail.push(&format!(" LIMIT {}", PROBED + 1));
    let prepared = job.keeps_prepared(db, &tail);
    let found = select::read(db, &job.shape(references), &tail, prepared).await?;
    if found.len() > PROBED {
        return Ok(None);
    }
    let mut matches: Vec<(Place, Row)> = Vec::with_capacity(found.len());
    for row in found {
        if predicate.exact && job.order.is_column() {
            matches.push((row.place(&job.order), row));
            continue;
        }
        let resource = job.complete(&row, looks)?;
        if predicate.exact || job.search.filter.as_ref().is_none_or(|filter| evaluate(filter, &resource)) {
            let place = match &job.order.by {
                By::Document(attr) => Place { key: document_key(attr, &resource), id: row.id },
                _ => row.place(&job.order),
            };
            matches.push((place, row));
        }
    }
    matches.sort_by(|(a, _), (b, _)| job.order.compare(a, b));
    let total = matches.len() as u64;
    let skip = usize::try_from(job.search.start_index.saturating_sub(1)).unwrap_or(usize::MAX);
    let count = usize::try_from(job.search.count).unwrap_or(usize::MAX);
    let mut records: Vec<Row> = matches.into_iter().skip(skip).take(count).map(|(_, row)| row).collect();
    for row in &mut records {
        trim(row, job.search.references);
    }
    Ok(Some(Found { total, records }))
}

/// Leaves as many references as were asked for, where the filter needed all.
fn trim(row: &mut Row, wanted: References) {
    match wanted {
        References::Skip => row.references = None,
        References::UpTo(most) => {
            if let Some(references) = &mut row.references {
                references.truncate(most as usize);
            }
        }
        References::All => {}
    }
}

/// A page by seek, and its total.
pub(super) async fn page(db: &mut Db<'_>, job: &Job, predicate: Option<&Predicate>) -> Result<Found<Row>> {
    let (start, count) = (job.search.start_index, job.search.count);
    let before = if start > 1 { job.walks.before(&job.walk, start) } else { None };
    let unfiltered = match predicate {
        None => Some(writes::total(db, job.scope, job.kind).await?),
        Some(_) => None,
    };
    if count == 0 || (before.is_none() && unfiltered.is_some_and(|total| start > total)) {
        let total = match unfiltered {
            Some(total) => total,
            None => filtered_total(db, job, predicate).await?,
        };
        return Ok(Found { total, records: Vec::new() });
    }
    // One more row tells whether a first page is all there is, and the total with it.
    let mut rows = if start > 1 && before.is_none() {
        jump(db, job, predicate).await?
    } else {
        seek(db, job, predicate, before.as_ref(), count.saturating_add(1)).await?
    };
    let is_all = start == 1 && (rows.len() as u64) <= count;
    rows.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    if let Some(last) = rows.last() {
        job.walks.ended(&job.walk, start.saturating_add(rows.len() as u64), last.place(&job.order));
    }
    let total = match unfiltered {
        Some(total) => total,
        None if is_all => rows.len() as u64,
        None => filtered_total(db, job, predicate).await?,
    };
    Ok(Found { total, records: rows })
}

/// Up to `limit` rows after a place.
async fn seek(
    db: &mut Db<'_>,
    job: &Job,
    predicate: Option<&Predicate>,
    after: Option<&Place>,
    limit: u64,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (absent, after) in remaining_segments(job, after) {
        let missing = limit.saturating_sub(rows.len() as u64);
        if missing == 0 {
            break;
        }
        let mut tail = job.candidates(db, predicate);
        job.order.restrict(&mut tail, absent, after);
        tail.push(&job.order.order_by(absent, "u")).push(&format!(" LIMIT {missing}"));
        let prepared = missing == limit && job.keeps_prepared(db, &tail);
        rows.extend(select::read(db, &job.shape(job.search.references), &tail, prepared).await?);
    }
    Ok(rows)
}

/// The segment of a place from it on, then the later ones from their beginning.
pub(super) fn remaining_segments<'p>(job: &Job, after: Option<&'p Place>) -> Vec<(bool, Option<&'p Place>)> {
    let all = job.order.segments();
    let Some(place) = after else { return all.iter().map(|absent| (*absent, None)).collect() };
    let current = job.order.segment_of(place);
    let later = all.iter().enumerate().skip(current);
    later.map(|(i, absent)| (*absent, (i == current).then_some(place))).collect()
}

/// A page that follows none: skips over ids alone, which the index of the order holds, then reads the page's rows.
async fn jump(db: &mut Db<'_>, job: &Job, predicate: Option<&Predicate>) -> Result<Vec<Row>> {
    let mut skip = job.search.start_index.saturating_sub(1);
    let mut ids: Vec<Uuid> = Vec::new();
    for absent in job.order.segments() {
        let missing = job.search.count.saturating_sub(ids.len() as u64);
        if missing == 0 {
            break;
        }
        let mut within = job.candidates(db, predicate);
        job.order.restrict(&mut within, *absent, None);
        let mut sql = Sql::new("SELECT u.id FROM ");
        sql.push(select::table(job.kind)).push(" u");
        sql.append(&within).push(&job.order.order_by(*absent, "u"));
        // The numbers stand in the text: with binds PostgreSQL would plan for a tenth of all rows.
        sql.push(&format!(" LIMIT {missing} OFFSET {skip}"));
        let found: Vec<Id> = sql.statement::<Uid>(false).all(db).await?;
        if !found.is_empty() {
            skip = 0;
        } else if skip > 0 && job.order.segments().len() > 1 {
            skip = skip.saturating_sub(count_within(db, job, &within).await?);
        }
        ids.extend(found.into_iter().map(|id| id.0));
    }
    let mut rows = select::read_ids(db, &job.shape(job.search.references), &ids).await?;
    rows.sort_by(|a, b| job.order.compare(&a.place(&job.order), &b.place(&job.order)));
    Ok(rows)
}

async fn count_within(db: &mut Db<'_>, job: &Job, within: &Sql) -> Result<u64> {
    let mut sql = Sql::new("SELECT count(*) FROM ");
    sql.push(select::table(job.kind)).push(" u").append(within);
    let prepared = job.keeps_prepared(db, &sql);
    select::number(db, sql, prepared).await
}

/// The exact total of a filter, counted anew only after a write in the organization.
async fn filtered_total(db: &mut Db<'_>, job: &Job, predicate: Option<&Predicate>) -> Result<u64> {
    if let Some(total) = known_total(db, job).await? {
        return Ok(total);
    }
    let stamp = writes::stamp(db, job.scope.organization).await?;
    let within = job.candidates(db, predicate);
    let total = count_within(db, job, &within).await?;
    job.walks.counted(&job.walk, total, stamp);
    Ok(total)
}

/// The total counted before, if nothing was written since.
pub(super) async fn known_total(db: &mut Db<'_>, job: &Job) -> Result<Option<u64>> {
    match job.walks.total(&job.walk) {
        Some((total, stamp)) if writes::is_unchanged(db, job.scope.organization, &stamp).await? => Ok(Some(total)),
        _ => Ok(None),
    }
}
