//! Versions and conditions (RFC 7644 §3.14, RFC 9110 §13): weak tags `W/"7"`, compared weakly.

/// An `If-Match` or `If-None-Match` field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `*`
    Any,
    /// The versions named; tags that are none of ours are left out.
    Versions(Vec<i64>),
}

impl Condition {
    /// Reads the field; `None` when it is no entity-tag list at all.
    pub fn parse(field: &str) -> Option<Self> {
        let mut rest = field.trim();
        if rest == "*" {
            return Some(Condition::Any);
        }
        let mut versions = Vec::new();
        let mut tags = 0;
        loop {
            // Empty elements are allowed in lists (RFC 9110 §5.6.1.2).
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return (tags > 0).then_some(Condition::Versions(versions));
            }
            let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
            let (opaque, after) = quoted.split_once('"')?;
            if opaque.chars().any(|c| c.is_control() || c == ' ') {
                return None;
            }
            tags += 1;
            versions.extend(version(opaque));
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
    }

    /// Whether the stored version is named.
    pub fn matches(&self, version: i64) -> bool {
        match self {
            Condition::Any => true,
            Condition::Versions(versions) => versions.contains(&version),
        }
    }
}

/// `W/"7"`
pub fn tag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// Only the spelling that `tag` prints is ours: `07` and `+7` are other tags.
fn version(opaque: &str) -> Option<i64> {
    let canonical = !opaque.starts_with(['+', '-', '0']) || opaque == "0";
    if canonical { opaque.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_as_the_versions_they_name() {
        let versions = |v: &[i64]| Some(Condition::Versions(v.to_vec()));
        let cases = [
            ("*", Some(Condition::Any)),
            (" * ", Some(Condition::Any)),
            ("W/\"7\"", versions(&[7])),
            ("\"7\"", versions(&[7])),
            ("W/\"7\", \"8\" ,W/\"9\"", versions(&[7, 8, 9])),
            (",W/\"7\",,", versions(&[7])),
            ("W/\"a330bc54f0671c9\"", versions(&[])),
            ("W/\"a,b\", W/\"3\"", versions(&[3])),
            ("W/\"07\"", versions(&[])),
            ("W/\"+7\"", versions(&[])),
            ("W/\"99999999999999999999\"", versions(&[])),
            ("", None),
            (" , ", None),
            ("7", None),
            ("w/\"7\"", None),
            ("W/7", None),
            ("W/\"7", None),
            ("W/\"7\" W/\"8\"", None),
            ("*, W/\"7\"", None),
            ("W/\"7 8\"", None),
        ];
        for (field, expected) in cases {
            assert_eq!(Condition::parse(field), expected, "{field}");
        }
    }

    #[test]
    fn a_printed_tag_matches_its_version_and_no_other() {
        let condition = Condition::parse(&tag(12)).unwrap();
        assert!(condition.matches(12));
        assert!(!condition.matches(1));
        assert!(Condition::Any.matches(12));
    }
}
