//! Any text is a PATCH path or a refusal; a path prints to text that parses to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall::protocol::path::parse::parse_patch;
use rollcall::protocol::policy::Limits;

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let Ok(path) = parse_patch(text, &limits) else { return };
    let roomy = Limits { filter_bytes: usize::MAX, filter_depth: 64, ..limits };
    assert_eq!(parse_patch(&path.to_string(), &roomy), Ok(path));
});
