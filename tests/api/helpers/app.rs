//! The real application on a free port.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::thread::JoinHandle;

use rollcall::config::{Limits, SecretKey, SecretKeySource, Settings};
use rollcall::domain::token::{self, Lifetime, SecretKind};
use rollcall::service::backoffice::operators::{self, CreateOperator};
use rollcall::service::backoffice::organizations::{self, Bootstrapped};
use rollcall::service::backoffice::{OperatorCtx, connections, tokens};
use rollcall::service::ids;
use rollcall::startup::{Application, Surroundings};
use rollcall::state::{AppState, Clock};
use rollcall::storage::Backend;
use rollcall::storage::cold::provisioning_log::LogPlace;
use tokio::sync::oneshot;

use super::admin::Admin;
use super::caller::Caller;
use super::database::{Home, Kind, Lock};

/// A running application.
pub(crate) struct TestApp {
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    /// Database, settings and clock of the application.
    pub(crate) state: AppState,
    home: Home,
    /// µs that the application's clock is ahead.
    ahead: Arc<AtomicI64>,
    organizations: AtomicU32,
}

/// An organization with one connection and its caller.
pub(crate) struct Tenant {
    pub(crate) made: Bootstrapped,
    pub(crate) caller: Caller,
}

impl TestApp {
    /// The caller of a new organization.
    pub(crate) async fn caller(&self) -> Caller {
        self.tenant().await.caller
    }

    /// A new organization.
    pub(crate) async fn tenant(&self) -> Tenant {
        let number = self.organizations.fetch_add(1, Ordering::Relaxed);
        let made = organizations::bootstrap(&self.operator(), &self.state.db, &format!("Test {number}"), None).await;
        let made = made.expect("an organization");
        let caller = self.caller_with(&made.token.secret);
        Tenant { made, caller }
    }

    /// A caller with any token.
    pub(crate) fn caller_with(&self, token: &str) -> Caller {
        Caller::new(&self.url, token)
    }

    /// The caller of a further connection of an organization.
    pub(crate) async fn second_connection(&self, tenant: &Tenant) -> Caller {
        let organization = tenant.made.organization.id;
        let ctx = self.operator();
        let made = connections::create(&ctx, &self.state.db, organization, "custom", "second").await.expect("made");
        let issued = tokens::create(&ctx, &self.state.db, &made, "second", Lifetime::Unlimited).await;
        self.caller_with(&issued.expect("a token").secret)
    }

    /// A caller of the same connection whose token the application has not seen yet (PostgreSQL: what was read of a
    /// credential serves for a second).
    pub(crate) async fn fresh(&self, tenant: &Tenant) -> Caller {
        self.token(tenant, Lifetime::Unlimited).await
    }

    /// A caller with a further token of a tenant's connection.
    pub(crate) async fn token(&self, tenant: &Tenant, lifetime: Lifetime) -> Caller {
        let issued =
            tokens::create(&self.operator(), &self.state.db, &tenant.made.connection, "further", lifetime).await;
        self.caller_with(&issued.expect("a token").secret)
    }

    /// A client of the admin API whose key has these roles.
    pub(crate) async fn admin(&self, tenant: &Tenant, roles: &str) -> Admin {
        let key = ids::secret(SecretKind::ApiKey).expect("random bytes");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (before, after) = match self.state.db.backend() {
            Backend::Sqlite => ("x'", "'"),
            Backend::Postgres => ("'\\x", "'::bytea"),
        };
        let blob = |bytes: &[u8]| format!("{before}{}{after}", hex(bytes));
        let uuid = |id: uuid::Uuid| match self.state.db.backend() {
            Backend::Sqlite => blob(id.as_bytes()),
            Backend::Postgres => format!("'{id}'"),
        };
        let (organization, id) = (uuid(tenant.made.organization.id.0), uuid(ids::token().0));
        let hash = blob(&token::hash(&key));
        self.execute(&format!(
            "INSERT INTO api_keys (organization, id, name, description, hash, fingerprint, roles, ip_allowlist, created, \
             created_by, modified, version) VALUES ({organization}, {id}, 'test', '', {hash}, '', '{roles}', '', 0, \
             'system', 0, 1)"
        ))
        .await;
        Admin::new(&self.url, &key)
    }

    /// A client of the backoffice with the key of a new operator of that role.
    pub(crate) async fn backoffice(&self, role: &str) -> Admin {
        let asked = CreateOperator { name: format!("Test {role}"), role: role.to_owned() };
        let issued = operators::create(&self.operator(), &self.state.db, asked).await.expect("an operator");
        self.backoffice_with(&issued.secret)
    }

    /// A client of the backoffice with any key.
    pub(crate) fn backoffice_with(&self, key: &str) -> Admin {
        let url = match &self.state.settings.backoffice_listen {
            Some(address) => format!("http://{address}"),
            None => self.url.clone(),
        };
        Admin::at(&url, "/backoffice/v1", key)
    }

    /// A client of the admin API with any key.
    pub(crate) fn admin_with(&self, key: &str) -> Admin {
        Admin::new(&self.url, key)
    }

