//! What orchestrators ask: `/healthz` (the process answers), `/readyz` (the database answers and is current), `/metrics`.
//! The first two are public, so they say nothing but that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, HttpResponseBuilder, guard};

use crate::storage::Database;
use crate::telemetry::Metrics;

/// Content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether requests can be served.
#[derive(Clone)]
pub(super) struct Readiness {
    db: Database,
    /// Migrations are not undone under a running service, so current once is current.
    is_current: Arc<AtomicBool>,
}

impl Readiness {
    pub(super) fn new(db: Database) -> Self {
        Readiness { db, is_current: Arc::new(AtomicBool::new(false)) }
    }

    /// Mounts both probes, for GET and HEAD.
    pub(super) fn configure(&self, config: &mut ServiceConfig) {
        let readiness = self.clone();
        let asks = || guard::Any(guard::Get()).or(guard::Head());
        config
            .service(
                web::resource("/healthz")
                    .route(web::route().guard(asks()).to(|| async { text(HttpResponse::Ok(), "ok\n") })),
            )
            .service(web::resource("/readyz").route(web::route().guard(asks()).to(move || {
                let readiness = readiness.clone();
                async move { readiness.answer().await }
            })));
    }

    async fn answer(&self) -> HttpResponse {
        match self.check().await {
            Ok(()) => text(HttpResponse::Ok(), "ready\n"),
            Err(why) => {
                let mut response = HttpResponse::ServiceUnavailable();
                response.insert_header((header::RETRY_AFTER, "1"));
                text(response, why)
            }
        }
    }

    async fn check(&self) -> Result<(), &'static str> {
        let away = |e| {
            log::warn!("not ready: {e}");
            "the database does not answer\n"
        };
        self.db.ping().await.map_err(away)?;
        if !self.is_current.load(Ordering::Relaxed) {
            if !self.db.pending_migrations().await.map_err(away)?.is_empty() {
                return Err("the database lacks migrations\n");
            }
            self.is_current.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn text(mut response: HttpResponseBuilder, body: &'static str) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store")).content_type("text/plain; charset=utf-8").body(body)
}

/// All metrics as text.
pub(super) async fn metrics(metrics: Arc<Metrics>) -> HttpResponse {
    match metrics.render() {
        Ok(body) => HttpResponse::Ok().content_type(OPEN_METRICS).body(body),
        Err(e) => {
            log::error!("metrics cannot be printed: {e}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
