//! Prints what storage counts (sizes of commits, waits for connections) among the other metrics. Storage counts for itself,
//! without knowing Prometheus.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::storage::StorageMetrics;
use crate::storage::metrics::HistogramSnapshot;

/// Asks for a snapshot at each scrape.
pub(super) struct StorageCollector(pub(super) Box<dyn Fn() -> StorageMetrics + Send + Sync>);

impl fmt::Debug for StorageCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageCollector")
    }
}

impl Collector for StorageCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let StorageMetrics { commit_batch, pool_wait } = (self.0)();
        histogram(&mut encoder, "commit_batch", "Writes in one commit", None, &commit_batch, 1.0)?;
        let help = "Waits for a database connection";
        histogram(&mut encoder, "pool_wait", help, Some(&Unit::Seconds), &pool_wait, 1e6)
    }
}

fn histogram(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    snapshot: &HistogramSnapshot,
    per_unit: f64,
) -> fmt::Result {
    let bounds = snapshot.bounds.iter().map(|b| *b as f64 / per_unit).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(snapshot.counts.iter().copied()).collect();
    let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
    metric.encode_histogram::<NoLabelSet>(snapshot.sum as f64 / per_unit, snapshot.count, &buckets, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[test]
    fn storage_counts_are_printed_in_seconds_and_writes() {
        let storage = crate::storage::metrics::Metrics::default();
        storage.commit_batch.record(3);
        storage.record_pool_wait(std::time::Duration::from_micros(2_000));
        let mut registry = Registry::with_prefix("rollcall");
        registry.register_collector(Box::new(StorageCollector(Box::new(move || storage.snapshot()))));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "rollcall_commit_batch_bucket{le=\"2.0\"} 0",
            "rollcall_commit_batch_bucket{le=\"4.0\"} 1",
            "rollcall_commit_batch_sum 3.0",
            "rollcall_pool_wait_seconds_bucket{le=\"0.0001\"} 0",
            "rollcall_pool_wait_seconds_bucket{le=\"0.0025\"} 1",
            "rollcall_pool_wait_seconds_bucket{le=\"+Inf\"} 1",
            "rollcall_pool_wait_seconds_count 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
