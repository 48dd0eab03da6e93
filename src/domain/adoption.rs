//! What becomes of a local person whom a directory would create: adopted, put before an Admin, or refused. A directory may take
//! over an account only where the organization proved that the address's domain is its own, or an Admin says so.

use super::connection::AdoptionPolicy;
use super::ids::ConnectionId;

/// A local person, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// What the person signs in with.
    pub address: Option<&'a str>,
    /// The break-glass Admin, whom no directory gets.
    pub is_protected: bool,
    /// The directory that the person came from and that knows them by an externalId.
    pub former: Option<ConnectionId>,
}

/// What becomes of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The connection manages them from now on.
    Adopt,
    /// An Admin decides.
    Wait,
    /// The connection does not get them.
    Refuse,
}

/// Judges by the policy of `connection`. `is_verified` tells whether a domain is the organization's. Whom this very connection
/// knows by its externalId is its own again, whatever the domain.
pub fn judge(
    policy: AdoptionPolicy,
    connection: ConnectionId,
    candidate: Candidate<'_>,
    is_verified: impl Fn(&str) -> bool,
) -> Verdict {
    if candidate.is_protected {
        return Verdict::Refuse;
    }
    match policy {
        AdoptionPolicy::Refuse => Verdict::Refuse,
        AdoptionPolicy::Review => Verdict::Wait,
        AdoptionPolicy::VerifiedDomain if candidate.former == Some(connection) => Verdict::Adopt,
        AdoptionPolicy::VerifiedDomain => match candidate.address.and_then(domain_of) {
            Some(domain) if is_verified(&domain) => Verdict::Adopt,
            _ => Verdict::Refuse,
        },
    }
}

/// The domain of an address, in lower case.
pub fn domain_of(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() { None } else { check_domain(domain).ok() }
}

/// A domain as it is stored: ASCII in lower case, international ones in their `xn--` form.
///
/// # Errors
/// What a domain looks like.
pub fn check_domain(text: &str) -> Result<String, String> {
    let domain = text.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let has_name = domain.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_lowercase()));
    let fine = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label) && has_name;
    if fine {
        Ok(domain)
    } else {
        Err("A domain is a name such as example.com, international ones as xn--….".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const HERE: ConnectionId = ConnectionId(Uuid::from_u128(1));
    const THERE: ConnectionId = ConnectionId(Uuid::from_u128(2));

    #[test]
    fn the_policy_decides_and_the_protected_stay() {
        use AdoptionPolicy as P;
        let of = |policy, address, former, is_protected| {
            judge(policy, HERE, Candidate { address, former, is_protected }, |domain| domain == "ours.example")
        };
        for (policy, ours, theirs, former) in [
            (P::VerifiedDomain, Verdict::Adopt, Verdict::Refuse, Verdict::Adopt),
            (P::Review, Verdict::Wait, Verdict::Wait, Verdict::Wait),
            (P::Refuse, Verdict::Refuse, Verdict::Refuse, Verdict::Refuse),
        ] {
            assert_eq!(of(policy, Some("a@OURS.example"), None, false), ours);
            for address in [
                None,
                Some("a"),
                Some("a@theirs.example"),
                Some("a@ours.example@theirs.example"),
                Some("@ours.example"),
            ] {
                assert_eq!(of(policy, address, None, false), theirs, "{address:?}");
            }
            assert_eq!(of(policy, None, Some(HERE), false), former);
            assert_eq!(of(policy, None, Some(THERE), false), theirs);
            assert_eq!(of(policy, Some("a@ours.example"), Some(HERE), true), Verdict::Refuse);
        }
    }

    #[test]
    fn a_domain_is_a_name_with_a_dot() {
        for (text, domain) in [
            ("Example.COM", "example.com"),
            ("a.b-c.example.", "a.b-c.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(check_domain(text).as_deref(), Ok(domain));
        }
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            "com",
            "a..b",
            "-a.example",
            "a-.example",
            "bücher.example",
            "a b.example",
            "127.0.0.1",
            "a@b.example",
            &long,
        ] {
            assert!(check_domain(text).is_err(), "{text}");
        }
        assert_eq!(domain_of("Anna@Example.com").as_deref(), Some("example.com"));
    }
}
