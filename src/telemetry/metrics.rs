//! Counters and histograms in the Prometheus text format. A request costs one map look-up and two atomic additions: the
//! counter of each (route, method, status) is made once and kept.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{RequestFacts, access};

/// Methods told apart; the last stands for every other one, so that a client cannot make labels.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
/// Statuses told apart; the last stands for every other one.
const STATUSES: [&str; 25] = [
    "200", "201", "202", "204", "303", "304", "400", "401", "403", "404", "405", "406", "408", "409", "410", "412",
    "413", "414", "415", "429", "431", "500", "501", "503", "other",
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
    /// Counts an answered request and writes its access line. Meant to be called once a request, by the middleware.
    pub fn observe(&self, facts: &RequestFacts<'_>) {
        log::info!(target: access::TARGET, "{}", access::Line(facts));
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

fn labels(route: &'static str, method: usize, status: usize) -> RequestLabels {
    let pick = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or("other");
    RequestLabels { route, method: pick(&METHODS, method), status: pick(&STATUSES, status) }
}

fn status_index(status: u16) -> usize {
    let digits = [b'0' + (status / 100 % 10) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8];
    STATUSES.iter().position(|s| s.as_bytes() == digits).unwrap_or(STATUSES.len() - 1)
}
