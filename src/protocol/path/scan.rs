//! The characters under the grammars of filters and paths: a cursor over the text, words, names, and the position of
//! what does not fit. Every byte is looked at a bounded number of times, so time is linear in the text.

use std::borrow::Cow;

use super::AttrPath;
use crate::protocol::error::ScimError;

/// What does not fit, and where (byte offset).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::protocol) struct Malformed {
    at: usize,
    message: Cow<'static, str>,
}

impl Malformed {
    fn sentence(&self, text: &str) -> String {
        let position = text.get(..self.at).map_or(0, |before| before.chars().count()) + 1;
        format!("{} at position {position}", self.message)
    }

    /// As the refusal of a filter.
    pub(in crate::protocol) fn in_filter(&self, text: &str) -> ScimError {
        ScimError::invalid_filter(self.sentence(text))
    }

    /// As the refusal of a PATCH path.
    pub(in crate::protocol) fn in_path(&self, text: &str) -> ScimError {
        ScimError::invalid_path(self.sentence(text))
    }
}

/// A cursor over a filter or path.
#[derive(Debug, Clone)]
pub(in crate::protocol) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(in crate::protocol) fn new(text: &'a str) -> Self {
        Scanner { text, at: 0 }
    }

    /// Where the cursor stands; only for `rewind`.
    pub(in crate::protocol) fn mark(&self) -> usize {
        self.at
    }

    /// Goes back to a mark.
    pub(in crate::protocol) fn rewind(&mut self, mark: usize) {
        self.at = mark;
    }

    /// A refusal at the cursor.
    pub(in crate::protocol) fn fail<T>(&self, message: impl Into<Cow<'static, str>>) -> Result<T, Malformed> {
        self.fail_at(self.at, message)
    }

    /// A refusal at a mark.
    pub(in crate::protocol) fn fail_at<T>(
        &self,
        at: usize,
        message: impl Into<Cow<'static, str>>,
    ) -> Result<T, Malformed> {
        Err(Malformed { at, message: message.into() })
    }

    /// The rest of the text.
    pub(in crate::protocol) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte.
    pub(in crate::protocol) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes the next byte if it is this one.
    pub(in crate::protocol) fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    /// Takes blanks; whether there was one.
    pub(in crate::protocol) fn blanks(&mut self) -> bool {
        let before = self.at;
        self.while_byte(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.at > before
    }

    /// Takes the longest run of bytes that fit.
    pub(in crate::protocol) fn while_byte(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !fits(byte)).unwrap_or(rest.len());
        // A predicate that accepts parts of a character would end inside it; ours accept ASCII only.
        let run = rest.get(..length).unwrap_or_default();
        self.at += run.len();
        run
    }

    /// Takes this many bytes, which must end between characters.
    pub(in crate::protocol) fn advance(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// Takes a run of the characters of URIs, attribute names and operators (no parentheses, brackets, quotes, blanks).
    pub(in crate::protocol) fn word(&mut self) -> &'a str {
        self.while_byte(is_word_byte)
    }

    /// Takes an attribute path: `[URI ":"] name ["." sub]`.
    pub(in crate::protocol) fn attr_path(&mut self) -> Result<AttrPath, Malformed> {
        let start = self.at;
        let word = self.word();
        match split_attr_path(word) {
            Some(path) => Ok(path),
            None if word.is_empty() => self.fail_at(start, "An attribute name is missing"),
            None => self.fail_at(start, format!("'{}' is no attribute path", clip(word))),
        }
    }

    /// Takes a sub-attribute name.
    pub(in crate::protocol) fn name(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        let word = self.word();
        if is_name(word) { Ok(word) } else { self.fail_at(start, "A sub-attribute name is missing") }
    }
}

/// Splits a word at its last colon and the dot behind it: versions such as `2.0` in a URN stay whole.
pub(super) fn split_attr_path(word: &str) -> Option<AttrPath> {
    let (urn, rest) = match word.rsplit_once(':') {
        Some((urn, rest)) => (Some(urn), rest),
        None => (None, word),
    };
    let (name, sub) = match rest.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (rest, None),
    };
    let fits = urn != Some("") && is_name(name) && sub.is_none_or(is_name);
    fits.then(|| AttrPath { urn: urn.map(Into::into), name: name.into(), sub: sub.map(Into::into) })
}

/// ATTRNAME of RFC 7644 figure 1, and `$ref`, which RFC 7643 §7 names although the figure's grammar lacks `$`.
fn is_name(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'$')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'_' | b'-'
                | b'.'
                | b':'
                | b'$'
                | b'%'
                | b'/'
                | b'~'
                | b'+'
                | b'@'
                | b'!'
                | b'&'
                | b'\''
                | b'*'
                | b','
                | b';'
                | b'='
                | b'?'
                | b'#'
        )
}

/// At most 64 characters of a client's text, so that an error stays short.
pub(in crate::protocol) fn clip(text: &str) -> &str {
    match text.char_indices().nth(64) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}
