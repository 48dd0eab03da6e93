//! Our own TLS listener (rustls, TLS 1.2 and 1.3): the certificate is read again when its files change, so that a renewal
//! needs no restart. A pair that cannot be used leaves the old one in place.

use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

use crate::config::TlsFiles;

/// The certificate that is shown to clients, and where it comes from.
pub struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
}

struct Current(RwLock<Loaded>);

struct Loaded {
    key: Arc<CertifiedKey>,
    /// Of both files' bytes: times of change can be too coarse, and a link may be switched.
    digest: [u8; 32],
}

impl Certificate {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn load(files: &TlsFiles) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let loaded = Loaded::parse(files, &read(files)?, &provider)?;
        Ok(Certificate { files: files.clone(), provider, current: Arc::new(Current(RwLock::new(loaded))) })
    }

    /// Takes over the files where they changed; answers whether they did.
    ///
    /// # Errors
    /// What is wrong with which file; the old certificate stays in use.
    pub fn renew(&self) -> Result<bool, String> {
        let bytes = read(&self.files)?;
        if bytes.digest() == self.current.0.read().unwrap_or_else(PoisonError::into_inner).digest {
            return Ok(false);
        }
        let loaded = Loaded::parse(&self.files, &bytes, &self.provider)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// For a listener that always shows the current certificate.
    pub(super) fn server_config(&self) -> io::Result<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let resolver = Arc::clone(&self.current);
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }
}

struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
}

fn read(files: &TlsFiles) -> Result<Files, String> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()));
    check_key_mode(&files.key)?;
    Ok(Files { cert: read(&files.cert)?, key: read(&files.key)? })
}

/// Refuses a private key that everybody on the machine can use.
///
/// # Errors
/// What is wrong and how to mend it.
pub fn check_key_mode(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(format!(
            "every user of this machine can use the private key {shown} (mode {mode:04o}): `chmod 600 {shown}`"
        ));
    }
    Ok(())
}

impl Files {
    fn digest(&self) -> [u8; 32] {
        let length = (self.cert.len() as u64).to_be_bytes();
        Sha256::new().chain_update(length).chain_update(&self.cert).chain_update(&self.key).finalize().into()
    }
}

impl Loaded {
    fn parse(files: &TlsFiles, bytes: &Files, provider: &CryptoProvider) -> Result<Self, String> {
        let (cert, key) = (files.cert.display(), files.key.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes.cert).collect();
        let chain = chain.map_err(|e| format!("{cert} is not valid PEM: {e}"))?;
        if chain.is_empty() {
            return Err(format!("{cert} holds no certificate (PEM)"));
        }
        let private =
            PrivateKeyDer::from_pem_slice(&bytes.key).map_err(|_| format!("{key} holds no private key (PEM)"))?;
        let certified = CertifiedKey::from_der(chain, private, provider)
            .map_err(|e| format!("{cert} and {key} cannot be used together: {e}"))?;
        Ok(Loaded { key: Arc::new(certified), digest: bytes.digest() })
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    struct Pair(tempfile::TempDir);

    impl Pair {
        fn new() -> Self {
            let pair = Pair(tempfile::tempdir().unwrap());
            let (cert, key) = made();
            pair.write(&cert, &key);
            pair
        }
        fn files(&self) -> TlsFiles {
            TlsFiles { cert: self.path("cert.pem"), key: self.path("key.pem") }
        }
        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }
        fn write(&self, cert: &str, key: &str) {
            std::fs::write(self.path("cert.pem"), cert).unwrap();
            std::fs::write(self.path("key.pem"), key).unwrap();
            self.set_key_mode(0o600);
        }
        fn set_key_mode(&self, mode: u32) {
            std::fs::set_permissions(self.path("key.pem"), std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn shown(certificate: &Certificate) -> Vec<u8> {
        certificate.current.0.read().unwrap().key.cert[0].to_vec()
    }

    #[test]
    fn files_that_make_no_certificate_are_refused_by_name() {
        let pair = Pair::new();
        let (cert, key) = made();
        let (_, other_key) = made();
        let cases = [
            ("", key.as_str(), "cert.pem holds no certificate"),
            (cert.as_str(), "", "key.pem holds no private key"),
            (cert.as_str(), cert.as_str(), "key.pem holds no private key"),
            (cert.as_str(), other_key.as_str(), "cannot be used together"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", key.as_str(), "is not valid PEM"),
        ];
        for (cert, key, expected) in cases {
            pair.write(cert, key);
            let problem = Certificate::load(&pair.files()).err().unwrap();
            assert!(problem.contains(expected), "{expected}: {problem}");
        }
        let absent = TlsFiles { cert: pair.path("cert.pem"), key: pair.path("absent.pem") };
        assert!(Certificate::load(&absent).is_err_and(|e| e.contains("absent.pem")));
    }

    #[test]
    fn key_that_everybody_can_use_is_refused() {
        let pair = Pair::new();
        pair.set_key_mode(0o604);
        assert!(Certificate::load(&pair.files()).is_err_and(|e| e.contains("(mode 0604)")));
        pair.set_key_mode(0o640);
        assert!(Certificate::load(&pair.files()).is_ok());
    }

    #[test]
    fn changed_files_are_taken_over_and_unusable_ones_are_not() {
        let pair = Pair::new();
        let certificate = Certificate::load(&pair.files()).unwrap();
        let first = shown(&certificate);
        assert_eq!(certificate.renew(), Ok(false));
        let (cert, key) = made();
        pair.write(&cert, "");
        assert!(certificate.renew().is_err());
        assert_eq!(shown(&certificate), first);
        pair.write(&cert, &key);
        assert_eq!(certificate.renew(), Ok(true));
        assert_ne!(shown(&certificate), first);
        assert_eq!(certificate.renew(), Ok(false));
    }
}
