//! How many entries are one row: packed, in the order they came, with a filter of what they are about. Bodies are packed
//! apart, since lists do not read them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{LogBodies, LogRecord, NewLogRecord};
use crate::domain::ids::LogEntryId;
use crate::storage::error::{Result, StorageError};

/// Of the rows that this version writes; others it does not read.
pub(super) const FORMAT: i16 = 1;
/// µs of a slot. Entries of different slots do not overlap in time, so that a walk in the order of time sorts a slot's only.
pub(super) const SLOT: i64 = 250_000;
/// Entries of a segment at most.
const MOST_ENTRIES: usize = 256;
/// Bytes after which a segment is full.
const FULL: usize = 512 * 1024;
/// Bytes that a segment can be of: more than an entry has, whose resources are bounded.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Bits of the filter for each name; with as many probes as below about one in a hundred names is found that is not there.
const BITS: usize = 10;
/// Bytes of a filter besides, so that those of few names are good too.
const LEAST_FILTER: usize = 8;

/// A row.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) organization: Uuid,
    pub(super) slot: i64,
    /// Of its first entry.
    pub(super) id: Uuid,
    pub(super) length: i32,
    /// How many of them did not do what was asked.
    pub(super) not_done: i32,
    pub(super) names: Vec<u8>,
    pub(super) entries: Vec<u8>,
    pub(super) bodies: Vec<u8>,
}

/// The slot of a time (µs since 1970).
pub(super) fn slot(at: i64) -> i64 {
    at.div_euclid(SLOT)
}

/// The slot of an entry.
pub(in crate::storage::cold) fn slot_of(id: LogEntryId) -> i64 {
    slot(id.time())
}

/// Packs entries.
///
/// # Errors
/// `Broken`
pub(super) fn pack(mut all: Vec<NewLogRecord>) -> Result<Vec<Segment>> {
    all.sort_by_key(|new| (new.organization.0, slot(new.record.at)));
    let mut segments = Vec::new();
    for same in all.chunk_by(|a, b| a.organization == b.organization && slot(a.record.at) == slot(b.record.at)) {
        let mut rest = same;
        while !rest.is_empty() {
            let (some, others) = rest.split_at(full(rest));
            segments.extend(segment(some)?);
            rest = others;
        }
    }
    Ok(segments)
}

/// How many of them make a segment; at least one.
fn full(all: &[NewLogRecord]) -> usize {
    let mut bytes = 0_usize;
    let fits = all.iter().take(MOST_ENTRIES).take_while(|new| {
        let had = bytes;
        bytes = bytes.saturating_add(new.size());
        had == 0 || bytes <= FULL
    });
    fits.count().max(1)
}

fn segment(all: &[NewLogRecord]) -> Result<Option<Segment>> {
    let Some(first) = all.first() else { return Ok(None) };
    let names: Vec<&str> = all.iter().flat_map(|new| &new.names).map(String::as_str).collect();
    Ok(Some(Segment {
        organization: first.organization.0,
        slot: slot(first.record.at),
        id: first.record.id.0,
        length: count(all.len()),
        not_done: count(all.iter().filter(|new| new.record.is_not_done()).count()),
        names: filter(&names),
        entries: packed(all.iter().map(|new| &new.record))?,
        bodies: packed(all.iter().map(|new| &new.bodies))?,
    }))
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn packed<'a, T: Serialize + 'a>(values: impl Iterator<Item = &'a T>) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    for value in values {
        plain = postcard::to_extend(value, plain).map_err(broken)?;
    }
    Ok(lz4_flex::compress_prepend_size(&plain))
}

fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>> {
    let (size, packed) = lz4_flex::block::uncompressed_size(bytes).map_err(broken)?;
    if size > MOST_BYTES {
        return Err(broken(format_args!("{size} bytes")));
    }
    let plain = lz4_flex::decompress(packed, size).map_err(broken)?;
    let (mut rest, mut values) = (plain.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (value, behind) = postcard::take_from_bytes(rest).map_err(broken)?;
        values.push(value);
        rest = behind;
    }
    Ok(values)
}

fn broken(error: impl std::fmt::Display) -> StorageError {
    StorageError::Broken(format!("a segment of the provisioning log: {error}"))
}

/// The entries of a row.
///
/// # Errors
/// `Broken`
pub(super) fn entries(format: i16, bytes: &[u8]) -> Result<Vec<LogRecord>> {
    if format == FORMAT { unpacked(bytes) } else { Err(broken(format_args!("format {format} is of a later version"))) }
}

/// Their bodies.
///
/// # Errors
/// `Broken`
pub(super) fn bodies(bytes: &[u8]) -> Result<Vec<LogBodies>> {
    unpacked(bytes)
}

/// Packs entries and bodies as they were, but changed.
///
/// # Errors
/// `Broken`
pub(super) fn repack(entries: &[LogRecord], bodies: &[LogBodies]) -> Result<(Vec<u8>, Vec<u8>)> {
    Ok((packed(entries.iter())?, packed(bodies.iter())?))
}

/// A Bloom filter.
fn filter(names: &[&str]) -> Vec<u8> {
    let mut bits = vec![0_u8; if names.is_empty() { 0 } else { LEAST_FILTER + (names.len() * BITS).div_ceil(8) }];
    for name in names {
        for (byte, bit) in places(name, bits.len()) {
            if let Some(byte) = bits.get_mut(byte) {
                *byte |= bit;
            }
        }
    }
    bits
}

/// Whether a filter may have been made of a name.
pub(super) fn may_name(filter: &[u8], name: &str) -> bool {
    !filter.is_empty() && places(name, filter.len()).all(|(byte, bit)| filter.get(byte).is_some_and(|b| b & bit != 0))
}

/// Seven bits of a filter of so many bytes.
fn places(name: &str, length: usize) -> impl Iterator<Item = (usize, u8)> + use<> {
    let hash = Sha256::digest(name.as_bytes());
    let bits = (length * 8).max(1);
    (0..7_usize).map(move |probe| {
        let word = hash.get(probe * 4..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        let bit = u32::from_le_bytes(word) as usize % bits;
        (bit / 8, 1 << (bit % 8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_finds_what_is_in_it_and_seldom_more() {
        let names: Vec<String> = (0..600).map(|n| format!("user{n}@example.org")).collect();
        let bits = filter(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(names.iter().all(|name| may_name(&bits, name)));
        let wrong = (600..10_600).filter(|n| may_name(&bits, &format!("user{n}@example.org"))).count();
        assert!((1..300).contains(&wrong), "{wrong} of 10,000");
        assert!(!may_name(&filter(&[]), "user1@example.org"));
    }

    #[test]
    fn slots_follow_each_other() {
        assert_eq!((slot(0), slot(249_999), slot(250_000), slot(-1)), (0, 0, 1, -1));
        assert_eq!(slot_of(LogEntryId::at(1_700_000_000_249_999, u64::MAX)), 6_800_000_000);
        assert_eq!(slot_of(LogEntryId::at(1_700_000_000_250_000, 0)), 6_800_000_001);
    }

    #[test]
    fn what_is_damaged_is_said_to_be() {
        for bytes in [&b""[..], b"\x05\0\0\0x", b"\xff\xff\xff\x7f\x10", &lz4_flex::compress_prepend_size(b"\xff\xff")]
        {
            assert!(matches!(entries(FORMAT, bytes), Err(StorageError::Broken(_))), "{bytes:?}");
        }
        assert!(matches!(entries(2, b""), Err(StorageError::Broken(_))));
    }
}
