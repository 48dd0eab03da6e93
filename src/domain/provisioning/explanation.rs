//! One sentence for each answer of the SCIM surface, in the words of whoever administers the identity provider: what was
//! refused, why, and what they can do. The table is `reason`; what it does not know by its keyword it knows by its status.

use super::{Operation, Outcome, RejectedToken};

/// Characters of a detail that are repeated.
const DETAIL: usize = 300;

/// What was answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// What the request was for.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Outcome,
    /// Status.
    pub status: u16,
    /// `scimType` of a refusal.
    pub scim_type: Option<&'a str>,
    /// `detail` of a refusal.
    pub detail: Option<&'a str>,
    /// Who or what it was about.
    pub subject: Option<&'a str>,
    /// Whether it was about a group.
    pub is_group: bool,
    /// Why a known token opened nothing.
    pub rejected: Option<RejectedToken>,
}

/// The sentence.
pub fn explain(answer: &Answer<'_>) -> String {
    match answer.outcome {
        Outcome::Applied | Outcome::NoChange => done(answer),
        Outcome::Held => format!(
            "Held: so many people were deactivated or deleted within an hour that {} waits until an administrator here \
             releases it.",
            about(answer)
        ),
        Outcome::Refused | Outcome::RejectedCredential => format!("Refused: {}.", reason(answer)),
    }
}

fn done(answer: &Answer<'_>) -> String {
    let subject = about(answer);
    let changed = answer.outcome == Outcome::Applied;
    match answer.operation {
        Operation::Read => "Read, nothing changed.".to_owned(),
        _ if !changed => format!("Nothing to do: {subject} is already as the identity provider wants it."),
        Operation::Create => format!("Created {subject}."),
        Operation::Update => format!("Updated {subject}."),
        Operation::Activate => format!("Activated {subject}."),
        Operation::Deactivate => format!("Deactivated {subject}."),
        Operation::Delete => format!("Deleted {subject}."),
        Operation::AddMembers => format!("Added members to {subject}."),
        Operation::RemoveMembers => format!("Removed members from {subject}."),
    }
}

fn about(answer: &Answer<'_>) -> String {
    match (answer.subject, answer.is_group) {
        (Some(subject), false) => subject.to_owned(),
        (Some(name), true) => format!("the group {name}"),
        (None, false) => "the user".to_owned(),
        (None, true) => "the group".to_owned(),
    }
}

/// The table.
fn reason(answer: &Answer<'_>) -> String {
    let subject = about(answer);
    let detail = detail(answer.detail.unwrap_or("no reason was given"));
    match (answer.status, answer.scim_type) {
        (401, _) => rejected(answer.rejected).to_owned(),
        (409, Some("uniqueness")) if detail.starts_with("userName is taken") => match answer.subject {
            Some(name) => {
                format!("another user already has the user name {name}: give one of the two another user name")
            }
            None => "another user already has this user name: give one of the two another user name".to_owned(),
        },
        (409, Some("uniqueness")) if detail.starts_with("displayName is taken") => match answer.subject {
            Some(name) => format!("another group is already called {name}: rename one of the two"),
            None => "another group already has this name: rename one of the two".to_owned(),
        },
        (400, Some("invalidValue")) if detail.starts_with("members: no user or group") => format!(
            "{subject} was given members that are not here, so push these people first or take them out of the group \
             ({detail})"
        ),
        (400, Some("invalidValue")) => {
            format!(
                "a value that was sent for {subject} is not valid, so correct it or its attribute mapping ({detail})"
            )
        }
        (400, Some("invalidPath")) => format!(
            "a change names an attribute that this service does not have, so take it out of the attribute mapping ({detail})"
        ),
        (400, Some("invalidFilter")) => {
            format!(
                "the search that the identity provider sent is not understood, so check its matching attribute ({detail})"
            )
        }
        (400, Some("noTarget")) => format!("the change is for a value that {subject} does not have ({detail})"),
        (400, Some("mutability")) => {
            format!("an attribute of {subject} cannot be changed, so take it out of the attribute mapping ({detail})")
        }
        (400, Some("tooMany")) => format!(
            "the request asks for more than is done at once, so let the identity provider ask for less ({detail})"
        ),
        (400, Some("sensitive")) => format!("the request would show confidential data in its address ({detail})"),
        (400, Some("invalidVers")) => {
            format!("the identity provider speaks a version of SCIM that is not served ({detail})")
        }
        (400, Some("invalidCursor")) => {
            format!("the identity provider went on with a list that has ended, so let it begin anew ({detail})")
        }
        (400, Some("invalidSyntax")) => format!(
            "the request is not built as SCIM asks, which is for the maker of the identity provider's connector to mend \
             ({detail})"
        ),
        (403, _) => format!("this is not allowed ({detail})"),
        (404, _) if answer.operation == Operation::Read || answer.subject.is_none() => format!(
            "what it asks for is not here or not of this connection: it may have been deleted, so let the identity provider \
             look it up again ({detail})"
        ),
        (404, _) => format!(
            "{subject} is not here any more or belongs to another connection, so let the identity provider look it up again \
             ({detail})"
        ),
        (405 | 501, _) => format!("the identity provider uses a function that is not offered here ({detail})"),
        (408, _) => "the request did not arrive in time, which the identity provider will repeat".to_owned(),
        (409, _) => detail,
        (412, _) => format!(
            "{subject} was changed in the meantime, so the identity provider has to read it again and repeat its change"
        ),
        (413 | 414 | 431, _) => format!("the request is larger than this service takes ({detail})"),
        (415, _) => format!("the identity provider sends a form of data that is not served ({detail})"),
        (429, _) => {
            "the identity provider sends more requests than its token may, so it has to wait and repeat them".to_owned()
        }
        (503, _) if detail.starts_with("The connection is paused") => {
            "the connection is paused here, so the identity provider has to repeat this when it is resumed".to_owned()
        }
        (500, _) => "an error of this service, so tell its operator the request id".to_owned(),
        (503, _) => {
            "this service was not available for a moment, so the identity provider has to repeat this".to_owned()
        }
        _ => detail,
    }
}

