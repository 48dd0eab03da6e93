//! What an organization may choose for one connection: the settings document and the state of a connection.

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
    /// `may_grant_admin`: whether the directory's `admin` and `billing` count.
    pub may_grant_admin: bool,
    /// `roles_discovery`: whether `/Roles` and `/Entitlements` are published. Off by default, because suites that test a
    /// server try to write to every resource type that it advertises.
    pub roles_discovery: bool,
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
        match state {
            "setup" | "observe" | "active" => Access::ReadWrite,
            "decommissioned" => Access::None,
            _ => Access::ReadOnly,
        }
    }
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
            "may_grant_admin":true,"roles_discovery":true,"later":1}"#;
        let settings = ConnectionSettings::parse(text).unwrap();
        assert_eq!(settings.unknown_members, UnknownMembers::Ignore);
        assert_eq!(settings.duplicate_group_names, DuplicateGroupNames::Allow);
        assert_eq!(settings.repairs(), Repairs { op_any_case: false, ..Repairs::default() });
        assert!(settings.may_grant_admin && settings.roles_discovery);
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
        assert_eq!(ConnectionSettings { repairs, ..ConnectionSettings::default() }.repairs(), Repairs::none());
    }

    #[test]
    fn a_damaged_document_is_an_error() {
        for text in ["", "[]", r#"{"unknown_members":"perhaps"}"#] {
            assert!(ConnectionSettings::parse(text).is_err(), "{text}");
        }
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
