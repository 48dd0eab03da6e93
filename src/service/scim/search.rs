//! Lists and searches (RFC 7644 §3.4.2, §3.4.3).

use super::resources::{Stored, groups, local, users};
use crate::protocol::error::ScimError;
use crate::protocol::list::Query;
use crate::protocol::projection::Projection;
use crate::protocol::schema::ResourceKind;
use crate::service::{Ctx, Result};
use crate::storage::{Database, Search, StorageError};

/// A page of resources.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Matches over all pages, exact.
    pub total: u64,
    /// 1-based number of the first record.
    pub start_index: u64,
    /// In order.
    pub records: Vec<Stored>,
    /// What each shows.
    pub projection: Projection,
}

/// A page of what the connection sees.
///
/// # Errors
/// 400 `tooMany` where the filter or the sort would take longer than a statement may: the client's choice made it so, and
/// repeating it would not help. 503 where a plain page does.
pub async fn search(ctx: &Ctx, db: &Database, kind: ResourceKind, query: Query) -> Result<Page> {
    let Query { filter, filter_text, sort, start_index, count, projection } = query;
    let references = match kind {
        ResourceKind::User => users::references(&projection),
        ResourceKind::Group => groups::references(&projection),
    };
    let chosen = filter.is_some() || sort.is_some();
    let search = Search { filter, filter_text, sort, start_index, count, references };
    let found = match kind {
        ResourceKind::User => db.search_users(ctx.scope, &search).await.map(|found| {
            (found.total, found.records.into_iter().map(|record| users::stored(record, references)).collect())
        }),
        ResourceKind::Group => db
            .search_groups(ctx.scope, &search)
            .await
            .map(|found| (found.total, found.records.into_iter().map(groups::stored).collect())),
    };
    let (total, records) = match found {
        Err(StorageError::TooSlow) if chosen => {
            return Err(
                ScimError::too_many("The search takes too long: narrow the filter or leave the sort out").into()
            );
        }
        found => found?,
    };
    if kind == ResourceKind::User && total == 0 {
        let local = Box::pin(local::look_up(ctx, db, &search)).await?;
        let total = local.len() as u64;
        let page = if search.start_index <= 1 { search.count } else { 0 };
        let page = usize::try_from(page).unwrap_or(usize::MAX);
        let records = local.into_iter().take(page).map(|record| users::stored(record, references)).collect();
        return Ok(Page { total, start_index, records, projection });
    }
    Ok(Page { total, start_index, records, projection })
}

/// A page over users and groups (RFC 7644 §3.4.3): the users in their order, behind them the groups in theirs; so one
/// page is at most one search of each, and none of them loads what the page does not show.
///
/// # Errors
/// As `search`.
pub async fn search_all(ctx: &Ctx, db: &Database, users: Query, groups: Query) -> Result<[Page; 2]> {
    let (start_index, count) = (groups.start_index, groups.count);
    let users = search(ctx, db, ResourceKind::User, users).await?;
    let shown = u64::try_from(users.records.len()).unwrap_or(u64::MAX);
    let groups = Query {
        start_index: start_index.saturating_sub(users.total).max(1),
        count: count.saturating_sub(shown),
        ..groups
    };
    Ok([users, search(ctx, db, ResourceKind::Group, groups).await?])
}
