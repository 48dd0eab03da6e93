//! `GET /system`: what runs.

use actix_web::HttpResponse;
use serde::Serialize;

use super::granted::{Granted, Reads};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::NoQuery;
use crate::http::admin::timed;
use crate::service::backoffice::system;

/// The service as it runs.
#[derive(Serialize)]
struct SystemView {
    version: &'static str,
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// Not applied yet; empty where the database is current.
    pending_migrations: Vec<String>,
    /// Jobs that wait or are under way.
    queue_depth: i64,
}

/// What runs.
pub(super) async fn get(granted: Granted<Reads>, _: NoQuery) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, system::get(&shared.state.db)).await?;
    Ok(HttpResponse::Ok().json(SystemView {
        version: env!("CARGO_PKG_VERSION"),
        database: found.database,
        pending_migrations: found.pending_migrations,
        queue_depth: found.queue_depth,
    }))
}
