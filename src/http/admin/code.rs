//! The problem codes: status, title and help text of each, in one table. A code is part of the API: it never changes its
//! meaning, and the URL of its help page is the problem's `type`.

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub(crate) enum Code {
    MalformedJson,
    UnknownParameter,
    FilterInvalid,
    CursorInvalid,
    BadRequest,
    Unauthenticated,
    PermissionDenied,
    ManagedExternally,
    ReauthenticationRequired,
    MfaEnrolmentRequired,
    SsoRequired,
    CrossSiteRequest,
    AddressNotAllowed,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    EmailTaken,
    AlreadyMember,
    DeactivatedByDirectory,
    LastAdmin,
    CannotTargetSelf,
    GroupNameTaken,
    InvitationNotPending,
    ConnectionState,
    TokenLimit,
    IdempotencyInFlight,
    SecretAlreadyShown,
    InvitationExpired,
    InvitationRevoked,
    InvitationUsed,
    PreconditionFailed,
    PayloadTooLarge,
    UriTooLong,
    UnsupportedMediaType,
    ValidationFailed,
    IdempotencyMismatch,
    RateLimited,
    HeadersTooLarge,
    Internal,
    Unavailable,
}

/// Code, its name, status, title, help text.
type Row = (Code, &'static str, u16, &'static str, &'static str);

use Code as C;

#[rustfmt::skip]
static TABLE: [Row; 41] = [
    (C::MalformedJson, "malformed-json", 400, "Malformed JSON",
        "The body is not one JSON document in UTF-8, it nests too deep, or an object has a name twice. Send what a JSON encoder makes of your data."),
    (C::UnknownParameter, "unknown-parameter", 400, "Unknown query parameter",
        "The query has a parameter that this route does not know, or one that may stand once only stands twice. Nothing is ignored, so that a typing error never widens a list."),
    (C::FilterInvalid, "filter-invalid", 400, "Invalid filter",
        "A filter, sort or limit parameter has a value that it cannot have. The detail names the parameter and what it takes."),
    (C::CursorInvalid, "cursor-invalid", 400, "Invalid cursor",
        "A cursor belongs to the list, the filters and the sort order that it came from, and it cannot be made or changed by hand. Begin again without a cursor."),
    (C::BadRequest, "bad-request", 400, "Bad request",
        "The request itself is broken: its length is given in two ways, or its body broke off. Repeat it."),
    (C::Unauthenticated, "unauthenticated", 401, "Not authenticated",
        "The credential is missing, unknown, expired or revoked; which one is not told. Send an API key as Authorization: Bearer."),
    (C::PermissionDenied, "permission-denied", 403, "Permission denied",
        "The credential is valid, but its roles do not permit this. The member \"permission\" names what is missing; an Admin of the organization can give a role that has it."),
    (C::ManagedExternally, "managed-externally", 403, "Managed externally",
        "An identity provider manages this person or group. Make the change there: it arrives here by itself. If that is not possible, ask the operator of this service."),
    (C::ReauthenticationRequired, "reauthentication-required", 403, "Sign in again",
        "This deed needs a sign-in within the last ten minutes. Sign in again and repeat it."),
    (C::MfaEnrolmentRequired, "mfa-enrolment-required", 403, "Second factor required",
        "The organization asks for a second factor. Set one up and repeat the request."),
    (C::SsoRequired, "sso-required", 403, "Single sign-on required",
        "The organization asks for sign-in through its identity provider."),
    (C::CrossSiteRequest, "cross-site-request", 403, "Request from another site",
        "A browser sent this request from another site. Deeds are accepted from this service's own pages, or with an API key."),
    (C::AddressNotAllowed, "address-not-allowed", 403, "Address not allowed",
        "The credential may be used from listed addresses only, and this request came from another one."),
    (C::NotFound, "not-found", 404, "Not found",
        "There is nothing under this URL, or nothing that this credential may see."),
    (C::MethodNotAllowed, "method-not-allowed", 405, "Method not allowed",
        "The resource does not offer this method. The Allow header lists those that it offers."),
    (C::NotAcceptable, "not-acceptable", 406, "Not acceptable",
        "The Accept header leaves out every media type that this route answers. All routes answer application/json."),
    (C::RequestTimeout, "request-timeout", 408, "Request timeout",
        "The body did not arrive in time. Repeat the request."),
    (C::EmailTaken, "email-taken", 409, "Address taken",
        "Another person of the organization has this address."),
    (C::AlreadyMember, "already-member", 409, "Already a member",
        "A person with this address belongs to the organization already."),
    (C::DeactivatedByDirectory, "deactivated-by-directory", 409, "Deactivated by the directory",
        "The identity provider deactivated this person. Reactivate them there, or ask the operator of this service to release them."),
    (C::LastAdmin, "last-admin", 409, "Last Admin",
        "This would leave the organization without an active Admin who can sign in. Make another person an Admin first."),
    (C::CannotTargetSelf, "cannot-target-self", 409, "Not on yourself",
        "Nobody does this to themselves. Ask another Admin."),
    (C::GroupNameTaken, "group-name-taken", 409, "Name taken",
        "Another one of this kind has this name, letter case aside. Choose another name."),
    (C::InvitationNotPending, "invitation-not-pending", 409, "Invitation not pending",
        "The invitation was accepted, withdrawn or has expired. Send a new one."),
    (C::ConnectionState, "connection-state", 409, "Wrong state of the connection",
        "The connection's state does not allow this step. The detail names the state."),
    (C::TokenLimit, "token-limit", 409, "Too many tokens",
        "As many as may live at once do. Revoke one first."),
    (C::IdempotencyInFlight, "idempotency-in-flight", 409, "Still running",
        "A request with this Idempotency-Key has not ended yet. Repeat it later to read its answer."),
    (C::SecretAlreadyShown, "secret-already-shown", 409, "Secret already shown",
        "The request with this Idempotency-Key was done, and its answer held a secret, which is shown once only. If the secret is lost, rotate it."),
    (C::InvitationExpired, "invitation-expired", 410, "Invitation expired",
        "The invitation was not accepted in time. Ask for a new one."),
    (C::InvitationRevoked, "invitation-revoked", 410, "Invitation withdrawn",
        "The invitation was withdrawn."),
    (C::InvitationUsed, "invitation-used", 410, "Invitation used",
        "The invitation was accepted already. Sign in."),
    (C::PreconditionFailed, "precondition-failed", 412, "Precondition failed",
        "The resource is not the version that If-Match names: somebody changed it. Read it again and repeat the change."),
    (C::PayloadTooLarge, "payload-too-large", 413, "Body too large",
        "The body is larger than this service reads. Send less at once."),
    (C::UriTooLong, "uri-too-long", 414, "URL too long",
        "The URL is longer than this service reads. Use fewer or shorter parameters."),
    (C::UnsupportedMediaType, "unsupported-media-type", 415, "Unsupported media type",
        "Send the body as application/json (a PATCH also as application/merge-patch+json), without Content-Encoding."),
    (C::ValidationFailed, "validation-failed", 422, "Validation failed",
        "The body is JSON, but some of it is not what the route takes. The member \"errors\" has a JSON Pointer and a sentence for each part."),
    (C::IdempotencyMismatch, "idempotency-mismatch", 422, "Another request had this key",
        "An earlier request with this Idempotency-Key was a different one. Use a new key for each new deed."),
    (C::RateLimited, "rate-limited", 429, "Too many requests",
        "The credential sent more requests than it may. Wait as long as Retry-After says; RateLimit tells in every answer how many are left."),
    (C::HeadersTooLarge, "headers-too-large", 431, "Header fields too large",
        "The header fields of the request are larger than this service reads."),
    (C::Internal, "internal", 500, "Internal error",
        "Something failed inside this service. Its log tells more under the request id, which is the end of \"instance\"."),
    (C::Unavailable, "unavailable", 503, "Unavailable",
        "The service cannot do this at the moment. Nothing was changed: repeat the request after the time in Retry-After."),
];

impl Code {
    fn row(self) -> &'static Row {
        // In the order of the codes, which a test holds.
        let [.., last] = &TABLE;
        TABLE.get(self as usize).unwrap_or(last)
    }

    /// All of them, in the order of the table.
    pub(crate) fn all() -> impl Iterator<Item = Code> {
        TABLE.iter().map(|(code, ..)| *code)
    }

    /// The code of that name.
    pub(crate) fn parse(name: &str) -> Option<Code> {
        Code::all().find(|code| code.name() == name)
    }

    /// Last segment of the problem's `type`.
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status.
    pub(crate) fn status(self) -> u16 {
        self.row().2
    }

    /// A few words for people.
    pub(crate) fn title(self) -> &'static str {
        self.row().3
    }

    /// What it means, and what to do.
    pub(crate) fn help(self) -> &'static str {
        self.row().4
    }

    /// The code for a status that HTTP itself refuses with, before any route.
    pub(crate) fn of_status(status: u16) -> Code {
        match status {
            400 => Code::BadRequest,
            414 => Code::UriTooLong,
            431 => Code::HeadersTooLarge,
            503 => Code::Unavailable,
            _ => Code::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_codes_and_names_are_unique() {
        for (at, (code, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*code as usize, at, "{}", code.name());
            assert_eq!(Code::parse(code.name()), Some(*code));
            assert!(code.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!((400..600).contains(&code.status()) && code.help().ends_with('.'));
        }
        assert_eq!(Code::Unavailable as usize + 1, TABLE.len());
        assert_eq!(Code::parse("no-code"), None);
    }

    /// The table as users see it. A line may be added; none may change.
    #[test]
    fn codes_and_statuses_stay_what_they_are() {
        let lines: Vec<String> = Code::all().map(|code| format!("{} {}", code.status(), code.name())).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn statuses_of_refused_heads_have_a_code() {
        for (status, code) in
            [(400, C::BadRequest), (414, C::UriTooLong), (431, C::HeadersTooLarge), (503, C::Unavailable)]
        {
            assert_eq!(Code::of_status(status), code);
            assert_eq!(code.status(), status);
        }
        assert_eq!(Code::of_status(418), C::Internal);
    }
}
