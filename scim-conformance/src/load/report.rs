//! The result of a run, as text for people or as one JSON object.

use std::fmt::{self, Display, Formatter};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::load::args::LoadArgs;
use crate::load::stats::Stats;

/// What the processes used between the beginning and the end of the measurement.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Usage {
    /// CPU microseconds of the server's tree; `None` when it was not asked for.
    pub(crate) server: Option<u64>,
    pub(crate) database: Option<u64>,
    pub(crate) client: Option<u64>,
    /// Resident kB of the server process: at the end, and at its highest.
    pub(crate) memory: Option<(u64, u64)>,
}

/// A finished run.
pub(crate) struct Report {
    pub(crate) args: LoadArgs,
    /// Seconds that were really measured.
    pub(crate) seconds: f64,
    pub(crate) stats: Stats,
    pub(crate) usage: Usage,
}

impl Report {
    fn requests(&self) -> u64 {
        self.stats.all().len()
    }

    fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.requests() as f64 / self.seconds } else { 0.0 }
    }

    /// CPU microseconds a request; `None` without requests or when not measured.
    fn each(&self, micros: Option<u64>) -> Option<f64> {
        let requests = self.requests();
        micros.filter(|_| requests > 0).map(|micros| micros as f64 / requests as f64)
    }

    fn sum(&self) -> Option<u64> {
        match (self.usage.server, self.usage.database) {
            (None, None) => None,
            (server, database) => Some(server.unwrap_or(0) + database.unwrap_or(0)),
        }
    }

    /// The whole result as one JSON object; times in microseconds, memory in kB.
    pub(crate) fn json(&self) -> Value {
        let workload = clap::ValueEnum::to_possible_value(&self.args.workload);
        let kinds: serde_json::Map<String, Value> =
            self.stats.by_kind().map(|(kind, latencies)| (kind.name().to_owned(), latency(latencies))).collect();
        let faults: serde_json::Map<String, Value> = self
            .stats
            .faults()
            .map(|(kind, fault)| (kind.to_owned(), json!({"count": fault.count, "example": fault.example})))
            .collect();
        json!({
            "workload": workload.map(|value| value.get_name().to_owned()),
            "connections": self.args.connections,
            "users": self.args.users,
            "group_size": self.args.group_size,
            "seconds": rounded(self.seconds),
            "requests": self.requests(),
            "requests_per_second": rounded(self.rate()),
            "latency_us": latency(&self.stats.all()),
            "kinds": kinds,
            "cpu_us_per_request": {
                "server": self.each(self.usage.server).map(rounded),
                "database": self.each(self.usage.database).map(rounded),
                "sum": self.each(self.sum()).map(rounded),
                "client": self.each(self.usage.client).map(rounded),
            },
            "server_memory_kb": self.usage.memory.map(|(now, highest)| json!({"now": now, "highest": highest})),
            "throttled": self.stats.throttled,
            "errors": self.stats.errors(),
            "errors_by_kind": faults,
        })
    }
}

fn latency(latencies: &Histogram<u64>) -> Value {
    json!({
        "requests": latencies.len(),
        "mean": rounded(latencies.mean()),
        "p50": latencies.value_at_quantile(0.5),
        "p90": latencies.value_at_quantile(0.9),
        "p99": latencies.value_at_quantile(0.99),
        "max": latencies.max(),
    })
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?}: {} requests in {:.1} s on {} connections, {:.0} a second",
            self.args.workload,
            self.requests(),
            self.seconds,
            self.args.connections,
            self.rate()
        )?;
        let all = self.stats.all();
        line(f, "latency", &all)?;
        if self.stats.by_kind().count() > 1 {
            for (kind, latencies) in self.stats.by_kind() {
                line(f, kind.name(), latencies)?;
            }
        }
        for (name, micros) in [
            ("server", self.usage.server),
            ("database", self.usage.database),
            ("together", self.sum()),
            ("this client", self.usage.client),
        ] {
            if let Some(each) = self.each(micros) {
                writeln!(f, "  cpu {name:<14} {each:.1} µs a request")?;
            }
        }
        if let Some((now, highest)) = self.usage.memory {
            let (now, highest) = (now as f64 / 1024.0, highest as f64 / 1024.0);
            writeln!(f, "  server memory      {now:.1} MiB, {highest:.1} MiB at its highest")?;
        }
        writeln!(f, "  throttled          {}", self.stats.throttled)?;
        write!(f, "  errors             {}", self.stats.errors())?;
        for (kind, fault) in self.stats.faults() {
            write!(f, "\n    {} × {kind}\n      such as {}", fault.count, fault.example)?;
        }
        Ok(())
    }
}

fn line(f: &mut Formatter<'_>, name: &str, latencies: &Histogram<u64>) -> fmt::Result {
    let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    writeln!(
        f,
        "  {name:<18} p50 {:.3}  p90 {:.3}  p99 {:.3}  max {:.3} ms  ({})",
        at(0.5),
        at(0.9),
        at(0.99),
        latencies.max() as f64 / 1000.0,
        latencies.len()
    )
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
