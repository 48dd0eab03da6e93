//! Our parser beside that of the `scim_v2` crate, which follows RFC 7644 figure 1 except where listed.

use proptest::prelude::*;
use scim_v2::filter as theirs;

use super::RFC_EXAMPLES;
use super::grammar::{filter_of, joined};
use crate::protocol::filter::parse::parse;
use crate::protocol::filter::{AttrPath, CompareOp, Filter, Literal};
use crate::protocol::policy::Limits;

fn path(path: &theirs::AttrPath) -> AttrPath {
    AttrPath { urn: path.uri.clone(), name: path.name.clone(), sub: path.sub_attr.clone() }
}

fn expression(expression: &theirs::AttrExp) -> Filter {
    match expression {
        theirs::AttrExp::Present(attr) => Filter::Present(path(attr)),
        theirs::AttrExp::Comparison(attr, op, value) => {
            let op = CompareOp::parse(&op.to_string()).unwrap();
            let literal = match value {
                theirs::CompValue::Null => Literal::Null,
                theirs::CompValue::True => Literal::Bool(true),
                theirs::CompValue::False => Literal::Bool(false),
                theirs::CompValue::Number(number) => Literal::Number(number.clone()),
                theirs::CompValue::Str(text) => Literal::String(text.clone()),
            };
            Filter::Compare(path(attr), op, literal)
        }
    }
}

fn inner(filter: &theirs::ValFilter) -> Filter {
    match filter {
        theirs::ValFilter::Attr(attr) => expression(attr),
        theirs::ValFilter::Not(filter) => Filter::Not(Box::new(inner(filter))),
        theirs::ValFilter::And(all) => joined(all.iter().map(inner).collect(), false),
        theirs::ValFilter::Or(any) => joined(any.iter().map(inner).collect(), true),
    }
}

fn outer(filter: &theirs::Filter) -> Filter {
    match filter {
        theirs::Filter::Attr(attr) => expression(attr),
        theirs::Filter::ValuePath(value) => Filter::Element(path(&value.attr), Box::new(inner(&value.filter))),
        theirs::Filter::Not(filter) => Filter::Not(Box::new(outer(filter))),
        theirs::Filter::And(all) => joined(all.iter().map(outer).collect(), false),
        theirs::Filter::Or(any) => joined(any.iter().map(outer).collect(), true),
    }
}

fn by_them(text: &str) -> Option<Filter> {
    text.parse::<theirs::Filter>().ok().map(|filter| outer(&filter))
}

fn by_us(text: &str) -> Option<Filter> {
    parse(text, &Limits::default()).ok()
}

#[test]
fn both_parsers_agree_on_the_examples_and_on_what_is_malformed() {
    for example in RFC_EXAMPLES.lines() {
        assert!(by_us(example).is_some(), "{example}");
        assert_eq!(by_us(example), by_them(example), "{example}");
    }
    let malformed = [
        "",
        "a",
        "a eq",
        "a eq x",
        "a eq 'x'",
        "a eq 01",
        "a eq 1.",
        "a eq \"x",
        "a eq \"\\q\"",
        "a pr and",
        "a pr b pr",
        "(a pr",
        "a pr)",
        "(a eq 1)and(b eq 2)",
        "a[b pr",
        "a[]",
        "a[b[c pr]]",
        "a. pr",
        "a.b.c pr",
        "1a pr",
        "()",
        "not ()",
        "a regex 1",
        "a and b",
    ];
    for text in malformed {
        assert_eq!((by_us(text), by_them(text)), (None, None), "{text}");
    }
}

#[test]
fn the_parsers_differ_where_listed_and_nowhere_else() {
    let only_ours = [
        "not(a eq 1)",
        "emails[type eq \"work\"].value eq \"x\"",
        "members.$ref pr",
        "members[$ref eq \"x\"]",
        "true eq 1",
        "null pr",
        "not pr",
        "members[value eq\"x\"]",
    ];
    for text in only_ours {
        assert_eq!((by_us(text).is_some(), by_them(text)), (true, None), "{text}");
    }
    let terms = vec!["a pr"; 101].join(" or ");
    let depth = format!("{}a pr{}", "not (".repeat(33), ")".repeat(33));
    for text in ["a eq \"\\u0000\"", &terms, &depth] {
        assert_eq!((by_us(text), by_them(text).is_some()), (None, true), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_parsers_read_the_same_tree(filter in filter_of("[b-mB-M][a-z0-9_-]{0,6}x", "urn:[a-z]{1,6}(:[0-9]\\.[0-9])?:[a-z]{1,6}")) {
        let text = filter.to_string();
        prop_assert_eq!(by_us(&text), Some(filter));
        prop_assert_eq!(by_us(&text), by_them(&text), "{}", text);
    }
}
