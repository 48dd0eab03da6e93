//! `/organizations/{id}/blocks`: who may not be created again.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;

use super::deed::PlainDelete;
use super::granted::{Granted, Reads, Writes};
use crate::domain::ids::{BlockId, ConnectionId, OrganizationId};
use crate::http::admin::body::NoBodyNeeded;
use crate::http::admin::list::{ListQuery, Listing};
use crate::http::admin::path::{PathId, named};
use crate::http::admin::problem::Problem;
use crate::http::admin::timed;
use crate::protocol::splice::date_time;
use crate::service::admin::paging::of_rows;
use crate::service::backoffice::blocks::{self, BlockRecord};
use crate::service::cursor::Key;

/// What the list of blocks offers.
pub(super) struct Blocks;

impl Listing for Blocks {
    const FILTERS: &'static [&'static str] = &[];
    const SORTS: &'static [&'static str] = &["created_at", "user_name"];
}

/// A block.
#[derive(Serialize)]
struct BlockView {
    id: String,
    /// The person as they were.
    user_id: String,
    /// As it is compared: in lower case.
    user_name: String,
    external_id: Option<String>,
    /// Whose externalId is blocked; null for a person whom no directory managed.
    connection: Option<String>,
    reason: String,
    created_at: String,
    created_by: String,
}

impl BlockView {
    fn of(record: &BlockRecord) -> Self {
        BlockView {
            id: record.id.to_string(),
            user_id: record.user_id.to_string(),
            user_name: record.user_name_key.clone(),
            external_id: record.external_id_key.clone(),
            connection: (record.connection != ConnectionId::LOCAL).then(|| record.connection.to_string()),
            reason: record.reason.clone(),
            created_at: date_time(record.created),
            created_by: record.created_by.clone(),
        }
    }
}

/// `{id}` and `{bid}` of a path.
pub(super) struct Place {
    organization: OrganizationId,
    block: BlockId,
}

impl FromRequest for Place {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ids = named(request, "id").and_then(|organization| Ok((organization, named(request, "bid")?)));
        ready(
            ids.map(|(organization, block)| Place {
                organization: OrganizationId(organization),
                block: BlockId(block),
            }),
        )
    }
}

/// The blocks of an organization.
pub(super) async fn list(
    granted: Granted<Reads>,
    id: PathId,
    query: ListQuery<Blocks>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let rows = timed(shared, blocks::list(&shared.state.db, OrganizationId(id.0))).await?;
    let key = |row: &BlockRecord, field: &str| match field {
        "user_name" => Key::Text(row.user_name_key.clone()),
        _ => Key::Number(row.created),
    };
    let page = of_rows(rows, &query.page, key, |row| row.id.to_string());
    Ok(query.answer(page, BlockView::of))
}

/// Lifts one.
pub(super) async fn lift(
    granted: Granted<Writes>,
    place: Place,
    query: PlainDelete,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let (shared, Place { organization, block }) = (&granted.shared, place);
    let db = &shared.state.db;
    timed(shared, blocks::get(db, organization, block)).await?;
    let ctx = granted.operator.ctx(query.reason(&body.0)?);
    timed(shared, blocks::lift(&ctx, db, organization, block)).await?;
    Ok(HttpResponse::NoContent().finish())
}
