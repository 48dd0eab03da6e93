//! Filters of RFC 7644 §3.4.2.2: the tree, which prints back to text (`print`). `parse` makes it, `bind` ties it to a schema,
//! `evaluate` says what it means. Compiling to SQL belongs to `storage`.

use super::schema::Resolved;

pub use super::path::AttrPath;

pub mod bind;
pub mod evaluate;
pub mod foreign;
pub mod parse;
mod print;
#[cfg(test)]
mod tests;

/// Comparison operators of RFC 7644 table 3; `pr` is a node of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CompareOp {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl CompareOp {
    /// Reads an operator in any letter case.
    pub fn parse(word: &str) -> Option<Self> {
        let bytes: [u8; 2] = word.as_bytes().try_into().ok()?;
        Some(match &bytes.map(|byte| byte.to_ascii_lowercase()) {
            b"eq" => CompareOp::Eq,
            b"ne" => CompareOp::Ne,
            b"co" => CompareOp::Co,
            b"sw" => CompareOp::Sw,
            b"ew" => CompareOp::Ew,
            b"gt" => CompareOp::Gt,
            b"ge" => CompareOp::Ge,
            b"lt" => CompareOp::Lt,
            b"le" => CompareOp::Le,
            _ => return None,
        })
    }

    /// As it stands in a filter.
    pub fn as_str(self) -> &'static str {
        match self {
            CompareOp::Eq => "eq",
            CompareOp::Ne => "ne",
            CompareOp::Co => "co",
            CompareOp::Sw => "sw",
            CompareOp::Ew => "ew",
            CompareOp::Gt => "gt",
            CompareOp::Ge => "ge",
            CompareOp::Lt => "lt",
            CompareOp::Le => "le",
        }
    }
}

/// A literal as it stands in the text.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Literal {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
}

/// A parsed filter, not yet bound to a schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of them; at least two.
    And(Vec<Filter>),
    /// Any of them; at least two.
    Or(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// `path op literal`
    Compare(AttrPath, CompareOp, Literal),
    /// `path pr`
    Present(AttrPath),
    /// `path[filter]`: one element fulfils the whole inner filter.
    /// `emails[type eq "work"].value eq "x"` (Entra; outside the ABNF) parses as `emails[type eq "work" and value eq "x"]`.
    Element(AttrPath, Box<Filter>),
}

/// What a comparison compares with, typed by the attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Boolean attributes; `eq` and `ne` only.
    Bool(bool),
    /// Integer and decimal attributes.
    Number(f64),
    /// Strings, references and binaries: as sent, and its comparison key (`compare::key`).
    Text {
        /// As sent.
        raw: String,
        /// Key by the attribute's case rule.
        key: String,
    },
    /// Date-times, as microseconds since 1970 UTC.
    Instant(i64),
}

/// A filter whose names are attributes and whose literals have the attributes' types. `eq null` and `ne null` are
/// already `Not(Present)` and `Present`; a complex attribute compared directly already names its `value` (R40).
#[derive(Debug, Clone, PartialEq)]
pub enum BoundFilter {
    /// All of them.
    And(Vec<BoundFilter>),
    /// Any of them.
    Or(Vec<BoundFilter>),
    /// The opposite.
    Not(Box<BoundFilter>),
    /// True when any value compares so; `Ne` when none equals, so also for an absent attribute.
    Compare(Resolved, CompareOp, Operand),
    /// Has a value that is not null, `""` or empty.
    Present(Resolved),
    /// One element of a multi-valued complex attribute fulfils the inner filter, whose attributes all carry this
    /// attribute's `name` and a `sub`.
    Element(Resolved, Box<BoundFilter>),
}