fn rejected(why: Option<RejectedToken>) -> &'static str {
    match why {
        Some(RejectedToken::Expired) => {
            "the token has expired, so make a new one for this connection and enter it at the identity provider"
        }
        Some(RejectedToken::Revoked) => {
            "the token was revoked, so enter a valid one of this connection at the identity provider"
        }
        Some(RejectedToken::Decommissioned) => "the connection was given up, so its tokens open nothing any more",
        None => "the token is not valid, so enter a valid one of this connection at the identity provider",
    }
}

/// A detail inside a sentence.
fn detail(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    match text.char_indices().nth(DETAIL) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::error::{ScimError, ScimType};

    fn answer(status: u16, scim_type: Option<&'static str>, detail: &'static str) -> Answer<'static> {
        Answer {
            operation: Operation::Create,
            outcome: Outcome::Refused,
            status,
            scim_type,
            detail: Some(detail),
            subject: Some("ben@example.org"),
            is_group: false,
            rejected: None,
        }
    }

    /// Every keyword. A new one does not compile until it is here.
    fn keywords() -> Vec<ScimType> {
        let all = [
            ScimType::InvalidFilter,
            ScimType::TooMany,
            ScimType::Uniqueness,
            ScimType::Mutability,
            ScimType::InvalidSyntax,
            ScimType::InvalidPath,
            ScimType::NoTarget,
            ScimType::InvalidValue,
            ScimType::InvalidVers,
            ScimType::Sensitive,
            ScimType::InvalidCursor,
        ];
        for one in all {
            match one {
                ScimType::InvalidFilter
                | ScimType::TooMany
                | ScimType::Uniqueness
                | ScimType::Mutability
                | ScimType::InvalidSyntax
                | ScimType::InvalidPath
                | ScimType::NoTarget
                | ScimType::InvalidValue
                | ScimType::InvalidVers
                | ScimType::Sensitive
                | ScimType::InvalidCursor => {}
            }
        }
        all.to_vec()
    }

    /// Statuses without keyword that the surface answers.
    const STATUSES: [u16; 17] = [400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 418, 429, 431, 500, 501, 503];

    #[test]
    fn every_refusal_is_one_sentence() {
        let with_keyword = keywords().into_iter().map(|kind| (400, Some(kind.as_str())));
        let of_the_table = ScimError::uniqueness("x");
        let kinds = with_keyword
            .chain(STATUSES.map(|status| (status, None)))
            .chain([(of_the_table.status, of_the_table.scim_type.map(ScimType::as_str))]);
        for (status, scim_type) in kinds {
            for operation in Operation::ALL {
                for (subject, is_group, detail) in [
                    (Some("ben@example.org"), false, Some("The reason.")),
                    (Some("Staff"), true, Some("The reason")),
                    (None, false, None),
                ] {
                    let facts = Answer { operation, subject, is_group, detail, ..answer(status, scim_type, "") };
                    let text = explain(&facts);
                    assert!(text.starts_with("Refused: ") && text.ends_with('.'), "{status} {scim_type:?}: {text}");
                    assert!(text.len() > 30 || status == 418 || status == 409 || status == 400, "{status}: {text}");
                    assert_eq!(text.matches(". ").count() + text.matches("..").count(), 0, "{text}");
                }
            }
        }
    }

    #[test]
    fn keywords_say_more_than_their_detail() {
        for kind in keywords().into_iter().filter(|kind| *kind != ScimType::Uniqueness) {
            let text = explain(&answer(400, Some(kind.as_str()), "THE DETAIL"));
            assert!(text.contains("(THE DETAIL)") && text.len() > 60, "{text}");
        }
    }

    #[test]
    fn the_commonest_refusals_name_who_and_what_to_do() {
        for (facts, expected) in [
            (
                answer(409, Some("uniqueness"), "userName is taken by another user: choose another value"),
                "Refused: another user already has the user name ben@example.org: give one of the two another user name.",
            ),
            (
                answer(409, Some("uniqueness"), "The operator removed and blocked the person: ask them"),
                "Refused: The operator removed and blocked the person: ask them.",
            ),
            (
                Answer { rejected: Some(RejectedToken::Expired), ..answer(401, None, "x") },
                "Refused: the token has expired, so make a new one for this connection and enter it at the identity provider.",
            ),
            (
                answer(503, None, "The connection is paused: repeat the request when it is resumed"),
                "Refused: the connection is paused here, so the identity provider has to repeat this when it is resumed.",
            ),
        ] {
            assert_eq!(explain(&facts), expected);
        }
    }

    #[test]
    fn what_was_done_is_said_too() {
        for operation in Operation::ALL {
            for outcome in [Outcome::Applied, Outcome::NoChange, Outcome::Held] {
                let text = explain(&Answer { operation, outcome, ..answer(200, None, "") });
                assert!(text.ends_with('.') && !text.contains("Refused"), "{text}");
            }
        }
        let group = Answer {
            operation: Operation::AddMembers,
            outcome: Outcome::Applied,
            is_group: true,
            ..answer(200, None, "")
        };
        assert_eq!(explain(&Answer { subject: Some("Staff"), ..group }), "Added members to the group Staff.");
    }

    #[test]
    fn a_long_detail_is_cut() {
        let long: &'static str = "é".repeat(1_000).leak();
        let text = explain(&answer(418, None, long));
        assert_eq!(text.chars().count(), "Refused: ….".chars().count() + DETAIL);
    }
}
