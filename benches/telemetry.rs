//! What one request pays for its access line and its metrics. Lines go to the standard error output, so:
//! `cargo bench --bench telemetry 2> /dev/null`

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rollcall::config::LogFormat;
use rollcall::domain::ids::{ConnectionId, OrganizationId, TokenId};
use rollcall::telemetry::{Metrics, RequestFacts, start_logging};
use uuid::Uuid;

fn observe(c: &mut Criterion) {
    let metrics = Metrics::default();
    let facts = RequestFacts {
        route: "/scim/v2/Users/{id}",
        method: "GET",
        path: "/scim/v2/Users/0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
        status: 200,
        elapsed: Duration::from_micros(137),
        request_id: "0123456789abcdef-1f",
        organization: Some(OrganizationId(Uuid::from_u128(1))),
        connection: Some(ConnectionId(Uuid::from_u128(2))),
        token: Some(TokenId(Uuid::from_u128(3))),
    };
    c.bench_function("metrics alone, no log", |b| b.iter(|| metrics.observe(black_box(&facts))));
    let log = start_logging("info", LogFormat::Text);
    c.bench_function("metrics and access line", |b| b.iter(|| metrics.observe(black_box(&facts))));
    drop(log);
}

criterion_group!(benches, observe);
criterion_main!(benches);
