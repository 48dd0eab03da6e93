//! The arithmetic of the report: CPU a request, with and without a database, and nothing without requests.

use std::time::Duration;

use clap::Parser;

use super::*;
use crate::load::stats::Kind;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    load: LoadArgs,
}

fn report(requests: u64, usage: Usage) -> Report {
    let args = Line::parse_from(["load", "--url", "http://x", "--token", "t", "--workload", "group-member"]).load;
    let mut stats = Stats::default();
    for _ in 0..requests {
        stats.right(Kind::AddMember, Duration::from_micros(700));
    }
    Report { args, seconds: 2.0, stats, usage }
}

#[test]
fn cpu_is_told_for_a_request_separately_and_summed() {
    let usage = Usage { server: Some(2500), database: Some(5000), client: None, memory: Some((2048, 4096)) };
    let json = report(100, usage).json();
    assert_eq!(json["workload"], "group-member");
    assert_eq!(json["cpu_us_per_request"], json!({"server": 25.0, "database": 50.0, "sum": 75.0, "client": null}));
    assert_eq!(json["requests_per_second"], 50.0);
    assert_eq!(json["latency_us"]["p99"], 700);
    assert_eq!(json["kinds"]["add-member"]["requests"], 100);
    assert_eq!(json["server_memory_kb"], json!({"now": 2048, "highest": 4096}));
}

#[test]
fn what_was_not_measured_is_null_and_not_zero() {
    let json = report(100, Usage::default()).json();
    assert_eq!(json["cpu_us_per_request"]["sum"], Value::Null);
    let json = report(0, Usage { server: Some(2500), ..Usage::default() }).json();
    assert_eq!(json["cpu_us_per_request"]["server"], Value::Null);
    assert_eq!(json["requests"], 0);
}

#[test]
fn the_text_shows_an_example_of_each_fault() {
    let mut report = report(1, Usage { server: Some(40), ..Usage::default() });
    report.stats.fault("status 500".into(), || "GET /Users/7: boom".to_owned());
    let text = report.to_string();
    assert!(text.contains("cpu server         40.0 µs a request"), "{text}");
    assert!(text.contains("1 × status 500\n      such as GET /Users/7: boom"), "{text}");
}
