//! The query string: decoded pairs for searches, `attributes` and `excludedAttributes` for single resources.

use super::query::decode;
use crate::protocol::error::ScimError;
use crate::protocol::projection::Projection;
use crate::protocol::schema::ResourceType;

/// The parameters of a query string, decoded: `+` and `%20` are blanks, empty pairs (a trailing `?` or `&`) nothing.
///
/// # Errors
/// 400 `invalidValue` for what is no percent-encoded UTF-8.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, ScimError> {
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

fn pair(text: &str) -> Result<(String, String), ScimError> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let name = decode(name).ok_or_else(|| ScimError::invalid_value("A query parameter's name is wrongly encoded"))?;
    let value = decode(value)
        .ok_or_else(|| ScimError::invalid_value(format!("The query parameter {name} is wrongly encoded")))?;
    Ok((name, value))
}

/// What the query says about the answer to a single resource.
pub(crate) struct Selection {
    /// What is shown.
    pub(crate) projection: Projection,
    /// Whether `attributes` was given, so that a PATCH answers with a body (RFC 7644 §3.5.2).
    pub(crate) names_attributes: bool,
}

/// Reads `attributes` and `excludedAttributes`; other parameters are ignored (R37).
///
/// # Errors
/// 400 `invalidValue`: wrongly encoded, one given twice, both given, a never-returned attribute.
pub(crate) fn selection(query: &str, rt: &ResourceType) -> Result<Selection, ScimError> {
    let (mut attributes, mut excluded) = (None, None);
    if !query.is_empty() {
        for (name, value) in pairs(query)? {
            let place = match name.as_str() {
                "attributes" => &mut attributes,
                "excludedAttributes" => &mut excluded,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(ScimError::invalid_value(format!("The query parameter {name} is given twice")));
            }
        }
    }
    Ok(Selection {
        projection: Projection::parse(rt, attributes.as_deref(), excluded.as_deref())?,
        names_attributes: attributes.is_some_and(|names| !names.trim().is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::schema::{Registry, ResourceKind};

    #[test]
    fn pairs_are_decoded() {
        for (query, expected) in [
            ("", &[][..]),
            ("&&", &[]),
            ("a", &[("a", "")]),
            ("a=", &[("a", "")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a=1&a=2", &[("a", "1"), ("a", "2")]),
            ("filter=userName+eq%20%22a%2Bb%22", &[("filter", "userName eq \"a+b\"")]),
            ("f%69lter=%C3%A4", &[("filter", "ä")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(pairs(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn wrong_encoding_is_invalid_value() {
        for query in ["a=%", "a=%2", "a=%zz", "a=%ff", "%ff=a", "a=%+1"] {
            assert_eq!(pairs(query).map_err(|e| e.status), Err(400), "{query}");
        }
    }

    #[test]
    fn a_parameter_given_twice_is_refused_and_unknown_ones_are_not() {
        let rt = Registry::builtin().resource_type(ResourceKind::User);
        assert!(selection("attributes=userName&attributes=userName", rt).is_err());
        assert!(selection("excludedAttributes=groups&excludedAttributes=", rt).is_err());
        let selected = selection("x=1&x=2&attributes=userName", rt).unwrap();
        assert!(selected.names_attributes && !selected.projection.is_all());
        let selected = selection("attributes=", rt).unwrap();
        assert!(!selected.names_attributes && selected.projection.is_all());
    }
}
