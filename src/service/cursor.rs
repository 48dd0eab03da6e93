//! Cursors: where a page ended, sealed so that nobody makes or changes one. A cursor is bound to whatever its list depends on
//! (organization, route, filter, sort), so that it can't be used on another list. The same codec serves every surface.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::Value;

use crate::config::SecretKey;

/// Bytes of the seal in front of the position.
const SEAL: usize = 32;
/// Longest cursor that is looked at; a position has a few keys of at most 255 characters each.
const LONGEST: usize = 8 * 1024;

/// A value that a list is sorted by. The order is that of the storage: absent values last, keys as bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A number, a time.
    Number(i64),
    /// A comparison key, an id.
    Text(String),
    /// No value.
    Absent,
}

/// Which way a page lies from a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Behind it.
    Forward,
    /// Before it.
    Backward,
}

/// A place between two rows of a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Where the page lies that is asked for.
    pub direction: Direction,
    /// The sort keys of the row beside it, its id last.
    pub keys: Vec<Key>,
}

/// What a list depends on, digested.
#[derive(Debug, Clone)]
pub struct Binding(Vec<u8>);

impl Binding {
    /// Binds to these parts, each as a whole: `["ab", "c"]` is not `["a", "bc"]`.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Binding(bytes)
    }
}

/// Seals and opens cursors. One for the process; every instance with the same secret key reads the others' cursors.
pub struct Cursors {
    key: hmac::Key,
}

impl Cursors {
    /// Derives the key for this purpose.
    pub fn new(secret_key: &SecretKey) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret_key.reveal());
        let derived = hmac::sign(&root, b"rollcall cursor 1");
        Cursors { key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) }
    }

    /// The text of a position.
    pub fn seal(&self, binding: &Binding, position: &Position) -> String {
        let payload = print(position);
        let seal = hmac::sign(&self.key, &signed(binding, &payload));
        let mut bytes = seal.as_ref().to_vec();
        bytes.extend_from_slice(&payload);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position in a text; `None` for what was not sealed here for this binding.
    pub fn open(&self, binding: &Binding, text: &str) -> Option<Position> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (seal, payload) = bytes.split_at_checked(SEAL)?;
        hmac::verify(&self.key, &signed(binding, payload), seal).ok()?;
        parse(payload)
    }
}

fn signed(binding: &Binding, payload: &[u8]) -> Vec<u8> {
    let mut all = (binding.0.len() as u64).to_be_bytes().to_vec();
    all.extend_from_slice(&binding.0);
    all.extend_from_slice(payload);
    all
}

/// `[backward, key, key …]`; an absent key is null.
fn print(position: &Position) -> Vec<u8> {
    let mut values = vec![Value::Bool(position.direction == Direction::Backward)];
    values.extend(position.keys.iter().map(|key| match key {
        Key::Number(number) => Value::from(*number),
        Key::Text(text) => Value::from(text.as_str()),
        Key::Absent => Value::Null,
    }));
    Value::Array(values).to_string().into_bytes()
}

fn parse(payload: &[u8]) -> Option<Position> {
    let values: Vec<Value> = serde_json::from_slice(payload).ok()?;
    let mut values = values.into_iter();
    let direction = if values.next()?.as_bool()? { Direction::Backward } else { Direction::Forward };
    let key = |value| match value {
        Value::Null => Some(Key::Absent),
        Value::String(text) => Some(Key::Text(text)),
        Value::Number(number) => number.as_i64().map(Key::Number),
        _ => None,
    };
    let keys = values.map(key).collect::<Option<Vec<_>>>()?;
    Some(Position { direction, keys })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors(first: u8) -> Cursors {
        Cursors::new(&SecretKey::new(std::array::from_fn(|at| first.wrapping_add(at as u8))))
    }

    fn position() -> Position {
        let keys = vec![Key::Text("ängström \"x\"".to_owned()), Key::Number(i64::MIN), Key::Absent];
        Position { direction: Direction::Backward, keys }
    }

    #[test]
    fn a_sealed_position_opens_with_its_binding_only() {
        let (ours, binding) = (cursors(1), Binding::of(["organization", "/users", "status=active", "name"]));
        let text = ours.seal(&binding, &position());
        assert_eq!(ours.open(&binding, &text), Some(position()));
        assert_eq!(cursors(1).open(&binding, &text), Some(position()));
        assert_eq!(cursors(2).open(&binding, &text), None);
        for other in [
            Binding::of(["organization", "/users", "status=active", "-name"]),
            Binding::of(["other", "/users", "status=active", "name"]),
            Binding::of(["organization", "/users", "status=activename"]),
            Binding::of([]),
        ] {
            assert_eq!(ours.open(&other, &text), None);
        }
    }

    #[test]
    fn a_changed_character_spoils_a_cursor() {
        let (ours, binding) = (cursors(1), Binding::of(["a"]));
        let text = ours.seal(&binding, &position());
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character may have bits that the decoder refuses or that are none of the bytes.
            assert_eq!(ours.open(&binding, &changed), None, "{at}");
        }
        for nonsense in ["", "x", "!!", &text[..10], &"A".repeat(10_000)] {
            assert_eq!(ours.open(&binding, nonsense), None);
        }
    }

    #[test]
    fn absent_values_come_last() {
        assert!(Key::Number(1) < Key::Absent && Key::Text("z".to_owned()) < Key::Absent);
        assert!(Key::Text("a".to_owned()) < Key::Text("b".to_owned()));
    }
}
