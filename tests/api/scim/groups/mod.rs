//! `/Groups`.

mod create;
mod delete;
mod get;
mod patch;
mod replace;
