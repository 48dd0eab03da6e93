//! The log row by row, for whoever changes what is stored.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LogBodies, LogRecord, segment, segments};
use crate::domain::ids::OrganizationId;
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::uid::Id;

/// Rows that are read at once.
const ROWS: i64 = 32;
/// Rows whose filters are looked at at once.
const FILTERS: i64 = 1_000;

/// A place between rows, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPlace {
    slot: i64,
    id: Uuid,
}

impl LogPlace {
    /// Before all rows.
    pub const FIRST: LogPlace = LogPlace { slot: i64::MIN, id: Uuid::nil() };

    /// Before the rows of a time, in µs since 1970, and of those that follow.
    pub fn before(at: i64) -> Self {
        LogPlace { slot: segment::slot(at), id: Uuid::nil() }
    }
}

/// A row, unpacked.
#[derive(Debug)]
pub struct LogRow {
    place: LogPlace,
    /// As stored.
    packed: (Vec<u8>, Vec<u8>),
    /// Entries.
    pub entries: Vec<LogRecord>,
    /// Their bodies, one for each.
    pub bodies: Vec<LogBodies>,
}

/// Stores what became of a row's entries and bodies. Its filter stays: it holds no name, and may find what is not there.
///
/// # Errors
/// `Stale` where the row is another one meanwhile, or gone.
pub async fn rewrite(db: &mut Db<'_>, organization: OrganizationId, row: &LogRow) -> Result<()> {
    let (entries, bodies) = segment::repack(&row.entries, &row.bodies)?;
    let stored = segments::table
        .find((Id::from(organization), row.place.slot, Id(row.place.id)))
        .filter(segments::entries.eq(&row.packed.0))
        .filter(segments::bodies.eq(&row.packed.1));
    let set = (segments::entries.eq(entries), segments::bodies.eq(bodies));
    if diesel::update(stored).set(set).exec(db).await? == 1 { Ok(()) } else { Err(StorageError::Stale) }
}

/// ` AND` behind a place: a range of the primary key.
macro_rules! behind {
    ($organization:expr, $after:expr) => {
        segments::table
            .filter(segments::organization.eq(Id::from($organization)))
            .filter(segments::slot.ge($after.slot))
            .filter(segments::slot.gt($after.slot).or(segments::id.gt(Id($after.id))))
            .order((segments::slot, segments::id))
    };
}

impl Database {
    /// The rows behind a place; none behind the last one.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn log_rows(&self, organization: OrganizationId, after: LogPlace) -> Result<Vec<(LogPlace, LogRow)>> {
        type Row = (i64, Id, i16, Vec<u8>, Vec<u8>);
        self.cold_read(async |db| {
            let rows = behind!(organization, after).limit(ROWS).select((
                segments::slot,
                segments::id,
                segments::format,
                segments::entries,
                segments::bodies,
            ));
            let rows: Vec<Row> = rows.all(db).await?;
            let unpacked = |(slot, id, format, entries, bodies): Row| {
                let place = LogPlace { slot, id: id.0 };
                let (unpacked, texts) = (segment::entries(format, &entries)?, segment::bodies(&bodies)?);
                Ok((place, LogRow { place, packed: (entries, bodies), entries: unpacked, bodies: texts }))
            };
            rows.into_iter().map(unpacked).collect()
        })
        .await
    }

    /// Entries of the next rows whose filter knows a name, and the place behind the rows that were looked at; `None`: these were
    /// the last.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn log_records_naming(
        &self,
        organization: OrganizationId,
        name: &str,
        after: LogPlace,
    ) -> Result<(Vec<LogRecord>, Option<LogPlace>)> {
        self.cold_read(async |db| {
            let heads =
                behind!(organization, after).limit(FILTERS).select((segments::slot, segments::id, segments::names));
            let heads: Vec<(i64, Id, Vec<u8>)> = heads.all(db).await?;
            let mut found = Vec::new();
            for (slot, id, _) in heads.iter().filter(|(.., names)| segment::may_name(names, name)) {
                let row = segments::table.find((Id::from(organization), *slot, *id));
                let row = row.select((segments::format, segments::entries));
                if let Some((format, entries)) = row.opt::<(i16, Vec<u8>)>(db).await? {
                    found.extend(segment::entries(format, &entries)?);
                }
            }
            let is_full = i64::try_from(heads.len()).unwrap_or_default() == FILTERS;
            let last = heads.last().filter(|_| is_full).map(|(slot, id, _)| LogPlace { slot: *slot, id: id.0 });
            Ok::<_, StorageError>((found, last))
        })
        .await
    }
}
