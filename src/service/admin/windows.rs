//! Pages of logs, which are walked in windows: each window is one short read of an index, rows are chosen here. However
//! long a walk takes, other requests of the thread go on between its windows.

use std::future::Future;

use super::error::Result;
use super::paging::{Page, PageRequest};
use crate::service::cursor::{Direction, Key, Position};
use crate::storage::{self, Window};

/// Rows of a window at most.
const WIDEST: u32 = 1_000;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It belongs to the list.
    Yes,
    /// It does not.
    No,
    /// Neither it nor anything behind it does.
    End,
}

/// What a window holds.
pub(super) struct Loaded<R> {
    /// Rows, in the direction of the walk.
    pub(super) rows: Vec<R>,
    /// Whether nothing lies behind them.
    pub(super) is_last: bool,
}

/// A log that is walked.
pub(super) trait Walk {
    /// A row.
    type Row;
    /// Its place.
    type Place: Copy;

    /// The place of a row.
    fn place(&self, row: &Self::Row) -> Self::Place;
    /// Before all rows that may be kept, or behind them.
    fn end(&self, newest: bool) -> Self::Place;
    /// A place as a cursor has it.
    fn print(&self, place: Self::Place) -> Vec<Key>;
    /// Reads it back.
    fn parse(&self, keys: &[Key]) -> Option<Self::Place>;
    /// Reads a window: at least one row, unless it is the last.
    fn load(&self, window: Window<Self::Place>) -> impl Future<Output = storage::Result<Loaded<Self::Row>>>;
    /// Judges a row, on the way to older ones or to newer ones.
    fn keep(&self, row: &Self::Row, backwards: bool) -> Keep;
}

/// The page that is asked for; the newest rows first unless the sort says otherwise.
pub(super) async fn page<W: Walk>(walk: &W, request: &PageRequest) -> Result<Page<W::Row>> {
    let descending = request.sort.first().is_none_or(|sort| sort.descending);
    let position = request.position.as_ref();
    let forward = position.is_none_or(|position| position.direction == Direction::Forward);
    let backwards = descending == forward;
    let from = position.and_then(|position| walk.parse(&position.keys)).unwrap_or_else(|| walk.end(backwards));
    let mut rows = Vec::new();
    each(walk, from, backwards, request.limit, |row| {
        rows.push(row);
        rows.len() <= request.limit
    })
    .await?;
    let more = rows.len() > request.limit;
    rows.truncate(request.limit);
    if !forward {
        rows.reverse();
    }
    let (has_behind, has_before) = if forward { (more, position.is_some()) } else { (true, more) };
    let at = |row: Option<&W::Row>, direction| row.map(|row| Position { direction, keys: walk.print(walk.place(row)) });
    let next = if has_behind { at(rows.last(), Direction::Forward) } else { None };
    let previous = if has_before { at(rows.first(), Direction::Backward) } else { None };
    let total = if request.include_total { Some(count(walk).await?) } else { None };
    Ok(Page { rows, next, previous, total })
}

async fn count<W: Walk>(walk: &W) -> Result<u64> {
    let mut total = 0;
    each(walk, walk.end(true), true, WIDEST as usize, |_| {
        total += 1;
        true
    })
    .await?;
    Ok(total)
}

/// Walks until `take` has enough. `hint`: rows that are wanted.
async fn each<W: Walk>(
    walk: &W,
    mut from: W::Place,
    backwards: bool,
    hint: usize,
    mut take: impl FnMut(W::Row) -> bool,
) -> Result<()> {
    let mut limit = u32::try_from(hint).unwrap_or(WIDEST).saturating_add(1).min(WIDEST);
    loop {
        let Loaded { rows, is_last } = walk.load(Window { from, backwards, limit }).await?;
        for row in rows {
            from = walk.place(&row);
            match walk.keep(&row, backwards) {
                Keep::Yes if take(row) => {}
                Keep::No => {}
                Keep::Yes | Keep::End => return Ok(()),
            }
        }
        if is_last {
            return Ok(());
        }
        limit = limit.saturating_mul(2).min(WIDEST);
        // On SQLite nothing else of the walk pends.
        tokio::task::yield_now().await;
    }
}
