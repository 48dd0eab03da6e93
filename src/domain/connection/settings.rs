//! The settings document of a connection: what an organization may choose for it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::protocol::policy::Repairs;

/// What happens to `members` that the connection cannot see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownMembers {
    /// 400 `invalidValue` naming the id.
    #[default]
    Refuse,
    /// Left out.
    Ignore,
}

/// What happens to a second group of the same `displayName`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateGroupNames {
    /// 409 `uniqueness`.
    #[default]
    Refuse,
    /// Stored beside the first.
    Allow,
}

/// What becomes of a local person whom the directory would create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptionPolicy {
    /// Adopted where the domain of the address is verified for the organization; else 409 `uniqueness`.
    #[default]
    VerifiedDomain,
    /// Waits until an Admin accepts or refuses; until then 409 `uniqueness`.
    Review,
    /// 409 `uniqueness`.
    Refuse,
}

/// When departures of many people at once are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Guard {
    /// More than so many of a hundred active people within the window …
    pub percent: u32,
    /// … and at least so many people.
    pub minimum: u32,
}

impl Guard {
    /// How many people may leave within a window that begins with so many active ones: the one that is over the share and
    /// the minimum is the last.
    pub fn allows(&self, active: i64) -> i64 {
        let share = active.saturating_mul(i64::from(self.percent)) / 100;
        share.saturating_add(1).max(i64::from(self.minimum))
    }
}

impl Default for Guard {
    fn default() -> Self {
        Guard { percent: 20, minimum: 10 }
    }
}

/// The settings document of a connection. Members that this version does not know are left to the version that does,
/// because two versions may run on one database during an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ConnectionSettings {
    /// `unknown_members`
    pub unknown_members: UnknownMembers,
    /// `duplicate_group_names`
    pub duplicate_group_names: DuplicateGroupNames,
    /// `repairs`: client dialects switched on or off by name.
    pub repairs: BTreeMap<String, bool>,
    /// `roles_discovery`: whether `/Roles` and `/Entitlements` are published. Off by default, because suites that test a
    /// server try to write to every resource type that it advertises.
    pub roles_discovery: bool,
    /// `adoption`
    pub adoption: AdoptionPolicy,
    /// `may_grant_admin`: whether the directory's `roles` give `admin` and `billing` too.
    pub may_grant_admin: bool,
    /// `guard`
    pub guard: Guard,
}

impl ConnectionSettings {
    /// Reads a stored document.
    ///
    /// # Errors
    /// What is wrong with a document that is no such JSON object.
    pub fn parse(document: &str) -> Result<Self, serde_json::Error> {
        if document == "{}" {
            return Ok(ConnectionSettings::default());
        }
        // Through a map: a derived struct would also be read from an array.
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(document)?;
        serde_json::from_value(members.into())
    }

    /// The repairs of this connection: all, less those switched off.
    pub fn repairs(&self) -> Repairs {
        let mut repairs = Repairs::default();
        for (name, on) in &self.repairs {
            if let Some(flag) = flag(&mut repairs, name) {
                *flag = *on;
            }
        }
        repairs
    }
}

fn flag<'a>(repairs: &'a mut Repairs, name: &str) -> Option<&'a mut bool> {
    Some(match name {
        "op_any_case" => &mut repairs.op_any_case,
        "boolean_strings" => &mut repairs.boolean_strings,
        "dotted_keys" => &mut repairs.dotted_keys,
        "ignore_read_only_keys" => &mut repairs.ignore_read_only_keys,
        "create_on_absent" => &mut repairs.create_on_absent,
        "remove_with_values" => &mut repairs.remove_with_values,
        "ignore_remove_value" => &mut repairs.ignore_remove_value,
        "manager_shapes" => &mut repairs.manager_shapes,
        "empty_string_clears" => &mut repairs.empty_string_clears,
        "compare_complex" => &mut repairs.compare_complex,
        "short_extension_names" => &mut repairs.short_extension_names,
        "patch_envelope" => &mut repairs.patch_envelope,
        _ => return None,
    })
}

/// Whether a repair has that name.
pub fn is_repair(name: &str) -> bool {
    flag(&mut Repairs::default(), name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_document_is_the_default() {
        assert_eq!(ConnectionSettings::parse("{}").unwrap(), ConnectionSettings::default());
        assert_eq!(ConnectionSettings::default().repairs(), Repairs::default());
    }

    #[test]
    fn every_member_is_read_and_unknown_ones_are_left_alone() {
        let text = r#"{"unknown_members":"ignore","duplicate_group_names":"allow","repairs":{"op_any_case":false,"x":true},
            "adoption":"verified_domain","may_grant_admin":true,"roles_discovery":true,"guard":{"percent":5},"later":1}"#;
        let settings = ConnectionSettings::parse(text).unwrap();
        assert_eq!(settings.unknown_members, UnknownMembers::Ignore);
        assert_eq!(settings.duplicate_group_names, DuplicateGroupNames::Allow);
        assert_eq!(settings.repairs(), Repairs { op_any_case: false, ..Repairs::default() });
        assert!(settings.roles_discovery);
        assert_eq!((settings.adoption, settings.may_grant_admin), (AdoptionPolicy::VerifiedDomain, true));
        assert_eq!(settings.guard, Guard { percent: 5, minimum: 10 });
    }

    #[test]
    fn a_guard_allows_the_greater_of_share_and_minimum() {
        let guard = Guard::default();
        let allowed: Vec<i64> = [0, 10, 44, 45, 50, 1_000].map(|active| guard.allows(active)).to_vec();
        assert_eq!(allowed, [10, 10, 10, 10, 11, 201]);
        assert!(Guard { percent: 100, minimum: 1 }.allows(7) > 7, "with a hundred percent it never holds");
    }

    #[test]
    fn every_repair_has_a_name() {
        let names = [
            "op_any_case",
            "boolean_strings",
            "dotted_keys",
            "ignore_read_only_keys",
            "create_on_absent",
            "remove_with_values",
            "ignore_remove_value",
            "manager_shapes",
            "empty_string_clears",
            "compare_complex",
            "short_extension_names",
            "patch_envelope",
        ];
        let repairs = names.iter().map(|name| ((*name).to_owned(), false)).collect();
        assert!(names.iter().all(|name| is_repair(name)) && !is_repair("x"));
        assert_eq!(ConnectionSettings { repairs, ..ConnectionSettings::default() }.repairs(), Repairs::none());
    }

    #[test]
    fn a_damaged_document_is_an_error() {
        for text in ["", "[]", r#"{"unknown_members":"perhaps"}"#, r#"{"adoption":"always"}"#] {
            assert!(ConnectionSettings::parse(text).is_err(), "{text}");
        }
    }
}
