//! Format of secrets: a kind prefix, 32 random bytes in base62 (43 characters), a checksum of 6 characters. The prefix
//! and the checksum let secret scanners tell a real token from a look-alike without asking us; storage keeps the
//! SHA-256 only. Making the random bytes belongs to `service/ids.rs`.

use sha2::{Digest as _, Sha256};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Base62 digits that 32 bytes need.
const BODY: usize = 43;
/// Base62 digits of the CRC-32.
const CHECKSUM: usize = 6;

/// What a secret opens, and so its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// `rc_st_`: the SCIM surface of one connection.
    ScimToken,
    /// `rc_ak_`: the admin API.
    ApiKey,
    /// `rc_ok_`: the backoffice API.
    OperatorKey,
    /// `rc_in_`: an invitation link.
    Invitation,
    /// `rc_al_`: a one-time admin link.
    AdminLink,
}

impl SecretKind {
    /// First characters of every secret of this kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            SecretKind::ScimToken => "rc_st_",
            SecretKind::ApiKey => "rc_ak_",
            SecretKind::OperatorKey => "rc_ok_",
            SecretKind::Invitation => "rc_in_",
            SecretKind::AdminLink => "rc_al_",
        }
    }
}

/// The text of a secret made of random bytes.
pub fn format(kind: SecretKind, random: &[u8; 32]) -> String {
    let mut text = String::with_capacity(kind.prefix().len() + BODY + CHECKSUM);
    text.push_str(kind.prefix());
    push_base62(&mut text, random, BODY);
    let checksum = crc32(text.as_bytes());
    push_base62(&mut text, &checksum.to_be_bytes(), CHECKSUM);
    text
}

/// Whether a text has the form of a secret of this kind, checksum included. Says nothing of its validity.
pub fn is_well_formed(kind: SecretKind, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(kind.prefix()) else { return false };
    if rest.len() != BODY + CHECKSUM || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let Some((signed, checksum)) = text.split_at_checked(text.len() - CHECKSUM) else { return false };
    let mut expected = String::with_capacity(CHECKSUM);
    push_base62(&mut expected, &crc32(signed.as_bytes()).to_be_bytes(), CHECKSUM);
    expected == checksum
}

/// What is stored of a secret, and what it is looked up by.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// What people may see of a secret to tell it from others: its prefix and its last four characters, which belong to the
/// checksum.
pub fn fingerprint(kind: SecretKind, text: &str) -> String {
    let last = text.len().saturating_sub(4);
    format!("{}…{}", kind.prefix(), text.get(last..).unwrap_or_default())
}

/// How long a one-time admin link can be used, µs.
pub const ADMIN_LINK_LIFETIME: i64 = 3_600_000_000;

/// How long a credential lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// So many days.
    Days(u32),
    /// Until it is revoked.
    Unlimited,
}

impl Lifetime {
    /// What is offered, by name.
    pub const OFFERED: [(&'static str, Lifetime); 4] = [
        ("90d", Lifetime::Days(90)),
        ("1y", Lifetime::Days(365)),
        ("2y", Lifetime::Days(730)),
        ("never", Lifetime::Unlimited),
    ];

    /// When it ends for a credential made now, both in µs since 1970.
    pub fn ends_at(self, now: i64) -> Option<i64> {
        match self {
            Lifetime::Days(days) => Some(now.saturating_add(i64::from(days) * 86_400_000_000)),
            Lifetime::Unlimited => None,
        }
    }
}

/// Appends the number with the given big-endian bytes in base62, with leading zeros.
fn push_base62(out: &mut String, bytes: &[u8], digits: usize) {
    let mut number = bytes.to_vec();
    let mut reversed = Vec::with_capacity(digits);
    for _ in 0..digits {
        let mut rest = 0u32;
        for byte in &mut number {
            let value = (rest << 8) | u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        reversed.push(DIGITS.get(rest as usize).copied().unwrap_or(b'0'));
    }
    out.extend(reversed.iter().rev().map(|b| char::from(*b)));
}

/// CRC-32 (IEEE 802.3), bit by bit: a secret is made or checked for its form a few times a day.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_has_its_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn extremes_have_the_full_width() {
        for bytes in [[0; 32], [255; 32]] {
            let text = format(SecretKind::ScimToken, &bytes);
            assert_eq!(text.len(), 6 + 43 + 6, "{text}");
            assert!(is_well_formed(SecretKind::ScimToken, &text));
        }
    }

    #[test]
    fn different_bytes_give_different_texts() {
        assert_ne!(format(SecretKind::ApiKey, &[1; 32]), format(SecretKind::ApiKey, &[2; 32]));
    }

    #[test]
    fn a_changed_character_or_another_kind_is_not_well_formed() {
        let text = format(SecretKind::ScimToken, &[7; 32]);
        assert!(!is_well_formed(SecretKind::ApiKey, &text));
        assert!(!is_well_formed(SecretKind::ScimToken, &text.replacen(&text[10..11], "_", 1)));
        let swapped: String =
            text.chars().enumerate().map(|(i, c)| if i == 20 { if c == 'a' { 'b' } else { 'a' } } else { c }).collect();
        assert!(!is_well_formed(SecretKind::ScimToken, &swapped));
        assert!(!is_well_formed(SecretKind::ScimToken, ""));
    }

    #[test]
    fn a_fingerprint_gives_only_the_end_of_the_checksum_away() {
        let text = format(SecretKind::ScimToken, &[7; 32]);
        assert_eq!(fingerprint(SecretKind::ScimToken, &text), format!("rc_st_…{}", &text[text.len() - 4..]));
    }

    #[test]
    fn a_lifetime_ends_so_many_days_later_or_never() {
        assert_eq!(Lifetime::Days(90).ends_at(5), Some(7_776_000_000_005));
        assert_eq!(Lifetime::Days(90).ends_at(i64::MAX), Some(i64::MAX));
        assert_eq!(Lifetime::Unlimited.ends_at(5), None);
    }
}
