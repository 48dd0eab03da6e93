//! People whom no directory manages, made by the operator: an organization's first ones, before it has an Admin who could
//! invite them.

use serde_json::{Value, json};

use super::{OperatorCtx, Refusal, Result, organizations};
use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, ResourceId, Scope};
use crate::domain::permission::{Role, RoleSet};
use crate::domain::person::is_address;
use crate::protocol::policy::Policy;
use crate::protocol::schema::{Registry, ResourceKind};
use crate::protocol::validate;
use crate::service::ids;
use crate::storage::cold::{operator_log, roles};
use crate::storage::write::{Action, Change};
use crate::storage::{Database, Db, StorageError, UniqueKey, Write, keys};

/// A person to create, active.
#[derive(Debug, Clone, Default)]
pub struct CreatePerson {
    /// Their address.
    pub email: String,
    /// The address where `None`.
    pub user_name: Option<String>,
    /// Given name.
    pub given: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Direct roles.
    pub roles: RoleSet,
}

/// A person who was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Id, over SCIM too.
    pub id: ResourceId,
    /// As stored.
    pub user_name: String,
}

/// Creates a person.
///
/// # Errors
/// `Missing` organization; `Invalid`; `Taken` user name.
pub async fn create(ctx: &OperatorCtx, db: &Database, slug_or_id: &str, asked: CreatePerson) -> Result<Created> {
    let organization = organizations::load(db, slug_or_id).await?.id;
    if !is_address(&asked.email) {
        return Err(Refusal::Invalid(format!("`{}` is no e-mail address, such as ben@example.com", asked.email)));
    }
    let user = Registry::builtin().resource_type(ResourceKind::User);
    let resource = validate::create(document(&asked), user, &Policy::default());
    let resource = resource.map_err(|error| Refusal::Invalid(error.detail))?.resource;
    let (columns, values) = keys::user_columns(&resource, true);
    let created = Created { id: ids::resource(), user_name: columns.user_name.clone() };
    let (id, deed, rolled) = (created.id, ctx.deed(), ctx.deed());
    let write = Write {
        scope: Scope { organization, connection: ConnectionId::LOCAL },
        at: ctx.now,
        actor: ctx.actor.to_string(),
        request_id: ctx.request_id.clone(),
        changes: vec![Change {
            detail: format!(r#"{{"after":{}}}"#, columns.document),
            action: Action::InsertUser { id, columns, values },
            event: deed.event,
        }],
        shows_group: false,
    };
    let insert = async move |db: &mut Db<'_>| {
        write.apply(db).await?;
        if !asked.roles.is_empty() {
            roles::grant(db, &rolled, organization, id, asked.roles).await?;
            let given: Vec<&str> = asked.roles.iter().map(Role::key).collect();
            let detail = json!({ "changed": ["roles"], "before": { "roles": [] }, "after": { "roles": given } });
            let kind = EventKind::UserRolesChanged;
            operator_log::note(db, &rolled, organization, kind, id, &detail.to_string()).await?;
        }
        Ok::<_, StorageError>(())
    };
    match db.transaction(insert).await {
        Err(StorageError::NotUnique(UniqueKey::UserName)) => {
            Err(Refusal::Taken { what: "a person with the user name", name: created.user_name })
        }
        Err(error) => Err(error.into()),
        Ok(()) => Ok(created),
    }
}

fn document(asked: &CreatePerson) -> Value {
    let mut name = serde_json::Map::new();
    for (member, text) in [("givenName", &asked.given), ("familyName", &asked.family)] {
        if let Some(text) = text {
            name.insert(member.to_owned(), text.as_str().into());
        }
    }
    let parts: Vec<&str> = [&asked.given, &asked.family].into_iter().flatten().map(String::as_str).collect();
    let mut document = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": asked.user_name.as_ref().unwrap_or(&asked.email),
        "emails": [{ "value": asked.email, "primary": true }],
    });
    if let Some(members) = document.as_object_mut().filter(|_| !parts.is_empty()) {
        members.insert("name".to_owned(), name.into());
        members.insert("displayName".to_owned(), parts.join(" ").into());
    }
    document
}
