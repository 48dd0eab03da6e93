//! The access line: one a request, at level `info`, target `rollcall::access`.

use std::fmt::{self, Display, Write as _};

use super::RequestFacts;

/// Target of access lines in `RUST_LOG`.
pub(super) const TARGET: &str = "rollcall::access";

/// Fields of a line as `name=value`, for people.
pub(super) struct Line<'a>(pub(super) &'a RequestFacts<'a>);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.0;
        f.write_str(facts.method)?;
        f.write_char(' ')?;
        f.write_str(facts.path)?;
        write!(f, " status={} us={} request={}", facts.status, facts.elapsed.as_micros(), facts.request_id)
    }
}
