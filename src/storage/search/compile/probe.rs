//! Which conjunct of a filter an index answers with few rows, so that a search is one probe without count or order.

use super::target::{Source, Target};
use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::schema::{Resolved, ResourceKind};

/// An equality that an index serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Probe {
    /// At most one resource has it.
    pub(in super::super) unique: bool,
    /// The filter asks nothing else.
    pub(in super::super) alone: bool,
}

impl Probe {
    /// The best one that every match must fulfil.
    pub(in super::super) fn of(kind: ResourceKind, filter: &BoundFilter) -> Option<Self> {
        match filter {
            BoundFilter::And(all) => all
                .iter()
                .filter_map(|part| Probe::of(kind, part))
                .map(|probe| Probe { alone: false, ..probe })
                .max_by_key(|probe| probe.unique),
            BoundFilter::Compare(attr, CompareOp::Eq, operand) => equality(kind, attr, operand),
            BoundFilter::Element(attr, inner) => match Target::of(kind, attr) {
                Target::Rows(_) => has_value_equality(inner).then_some(Probe { unique: false, alone: true }),
                _ => None,
            },
            _ => None,
        }
    }
}

fn equality(kind: ResourceKind, attr: &Resolved, operand: &Operand) -> Option<Probe> {
    let Operand::Text { key, .. } = operand else { return None };
    match Target::of(kind, attr) {
        Target::Id => Some(Probe { unique: true, alone: true }),
        Target::Key(column) => Some(Probe { unique: column.column == "u.user_name_key", alone: true }),
        Target::Rows(source) if !key.is_empty() => match (source, attr.sub.as_deref()) {
            (_, None | Some("value")) => Some(Probe { unique: false, alone: true }),
            (Source::Values(_) | Source::Members | Source::Groups, _) => None,
        },
        _ => None,
    }
}

fn has_value_equality(inner: &BoundFilter) -> bool {
    match inner {
        BoundFilter::And(all) => all.iter().any(has_value_equality),
        BoundFilter::Compare(attr, CompareOp::Eq, Operand::Text { key, .. }) => {
            attr.sub.as_deref() == Some("value") && !key.is_empty()
        }
        _ => false,
    }
}
