//! Pages of lists in keyset order: what is asked for, and what comes back. A list has a total order because its id is the
//! last key of every sort.

use std::cmp::Ordering;

use crate::domain::ids::ResourceId;
use crate::service::cursor::{Direction, Key, Position};
use crate::storage::keyset::{Bound, Keyset};

/// One field of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// Its name in the API.
    pub field: &'static str,
    /// Whether the greatest come first.
    pub descending: bool,
}

/// The page that is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Rows at most.
    pub limit: usize,
    /// Where it lies; `None` is the beginning.
    pub position: Option<Position>,
    /// The order, before the id.
    pub sort: Vec<SortKey>,
    /// Whether all rows are counted.
    pub include_total: bool,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its rows, in order.
    pub rows: Vec<T>,
    /// Where the page behind it begins, if there is one.
    pub next: Option<Position>,
    /// Where the page before it ends, if there is one.
    pub previous: Option<Position>,
    /// Number of rows on all pages, where asked for.
    pub total: Option<u64>,
}

/// A page of rows that are all at hand. `key` gives a row's value for a field, `id` its id.
pub fn of_rows<T>(
    mut rows: Vec<T>,
    request: &PageRequest,
    key: impl Fn(&T, &str) -> Key,
    id: impl Fn(&T) -> String,
) -> Page<T> {
    let total = request.include_total.then_some(rows.len() as u64);
    let keys = |row: &T| {
        let mut keys: Vec<Key> = request.sort.iter().map(|sort| key(row, sort.field)).collect();
        keys.push(Key::Text(id(row)));
        keys
    };
    rows.sort_by(|a, b| compare(&keys(a), &keys(b), &request.sort));
    let place = |position: &Position, wanted: Ordering| {
        rows.partition_point(|row| {
            let order = compare(&keys(row), &position.keys, &request.sort);
            order == Ordering::Less || (order == Ordering::Equal && wanted == Ordering::Greater)
        })
    };
    let (start, end) = match &request.position {
        None => (0, request.limit.min(rows.len())),
        Some(position) if position.direction == Direction::Forward => {
            let start = place(position, Ordering::Greater);
            (start, start.saturating_add(request.limit).min(rows.len()))
        }
        Some(position) => {
            let end = place(position, Ordering::Less);
            (end.saturating_sub(request.limit), end)
        }
    };
    let (has_before, has_behind) = (start > 0, end < rows.len());
    rows.truncate(end);
    let rows = rows.split_off(start.min(rows.len()));
    let at = |row: Option<&T>, direction| row.map(|row| Position { direction, keys: keys(row) });
    let next = if has_behind { at(rows.last(), Direction::Forward) } else { None };
    let previous = if has_before { at(rows.first(), Direction::Backward) } else { None };
    Page { rows, next, previous, total }
}

/// The same for storage, which reads one row more than the page has: that one tells whether there are further ones. `sorts`
/// names the fields as storage does.
pub fn keyset<S>(request: &PageRequest, sorts: impl Fn(&str) -> Option<S>) -> Keyset<S> {
    let sort = request.sort.iter().filter_map(|key| Some((sorts(key.field)?, key.descending))).collect();
    let bound = |(at, key): (usize, &Key)| match key {
        Key::Number(number) => Some(Bound::Number(*number)),
        Key::Text(text) if request.sort.get(at).is_none_or(|sort| sort.field == "id") => {
            ResourceId::parse(text).map(|id| Bound::Id(id.0))
        }
        Key::Text(text) => Some(Bound::Text(text.clone())),
        Key::Absent => None,
    };
    Keyset {
        sort,
        beside: request.position.as_ref().and_then(|position| position.keys.iter().enumerate().map(bound).collect()),
        is_backward: request.position.as_ref().is_some_and(|position| position.direction == Direction::Backward),
        limit: u32::try_from(request.limit).unwrap_or(u32::MAX).saturating_add(1),
    }
}

