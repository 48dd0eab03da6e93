//! What people call the things that logs name by id, also where these are gone.

use std::collections::HashMap;

use diesel::{ExpressionMethods as _, QueryDsl as _};
use uuid::Uuid;

use crate::domain::ids::OrganizationId;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{api_keys, connections, groups, operators, organizations, scim_tokens, users};
use crate::storage::uid::Id;
use crate::storage::{Database, keys};

/// A kind of thing that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Labelled {
    User,
    Group,
    Connection,
    /// Called by its connection's name.
    ScimToken,
    ApiKey,
    Organization,
    /// In the operator log only.
    Operator,
}

/// Ids looked up in one statement.
const AT_ONCE: usize = 200;

macro_rules! names {
    ($db:ident, $organization:ident, $ids:ident, $table:ident, $name:ident) => {{
        let rows = $table::table.filter($table::organization.eq($organization)).filter($table::id.eq_any($ids.clone()));
        rows.select(($table::id, $table::$name)).all::<(Id, String)>($db).await?
    }};
}

async fn names(db: &mut Db<'_>, organization: Id, kind: Labelled, ids: Vec<Id>) -> Result<Vec<(Id, String)>> {
    Ok(match kind {
        Labelled::User => names!(db, organization, ids, users, user_name),
        Labelled::Group => names!(db, organization, ids, groups, display_name),
        Labelled::Connection => names!(db, organization, ids, connections, name),
        Labelled::ApiKey => names!(db, organization, ids, api_keys, name),
        Labelled::ScimToken => {
            let rows = scim_tokens::table
                .filter(scim_tokens::organization.eq(organization))
                .filter(scim_tokens::id.eq_any(ids))
                .select((scim_tokens::id, scim_tokens::connection));
            let tokens: Vec<(Id, Id)> = rows.all(db).await?;
            let ids: Vec<Id> = tokens.iter().map(|(_, connection)| *connection).collect();
            let of: HashMap<Id, String> = names!(db, organization, ids, connections, name).into_iter().collect();
            tokens.into_iter().filter_map(|(id, connection)| Some((id, of.get(&connection)?.clone()))).collect()
        }
        Labelled::Operator if organization == Id::from(OrganizationId::SERVICE) => {
            let rows = operators::table.filter(operators::id.eq_any(ids));
            rows.select((operators::id, operators::name)).all::<(Id, String)>(db).await?
        }
        Labelled::Operator => Vec::new(),
        Labelled::Organization => {
            let rows = organizations::table.filter(organizations::id.eq(organization));
            rows.select((organizations::id, organizations::name)).all::<(Id, String)>(db).await?
        }
    })
}

impl Database {
    /// The names of things of an organization, as far as they are known.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn labels(
        &self,
        organization: OrganizationId,
        mut wanted: Vec<(Labelled, Uuid)>,
    ) -> Result<HashMap<(Labelled, Uuid), String>> {
        wanted.sort_unstable();
        wanted.dedup();
        let mut labels = HashMap::new();
        for same in wanted.chunk_by(|a, b| a.0 == b.0) {
            for some in same.chunks(AT_ONCE) {
                let Some((kind, _)) = some.first().copied() else { continue };
                let ids = some.iter().map(|(_, id)| Id(*id)).collect();
                let found = self.cold_read(async |db| names(db, organization.into(), kind, ids).await).await?;
                labels.extend(found.into_iter().map(|(id, name)| ((kind, id.0), name)));
            }
        }
        labels.retain(|_, name| !name.is_empty());
        Ok(labels)
    }

    /// The names of groups and what their directory calls them (up to 255 characters), deleted ones included; those that exist.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn group_names(
        &self,
        organization: OrganizationId,
        mut wanted: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, (String, Option<String>)>> {
        wanted.sort_unstable();
        wanted.dedup();
        let mut names = HashMap::new();
        for some in wanted.chunks(AT_ONCE) {
            let ids: Vec<Id> = some.iter().copied().map(Id).collect();
            let rows = groups::table
                .filter(groups::organization.eq(Id::from(organization)))
                .filter(groups::id.eq_any(ids))
                .select((groups::id, groups::display_name, groups::external_id_key));
            let rows: Vec<(Id, String, Option<String>)> = self.cold_read(async |db| Ok(rows.all(db).await?)).await?;
            let whole = |key: &String| !keys::is_cut(key);
            names.extend(rows.into_iter().map(|(id, name, external_id)| (id.0, (name, external_id.filter(whole)))));
        }
        names.retain(|_, (name, _)| !name.is_empty());
        Ok(names)
    }
}
