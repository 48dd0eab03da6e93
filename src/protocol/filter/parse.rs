//! Parses filters: recursive descent, linear, bounded depth and terms (RFC 7644 figure 1). Beyond the figure: `not(` and
//! `not (`, `$ref`, any run of blanks, keywords in any letter case, `emails[…].value eq "x"` as Entra sends it, and no
//! blank between operator and string, as in an example of RFC 7644 §3.5.2.2.

use serde_json::Number;

use super::{AttrPath, CompareOp, Filter, Literal};
use crate::protocol::error::ScimError;
use crate::protocol::path::PatchPath;
use crate::protocol::path::scan::{Malformed, Scanner, clip};
use crate::protocol::policy::Limits;

/// Parses a whole filter text.
///
/// # Errors
/// 400 `invalidFilter` with the position of the first thing that does not fit, or the limit exceeded.
pub fn parse(text: &str, limits: &Limits) -> Result<Filter, ScimError> {
    if text.len() > limits.filter_bytes {
        return Err(ScimError::invalid_filter(format!("The filter is longer than {} bytes", limits.filter_bytes)));
    }
    let mut parser = Parser::new(Scanner::new(text), limits);
    parser.whole_filter().map_err(|malformed| malformed.in_filter(text))
}

/// The grammar over a scanner; shared with PATCH paths.
pub(in crate::protocol) struct Parser<'a> {
    scan: Scanner<'a>,
    limits: &'a Limits,
    depth: usize,
    terms: usize,
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    pub(in crate::protocol) fn new(scan: Scanner<'a>, limits: &'a Limits) -> Self {
        Parser { scan, limits, depth: 0, terms: 0, in_brackets: false }
    }

    fn whole_filter(&mut self) -> Result<Filter, Malformed> {
        let filter = self.disjunction()?;
        self.scan.blanks();
        match self.scan.peek() {
            None => Ok(filter),
            Some(_) => self.scan.fail("The filter goes on where it should end or go on with 'and' or 'or'"),
        }
    }

    /// `PATH = attrPath / valuePath [subAttr]`
    pub(in crate::protocol) fn patch_path(&mut self) -> Result<PatchPath, Malformed> {
        let attr = self.scan.attr_path()?;
        let mut path = PatchPath { attr, selection: None, sub: None };
        if self.scan.peek() == Some(b'[') {
            if path.attr.sub.is_some() {
                return self.scan.fail("A sub-attribute has no values to select from");
            }
            path.selection = Some(self.brackets()?);
            if self.scan.take(b'.') {
                path.sub = Some(self.scan.name()?.to_owned());
            }
        }
        match self.scan.peek() {
            None => Ok(path),
            Some(_) => self.scan.fail("The path goes on where it should end"),
        }
    }

    fn disjunction(&mut self) -> Result<Filter, Malformed> {
        let first = self.conjunction()?;
        if !self.keyword("or") {
            return Ok(first);
        }
        let mut all = Vec::with_capacity(2);
        flatten_or(first, &mut all);
        loop {
            flatten_or(self.conjunction()?, &mut all);
            if !self.keyword("or") {
                return Ok(Filter::Or(all));
            }
        }
    }

    fn conjunction(&mut self) -> Result<Filter, Malformed> {
        let first = self.term()?;
        if !self.keyword("and") {
            return Ok(first);
        }
        let mut all = Vec::with_capacity(2);
        flatten_and(first, &mut all);
        loop {
            flatten_and(self.term()?, &mut all);
            if !self.keyword("and") {
                return Ok(Filter::And(all));
            }
        }
    }

    /// Takes ` and ` or ` or `; otherwise nothing.
    fn keyword(&mut self, keyword: &str) -> bool {
        let mark = self.scan.mark();
        let found = self.scan.blanks() && self.scan.word().eq_ignore_ascii_case(keyword) && self.scan.blanks();
        if !found {
            self.scan.rewind(mark);
        }
        found
    }

    fn term(&mut self) -> Result<Filter, Malformed> {
        self.scan.blanks();
        if self.scan.peek() == Some(b'(') {
            return self.group();
        }
        let mark = self.scan.mark();
        if self.scan.word().eq_ignore_ascii_case("not") {
            self.scan.blanks();
            if self.scan.peek() == Some(b'(') {
                return Ok(Filter::Not(Box::new(self.group()?)));
            }
        }
        self.scan.rewind(mark);
        let path = self.scan.attr_path()?;
        match self.scan.peek() {
            Some(b'[') => self.element(path),
            _ => self.expression(path),
        }
    }

    fn group(&mut self) -> Result<Filter, Malformed> {
        self.enter()?;
        self.scan.take(b'(');
        let inner = self.disjunction()?;
        self.scan.blanks();
        if !self.scan.take(b')') {
            return self.scan.fail("A ')', 'and' or 'or' is missing");
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn brackets(&mut self) -> Result<Filter, Malformed> {
        if self.in_brackets {
            return self.scan.fail("Brackets stand inside brackets");
        }
        self.enter()?;
        self.scan.take(b'[');
        self.in_brackets = true;
        let inner = self.disjunction()?;
        self.in_brackets = false;
        self.scan.blanks();
        if !self.scan.take(b']') {
            return self.scan.fail("A ']', 'and' or 'or' is missing");
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn enter(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > self.limits.filter_depth {
            return self.scan.fail(format!("The filter is nested deeper than {} levels", self.limits.filter_depth));
        }
        Ok(())
    }

    fn element(&mut self, path: AttrPath) -> Result<Filter, Malformed> {
        let inner = self.brackets()?;
        if !self.scan.take(b'.') {
            return Ok(Filter::Element(path, Box::new(inner)));
        }
        let sub = AttrPath { urn: None, name: self.scan.name()?.to_owned(), sub: None };
        let mut all = Vec::with_capacity(2);
        flatten_and(inner, &mut all);
        all.push(self.expression(sub)?);
        Ok(Filter::Element(path, Box::new(Filter::And(all))))
    }

    /// What follows an attribute path: ` pr`, or ` op literal`.
    fn expression(&mut self, path: AttrPath) -> Result<Filter, Malformed> {
        self.terms += 1;
        if self.terms > self.limits.filter_terms {
            return self.scan.fail(format!("The filter has more than {} comparisons", self.limits.filter_terms));
        }
        let blank = self.scan.blanks();
        let start = self.scan.mark();
        let word = if blank { self.scan.word() } else { "" };
        let filter = if word.eq_ignore_ascii_case("pr") {
            Filter::Present(path)
        } else if let Some(op) = CompareOp::parse(word) {
            Filter::Compare(path, op, self.operand()?)
        } else if word.is_empty() {
            return self.scan.fail("An operator is missing");
        } else {
            return self.scan.fail_at(start, format!("The operator '{}' is not supported", clip(word)));
        };
        match self.scan.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b')' | b']') => Ok(filter),
            Some(_) => self.scan.fail("A blank is missing"),
        }
    }

    fn operand(&mut self) -> Result<Literal, Malformed> {
        let blank = self.scan.blanks();
        match self.scan.peek() {
            Some(b'"') => self.string(),
            _ if !blank => self.scan.fail("A blank and a value are missing"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.keyword_literal(),
        }
    }

    fn keyword_literal(&mut self) -> Result<Literal, Malformed> {
        let start = self.scan.mark();
        let word = self.scan.word();
        if word.eq_ignore_ascii_case("true") {
            Ok(Literal::Bool(true))
        } else if word.eq_ignore_ascii_case("false") {
            Ok(Literal::Bool(false))
        } else if word.eq_ignore_ascii_case("null") {
            Ok(Literal::Null)
        } else if word.is_empty() {
            self.scan.fail_at(start, "A value is missing")
        } else {
            self.scan.fail_at(start, format!("'{}' is no value; strings stand in double quotes", clip(word)))
        }
    }

    fn number(&mut self) -> Result<Literal, Malformed> {
        let start = self.scan.mark();
        let digits = self.scan.while_byte(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
        match json_number(digits) {
            Some(number) => Ok(Literal::Number(number)),
            None => self.scan.fail_at(start, format!("'{}' is no JSON number", clip(digits))),
        }
    }

    fn string(&mut self) -> Result<Literal, Malformed> {
        let start = self.scan.mark();
        let rest = self.scan.rest();
        let Some((length, escaped)) = quoted_length(rest) else {
            return self.scan.fail_at(start, "The closing quote of a string is missing");
        };
        self.scan.advance(length);
        let quoted = rest.get(..length).unwrap_or_default();
        let plain = quoted.get(1..length - 1).unwrap_or_default();
        if !escaped && !plain.bytes().any(|byte| byte < 0x20) {
            return Ok(Literal::String(plain.to_owned()));
        }
        match serde_json::from_str::<String>(quoted) {
            // PostgreSQL's text cannot hold U+0000, and no attribute value can have it.
            Ok(text) if !text.contains('\0') => Ok(Literal::String(text)),
            _ => self.scan.fail_at(start, "The string is no JSON string, or holds U+0000,"),
        }
    }
}

/// Bytes from the opening to the closing quote, both counted, and whether there is an escape.
fn quoted_length(text: &str) -> Option<(usize, bool)> {
    let mut escaped = false;
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((at + 1, escaped)),
            b'\\' => {
                escaped = true;
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

/// A number by JSON's grammar (RFC 8259 §6), read exactly.
fn json_number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned.starts_with("0.");
    let exponent_of_zero = unsigned.starts_with("0e") || unsigned.starts_with("0E");
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let bare_point = mantissa.starts_with('.') || mantissa.ends_with('.');
    if (leading_zero && !exponent_of_zero) || bare_point || !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Some(integer.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

fn flatten_and(filter: Filter, into: &mut Vec<Filter>) {
    match filter {
        Filter::And(inner) => into.extend(inner),
        other => into.push(other),
    }
}

fn flatten_or(filter: Filter, into: &mut Vec<Filter>) {
    match filter {
        Filter::Or(inner) => into.extend(inner),
        other => into.push(other),
    }
}
