//! Comparison keys and typed values: one function for uniqueness, filter and sort. Strings that are not caseExact
//! compare by NFKC, full case folding, NFKC (PRECIS UsernameCaseMapped of RFC 8265, with inner blanks allowed).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The key of a string that is not caseExact.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    let once: String = text.nfkc().collect();
    let folded = caseless::default_case_fold_str(&once);
    Cow::Owned(folded.nfkc().collect())
}

/// The key of a string by its attribute's `caseExact`.
pub fn key(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact { Cow::Borrowed(text) } else { fold(text) }
}

/// Microseconds since 1970 UTC of an `xsd:dateTime` with offset (RFC 7643 §2.3.5), any precision.
pub fn instant(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_micros())
}
