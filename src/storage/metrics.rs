//! Lock-free figures of the storage layer: sizes of commits, waits for connections. Telemetry prints snapshots.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of commit batches, in writes.
const BATCH_BOUNDS: [u64; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/// Upper bounds of waits for a connection, in microseconds.
const WAIT_BOUNDS: [u64; 10] = [100, 250, 1_000, 2_500, 10_000, 25_000, 100_000, 250_000, 1_000_000, 2_500_000];

/// Counts of values by upper bound. Recording touches two or three atomics and no lock.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    counts: [AtomicU64; 11],
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [u64; 10]) -> Self {
        Histogram { bounds, counts: Default::default(), sum: AtomicU64::new(0) }
    }

    /// Counts one value.
    pub fn record(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(value, Relaxed);
    }

    /// What was counted so far. Values recorded meanwhile may be in the sum and not yet in a bucket.
    pub fn snapshot(&self) -> HistogramSnapshot {
        let counts: Vec<u64> = self.counts.iter().map(|c| c.load(Relaxed)).collect();
        HistogramSnapshot { bounds: self.bounds, count: counts.iter().sum(), counts, sum: self.sum.load(Relaxed) }
    }
}

/// A copy of a histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramSnapshot {
    /// Inclusive upper bounds, ascending.
    pub bounds: &'static [u64],
    /// Values up to each bound and above the one before; the last entry counts those above all bounds.
    pub counts: Vec<u64>,
    /// All values.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
}

/// What the backends record.
#[derive(Debug)]
pub struct Metrics {
    /// Writes in one commit.
    pub commit_batch: Histogram,
    /// Microseconds until a pooled connection (or scan reader) was free.
    pub pool_wait: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics { commit_batch: Histogram::new(&BATCH_BOUNDS), pool_wait: Histogram::new(&WAIT_BOUNDS) }
    }
}

impl Metrics {
    /// Records a wait for a connection.
    pub fn record_pool_wait(&self, wait: Duration) {
        self.pool_wait.record(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
    }

    /// Copies everything.
    pub fn snapshot(&self) -> StorageMetrics {
        StorageMetrics { commit_batch: self.commit_batch.snapshot(), pool_wait: self.pool_wait.snapshot() }
    }
}

/// Figures since start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageMetrics {
    /// Writes in one commit.
    pub commit_batch: HistogramSnapshot,
    /// Microseconds until a pooled connection was free.
    pub pool_wait: HistogramSnapshot,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_count_up_to_their_bound_and_above_all_bounds() {
        let metrics = Metrics::default();
        for value in [0, 1, 2, 3, 4, 512, 513, 100_000] {
            metrics.commit_batch.record(value);
        }
        metrics.record_pool_wait(Duration::from_micros(250));
        let figures = metrics.snapshot();
        assert_eq!(figures.commit_batch.counts, [2, 1, 2, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!((figures.commit_batch.count, figures.commit_batch.sum), (8, 101_035));
        assert_eq!(figures.pool_wait.counts, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(figures.commit_batch.counts.len(), figures.commit_batch.bounds.len() + 1);
    }
}
