//! Any text is a filter or a refusal; a filter prints to text that parses to itself; a bound one evaluates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall::protocol::filter::{bind::bind, evaluate::evaluate, parse::parse};
use rollcall::protocol::policy::{Limits, Policy};
use rollcall::protocol::schema::Registry;

fuzz_target!(|text: &str| {
    let policy = Policy::default();
    let Ok(filter) = parse(text, &policy.limits) else { return };
    // Printing may need a pair of parentheses more than the text had (`a[b or c].d pr`).
    let roomy = Limits { filter_bytes: usize::MAX, filter_depth: 64, ..policy.limits.clone() };
    assert_eq!(parse(&filter.to_string(), &roomy).as_ref(), Ok(&filter));
    let registry = Registry::builtin();
    for rt in [&registry.user, &registry.group] {
        if let Ok(bound) = bind(&filter, rt, &policy) {
            evaluate(&bound, &serde_json::Map::new());
        }
    }
});
