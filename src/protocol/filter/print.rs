//! Prints a filter back to text: operators in lower case, one blank, parentheses only where precedence needs them, so that
//! filters of the same meaning and spelling share one cache key. Parsing the printed text gives the same tree.

use std::fmt;

use super::{CompareOp, Filter, Literal};

impl fmt::Display for CompareOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::Number(number) => write!(f, "{number}"),
            Literal::String(text) => f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(all) => joined(f, all, " and "),
            Filter::Or(any) => joined(f, any, " or "),
            Filter::Not(inner) => write!(f, "not ({inner})"),
            Filter::Compare(path, op, literal) => write!(f, "{path} {op} {literal}"),
            Filter::Present(path) => write!(f, "{path} pr"),
            Filter::Element(path, inner) => write!(f, "{path}[{inner}]"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Filter], word: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match part {
            Filter::Or(_) => write!(f, "({part})")?,
            _ => fmt::Display::fmt(part, f)?,
        }
    }
    Ok(())
}
