//! Ids of what an import makes. They follow from the file, so that an import which goes on after a crash finds what it made
//! before, and a line may refer to another one without anybody having to remember it.

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use crate::domain::ids::{OrganizationId, ResourceId};

/// Lines that share a millisecond, as many as the sequence within one can tell apart.
const LINES: u64 = 4_096;

/// One run of an import, however often it was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    /// Whose people they become.
    pub organization: OrganizationId,
    /// Of the run.
    pub id: Uuid,
    /// When it first began, µs since 1970 UTC.
    pub started: i64,
}

/// What names a user or group in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// The `id` of its line.
    Id(&'a str),
    /// The number of its line, where that has no `id`.
    Line(u64),
}

impl Import {
    /// The id that it gets here: version 7. It never is the file's own, since no two organizations share an id. The time
    /// of a file's version 7 id stays, so that an exported list keeps its order; else the lines' order is kept where
    /// lines have no `id`.
    pub fn id_of(&self, source: Source<'_>) -> ResourceId {
        let (millis, sequence, digest) = match source {
            Source::Id(text) => {
                let digest = Sha256::new().chain_update(self.organization.0.as_bytes()).chain_update(text);
                match Uuid::try_parse(text) {
                    Ok(id) if id.get_version_num() == 7 => (time(id), Some(sequence(id)), digest),
                    _ => (self.millis(0), None, digest),
                }
            }
            Source::Line(number) => {
                let digest = Sha256::new().chain_update(self.id.as_bytes()).chain_update(number.to_be_bytes());
                let sequence = u16::try_from(number % LINES).unwrap_or_default();
                (self.millis(number / LINES), Some(sequence), digest)
            }
        };
        let mut rest = [0; 10];
        for (to, from) in rest.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        if let (Some(sequence), [first, second, ..]) = (sequence, &mut rest) {
            [*first, *second] = sequence.to_be_bytes();
        }
        ResourceId(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
    }

    fn millis(&self, more: u64) -> u64 {
        u64::try_from(self.started / 1_000).unwrap_or_default() + more
    }
}

/// Milliseconds of a version 7 id.
fn time(id: Uuid) -> u64 {
    u64::try_from(id.as_u128() >> 80).unwrap_or_default()
}

/// The twelve bits behind them.
fn sequence(id: Uuid) -> u16 {
    u16::try_from((id.as_u128() >> 64) & 0xfff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(organization: u128) -> Import {
        let started = 1_795_510_464_123_456;
        Import { organization: OrganizationId(Uuid::from_u128(organization)), id: Uuid::from_u128(9), started }
    }

    #[test]
    fn an_id_of_the_file_keeps_its_time_but_not_itself() {
        let file = "019352a4-1b2c-7123-8abc-0123456789ab";
        let id = import(1).id_of(Source::Id(file)).0;
        assert_eq!(id.get_version_num(), 7);
        assert!(id.to_string().starts_with("019352a4-1b2c-7123-"), "{id}");
        assert_ne!(id.to_string(), file);
        assert_eq!(import(1).id_of(Source::Id(file)).0, id);
        assert_ne!(import(2).id_of(Source::Id(file)).0, id, "no two organizations share an id");
    }

    #[test]
    fn other_names_and_lines_get_the_time_of_the_import() {
        let millis = 1_795_510_464_123;
        let ids: Vec<_> = (1..10_000).map(|number| import(1).id_of(Source::Line(number))).collect();
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!((time(ids[0].0), time(ids[9_000].0)), (millis, millis + 2));
        let (anna, ben) = (import(1).id_of(Source::Id("anna")), import(1).id_of(Source::Id("ben")));
        assert!(anna != ben && time(anna.0) == millis && anna.0.get_version_num() == 7);
    }
}