/// A page of the rows that storage answered to `keyset`.
pub fn of_keyset<T>(
    mut rows: Vec<T>,
    total: Option<i64>,
    request: &PageRequest,
    key: impl Fn(&T, &str) -> Key,
    id: impl Fn(&T) -> String,
) -> Page<T> {
    let has_more = rows.len() > request.limit;
    rows.truncate(request.limit);
    let (has_before, has_behind) = match &request.position {
        None => (false, has_more),
        Some(position) if position.direction == Direction::Forward => (true, has_more),
        Some(_) => {
            rows.reverse();
            (has_more, true)
        }
    };
    let at = |row: &T, direction| {
        let mut keys: Vec<Key> = request.sort.iter().map(|sort| key(row, sort.field)).collect();
        keys.push(Key::Text(id(row)));
        Position { direction, keys }
    };
    let next = rows.last().filter(|_| has_behind).map(|row| at(row, Direction::Forward));
    let previous = rows.first().filter(|_| has_before).map(|row| at(row, Direction::Backward));
    Page { rows, next, previous, total: total.and_then(|total| u64::try_from(total).ok()) }
}

/// The id, last of the keys, is ascending whatever the others are.
fn compare(a: &[Key], b: &[Key], sort: &[SortKey]) -> Ordering {
    let descending = sort.iter().map(|sort| sort.descending).chain(std::iter::repeat(false));
    for ((a, b), descending) in a.iter().zip(b).zip(descending) {
        let order = if descending { b.cmp(a) } else { a.cmp(b) };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &[(&'static str, i64)], request: &PageRequest) -> Page<(&'static str, i64)> {
        of_rows(rows.to_vec(), request, |row, _| Key::Number(row.1), |row| row.0.to_owned())
    }

    fn request(limit: usize, descending: bool) -> PageRequest {
        let sort = vec![SortKey { field: "n", descending }];
        PageRequest { limit, position: None, sort, include_total: false }
    }

    const ROWS: [(&str, i64); 5] = [("e", 1), ("d", 2), ("c", 2), ("b", 2), ("a", 3)];

    #[test]
    fn pages_forward_and_backward_hold_each_row_once() {
        for descending in [false, true] {
            for limit in 1..=6 {
                let mut ask = request(limit, descending);
                let (mut pages, mut seen) = (Vec::new(), Vec::new());
                loop {
                    let found = page(&ROWS, &ask);
                    seen.extend(found.rows.clone());
                    pages.push(found.rows.clone());
                    let Some(next) = found.next else {
                        // And back again.
                        let mut previous = found.previous;
                        for expected in pages.iter().rev().skip(1) {
                            ask.position = previous;
                            let found = page(&ROWS, &ask);
                            assert_eq!(&found.rows, expected);
                            previous = found.previous;
                        }
                        assert_eq!(previous, None);
                        break;
                    };
                    ask.position = Some(next);
                }
                let expected: Vec<_> = if descending {
                    vec![("a", 3), ("b", 2), ("c", 2), ("d", 2), ("e", 1)]
                } else {
                    vec![("e", 1), ("b", 2), ("c", 2), ("d", 2), ("a", 3)]
                };
                assert_eq!(seen, expected);
            }
        }
    }

    #[test]
    fn a_page_continues_where_the_last_one_ended_though_its_row_is_gone() {
        let first = page(&ROWS, &request(2, false));
        assert_eq!(first.rows, [("e", 1), ("b", 2)]);
        let ask = PageRequest { position: first.next, include_total: true, ..request(2, false) };
        let without: Vec<_> = ROWS.into_iter().filter(|row| row.0 != "b").collect();
        let second = page(&without, &ask);
        assert_eq!((second.rows, second.total), (vec![("c", 2), ("d", 2)], Some(4)));
        let none = page(&[], &ask);
        assert!(none.rows.is_empty() && none.next.is_none() && none.previous.is_none());
    }
}
