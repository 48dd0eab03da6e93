//! A filter over several resource types at once: "for filtered attributes that are not part of a particular resource
//! type, the service provider SHALL treat the attribute as if there is no attribute value" (RFC 7644 §3.4.2.1).

use super::{AttrPath, CompareOp, Filter, Literal};
use crate::protocol::path::resolve::resolve;
use crate::protocol::policy::Policy;
use crate::protocol::schema::ResourceType;

/// The filter as it reads for a type: a term on an attribute that the type does not have becomes what it is for an
/// absent value. Whether any type knows the attribute is for the caller to ask.
pub fn absent_where_unknown(filter: &Filter, rt: &ResourceType, policy: &Policy) -> Filter {
    let known = |path: &AttrPath| resolve(path, rt, policy).is_some();
    let parts = |parts: &[Filter]| parts.iter().map(|part| absent_where_unknown(part, rt, policy)).collect();
    match filter {
        Filter::And(all) => Filter::And(parts(all)),
        Filter::Or(any) => Filter::Or(parts(any)),
        Filter::Not(inner) => Filter::Not(Box::new(absent_where_unknown(inner, rt, policy))),
        Filter::Compare(path, op, literal) if !known(path) => always(match op {
            CompareOp::Eq => *literal == Literal::Null,
            CompareOp::Ne => *literal != Literal::Null,
            _ => false,
        }),
        Filter::Present(path) | Filter::Element(path, _) if !known(path) => always(false),
        known => known.clone(),
    }
}

/// Every resource has an id.
fn always(outcome: bool) -> Filter {
    let present = Filter::Present(AttrPath { urn: None, name: "id".to_owned(), sub: None });
    if outcome { present } else { Filter::Not(Box::new(present)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::filter::parse::parse;
    use crate::protocol::schema::Registry;

    #[test]
    fn unknown_attributes_read_as_absent() {
        let policy = Policy::default();
        for (sent, read) in [
            (r#"displayName eq "A""#, r#"displayName eq "A""#),
            (r#"userName eq "a""#, "not (id pr)"),
            (r#"userName ne "a""#, "id pr"),
            ("userName eq null", "id pr"),
            ("userName ne null", "not (id pr)"),
            ("userName pr or displayName pr", "not (id pr) or displayName pr"),
            (r#"emails[type eq "work"]"#, "not (id pr)"),
        ] {
            let group = &Registry::builtin().group;
            let filter = absent_where_unknown(&parse(sent, &policy.limits).unwrap(), group, &policy);
            assert_eq!(filter.to_string(), read, "{sent}");
        }
    }
}
