//! People of the organization itself, as an import or a joined invitation leaves them.

use rollcall::domain::ids::{ConnectionId, ResourceId, Scope};
use rollcall::protocol::resource::Resource;
use rollcall::service::ids;
use rollcall::storage::write::{Action, Change};
use rollcall::storage::{Backend, Write, keys};
use serde_json::{Value, json};

use super::{Tenant, TestApp};

impl TestApp {
    /// An active person whom no directory manages; answers the id.
    pub(crate) async fn local_person(&self, tenant: &Tenant, email: &str) -> String {
        let document = json!({ "userName": email, "active": true, "emails": [{ "value": email }] });
        self.local_document(tenant, &document).await.to_string()
    }

    /// A person whom no directory manages, of any SCIM document.
    pub(crate) async fn local_document(&self, tenant: &Tenant, document: &Value) -> ResourceId {
        let resource = Resource::from_document(&document.to_string()).expect("a document");
        let (columns, values) = keys::user_columns(&resource, true);
        let id = ids::resource();
        let action = Action::InsertUser { id, columns, values };
        let write = Write {
            scope: Scope { organization: tenant.made.organization.id, connection: ConnectionId::LOCAL },
            at: self.state.clock.now(),
            actor: "system".to_owned(),
            request_id: String::new(),
            changes: vec![Change { action, event: ids::event(), detail: "{}".to_owned() }],
            shows_group: false,
        };
        self.state.db.commit(write).await.expect("a person");
        id
    }

    /// Gives a person a direct role.
    pub(crate) async fn give(&self, tenant: &Tenant, user: &str, role: &str) {
        let (organization, user) = (self.literal(&tenant.made.organization.id.to_string()), self.literal(user));
        self.execute(&format!(
            "INSERT INTO role_grants (organization, user_id, role, granted_at, granted_by) \
             VALUES ({organization}, {user}, '{role}', 0, 'system')"
        ))
        .await;
    }

    /// Sets the settings of a tenant's connections.
    pub(crate) async fn set_connections(&self, tenant: &Tenant, assignment: &str) {
        let organization = self.literal(&tenant.made.organization.id.to_string());
        self.execute(&format!("UPDATE connections SET {assignment} WHERE organization = {organization}")).await;
    }

    /// Whether a query answers a row.
    pub(crate) async fn holds(&self, sql: &str) -> bool {
        self.home().count(&format!("SELECT count(*) AS n FROM ({sql}) AS q")).await > 0
    }

    /// A column of bytes as lower-case hexadecimal digits, in SQL.
    pub(crate) fn hex(&self, column: &str) -> String {
        match self.state.db.backend() {
            Backend::Sqlite => format!("lower(hex({column}))"),
            Backend::Postgres => format!("encode({column}, 'hex')"),
        }
    }

    /// An id in SQL.
    fn literal(&self, id: &str) -> String {
        match self.state.db.backend() {
            Backend::Sqlite => format!("x'{}'", id.replace('-', "")),
            Backend::Postgres => format!("'{id}'"),
        }
    }
}
