//! Organizations: the name for people; the slug, which is short, unique and safe in a URL or a shell; what the operator
//! switched on.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// Longest slug.
const SLUG: usize = 50;
/// Longest name, in characters.
const NAME: usize = 200;

/// Most organizations from a sub-account up to the one without a parent, both included.
pub const DEPTH: usize = 5;

/// What the operator switched on for an organization. Members that this version does not know are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Features {
    /// Whether it may have sub-accounts.
    pub sub_accounts: bool,
    /// Whether its Admins may release people whom the directory deactivated.
    pub tenant_release: bool,
}

impl Features {
    /// Reads a stored document.
    ///
    /// # Errors
    /// What is wrong with a document that is no such JSON object.
    pub fn parse(document: &str) -> Result<Self, serde_json::Error> {
        // Through a map: a derived struct would also be read from an array.
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(document)?;
        serde_json::from_value(members.into())
    }
}

/// A slug for a name: its ASCII letters and digits in lower case, hyphens between. Accents are dropped.
pub fn derive_slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.nfkd().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !is_mark(c) && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == SLUG {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "organization".to_owned() } else { slug.to_owned() }
}

/// The slug to try when this one is taken by others: `acme-2`, within the longest length.
pub fn numbered_slug(slug: &str, n: u32) -> String {
    let end = format!("-{n}");
    let room = SLUG.saturating_sub(end.len()).min(slug.len());
    format!("{}{end}", slug.get(..room).unwrap_or(slug).trim_end_matches('-'))
}

/// Whether a text can be a slug.
///
/// # Errors
/// What a slug looks like.
pub fn check_slug(slug: &str) -> Result<(), String> {
    let fine = (1..=SLUG).contains(&slug.len())
        && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !slug.starts_with('-')
        && !slug.ends_with('-');
    if fine { Ok(()) } else { Err(format!("a slug has 1 to {SLUG} of a-z, 0-9 and -, and no - at its ends")) }
}

/// Whether a text can be a name for people (of an organization, a connection, a token).
///
/// # Errors
/// What a name looks like.
pub fn check_name(name: &str) -> Result<(), String> {
    let fine = !name.trim().is_empty() && name.chars().count() <= NAME && !name.chars().any(char::is_control);
    if fine { Ok(()) } else { Err(format!("a name has 1 to {NAME} characters, without control characters")) }
}

/// Combining marks that decomposition leaves behind a letter.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slug_keeps_letters_and_digits_of_a_name() {
        let cases = [
            ("Example", "example"),
            ("Acme & Sons, Inc.", "acme-sons-inc"),
            ("  Café Zürich 24 ", "cafe-zurich-24"),
            ("ＦＵＬＬ　ｗｉｄｔｈ", "full-width"),
            ("日本", "organization"),
            ("", "organization"),
            ("--a--", "a"),
        ];
        for (name, slug) in cases {
            assert_eq!(derive_slug(name), slug, "{name}");
        }
    }

    #[test]
    fn what_is_derived_is_a_slug() {
        for name in ["x".repeat(300), format!("{} b", "a".repeat(49)), "é".repeat(60), "Ⅷ ﷺ".to_owned()] {
            let slug = derive_slug(&name);
            assert_eq!(check_slug(&slug), Ok(()), "{slug}");
            assert_eq!(check_slug(&numbered_slug(&slug, 4_294_967_295)), Ok(()), "{slug}");
        }
        assert_eq!(numbered_slug("acme", 2), "acme-2");
    }

    #[test]
    fn anything_else_is_no_slug_or_name() {
        for slug in ["", "-a", "a-", "A", "a_b", "a b", "é", &"x".repeat(51)] {
            assert!(check_slug(slug).is_err(), "{slug}");
        }
        for name in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert_eq!(check_name("Acme & Sons"), Ok(()));
    }
}
