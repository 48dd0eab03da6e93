//! Opens connections: over TLS where the URL asks for it, with the session settings of their purpose.

use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::target::{self, Target};
use super::{failure, tls};
use crate::storage::{Result, StorageError};

/// Opens connections to one database; cheap to clone.
#[derive(Clone)]
pub(super) struct Connector {
    target: Target,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// # Errors
    /// `Broken` with what is wrong with the URL or its file of authorities.
    pub(super) fn new(url: &str) -> Result<Self> {
        let target = target::parse(url)?;
        let tls = match target.config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(tls::config(&target)?)),
        };
        Ok(Connector { target, tls })
    }

    /// Opens a connection and applies session settings in one more round trip.
    ///
    /// # Errors
    /// `Busy` where the server does not answer or accepts nobody just now, `Broken` where it refuses us.
    pub(super) async fn open(&self, session: &str) -> Result<AsyncPgConnection> {
        let config = &self.target.config;
        let opened = match &self.tls {
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(|e| failure::connecting(&e))?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await.map_err(|e| failure::connecting(&e))?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        };
        let mut conn = opened.map_err(|e| StorageError::Busy(format!("PostgreSQL: {e}")))?;
        conn.batch_execute(session).await.map_err(StorageError::from)?;
        Ok(conn)
    }
}

/// Settings of a pooled connection. Plans follow the bound values (searches); what runs away or idles inside a
/// transaction is ended by the server. An index probe costs what it costs in memory or on flash: with the default, a
/// user's two groups were found by scanning all hundred (GET 72 µs of PostgreSQL instead of 50).
pub(super) fn pooled_session(statement_timeout: Duration) -> String {
    format!(
        "SET application_name = 'rollcall'; SET jit = off; SET random_page_cost = 1.1; SET idle_in_transaction_session_timeout = '30s'; \
         SET statement_timeout = {}",
        statement_timeout.as_millis().max(1)
    )
}
