//! From settings to a running service: opens the database, migrates it, binds the sockets, runs until it is told to stop.
//! Wiring only; what is served belongs to `http`.

mod background;
mod listen;
mod probes;
mod tls;
mod upkeep;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{Settings, TlsFiles};
use crate::http::Http;
use crate::service::provisioning_log::ProvisioningLog;
use crate::state::{AppState, Clock, Wake};
use crate::storage::{Database, DatabaseOptions, StorageError};
use crate::telemetry::{LogWriter, Metrics};
use listen::{listen, own_listener, port_of, resolve};
use probes::Readiness;
pub use tls::{Certificate, check_key_mode};

/// Seconds that running requests have after the signal to stop.
const STOP: u64 = 30;
/// How often the certificate's files are looked at.
const TLS_CHECK: Duration = Duration::from_secs(5);

/// Why the service does not start, in words for who starts it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that can only be judged now (a file, a key).
    #[error("{0}")]
    Settings(String),
    /// The database cannot be opened or migrated.
    #[error("cannot {deed} the database: {cause}")]
    Database {
        /// What was tried.
        deed: &'static str,
        /// What came of it.
        cause: StorageError,
    },
    /// `--no-migrate` and a database that is not current.
    #[error("the database lacks migrations ({}), and --no-migrate forbids applying them: run `rollcall migrate`", .0.join(", "))]
    NotMigrated(Vec<String>),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// As set.
        address: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// What a process gives to its application; tests give their own.
pub struct Surroundings {
    /// Time.
    pub clock: Clock,
    /// Where log lines go, so that dropped ones can be counted.
    pub log: Option<LogWriter>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Surroundings { clock: Clock::system(), log: None }
    }
}

/// A service that listens.
pub struct Application {
    state: AppState,
    port: u16,
    metrics_port: Option<u16>,
    server: Server,
    backoffice_server: Option<Server>,
    metrics_server: Option<Server>,
    certificate: Option<Arc<Certificate>>,
}

impl Application {
    /// Opens the database, migrates it, and listens; requests are answered from here on.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn build(settings: Settings) -> Result<Self, StartError> {
        Application::build_in(settings, Surroundings::default()).await
    }

    /// The same with a clock and a log of the caller's.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn build_in(settings: Settings, surroundings: Surroundings) -> Result<Self, StartError> {
        let secret_key = settings.load_secret_key().map_err(StartError::Settings)?;
        let certificate = settings.tls.as_ref().map(load_certificate).transpose()?;
        let db = open(&settings).await?;
        migrate(&db, settings.migrate).await?;

        let addresses = resolve(&settings.listen)?;
        let sockets = listen(&settings.listen, &addresses)?;
        let port = port_of(&sockets);
        let mut settings = settings.listening_on(port);
        let backoffice = settings.backoffice_listen.take().map(own_listener).transpose()?;
        let (backoffice, address) = backoffice.unzip();
        settings.backoffice_listen = address;
        let provisioning_log = Arc::new(ProvisioningLog::new(db.clone()));
        let lost = Arc::clone(&provisioning_log);
        let state = AppState {
            metrics: Arc::new(Metrics::new(&db, surroundings.log, move || lost.dropped())),
            provisioning_log,
            db,
            secret_key: Arc::new(secret_key),
            clock: surroundings.clock,
            settings: Arc::new(settings),
            jobs: Wake::default(),
        };
        let readiness = Readiness::new(state.db.clone());
        let metrics = state.settings.metrics_listen.as_deref();
        let metrics = metrics.map(|address| serve_metrics(address, &state, &readiness)).transpose()?;
        let http = Http::new(state.clone());
        let serve = |sockets, surfaces, address: &str| {
            serve(sockets, &state, &http, surfaces, &readiness, certificate.as_deref())
                .map_err(|cause| StartError::Listen { address: address.to_owned(), cause })
        };
        let server = serve(sockets, Surfaces::Public, &state.settings.listen)?;
        let address = state.settings.backoffice_listen.as_deref().unwrap_or_default();
        let backoffice = backoffice.map(|sockets| serve(sockets, Surfaces::Backoffice, address)).transpose()?;
        let (metrics_server, metrics_port) = metrics.unzip();
        Ok(Application {
            state,
            port,
            metrics_port,
            server,
            backoffice_server: backoffice,
            metrics_server,
            certificate,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port of `/metrics`, where it is on.
    pub fn metrics_port(&self) -> Option<u16> {
        self.metrics_port
    }

    /// Database, settings and clock.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// The system's.
    pub async fn run_until_stopped(self) -> io::Result<()> {
        let signals = Signals::listen()?;
        self.run_until_signalled(signals).await
    }

    /// Runs until the first signal; a second one stops without waiting for running requests.
    ///
    /// # Errors
    /// The system's.
    pub async fn run_until_signalled(self, mut signals: Signals) -> io::Result<()> {
        let handle = self.server.handle();
        let (first, stop) = tokio::sync::oneshot::channel();
        let watch = tokio::spawn(async move {
            // Awaited outside the macros: what is not logged is not evaluated either.
            let name = signals.next().await;
            log::info!("{name} received: finishing running requests");
            let _ = first.send(());
            let name = signals.next().await;
            log::warn!("{name} received: stopping at once");
            handle.stop(false).await;
        });
        let result = self.run_until(async { stop.await.unwrap_or(()) }).await;
        watch.abort();
        result
    }

    /// Runs until a future ends; then finishes running requests (30 s at most) and closes the database.
    ///
    /// # Errors
    /// The system's.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let others = [&self.backoffice_server, &self.metrics_server];
        let others = others.map(|server| server.as_ref().map(Server::handle));
        let servers = std::iter::once(self.server.handle()).chain(others.into_iter().flatten()).collect();
        let stopper = tokio::spawn(async move {
            stop.await;
            stop_gracefully(servers).await;
        });
        let renewal = self.certificate.map(|certificate| tokio::spawn(renew(certificate)));
        let others = [self.backoffice_server, self.metrics_server].map(|server| server.map(tokio::spawn));
        let jobs = tokio::spawn(background::jobs(self.state.clone()));
        let logs = upkeep::start(&self.state);
        let result = self.server.await;
        stopper.abort();
        jobs.abort();
        logs.stop().await;
        for task in renewal.iter().map(|t| t.abort_handle()).chain(others.iter().flatten().map(|t| t.abort_handle())) {
            task.abort();
        }
        self.state.db.close().await;
        result
    }
}

