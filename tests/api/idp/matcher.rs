//! Compares an answer with an expectation, as a subset; says where they part.

use serde_json::{Map, Value};

/// Nothing when `actual` is what `expected` asks for, else where it is not.
pub(super) fn mismatch(expected: &Value, actual: &Value) -> Option<String> {
    compare(expected, actual, "body")
}

fn compare(expected: &Value, actual: &Value, at: &str) -> Option<String> {
    match expected {
        Value::Object(members) => match operator(members) {
            Some((name, operand)) => operate(name, operand, actual, at),
            None => object(members, actual, at),
        },
        Value::Array(elements) => {
            let actual = array(actual, at);
            let Ok(found) = actual else { return actual.err() };
            if found.len() != elements.len() {
                return Some(format!("{at}: {} elements expected: {found:?}", elements.len()));
            }
            let mut pairs = elements.iter().zip(found).enumerate();
            pairs.find_map(|(place, (expected, actual))| compare(expected, actual, &format!("{at}[{place}]")))
        }
        _ => (expected != actual).then(|| format!("{at}: {expected} expected, {actual} answered")),
    }
}

fn object(members: &Map<String, Value>, actual: &Value, at: &str) -> Option<String> {
    let empty = Map::new();
    let found = match actual {
        Value::Object(found) => found,
        Value::Null => &empty,
        _ => return Some(format!("{at}: an object expected, {actual} answered")),
    };
    members.iter().find_map(|(name, expected)| {
        compare(expected, found.get(name).unwrap_or(&Value::Null), &format!("{at}.{name}"))
    })
}

/// `$ref` is an attribute, all other names with a dollar are operators.
fn operator(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, operand) = members.iter().next()?;
    (members.len() == 1 && name.starts_with('$') && name != "$ref").then_some((name.as_str(), operand))
}

fn operate(name: &str, operand: &Value, actual: &Value, at: &str) -> Option<String> {
    let holds = match name {
        "$any" => !actual.is_null() && actual != "",
        "$absent" => actual.is_null() || actual.as_array().is_some_and(Vec::is_empty),
        "$not" => compare(operand, actual, at).is_some(),
        "$noNulls" => no_nulls(actual),
        "$length" => actual.as_array().map(|found| found.len() as u64) == operand.as_u64(),
        "$startsWith" => actual.as_str().zip(operand.as_str()).is_some_and(|(text, begin)| text.starts_with(begin)),
        "$endsWith" => actual.as_str().zip(operand.as_str()).is_some_and(|(text, end)| text.ends_with(end)),
        "$oneOf" => choices(operand).iter().any(|choice| compare(choice, actual, at).is_none()),
        "$all" => return choices(operand).iter().find_map(|choice| compare(choice, actual, at)),
        "$first" => return compare(operand, actual.get(0).unwrap_or(&Value::Null), &format!("{at}[0]")),
        "$contains" => return contains(choices(operand), actual, at),
        "$unordered" => {
            let expected = choices(operand);
            let same = array(actual, at).map(|found| found.len() == expected.len());
            return match same {
                Ok(true) => contains(expected, actual, at),
                _ => Some(format!("{at}: {} elements expected: {actual}", expected.len())),
            };
        }
        _ => panic!("{at}: no operator is called {name}"),
    };
    (!holds).then(|| format!("{at}: {name} {operand} expected, {actual} answered"))
}

fn choices(operand: &Value) -> &[Value] {
    operand.as_array().expect("a list of expectations")
}

/// Gives each expectation an element of its own, the first that fits.
fn contains(expected: &[Value], actual: &Value, at: &str) -> Option<String> {
    let mut left: Vec<&Value> = match array(actual, at) {
        Ok(found) => found.iter().collect(),
        Err(wrong) => return Some(wrong),
    };
    expected.iter().find_map(|expected| {
        match left.iter().position(|element| compare(expected, element, at).is_none()) {
            Some(place) => {
                left.remove(place);
                None
            }
            None => Some(format!("{at}: no element like {expected}: {actual}")),
        }
    })
}

fn array<'a>(actual: &'a Value, at: &str) -> Result<&'a Vec<Value>, String> {
    actual.as_array().ok_or_else(|| format!("{at}: an array expected, {actual} answered"))
}

fn no_nulls(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(elements) => elements.iter().all(no_nulls),
        Value::Object(members) => members.values().all(no_nulls),
        _ => true,
    }
}

#[test]
fn each_operator_accepts_what_it_means_and_nothing_else() {
    let cases = [
        (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, true),
        (r#"{"a":1}"#, r#"{"a":"1"}"#, false),
        (r#"{"a":{"b":{"$absent":true}}}"#, r#"{}"#, true),
        (r#"{"a":{"b":1}}"#, r#"{}"#, false),
        (r#"[1,{"a":1}]"#, r#"[1,{"a":1}]"#, true),
        (r#"[1]"#, r#"[1,2]"#, false),
        (r#"{"$any":true}"#, r#"0"#, true),
        (r#"{"$any":true}"#, r#""""#, false),
        (r#"{"$absent":true}"#, r#"[]"#, true),
        (r#"{"$absent":true}"#, r#""""#, false),
        (r#"{"$contains":[1]}"#, r#"[2,1]"#, true),
        (r#"{"$contains":[1,1]}"#, r#"[2,1]"#, false),
        (r#"{"$unordered":[1,2]}"#, r#"[2,1]"#, true),
        (r#"{"$unordered":[1]}"#, r#"[2,1]"#, false),
        (r#"{"$unordered":[1,2]}"#, r#"[1,1]"#, false),
        (r#"{"$first":1}"#, r#"[1,2]"#, true),
        (r#"{"$first":1}"#, r#"[]"#, false),
        (r#"{"$length":2}"#, r#"[1,2]"#, true),
        (r#"{"$length":0}"#, r#"null"#, false),
        (r#"{"$oneOf":[1,2]}"#, r#"2"#, true),
        (r#"{"$oneOf":[1,2]}"#, r#"3"#, false),
        (r#"{"$all":[{"a":1},{"b":2}]}"#, r#"{"a":1,"b":2}"#, true),
        (r#"{"$all":[{"a":1},{"b":2}]}"#, r#"{"a":1}"#, false),
        (r#"{"$not":true}"#, r#"null"#, true),
        (r#"{"$not":true}"#, r#"true"#, false),
        (r#"{"$startsWith":"a"}"#, r#""ab""#, true),
        (r#"{"$endsWith":"a"}"#, r#""ab""#, false),
        (r#"{"$noNulls":true}"#, r#"{"a":[null]}"#, false),
        (r#"{"$ref":"x"}"#, r#"{"$ref":"x"}"#, true),
    ];
    for (expected, actual, holds) in cases {
        let parse = |text| serde_json::from_str::<Value>(text).expect("JSON");
        assert_eq!(mismatch(&parse(expected), &parse(actual)).is_none(), holds, "{expected} {actual}");
    }
}
