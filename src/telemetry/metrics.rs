//! Counters and histograms in the Prometheus text format. A request costs one map look-up and two atomic additions: the
//! counter of each (route, method, status) is made once and kept.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::storage_metrics::StorageCollector;
use super::{LogWriter, RequestFacts, access, format};
use crate::storage::Database;

/// Methods told apart; the last stands for every other one, so that a client cannot make labels.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
/// Statuses told apart; the last stands for every other one.
const STATUSES: [&str; 26] = [
    "200", "201", "202", "204", "303", "304", "400", "401", "403", "404", "405", "406", "408", "409", "410", "412",
    "413", "414", "415", "422", "429", "431", "500", "501", "503", "other",
];
/// Upper bounds in seconds: from a primary-key read on SQLite to the handler's time-out.
const LATENCY_BOUNDS: [f64; 16] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

/// What is kept of one route.
struct RouteMetrics {
    latency: Histogram,
    requests: Vec<OnceLock<Counter>>,
}

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    routes: RwLock<HashMap<&'static str, Arc<RouteMetrics>>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("rollcall");
        let requests = Family::default();
        registry.register("http_requests", "Answered requests", requests.clone());
        let latency: Family<_, _, fn() -> Histogram> = Family::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS));
        registry.register_with_unit(
            "http_request_duration",
            "From the head of a request to its answer",
            Unit::Seconds,
            latency.clone(),
        );
        Metrics { registry, requests, latency, routes: RwLock::default() }
    }
}

impl Metrics {
    /// Metrics of a whole service: requests, commits and pools of its database, dropped log lines, entries of
    /// the provisioning log that were lost.
    pub fn new(db: &Database, log: Option<LogWriter>, lost: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let mut metrics = Metrics::default();
        let db = db.clone();
        metrics.registry.register_collector(Box::new(StorageCollector(Box::new(move || db.metrics()))));
        if let Some(log) = log {
            metrics.registry.register_collector(Box::new(DroppedLines(log)));
        }
        metrics.registry.register_collector(Box::new(LostEntries(Box::new(lost))));
        metrics
    }

    /// Counts an answered request and writes its access line. Meant to be called once a request, by the middleware.
    pub fn observe(&self, facts: &RequestFacts<'_>) {
        log::info!(target: access::TARGET, "{}", access::Line { facts, form: format::form() });
        let method = METHODS.iter().position(|m| *m == facts.method).unwrap_or(METHODS.len() - 1);
        let status = status_index(facts.status);
        let route = self.route(facts.route);
        route.latency.observe(facts.elapsed.as_secs_f64());
        if let Some(cell) = route.requests.get(method * STATUSES.len() + status) {
            cell.get_or_init(|| self.requests.get_or_create_owned(&labels(facts.route, method, status))).inc();
        }
    }

    /// All metrics as text (OpenMetrics 1.0, which Prometheus reads).
    ///
    /// # Errors
    /// None that a `String` can give.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn route(&self, pattern: &'static str) -> Arc<RouteMetrics> {
        if let Some(found) = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
            return Arc::clone(found);
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let entry = routes.entry(pattern).or_insert_with(|| {
            Arc::new(RouteMetrics {
                latency: self.latency.get_or_create_owned(&RouteLabels { route: pattern }),
                requests: (0..METHODS.len() * STATUSES.len()).map(|_| OnceLock::new()).collect(),
            })
        });
        Arc::clone(entry)
    }
}

/// Prints the count of dropped log lines.
struct DroppedLines(LogWriter);

impl std::fmt::Debug for DroppedLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DroppedLines")
    }
}

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counter = ConstCounter::new(self.0.dropped());
        let help = "Log lines dropped because what reads the log was too slow";
        counter.encode(encoder.encode_descriptor("log_lines_dropped", help, None, counter.metric_type())?)
    }
}

/// Prints the count of lost entries of the provisioning log.
struct LostEntries(Box<dyn Fn() -> u64 + Send + Sync>);

impl std::fmt::Debug for LostEntries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LostEntries")
    }
}

impl Collector for LostEntries {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counter = ConstCounter::new((self.0)());
        let help = "Entries of the provisioning log lost because they came faster than the database takes them";
        counter.encode(encoder.encode_descriptor("provisioning_log_lost", help, None, counter.metric_type())?)
    }
}

fn labels(route: &'static str, method: usize, status: usize) -> RequestLabels {
    let pick = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or("other");
    RequestLabels { route, method: pick(&METHODS, method), status: pick(&STATUSES, status) }
}

fn status_index(status: u16) -> usize {
    let digits = [b'0' + (status / 100 % 10) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8];
    STATUSES.iter().position(|s| s.as_bytes() == digits).unwrap_or(STATUSES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn observed(cases: &[(&str, u16)]) -> String {
        let metrics = Metrics::default();
        for (method, status) in cases {
            metrics.observe(&RequestFacts {
                route: "/scim/v2/Users",
                method,
                path: "/scim/v2/Users",
                status: *status,
                elapsed: Duration::from_micros(700),
                request_id: "r",
                organization: None,
                connection: None,
                token: None,
            });
        }
        metrics.render().unwrap()
    }

    #[test]
    fn requests_are_counted_by_route_method_and_status() {
        let text = observed(&[("GET", 200), ("GET", 200), ("POST", 409)]);
        let lines: Vec<&str> = text.lines().collect();
        for (method, status, n) in [("GET", 200, 2), ("POST", 409, 1)] {
            let line = format!(
                "rollcall_http_requests_total{{route=\"/scim/v2/Users\",method=\"{method}\",status=\"{status}\"}} {n}"
            );
            assert!(lines.contains(&line.as_str()), "{line}\n{text}");
        }
        let bucket = "rollcall_http_request_duration_seconds_bucket{le=\"0.001\",route=\"/scim/v2/Users\"} 3";
        assert!(lines.contains(&bucket), "{text}");
        assert_eq!(lines.last(), Some(&"# EOF"));
    }

    #[test]
    fn client_cannot_make_labels() {
        let text = observed(&[("BREW", 200), ("\"}", 200), ("GET", 418), ("GET", 999)]);
        assert_eq!(text.lines().filter(|l| l.starts_with("rollcall_http_requests_total")).count(), 2, "{text}");
    }
}
