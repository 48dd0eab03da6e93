//! Binds a parsed filter to a resource type: names to attributes, literals to types, keys computed. What cannot be true
//! for any resource of the type because the question is wrong is refused, never answered with everything or nothing.

use serde_json::Number;

use super::{AttrPath, BoundFilter, CompareOp, Filter, Literal, Operand};
use crate::protocol::compare;
use crate::protocol::error::ScimError;
use crate::protocol::path::resolve::resolve;
use crate::protocol::path::scan::clip;
use crate::protocol::policy::Policy;
use crate::protocol::schema::{Kind, Mutability, Resolved, ResourceType, Returned};

/// Binds every name and literal.
///
/// # Errors
/// 400 `invalidFilter`: unknown or never-returned attribute, operator that does not fit the type, literal of the wrong type.
pub fn bind(filter: &Filter, rt: &ResourceType, policy: &Policy) -> Result<BoundFilter, ScimError> {
    Binder { rt, policy, parent: None }.bind(filter)
}

/// Binds the filter between the brackets of a value path: its names are sub-attributes of `parent`.
///
/// # Errors
/// As `bind`.
pub fn bind_selection(
    filter: &Filter,
    parent: &Resolved,
    rt: &ResourceType,
    policy: &Policy,
) -> Result<BoundFilter, ScimError> {
    Binder { rt, policy, parent: Some(parent) }.bind(filter)
}

struct Binder<'a> {
    rt: &'a ResourceType,
    policy: &'a Policy,
    parent: Option<&'a Resolved>,
}

impl Binder<'_> {
    fn bind(&self, filter: &Filter) -> Result<BoundFilter, ScimError> {
        Ok(match filter {
            Filter::And(all) => BoundFilter::And(self.bind_all(all)?),
            Filter::Or(any) => BoundFilter::Or(self.bind_all(any)?),
            Filter::Not(inner) => BoundFilter::Not(Box::new(self.bind(inner)?)),
            Filter::Present(path) => BoundFilter::Present(self.attribute(path)?),
            Filter::Compare(path, op, literal) => self.compare(path, *op, literal)?,
            Filter::Element(path, inner) => self.element(path, inner)?,
        })
    }

    fn bind_all(&self, filters: &[Filter]) -> Result<Vec<BoundFilter>, ScimError> {
        filters.iter().map(|filter| self.bind(filter)).collect()
    }

    fn attribute(&self, path: &AttrPath) -> Result<Resolved, ScimError> {
        let found = match self.parent {
            None => resolve(path, self.rt, self.policy),
            Some(_) if path.urn.is_some() || path.sub.is_some() => None,
            Some(parent) => self.rt.resolve(parent.extension.as_deref(), &parent.name, Some(&path.name)),
        };
        let Some(found) = found.filter(|found| !found.name.is_empty()) else {
            let name = path.to_string();
            return Err(ScimError::invalid_filter(format!(
                "{} has no attribute '{}' that a filter may use here",
                self.rt.kind.name(),
                clip(&name)
            )));
        };
        // A filter on a secret would answer whether a guess is right.
        if found.returned == Returned::Never || found.mutability == Mutability::WriteOnly {
            return Err(ScimError::invalid_filter(format!("A filter may not use '{}'", found.path())));
        }
        Ok(found)
    }

    fn compare(&self, path: &AttrPath, op: CompareOp, literal: &Literal) -> Result<BoundFilter, ScimError> {
        let named = self.attribute(path)?;
        if *literal == Literal::Null {
            return match op {
                CompareOp::Eq => Ok(BoundFilter::Not(Box::new(BoundFilter::Present(named)))),
                CompareOp::Ne => Ok(BoundFilter::Present(named)),
                _ => Err(ScimError::invalid_filter(format!("'{op}' does not compare with null: use eq, ne or pr"))),
            };
        }
        let target = if named.kind == Kind::Complex { self.value_of(named)? } else { named };
        let operand = self.operand(&target, op, literal)?;
        Ok(BoundFilter::Compare(target, op, operand))
    }

    /// The `value` of a complex attribute that is compared directly: RFC 7644 figure 2 does so with multi-valued ones,
    /// Entra with `manager` (R40).
    fn value_of(&self, complex: Resolved) -> Result<Resolved, ScimError> {
        let allowed = complex.multi_valued || self.policy.repairs.compare_complex;
        let urn = complex.extension.as_deref();
        allowed.then(|| self.rt.resolve(urn, &complex.name, Some("value"))).flatten().ok_or_else(|| {
            ScimError::invalid_filter(format!("'{}' is complex: compare one of its sub-attributes", complex.path()))
        })
    }

    fn operand(&self, target: &Resolved, op: CompareOp, literal: &Literal) -> Result<Operand, ScimError> {
        use CompareOp::{Co, Eq, Ew, Ne, Sw};
        let fits = match target.kind {
            Kind::Boolean | Kind::Binary => matches!(op, Eq | Ne),
            Kind::Integer | Kind::Decimal | Kind::DateTime => !matches!(op, Co | Sw | Ew),
            Kind::String | Kind::Reference | Kind::Complex => true,
        };
        if !fits {
            return Err(ScimError::invalid_filter(format!(
                "'{op}' does not fit '{}', which is {}",
                target.path(),
                kind_name(target.kind)
            )));
        }
        self.typed(target, literal).ok_or_else(|| {
            ScimError::invalid_filter(format!(
                "'{}' is {}: the value must be one too",
                target.path(),
                kind_name(target.kind)
            ))
        })
    }

    fn typed(&self, target: &Resolved, literal: &Literal) -> Option<Operand> {
        match (target.kind, literal) {
            (Kind::Boolean, Literal::Bool(value)) => Some(Operand::Bool(*value)),
            (Kind::Boolean, Literal::String(text)) if self.policy.repairs.boolean_strings => {
                boolean_text(text).map(Operand::Bool)
            }
            (Kind::Integer | Kind::Decimal, Literal::Number(number)) => finite(number).map(Operand::Number),
            (Kind::DateTime, Literal::String(text)) => compare::instant(text).map(Operand::Instant),
            (Kind::String | Kind::Reference | Kind::Binary, Literal::String(text)) => {
                Some(Operand::Text { raw: text.clone(), key: compare::key(text, target.case_exact).into_owned() })
            }
            _ => None,
        }
    }

    fn element(&self, path: &AttrPath, inner: &Filter) -> Result<BoundFilter, ScimError> {
        if self.parent.is_some() {
            return Err(ScimError::invalid_filter("Brackets may not stand inside brackets"));
        }
        let named = self.attribute(path)?;
        if named.kind != Kind::Complex {
            return Err(ScimError::invalid_filter(format!("'{}' has no sub-attributes", named.path())));
        }
        let inner = bind_selection(inner, &named, self.rt, self.policy)?;
        if named.multi_valued {
            return Ok(BoundFilter::Element(named, Box::new(inner)));
        }
        // A single complex value is its own only element; without one, nothing is selected.
        Ok(BoundFilter::And(vec![BoundFilter::Present(named), inner]))
    }
}

fn finite(number: &Number) -> Option<f64> {
    number.as_f64().filter(|value| value.is_finite())
}

/// R3: `"True"` and the like.
fn boolean_text(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Boolean => "a boolean",
        Kind::Decimal => "a decimal",
        Kind::Integer => "an integer",
        Kind::DateTime => "a dateTime",
        Kind::Binary => "a binary",
        Kind::Reference => "a reference",
        Kind::Complex => "a complex attribute",
    }
}
