//! Security settings of an organization, as far as its settings document (JSON) holds them. The protected Admin is no part of
//! it: that is a mark on a person's account.

use serde_json::{Map, Value};

/// The document's member.
const ROLES_FOR_MANAGED_USERS: &str = "roles_for_managed_users";

/// Who says which direct roles and which groups of the organization people have whom a directory manages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RolesForManagedUsers {
    /// The organization's Admins, beside the directory.
    #[default]
    Local,
    /// The directory alone.
    DirectoryOnly,
}

impl RolesForManagedUsers {
    /// All of them.
    pub const ALL: [RolesForManagedUsers; 2] = [RolesForManagedUsers::Local, RolesForManagedUsers::DirectoryOnly];

    /// Its name in the API and in the document.
    pub fn key(self) -> &'static str {
        match self {
            RolesForManagedUsers::Local => "local",
            RolesForManagedUsers::DirectoryOnly => "directory_only",
        }
    }

    /// The one of that name.
    pub fn parse(key: &str) -> Option<Self> {
        RolesForManagedUsers::ALL.into_iter().find(|choice| choice.key() == key)
    }

    /// What a document says; the default where it says nothing, or cannot be read.
    pub fn of_document(document: &str) -> Self {
        let members: Option<Map<String, Value>> = serde_json::from_str(document).ok();
        let said = members.as_ref().and_then(|members| members.get(ROLES_FOR_MANAGED_USERS)?.as_str());
        said.and_then(RolesForManagedUsers::parse).unwrap_or_default()
    }

    /// The document that says so, its other members as they are. The default is not written down.
    ///
    /// # Errors
    /// What is wrong with a document that is no JSON object.
    pub fn into_document(self, document: &str) -> Result<String, serde_json::Error> {
        let mut members: Map<String, Value> = serde_json::from_str(document)?;
        if self == RolesForManagedUsers::default() {
            members.remove(ROLES_FOR_MANAGED_USERS);
        } else {
            members.insert(ROLES_FOR_MANAGED_USERS.to_owned(), self.key().into());
        }
        Ok(Value::Object(members).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_says_what_was_written_into_it() {
        for choice in RolesForManagedUsers::ALL {
            assert_eq!(RolesForManagedUsers::parse(choice.key()), Some(choice));
            for before in ["{}", r#"{"roles_for_managed_users":"directory_only"}"#] {
                let document = choice.into_document(before).unwrap();
                assert_eq!(RolesForManagedUsers::of_document(&document), choice, "{document}");
            }
        }
        let kept = RolesForManagedUsers::Local.into_document(r#"{"later":[1],"roles_for_managed_users":"x"}"#).unwrap();
        assert_eq!(kept, r#"{"later":[1]}"#);
    }

    #[test]
    fn what_cannot_be_read_is_the_default_and_is_not_written_over() {
        for document in
            ["", "x", "[]", "{}", r#"{"roles_for_managed_users":1}"#, r#"{"roles_for_managed_users":"all"}"#]
        {
            assert_eq!(RolesForManagedUsers::of_document(document), RolesForManagedUsers::Local, "{document}");
        }
        for document in ["", "x", "[]"] {
            assert!(RolesForManagedUsers::DirectoryOnly.into_document(document).is_err(), "{document}");
        }
    }
}
