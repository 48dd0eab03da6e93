//! Export files: the lines of a JSON Lines file, the columns of a CSV file of people, and the ids that imported people and
//! groups get.

pub mod columns;
pub mod identity;
pub mod record;

pub use columns::Columns;
pub use identity::{Import, Source};
pub use record::{Owner, Person, Record};
