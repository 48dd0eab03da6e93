//! Questions to the DNS: TXT records of a name, asked of the server that the settings name, or of the system's.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};

use crate::service::{Result, ServiceError};

/// Longest wait for one answer.
const WAIT: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;

/// The TXT records of a name, each with its parts joined; none where it has none or does not exist. Nothing is kept between
/// questions, so that a record is seen as soon as the server knows it.
///
/// # Errors
/// `Unavailable` where no server answers.
pub async fn txt(server: Option<SocketAddr>, name: &str) -> Result<Vec<String>> {
    let unavailable = |error: NetError| ServiceError::Unavailable(format!("TXT records of {name}: {error}"));
    let resolver = resolver(server).map_err(unavailable)?;
    // The dot at the end keeps the system's search domains out.
    match resolver.txt_lookup(format!("{name}.")).await {
        Ok(found) => {
            let texts = found.answers().iter().filter_map(|record| match &record.data {
                RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
                _ => None,
            });
            Ok(texts.collect())
        }
        Err(error) if error.is_no_records_found() || error.is_nx_domain() => Ok(Vec::new()),
        Err(error) => Err(unavailable(error)),
    }
}

fn resolver(server: Option<SocketAddr>) -> std::result::Result<TokioResolver, NetError> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio()?,
        Some(address) => {
            let at_port = |mut connection: ConnectionConfig| {
                connection.port = address.port();
                connection
            };
            let connections = vec![at_port(ConnectionConfig::udp()), at_port(ConnectionConfig::tcp())];
            let server = NameServerConfig::new(address.ip(), true, connections);
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = WAIT;
    options.attempts = ATTEMPTS;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    builder.build()
}
