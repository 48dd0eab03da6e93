//! Rules of `userName` beyond RFC 7643 §4.1.1: what two people could not tell apart on a screen is refused, so that
//! nobody registers another person's name with an invisible difference (RFC 7643 §9.3, PRECIS RFC 8265).

use crate::protocol::error::ScimError;
use crate::protocol::policy::Limits;

/// Judges a userName that is a string already.
///
/// # Errors
/// 400 `invalidValue`: blank, too long, blanks at an end, characters that are not visible.
pub(super) fn check_user_name(name: &str, limits: &Limits) -> Result<(), ScimError> {
    if name.trim().is_empty() {
        return Err(ScimError::invalid_value("`userName` is required and must not be blank"));
    }
    if name.len() > limits.user_name_characters && name.chars().count() > limits.user_name_characters {
        let most = limits.user_name_characters;
        return Err(ScimError::invalid_value(format!("`userName` is longer than {most} characters")));
    }
    if name.trim().len() != name.len() {
        return Err(ScimError::invalid_value("`userName` must not begin or end with a blank"));
    }
    if name.is_ascii() && !name.bytes().any(|b| b.is_ascii_control()) {
        return Ok(());
    }
    match name.chars().find(|c| c.is_control() || is_ignorable(*c) || matches!(c, '\u{2028}' | '\u{2029}')) {
        Some(c) => Err(ScimError::invalid_value(format!(
            "`userName` holds U+{:04X}: control, zero-width and bidirectional characters are not allowed",
            u32::from(c)
        ))),
        None => Ok(()),
    }
}

/// Unicode's Default_Ignorable_Code_Point: zero-width, bidirectional controls, fillers, variation selectors, tags.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}
