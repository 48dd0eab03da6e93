//! Request ids: the client's where it is harmless, else our own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::HeaderMap;

/// Name of the header, in requests and answers.
pub(super) const HEADER: &str = "x-request-id";
/// Longest id that is taken over.
const LONGEST: usize = 64;

/// Makes ids that are unique over restarts and instances: a random start and a counter.
pub(crate) struct RequestIds {
    start: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        // Without random bytes ids repeat after a restart, which is no reason not to serve.
        RequestIds { start: getrandom::u64().unwrap_or_default(), next: AtomicU64::new(1) }
    }

    /// The id of a request with these headers.
    pub(super) fn of(&self, headers: &HeaderMap) -> Arc<str> {
        let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match sent {
            Some(id) if is_harmless(id) => id.into(),
            _ => format!("{:016x}-{:x}", self.start, self.next.fetch_add(1, Ordering::Relaxed)).into(),
        }
    }
}

/// Short, and of characters that mean nothing in a log, a header or a page.
fn is_harmless(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= LONGEST
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    #[test]
    fn harmless_ids_are_kept_and_others_replaced() {
        let ids = RequestIds::new();
        let of = |sent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(HEADER), HeaderValue::from_str(sent).unwrap());
            ids.of(&headers).to_string()
        };
        let longest = "x".repeat(64);
        for kept in ["a", "A-1_b.c", longest.as_str()] {
            assert_eq!(of(kept), kept);
        }
        let too_long = "x".repeat(65);
        for replaced in ["", "a b", "a\"b", "<b>", too_long.as_str()] {
            assert_ne!(of(replaced), replaced);
        }
        assert_ne!(of(""), of(""));
    }
}
