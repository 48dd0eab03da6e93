//! The lines of a file to import: what each says, and what it came to.

use crate::domain::transfer::Record;
use crate::protocol::policy::Limits;
use crate::protocol::validate;

/// A line of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// What it says.
    pub record: Record,
}

/// What a line came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Done before.
    Present,
    /// Not done, with a sentence for people.
    Refused(String),
}

/// Reads a line of JSON Lines.
///
/// # Errors
/// A sentence on what is wrong.
pub fn parse(text: &[u8]) -> std::result::Result<Record, String> {
    Record::parse(validate::parse_json(text, &Limits::default()).map_err(|error| error.detail)?)
}

/// Lines by what they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// People made.
    pub users: u64,
    /// Groups made.
    pub groups: u64,
    /// Memberships made.
    pub members: u64,
    /// Roles given.
    pub roles: u64,
    /// Lines done before.
    pub present: u64,
    /// Lines refused.
    pub refused: u64,
}

impl Counts {
    /// Adds a line.
    pub fn add(&mut self, record: &Record, outcome: &Outcome) {
        let place = match (outcome, record) {
            (Outcome::Refused(_), _) => &mut self.refused,
            (Outcome::Present, _) => &mut self.present,
            (Outcome::Done, Record::User(_)) => &mut self.users,
            (Outcome::Done, Record::Group { .. }) => &mut self.groups,
            (Outcome::Done, Record::Member { .. }) => &mut self.members,
            (Outcome::Done, Record::Role { .. }) => &mut self.roles,
        };
        *place += 1;
    }
}
