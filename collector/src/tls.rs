//! TLS from files: the certificate and its key are read when the server starts, and again whenever they change.

use std::fmt;
use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What browsers may choose, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a certificate cannot be used.
#[derive(Debug)]
pub enum TlsError {
    /// A file cannot be read.
    Read(PathBuf, io::Error),
    /// The file holds no certificate in PEM.
    NoCertificate(PathBuf),
    /// The file holds no private key in PEM.
    NoKey(PathBuf),
    /// The key is of a kind that TLS does not take, or not the certificate's.
    Unfit(PathBuf, PathBuf, rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Read(file, error) => write!(f, "{}: cannot be read: {error}", file.display()),
            TlsError::NoCertificate(file) => write!(
                f,
                "{}: expected certificates in PEM, the server's first and then those that vouch for it; found none",
                file.display()
            ),
            TlsError::NoKey(file) => {
                write!(f, "{}: expected a private key in PEM, found none", file.display())
            }
            TlsError::Unfit(certificate, key, error) => write!(
                f,
                "{}: expected the key of the certificate in {}: {error}",
                key.display(),
                certificate.display()
            ),
        }
    }
}

impl std::error::Error for TlsError {}

/// TLS with a certificate that can be renewed while it serves.
pub struct Tls {
    certificate: Arc<Certificate>,
    acceptor: TlsAcceptor,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// A certificate and its key, as files.
#[derive(Debug)]
struct Certificate {
    file: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    /// What new connections are greeted with, and the files it was made of.
    current: RwLock<(Arc<CertifiedKey>, Files)>,
}

/// The bytes of both files.
type Files = (Vec<u8>, Vec<u8>);

impl Tls {
    /// Reads both files.
    pub fn open(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let files = read_both(certificate, key)?;
        let made = certified(&files, certificate, key, &provider)?;
        let certificate = Arc::new(Certificate {
            file: certificate.to_owned(),
            key: key.to_owned(),
            provider: provider.clone(),
            current: RwLock::new((made, files)),
        });
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| certificate.unfit(error))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(certificate.clone());
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Tls { certificate, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Reads the files again. Says whether new connections have another certificate now; where there is something wrong
    /// with the files, they keep the one they had.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let Certificate { file, key, provider, current } = &*self.certificate;
        let files = read_both(file, key)?;
        if current.read().unwrap_or_else(PoisonError::into_inner).1 == files {
            return Ok(false);
        }
        let made = certified(&files, file, key, provider)?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = (made, files);
        Ok(true)
    }

    /// Reads the files again and again, until `shutdown` is ready; says what changed, and once what is wrong.
    pub async fn follow(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut said = String::new();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = &mut shutdown => return,
            }
            match self.reload() {
                Ok(false) => said.clear(),
                Ok(true) => {
                    said.clear();
                    tracing::info!("new connections have the new certificate");
                }
                // Both files change one after the other: what is wrong for a moment is looked at again first.
                Err(error) => {
                    let why = error.to_string();
                    if said == why {
                        continue;
                    }
                    tracing::error!(
                        error = why,
                        "the new certificate is not taken; the old one is kept"
                    );
                    said = why;
                }
            }
        }
    }

    /// Greets clients with whatever certificate is current then.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

impl Certificate {
    fn unfit(&self, error: rustls::Error) -> TlsError {
        TlsError::Unfit(self.file.clone(), self.key.clone(), error)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

fn read_both(certificate: &Path, key: &Path) -> Result<Files, TlsError> {
    let read = |path: &Path| fs::read(path).map_err(|error| TlsError::Read(path.to_owned(), error));
    Ok((read(certificate)?, read(key)?))
}

fn certified(
    (certificates, private): &Files,
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.unwrap_or_default();
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let private =
        PrivateKeyDer::from_pem_slice(private).map_err(|_| TlsError::NoKey(key.to_owned()))?;
    let unfit = |error| TlsError::Unfit(certificate.to_owned(), key.to_owned(), error);
    let made =
        CertifiedKey::new(chain, provider.key_provider.load_private_key(private).map_err(unfit)?);
    match made.keys_match() {
        // Where a key does not say what it is, the handshake will.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
            Ok(Arc::new(made))
        }
        Err(error) => Err(unfit(error)),
    }
}
