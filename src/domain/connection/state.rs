//! States of a connection and the steps between them.

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Being set up. Its people are staged: seen over SCIM and in the preview only.
    Setup,
    /// Being watched: as `Setup`.
    Observe,
    /// Its people are the organization's.
    Active,
    /// Reads are answered, writes are to be repeated later.
    Paused,
    /// Its tokens are dead and its people belong to nobody but the organization.
    Decommissioned,
}

/// What leads from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `setup` to `observe`
    Observe,
    /// `setup`, `observe` to `active`
    Activate,
    /// `active` to `paused`
    Pause,
    /// `paused` to `active`
    Resume,
    /// Any but `decommissioned` to that.
    Decommission,
}

/// A step that does not begin in the state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a connection that is {} cannot {}", .from.as_str(), .step.as_str())]
pub struct WrongState {
    /// Where it stands.
    pub from: State,
    /// What was asked for.
    pub step: Step,
}

impl State {
    /// All of them.
    pub const ALL: [State; 5] = [State::Setup, State::Observe, State::Active, State::Paused, State::Decommissioned];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Setup => "setup",
            State::Observe => "observe",
            State::Active => "active",
            State::Paused => "paused",
            State::Decommissioned => "decommissioned",
        }
    }

    /// Reads a stored state; one that a later version wrote is taken for `paused`.
    pub fn of(text: &str) -> Self {
        State::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(State::Paused)
    }

    /// Whether its people are staged: not among the organization's, without roles, and nobody is adopted.
    pub fn is_staged(self) -> bool {
        matches!(self, State::Setup | State::Observe)
    }

    /// Where a step leads from here.
    ///
    /// # Errors
    /// `WrongState`.
    pub fn after(self, step: Step) -> Result<State, WrongState> {
        match (self, step) {
            (State::Setup, Step::Observe) => Ok(State::Observe),
            (State::Setup | State::Observe, Step::Activate) => Ok(State::Active),
            (State::Active, Step::Pause) => Ok(State::Paused),
            (State::Paused, Step::Resume) => Ok(State::Active),
            (State::Setup | State::Observe | State::Active | State::Paused, Step::Decommission) => {
                Ok(State::Decommissioned)
            }
            (from, step) => Err(WrongState { from, step }),
        }
    }
}

impl Step {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Observe => "observe",
            Step::Activate => "activate",
            Step::Pause => "pause",
            Step::Resume => "resume",
            Step::Decommission => "decommission",
        }
    }
}

/// What a connection's state lets its tokens do over SCIM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `setup`, `observe`, `active`: read and write.
    ReadWrite,
    /// `paused`, and any state that this version does not know: read; writes are to be repeated later.
    ReadOnly,
    /// `decommissioned`: the tokens are dead.
    None,
}

impl Access {
    /// Access in a stored state.
    pub fn of(state: &str) -> Self {
        match State::of(state) {
            State::Setup | State::Observe | State::Active => Access::ReadWrite,
            State::Decommissioned => Access::None,
            State::Paused => Access::ReadOnly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_where_they_say_and_begin_nowhere_else() {
        use State::{Active, Decommissioned, Observe, Paused, Setup};
        for (step, from, to) in [
            (Step::Observe, &[Setup][..], Observe),
            (Step::Activate, &[Setup, Observe], Active),
            (Step::Pause, &[Active], Paused),
            (Step::Resume, &[Paused], Active),
            (Step::Decommission, &[Setup, Observe, Active, Paused], Decommissioned),
        ] {
            for state in State::ALL {
                let expected = if from.contains(&state) { Ok(to) } else { Err(WrongState { from: state, step }) };
                assert_eq!(state.after(step), expected);
            }
        }
        let refused = Decommissioned.after(Step::Activate).unwrap_err();
        assert_eq!(refused.to_string(), "a connection that is decommissioned cannot activate");
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        for state in State::ALL {
            assert_eq!(State::of(state.as_str()), state);
            assert_eq!(state.is_staged(), matches!(state, State::Setup | State::Observe));
        }
        assert_eq!(State::of("of a later version"), State::Paused);
    }

    #[test]
    fn states_open_what_they_say() {
        for (state, access) in [
            ("setup", Access::ReadWrite),
            ("observe", Access::ReadWrite),
            ("active", Access::ReadWrite),
            ("paused", Access::ReadOnly),
            ("of a later version", Access::ReadOnly),
            ("decommissioned", Access::None),
        ] {
            assert_eq!(Access::of(state), access, "{state}");
        }
    }
}
