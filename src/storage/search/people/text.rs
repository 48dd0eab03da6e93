//! `q`: whose name, user name or address contains a text. PostgreSQL finds candidates by pg_trgm; SQLite by its own trigram
//! index, plus everybody whom an event after the indexed position names.

use super::PeopleQuery;
use crate::storage::db::Db;
use crate::storage::search::compile::{like_escaped, like_has_trigram};
use crate::storage::search::trigram;
use crate::storage::sql::Sql;
use crate::storage::{Backend, Result};

/// The condition on a user `u`.
pub(super) fn contains(db: &Db<'_>, texts: &[String]) -> Sql {
    let find = match db.backend() {
        Backend::Sqlite => "instr",
        Backend::Postgres => "strpos",
    };
    let mut sql = Sql::new("(");
    for (at, text) in texts.iter().enumerate() {
        sql.push(if at > 0 { " OR " } else { "" });
        for column in ["u.user_name_key", "u.display_name_key"] {
            sql.push(&format!("coalesce({find}({column}, ")).text(text).push("), 0) > 0 OR ");
        }
        sql.push(
            "EXISTS (SELECT 1 FROM attribute_values v WHERE v.organization = u.organization AND v.resource = u.id \
             AND v.attribute = 1 AND ",
        );
        sql.push(&format!("{find}(v.value_key, ")).text(text).push(") > 0)");
    }
    sql.push(")");
    sql
}

/// Ids among which all matches are; `None` where no index can tell.
pub(super) async fn candidates(db: &mut Db<'_>, query: &PeopleQuery) -> Result<Option<Sql>> {
    let texts = &query.filter.texts;
    if texts.is_empty() {
        return Ok(None);
    }
    let organization = query.organization.0;
    let mut sql = Sql::default();
    match db.backend() {
        Backend::Postgres => {
            if !texts.iter().all(|text| like_has_trigram(text)) {
                return Ok(None);
            }
            for (at, text) in texts.iter().enumerate() {
                let pattern = format!("%{}%", like_escaped(text));
                sql.push(if at > 0 { " UNION ALL " } else { "" });
                for column in ["user_name_key", "display_name_key"] {
                    sql.push("SELECT x.id FROM users x WHERE x.organization = ").id(organization);
                    sql.push(&format!(" AND x.deleted IS NULL AND x.{column} LIKE "))
                        .text(&pattern)
                        .push(" UNION ALL ");
                }
                sql.push("SELECT x.resource FROM attribute_values x WHERE x.organization = ").id(organization);
                sql.push(" AND x.attribute = 1 AND x.value_key LIKE ").text(&pattern);
            }
        }
        Backend::Sqlite => {
            if !trigram::is_ready(db).await? {
                return Ok(None);
            }
            for (at, text) in texts.iter().enumerate() {
                let Some(found) = trigram::people(organization, text) else { return Ok(None) };
                sql.push(if at > 0 { " UNION ALL " } else { "" }).append(&found);
            }
        }
    }
    Ok(Some(sql))
}
