//! Groups of the organization: what a name and a description are, and the document that holds them.

use serde_json::{Map, Value};

/// Longest name, in characters.
const NAME: usize = 100;
/// Longest description, in characters.
const DESCRIPTION: usize = 500;

/// Members of a directory's group that only the directory changes.
pub const LOCKED_FIELDS: [&str; 4] = ["name", "description", "external_id", "members"];

/// Whether a text can be a group's name.
///
/// # Errors
/// What a name looks like.
pub fn check_name(name: &str) -> Result<(), String> {
    let count = name.trim().chars().count();
    let fine = (1..=NAME).contains(&count) && !name.chars().any(char::is_control);
    if fine { Ok(()) } else { Err(format!("A name has 1 to {NAME} characters, without control characters.")) }
}

/// Whether a text can be a group's description.
///
/// # Errors
/// What a description looks like.
pub fn check_description(text: &str) -> Result<(), String> {
    let fine = text.chars().count() <= DESCRIPTION && !text.chars().any(|c| c.is_control() && c != '\n');
    if fine {
        Ok(())
    } else {
        Err(format!("A description has at most {DESCRIPTION} characters, without control characters."))
    }
}

/// The document of a group that no directory owns.
pub fn document(name: &str, description: &str) -> String {
    let mut members = Map::new();
    members.insert("displayName".to_owned(), name.into());
    if !description.is_empty() {
        members.insert("description".to_owned(), description.into());
    }
    Value::Object(members).to_string()
}

/// A text member of a stored group's document: `description`, `externalId`.
pub fn text_of(document: &str, member: &str) -> Option<String> {
    let document: Value = serde_json::from_str(document).ok()?;
    document.get(member)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_descriptions_have_bounds() {
        for name in ["a", " Sales ", &"é".repeat(100)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert_eq!(check_description("two\nlines"), Ok(()));
        assert!(check_description("\u{7}").is_err() && check_description(&"x".repeat(501)).is_err());
    }

    #[test]
    fn a_document_gives_back_what_was_put_in() {
        let text = document("Sales", "Sells");
        assert_eq!(text_of(&text, "displayName").as_deref(), Some("Sales"));
        assert_eq!(text_of(&text, "description").as_deref(), Some("Sells"));
        assert_eq!(text_of(&document("Sales", ""), "description"), None);
        assert_eq!(text_of("", "externalId"), None);
    }
}
