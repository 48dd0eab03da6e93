//! What a run counts: latencies by kind of request, wrong answers by kind of wrongness, refusals.
//!
//! Every connection counts for itself and the sum is made at the end, so that counting costs no shared cache line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Kinds of requests, told apart in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Get,
    Lookup,
    Create,
    Patch,
    Put,
    Page,
    AddMember,
    RemoveMember,
    Raw,
    Delete,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Lookup => "lookup",
            Self::Create => "create",
            Self::Patch => "patch",
            Self::Put => "put",
            Self::Page => "page",
            Self::AddMember => "add-member",
            Self::RemoveMember => "remove-member",
            Self::Raw => "raw",
            Self::Delete => "delete",
        }
    }
}

/// How often something went wrong, and how it looked the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) count: u64,
    pub(crate) example: String,
}

/// Counts of one connection, or of all.
#[derive(Default)]
pub(crate) struct Stats {
    /// Microseconds of right answers, by kind.
    latencies: BTreeMap<Kind, Histogram<u64>>,
    faults: BTreeMap<String, Fault>,
    /// Answers 429 or 503 that asked to come back later.
    pub(crate) throttled: u64,
}

impl Stats {
    /// Counts one right answer.
    pub(crate) fn right(&mut self, kind: Kind, elapsed: Duration) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
        // Grows as needed (`saturating_record` would not), so that no value is too great.
        let _ = self.latencies.entry(kind).or_insert_with(histogram).record(micros);
    }

    /// Counts one fault; `example` is asked for the first of its kind only.
    pub(crate) fn fault(&mut self, kind: Cow<'static, str>, example: impl FnOnce() -> String) {
        match self.faults.get_mut(kind.as_ref()) {
            Some(fault) => fault.count += 1,
            None => {
                self.faults.insert(kind.into_owned(), Fault { count: 1, example: example() });
            }
        }
    }

    /// Adds what another connection counted.
    pub(crate) fn add(&mut self, other: Self) {
        for (kind, latencies) in other.latencies {
            let sum = self.latencies.entry(kind).or_insert_with(histogram);
            // Both resize themselves, so every value of the one fits the other.
            let _ = sum.add(latencies);
        }
        for (kind, fault) in other.faults {
            let sum = self.faults.entry(kind).or_insert(Fault { count: 0, example: fault.example });
            sum.count += fault.count;
        }
        self.throttled += other.throttled;
    }

    /// Latencies by kind, in microseconds.
    pub(crate) fn by_kind(&self) -> impl Iterator<Item = (Kind, &Histogram<u64>)> {
        self.latencies.iter().map(|(kind, latencies)| (*kind, latencies))
    }

    /// Latencies of all kinds together.
    pub(crate) fn all(&self) -> Histogram<u64> {
        let mut all = histogram();
        for latencies in self.latencies.values() {
            let _ = all.add(latencies);
        }
        all
    }

    /// Faults by their kind.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.faults.iter().map(|(kind, fault)| (kind.as_str(), fault))
    }

    /// Number of faults of all kinds.
    pub(crate) fn errors(&self) -> u64 {
        self.faults.values().map(|fault| fault.count).sum()
    }
}

/// Three digits of precision, growing with what is recorded.
#[expect(clippy::expect_used, reason = "a constant precision that the library documents as valid")]
fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("3 is between 0 and 5")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded_on_all_connections() {
        let (mut one, mut two) = (Stats::default(), Stats::default());
        for micros in 1..=90 {
            one.right(Kind::Get, Duration::from_micros(micros));
        }
        for _ in 0..10 {
            two.right(Kind::Patch, Duration::from_millis(50));
        }
        one.add(two);
        let all = one.all();
        assert_eq!(all.len(), 100);
        assert_eq!(all.value_at_quantile(0.5), 50);
        assert_eq!(all.value_at_quantile(0.9), 90);
        let slow = all.value_at_quantile(0.99);
        assert!((49_900..=50_100).contains(&slow), "{slow}");
        assert_eq!(
            one.by_kind().map(|(kind, h)| (kind, h.len())).collect::<Vec<_>>(),
            [(Kind::Get, 90), (Kind::Patch, 10)]
        );
    }

    #[test]
    fn a_fault_keeps_its_first_example() {
        let (mut one, mut two) = (Stats::default(), Stats::default());
        one.fault("id".into(), || "first".to_owned());
        one.fault("id".into(), || "second".to_owned());
        two.fault("id".into(), || "third".to_owned());
        two.fault("status 500".into(), || "boom".to_owned());
        one.add(two);
        let faults: Vec<_> = one.faults().map(|(kind, fault)| (kind, fault.count, fault.example.as_str())).collect();
        assert_eq!(faults, [("id", 3, "first"), ("status 500", 1, "boom")]);
        assert_eq!(one.errors(), 4);
    }
}
