//! A connection to an identity provider: the states it goes through, and what its organization may choose for it.

mod change;
mod settings;
mod state;

pub use change::{WrongSetting, change_settings};
pub use settings::{AdoptionPolicy, ConnectionSettings, DuplicateGroupNames, Guard, UnknownMembers, is_repair};
pub use state::{Access, State, Step, WrongState};
