//! Tests of filters: grammar, binding, meaning, and the comparison with another parser.

mod bind;
mod evaluate;
mod grammar;
mod oracle;

/// The examples of RFC 7644 §3.4.2.2, one a line: the two of its text, then figure 2.
const RFC_EXAMPLES: &str = include_str!("../../../../tests/fixtures/rfc/filter_3.4.2.2.txt");
