//! One HTTP/1.1 connection, driven by its owner: a request at a time, opened again when the server closed it.
//!
//! Knows base URL, token, TLS and the time limit. Does not judge answers and does not retry what may have reached the
//! server. Redirects are not followed: a SCIM server has none to give (RFC 7644 section 3).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

const SCIM_JSON: &str = "application/scim+json";

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{0} is no http or https URL with a host")]
    Url(String),
    #[error("the token holds bytes that no HTTP header may carry")]
    Token,
    #[error("TLS settings: {0}")]
    Tls(String),
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("connection failed: {0}")]
    Http(#[from] hyper::Error),
    #[error("request cannot be written as HTTP: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

/// The server: address, base path and the headers of every request.
pub(crate) struct Target {
    host: String,
    port: u16,
    /// Path of the base URL without a trailing slash; request paths are appended.
    base: String,
    headers: HeaderMap,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// Reads `url` and prepares the headers; `ca` is a PEM file that is trusted besides the public roots.
    pub(crate) fn new(url: &str, token: Option<&str>, ca: Option<&Path>) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let host = parsed.host_str().ok_or_else(wrong)?.to_owned();
        let port = parsed.port_or_known_default().ok_or_else(wrong)?;
        let tls = match parsed.scheme() {
            "http" => None,
            "https" => Some(tls(&host, ca)?),
            _ => return Err(wrong()),
        };
        let authority = parsed.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(&authority).map_err(|_| wrong())?);
        headers.insert(header::ACCEPT, HeaderValue::from_static(SCIM_JSON));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("scim-conformance/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ClientError::Token)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let base = match parsed.query() {
            // A bare URL of the workload `raw` is asked for as given.
            Some(query) => format!("{}?{query}", parsed.path()),
            None => parsed.path().trim_end_matches('/').to_owned(),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, base, headers, tls })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Self::handshake(stream).await,
            Some((connector, name)) => Self::handshake(connector.connect(name.clone(), stream).await?).await,
        }
    }

    async fn handshake<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, ClientError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its errors reach the request that waits, too.
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn tls(host: &str, ca: Option<&Path>) -> Result<(TlsConnector, ServerName<'static>), ClientError> {
    let broken = |error: &dyn std::fmt::Display| ClientError::Tls(error.to_string());
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca {
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| broken(&error))? {
            let certificate = certificate.map_err(|error| broken(&error))?;
            roots.add(certificate).map_err(|error| broken(&error))?;
        }
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|error| broken(&error))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

/// What came back, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header's text; `None` where it is absent or not visible ASCII.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The wait a refusing server asks for (429 or 503 with `Retry-After` in seconds).
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        if !matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return None;
        }
        let seconds = self.header(header::RETRY_AFTER)?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

/// A connection that its owner uses for one request at a time.
pub(crate) struct Connection {
    target: Arc<Target>,
    timeout: Duration,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Opens nothing yet; the first request does.
    pub(crate) fn new(target: Arc<Target>, timeout: Duration) -> Self {
        Self { target, timeout, sender: None }
    }

    /// Sends one request and reads its whole answer. `path` begins with a slash and is relative to the base URL.
    pub(crate) async fn exchange(&mut self, method: &Method, path: &str, body: &Bytes) -> Result<Answer, ClientError> {
        let uri = Uri::from_maybe_shared(Bytes::from(format!("{}{path}", self.target.base)))
            .map_err(hyper::http::Error::from)?;
        let request = self.request(method, uri, body);
        match tokio::time::timeout(self.timeout, self.send(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.sender = None;
                Err(error)
            }
            Err(_) => {
                self.sender = None;
                Err(ClientError::Timeout(self.timeout))
            }
        }
    }

    fn request(&self, method: &Method, uri: Uri, body: &Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        let mut headers = self.target.headers.clone();
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
        }
        *request.headers_mut() = headers;
        request
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        // A server may close an idle connection at any time; that is no error as long as nothing was sent.
        let open = match self.sender.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let sender = match open {
            Some(sender) => sender,
            None => self.target.connect().await?,
        };
        let response = self.sender.insert(sender).send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

/// Percent-encodes a query value; everything but RFC 3986's unreserved characters.
pub(crate) fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&'static str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::new() }
    }

    #[test]
    fn a_filter_is_encoded_for_the_query() {
        assert_eq!(encode("userName eq \"a@b\""), "userName%20eq%20%22a%40b%22");
        assert_eq!(encode("é"), "%C3%A9");
    }

    #[test]
    fn only_a_refusal_with_seconds_asks_to_wait() {
        assert_eq!(answer(429, Some("2")).retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(answer(503, Some(" 7 ")).retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(answer(503, None).retry_after(), None);
        assert_eq!(answer(500, Some("2")).retry_after(), None);
    }

    #[test]
    fn the_base_path_loses_its_trailing_slash_and_the_port_is_sent_when_given() {
        let target = Target::new("http://localhost:8080/scim/v2/", Some("t"), None).unwrap();
        assert_eq!((target.base.as_str(), target.port), ("/scim/v2", 8080));
        assert_eq!(target.headers[header::HOST], "localhost:8080");
        assert_eq!(target.headers[header::AUTHORIZATION], "Bearer t");
        let target = Target::new("http://[::1]/x?y=z", None, None).unwrap();
        assert_eq!((target.host.as_str(), target.port, target.base.as_str()), ("::1", 80, "/x?y=z"));
    }

    #[test]
    fn other_schemes_and_broken_tokens_are_refused() {
        assert!(matches!(Target::new("ftp://x/", None, None), Err(ClientError::Url(_))));
        assert!(matches!(Target::new("nonsense", None, None), Err(ClientError::Url(_))));
        assert!(matches!(Target::new("http://x/", Some("a\nb"), None), Err(ClientError::Token)));
    }
}