/// The signals that stop a service. From `listen` on they no longer end the process by themselves.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts listening; must run in a tokio runtime.
    ///
    /// # Errors
    /// The system's.
    pub fn listen() -> io::Result<Self> {
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The name of the next one.
    async fn next(&mut self) -> &'static str {
        tokio::select! { _ = self.terminate.recv() => "SIGTERM", _ = self.interrupt.recv() => "SIGINT" }
    }
}

async fn stop_gracefully(servers: Vec<ServerHandle>) {
    for server in servers {
        server.stop(true).await;
    }
}

async fn renew(certificate: Arc<Certificate>) {
    let mut interval = tokio::time::interval(TLS_CHECK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match certificate.renew() {
            Ok(false) => {}
            Ok(true) => log::info!("the TLS certificate was read again"),
            Err(e) => log::error!("the TLS certificate changed and cannot be used, the old one stays: {e}"),
        }
    }
}

fn load_certificate(files: &TlsFiles) -> Result<Arc<Certificate>, StartError> {
    Certificate::load(files).map(Arc::new).map_err(StartError::Settings)
}

/// Opens the database of these settings.
///
/// # Errors
/// `Database`.
pub async fn open(settings: &Settings) -> Result<Database, StartError> {
    let options = DatabaseOptions {
        url: settings.database_url.reveal().to_owned(),
        connections: settings.database_connections,
        workers: settings.workers,
        pool_wait: settings.limits.pool_wait,
        statement_timeout: settings.limits.statement_timeout,
    };
    Database::open(&options).await.map_err(|cause| StartError::Database { deed: "open", cause })
}

/// Brings the database up to date, or makes sure that it is.
///
/// # Errors
/// `Database`, `NotMigrated`.
pub async fn migrate(db: &Database, apply: bool) -> Result<(), StartError> {
    if !apply {
        let pending = db.pending_migrations().await;
        let pending = pending.map_err(|cause| StartError::Database { deed: "read the migrations of", cause })?;
        return if pending.is_empty() { Ok(()) } else { Err(StartError::NotMigrated(pending)) };
    }
    let applied = db.migrate().await.map_err(|cause| StartError::Database { deed: "migrate", cause })?;
    for name in applied {
        log::info!("migration {name} applied");
    }
    Ok(())
}

/// What a listener serves.
#[derive(Debug, Clone, Copy)]
enum Surfaces {
    /// All, less the backoffice where it has its own.
    Public,
    /// The backoffice.
    Backoffice,
}

fn serve(
    sockets: Vec<std::net::TcpListener>,
    state: &AppState,
    http: &Http,
    surfaces: Surfaces,
    readiness: &Readiness,
    certificate: Option<&Certificate>,
) -> io::Result<Server> {
    let settings = &state.settings;
    let (readiness, http) = (readiness.clone(), http.clone());
    let app = move || {
        let readiness = readiness.clone();
        App::new().wrap(http.edge()).configure(move |config| readiness.configure(config)).configure(|config| {
            match surfaces {
                Surfaces::Public => http.configure(config),
                Surfaces::Backoffice => http.configure_backoffice(config),
            }
        })
    };
    let workers = match surfaces {
        Surfaces::Public => settings.workers,
        Surfaces::Backoffice => 1,
    };
    let mut server = HttpServer::new(app)
        .workers(workers)
        .keep_alive(settings.limits.keep_alive)
        .client_request_timeout(settings.limits.header_timeout)
        .max_connections(settings.limits.connections.div_ceil(workers))
        .tcp_nodelay(true)
        .shutdown_timeout(STOP)
        .disable_signals();
    for socket in sockets {
        server = match certificate {
            Some(certificate) => server.listen_rustls_0_23(socket, certificate.server_config()?)?,
            None => server.listen(socket)?,
        };
    }
    Ok(server.run())
}

/// `/metrics` and the probes on a listener of their own, with one thread.
fn serve_metrics(address: &str, state: &AppState, readiness: &Readiness) -> Result<(Server, u16), StartError> {
    let sockets = listen(address, &resolve(address)?)?;
    let port = port_of(&sockets);
    let (metrics, readiness) = (Arc::clone(&state.metrics), readiness.clone());
    let app = move || {
        let (metrics, readiness) = (Arc::clone(&metrics), readiness.clone());
        App::new()
            .configure(move |config| readiness.configure(config))
            .service(web::resource("/metrics").get(move || probes::metrics(Arc::clone(&metrics))))
    };
    let mut server = HttpServer::new(app).workers(1).shutdown_timeout(1).disable_signals();
    for socket in sockets {
        server = server.listen(socket).map_err(|cause| StartError::Listen { address: address.to_owned(), cause })?;
    }
    Ok((server.run(), port))
}
