//! Reads a request body into JSON in one pass that keeps the bounds while it builds: UTF-8, one document, nesting,
//! members of an object, each name once (RFC 8259 §4 leaves repeated names open; two readers would then see two
//! resources), no U+0000 (PostgreSQL cannot store it).

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::protocol::error::ScimError;
use crate::protocol::policy::Limits;

/// Parses a request body: UTF-8, one JSON document, within `json_depth` and `object_members`.
///
/// # Errors
/// 400 `invalidSyntax`; 400 `invalidValue` for U+0000 in a name or string.
pub fn parse_json(bytes: &[u8], limits: &Limits) -> Result<Value, ScimError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ScimError::invalid_syntax("The body is not UTF-8"))?;
    let refusal = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Recursion is bounded by `json_depth`, and by serde_json at 128 whatever the settings say.
    let parsed = Seed { depth: 0, limits, refusal: &refusal }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    parsed.map_err(|error| {
        refusal
            .take()
            .unwrap_or_else(|| ScimError::invalid_syntax(format!("The body is not one JSON document: {error}")))
    })
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    depth: usize,
    limits: &'a Limits,
    /// What the engine refuses, since serde's error type carries only text.
    refusal: &'a RefCell<Option<ScimError>>,
}

impl Seed<'_> {
    fn refuse<E: serde::de::Error>(&self, error: ScimError) -> E {
        let text = E::custom(&error.detail);
        *self.refusal.borrow_mut() = Some(error);
        text
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > self.limits.json_depth {
            let most = self.limits.json_depth;
            return Err(self.refuse(ScimError::invalid_syntax(format!("The body nests deeper than {most} levels"))));
        }
        Ok(Seed { depth, ..self })
    }

    fn text<E: serde::de::Error>(&self, text: String) -> Result<String, E> {
        if text.as_bytes().contains(&0) {
            return Err(self.refuse(ScimError::invalid_value("A string holds U+0000, which no attribute may contain")));
        }
        Ok(text)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value.to_owned()).map(Value::String)
    }
    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.text(value).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let name = self.text(name)?;
            let value = access.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("an object has a name twice"));
            }
            if members.len() > self.limits.object_members {
                let most = self.limits.object_members;
                return Err(self.refuse(ScimError::invalid_syntax(format!("An object has more than {most} members"))));
            }
        }
        Ok(Value::Object(members))
    }
}
