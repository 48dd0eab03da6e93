//! The predicates that filters compile to, as text.
