//! Why a deed of the operator was not done, as a sentence for people.

use crate::storage::StorageError;

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// An argument cannot be what it is.
    #[error("{0}")]
    Invalid(String),
    /// It names something that does not exist.
    #[error("there is no {what} `{name}`")]
    Missing {
        /// Kind of thing.
        what: &'static str,
        /// As given.
        name: String,
    },
    /// A unique name is taken.
    #[error("there already is {what} `{name}`")]
    Taken {
        /// Kind of thing, with its article.
        what: &'static str,
        /// As given.
        name: String,
    },
    /// The operating system gave no random bytes.
    #[error("the system's random generator failed: {0}")]
    NoRandom(getrandom::Error),
    /// The database refused or failed.
    #[error("the database: {0}")]
    Storage(#[from] StorageError),
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        Refusal::NoRandom(error)
    }
}

/// Result of a deed.
pub type Result<T> = std::result::Result<T, Refusal>;