    /// Revokes a caller's token.
    pub(crate) async fn revoke(&self, caller: &Caller) {
        let hash = rollcall::domain::token::hash(caller.token());
        let found = self.state.db.find_credential_across_organizations(&hash).await.expect("answers");
        let id = found.expect("a token").token.to_string();
        tokens::revoke(&self.operator(), &self.state.db, None, &id).await.expect("revoked");
    }

    pub(crate) fn operator(&self) -> OperatorCtx {
        OperatorCtx::system(self.state.clock.now())
    }

    /// Lets the application's clock go forward.
    pub(crate) fn advance(&self, micros: i64) {
        self.ahead.fetch_add(micros, Ordering::Relaxed);
    }

    /// Rows of a query with one text column `line`, in order; `{nil}` is the nil id.
    pub(crate) async fn lines(&self, sql: &str) -> Vec<String> {
        self.home.lines(sql).await
    }

    /// Every row of every table as text; the packed rows of the provisioning log by their entries too.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut all = self.home.dump().await;
        let organizations = self.state.db.list_organizations_across_organizations(None, 1_000).await.expect("answers");
        for organization in organizations {
            let rows = self.state.db.log_rows(organization.id, LogPlace::FIRST).await.expect("answers");
            assert!(rows.len() < 32, "all of them");
            all.extend(rows.iter().map(|(_, row)| format!("provisioning_entries|{:?}|{:?}", row.entries, row.bodies)));
        }
        all
    }

    /// Waits until who was erased is out of the logs, for which the time is moved behind what other instances may write.
    pub(crate) async fn erased(&self) {
        self.advance(80_000_000);
        for _ in 0..600 {
            if self.rows("SELECT id FROM jobs WHERE kind = 'erase' AND state <> 'done'").await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the logs still name the erased");
    }

    /// Number of rows that a query finds on the application's database.
    pub(crate) async fn rows(&self, sql: &str) -> usize {
        self.home.rows(sql).await
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// Sets the settings document of a tenant's connection. Callers made before may not notice for a second.
    pub(crate) async fn settings(&self, tenant: &Tenant, document: &str) {
        let id = tenant.made.connection.id.0;
        let id = match self.state.db.backend() {
            Backend::Sqlite => format!("x'{}'", id.simple()),
            Backend::Postgres => format!("'{id}'"),
        };
        self.execute(&format!("UPDATE connections SET settings = '{document}' WHERE id = {id}")).await;
    }

    /// Runs statements on the application's database.
    pub(crate) async fn execute(&self, sql: &str) {
        self.home.execute(sql).await;
    }

    /// Somebody else's lock on the application's database: nobody writes, and on PostgreSQL nobody reads people either.
    pub(crate) async fn lock(&self) -> Lock {
        self.home.lock().await
    }

    /// The number that a query of one number answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.home.number(sql).await
    }
}

/// Runs a test body against a fresh application.
pub(crate) fn run(kind: Kind, name: &str, body: impl AsyncFnOnce(&TestApp)) {
    run_with(kind, name, |_| {}, body);
}

/// The same with changed settings.
pub(crate) fn run_with(kind: Kind, name: &str, change: impl FnOnce(&mut Settings), body: impl AsyncFnOnce(&TestApp)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let home = runtime.block_on(Home::make(kind, name));
    let ahead = Arc::new(AtomicI64::new(0));
    let mut settings = settings(&home.url);
    change(&mut settings);
    let (state, port, stop, server) = start(settings, &ahead);
    let address = format!("127.0.0.1:{port}");
    let organizations = AtomicU32::new(0);
    let app = TestApp { url: format!("http://{address}"), address, state, home, ahead, organizations };
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(body(&app))));
    stop.send(()).expect("the application still runs");
    server.join().expect("the application did not panic");
    runtime.block_on(app.home.remove());
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

fn settings(url: &str) -> Settings {
    let key: [u8; 32] = std::array::from_fn(|at| at as u8);
    Settings {
        database_url: url.into(),
        listen: "127.0.0.1:0".into(),
        workers: 2,
        database_connections: 4,
        secret_key: SecretKeySource::Value(SecretKey::new(key)),
        limits: Limits { pool_wait: std::time::Duration::from_secs(20), ..Limits::default() },
        ..Settings::default()
    }
}

/// A thread of its own, as a process would have: the test's runtime may be busy.
fn start(settings: Settings, ahead: &Arc<AtomicI64>) -> (AppState, u16, oneshot::Sender<()>, JoinHandle<()>) {
    let ahead = Arc::clone(ahead);
    let (stop, stopped) = oneshot::channel();
    let (tell, told) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let system = Clock::system();
            let clock = Clock::new(move || system.now() + ahead.load(Ordering::Relaxed));
            let app = Application::build_in(settings, Surroundings { clock, log: None }).await.expect("starts");
            tell.send((app.state().clone(), app.port())).expect("the test waits");
            app.run_until(async { stopped.await.unwrap_or(()) }).await.expect("stops");
        });
    });
    let (state, port) = told.recv().expect("the application starts");
    (state, port, stop, server)
}
