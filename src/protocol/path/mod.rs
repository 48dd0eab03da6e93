//! Attribute paths and PATCH paths (RFC 7644 §3.5.2 and §3.10): `parse` reads the grammar, `resolve` binds names to the
//! schema, `scan` holds the characters that filters share with them.

use std::fmt;

use super::filter::Filter;

pub mod parse;
pub mod resolve;
pub(in crate::protocol) mod scan;
#[cfg(test)]
mod tests;

/// An attribute path as written: optional URN, name, optional sub-attribute. Letter case is the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttrPath {
    /// URN in front of the last colon.
    pub urn: Option<String>,
    /// Attribute name.
    pub name: String,
    /// Sub-attribute name.
    pub sub: Option<String>,
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// The target of a PATCH operation as written: `attr`, `attr.sub`, `attr[filter]` or `attr[filter].sub` (RFC 7644
/// figure 7). A bare extension URN reads as `attr` too; `resolve` tells it apart.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// In front of the bracket; has a `sub` only without a selection.
    pub attr: AttrPath,
    /// Between the brackets.
    pub selection: Option<Filter>,
    /// Behind the bracket.
    pub sub: Option<String>,
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attr)?;
        if let Some(selection) = &self.selection {
            write!(f, "[{selection}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}
