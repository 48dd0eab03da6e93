//! Bytes on a socket, for requests that no HTTP client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::TestApp;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) text: String,
    /// Whether the server closed the connection afterwards.
    pub(crate) closed: bool,
}

/// A server that neither answers nor closes within this time hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// Silence after which an answer counts as whole, where the connection stays open.
const SILENCE: Duration = Duration::from_millis(300);

impl TestApp {
    /// Sends bytes and reads what comes, until the server closes or falls silent.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> RawAnswer {
        let mut stream = TcpStream::connect(&self.address).await.expect("connects");
        // The server may answer and close before it has read everything.
        _ = stream.write_all(request.as_ref()).await;
        read(&mut stream).await
    }
}

async fn read(stream: &mut TcpStream) -> RawAnswer {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let closed = loop {
        // A server that says it closes may first wait for the client to fall silent.
        let closing = String::from_utf8_lossy(&bytes).contains("connection: close");
        let patience = if bytes.is_empty() || closing { PATIENCE } else { SILENCE };
        match tokio::time::timeout(patience, stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(n)) => bytes.extend_from_slice(&buffer[..n]),
            Err(_) => break false,
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    RawAnswer { status, text, closed }
}
