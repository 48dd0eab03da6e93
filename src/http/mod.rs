//! The HTTP surfaces over one service. `Http` is what they share in a process; `Http::edge` wraps the whole application,
//! `Http::configure` mounts the surfaces. Opening sockets belongs to `startup`.

pub mod admin;
pub mod backoffice;
pub(crate) mod deadline;
pub(crate) mod extract;
pub(crate) mod middleware;
pub(crate) mod page;
pub(crate) mod scim;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use actix_web::web::{self, ServiceConfig};

use crate::domain::ids::{OrganizationId, TokenId};
use crate::service::admin::Credential;
use crate::service::auth::api_key::ApiKeys;
use crate::service::auth::bearer::Bearer;
use crate::service::auth::operator_key::OperatorKeys;
use crate::service::auth::rate_limit::RateLimit;
use crate::service::cursor::Cursors;
use crate::service::scim::brake::Brake;
use crate::service::scim::discovery::Documents;
use crate::state::AppState;
pub use middleware::Edge;
use middleware::RequestIds;

/// What the surfaces share; one for the process, cheap to clone.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
}

/// Shared by all workers and surfaces.
pub(crate) struct Shared {
    pub(crate) state: AppState,
    /// `{public_url}/scim/v2`
    pub(crate) scim_base: String,
    pub(crate) documents: Documents,
    pub(crate) brake: Arc<Brake>,
    pub(crate) bearer: Bearer,
    /// `None` where rate limits are off.
    pub(crate) rate_limit: Option<RateLimit<TokenId>>,
    /// Of the admin API and the backoffice; `None` where rate limits are off.
    pub(crate) api_rate_limit: Option<RateLimit<Credential>>,
    pub(crate) api_keys: ApiKeys,
    pub(crate) operator_keys: OperatorKeys,
    pub(crate) cursors: Cursors,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) request_ids: RequestIds,
}

impl Shared {
    /// An organization was suspended or resumed here: from now on what is stored of its credentials counts.
    pub(crate) fn forget_credentials(&self, organization: OrganizationId) {
        self.bearer.forget(organization);
        self.api_keys.forget_all_of(organization);
    }
}

impl Http {
    /// Prepares what does not change while the process runs. `state.settings` has its final public URL.
    pub fn new(state: AppState) -> Self {
        let settings = &state.settings;
        let scim_base = format!("{}{}", settings.public_url, scim::BASE);
        let limits = &settings.limits;
        let shared = Shared {
            brake: Arc::default(),
            documents: Documents::new(&scim_base, &format!("{}{}", settings.public_url, scim::GUIDE), &limits.protocol),
            scim_base,
            bearer: Bearer::new(limits.protocol.clone()),
            rate_limit: settings.rate_limit.then(|| RateLimit::per_second(limits.token_rate, limits.token_burst)),
            api_rate_limit: settings.rate_limit.then(|| RateLimit::per_minute(limits.api_rate)),
            api_keys: ApiKeys::default(),
            operator_keys: OperatorKeys::default(),
            cursors: Cursors::new(&state.secret_key),
            in_flight: AtomicUsize::new(0),
            request_ids: RequestIds::new(),
            state,
        };
        Http { shared: Arc::new(shared) }
    }

    /// The middleware for the whole application: `App::new().wrap(http.edge())`.
    pub fn edge(&self) -> Edge {
        Edge::new(Arc::clone(&self.shared))
    }

    /// Mounts the surfaces, and 404 for what is none of theirs. The backoffice is among them unless it has a listener of
    /// its own.
    pub fn configure(&self, config: &mut ServiceConfig) {
        config
            .configure(|config| admin::configure(&self.shared, config))
            .service(scim::scope(&self.shared))
            .service(scim::guide());
        if self.shared.state.settings.backoffice_listen.is_none() {
            config.service(backoffice::scope(&self.shared));
        }
        config.default_service(web::to(nothing));
    }

    /// Mounts the backoffice alone, for a listener of its own.
    pub fn configure_backoffice(&self, config: &mut ServiceConfig) {
        config.service(backoffice::scope(&self.shared)).default_service(web::to(nothing));
    }
}

async fn nothing() -> actix_web::HttpResponse {
    actix_web::HttpResponse::NotFound().finish()
}
