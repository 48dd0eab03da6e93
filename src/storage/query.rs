//! What a search asks, and how much of each resource it wants.

use crate::protocol::filter::BoundFilter;
use crate::protocol::list::Sort;

/// A page of users or groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Filter, bound to the schema.
    pub filter: Option<BoundFilter>,
    /// Its canonical text; key of the page position cache together with the sort.
    pub filter_text: Option<String>,
    /// Sort; `None` is by id.
    pub sort: Option<Sort>,
    /// 1-based.
    pub start_index: u64,
    /// 0 asks for the total only.
    pub count: u64,
    /// Whether `groups` (of users) or `members` (of groups) are wanted.
    pub references: References,
}

/// Members up to which `Database::find_small_group` reads them; the statement on PostgreSQL holds the same number.
pub const SMALL_GROUP: u32 = 100;

/// Whether `groups` or `members` come with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// Not loaded, nor touched.
    Skip,
    /// At most so many.
    UpTo(u32),
    /// All.
    All,
}

/// A page and the exact total.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// Matches over all pages.
    pub total: u64,
    /// This page, in order.
    pub records: Vec<T>,
}
