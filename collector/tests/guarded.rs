//! What stands before the collector: TLS whose certificate is renewed while it serves, HTTP/2, and rates.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use beaconry_collector::front::Rates;
use beaconry_collector::limits::Limits;
use beaconry_collector::server::{self, Collector};
use beaconry_collector::tls::Tls;
use beaconry_store::{Clock, Store};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Sender = http1::SendRequest<Empty<Bytes>>;

/// A collector of this process, and its folder.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

impl Served {
    async fn start(limits: Limits, rates: Rates, tls: Option<Arc<Tls>>) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Clock::default()).unwrap();
        let collector = Arc::new(Collector::new(store, limits).guarded(rates, tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server::run(listener, collector, async {
            let _ = stopped.await;
        }));
        Served { address, stop, serving, _folder: folder }
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// Certificates for `collector.test`, as files.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Files {
        Files { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a new certificate that vouches for itself, and gives it.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["collector.test".to_owned()]).unwrap();
        fs::write(self.path("cert.pem"), made.cert.pem()).unwrap();
        fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }

    fn open(&self) -> Result<Tls, String> {
        Tls::open(&self.path("cert.pem"), &self.path("key.pem")).map_err(|error| error.to_string())
    }
}

/// Connects as a client that believes in this certificate alone and speaks this protocol.
async fn greet(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("collector.test").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn asking(uri: &str, client: &str) -> Request<Empty<Bytes>> {
    let request = Request::builder().uri(uri).header("host", "collector.test");
    request.header("x-forwarded-for", client).body(Empty::new()).unwrap()
}

async fn text<B: hyper::body::Body>(answer: Response<B>) -> String
where
    B::Error: std::fmt::Debug,
{
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_taken_without_a_restart() {
    let files = Files::new();
    let first = files.renew();
    let tls = Arc::new(files.open().unwrap());
    let served = Served::start(Limits::default(), Rates::default(), Some(tls.clone())).await;
    let before = greet(served.address, &first, b"http/1.1").await.unwrap();

    let second = files.renew();
    assert!(greet(served.address, &second, b"http/1.1").await.is_err(), "not yet read");
    assert!(tls.reload().unwrap());
    assert!(!tls.reload().unwrap(), "nothing new");
    greet(served.address, &second, b"http/1.1").await.unwrap();
    assert!(greet(served.address, &first, b"http/1.1").await.is_err(), "the old one is gone");

    fs::write(files.path("cert.pem"), "half a file").unwrap();
    assert!(tls.reload().unwrap_err().to_string().contains("expected certificates in PEM"));
    greet(served.address, &second, b"http/1.1").await.expect("the one it had is kept");

    let (mut sender, connection) = http1::handshake(TokioIo::new(before)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(asking("/healthz", "")).await.unwrap();
    assert_eq!(answer.status(), 200, "who came before the renewal is still served");
    drop(sender);
    served.end().await;
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let files = Files::new();
    assert!(files.open().unwrap_err().contains("cert.pem: cannot be read"));
    files.renew();
    fs::write(files.path("key.pem"), "").unwrap();
    assert!(
        files.open().unwrap_err().ends_with("key.pem: expected a private key in PEM, found none")
    );
    let other = rcgen::generate_simple_self_signed(["collector.test".to_owned()]).unwrap();
    fs::write(files.path("key.pem"), other.signing_key.serialize_pem()).unwrap();
    let why = files.open().unwrap_err();
    assert!(why.contains("key.pem: expected the key of the certificate in"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_answers_many_at_once_and_closes_what_is_idle() {
    let files = Files::new();
    let certificate = files.renew();
    let limits = Limits { headers: Duration::from_secs(2), ..Limits::default() };
    let tls = Arc::new(files.open().unwrap());
    let served = Served::start(limits, Rates::default(), Some(tls)).await;
    let stream = greet(served.address, &certificate, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let answer =
                    sender.send_request(asking("https://collector.test/healthz", "")).await;
                let answer = answer.unwrap();
                assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
                assert_eq!(text(answer).await, "ok\n");
            })
        })
        .collect();
    for asked in asked {
        asked.await.unwrap();
    }
    // The sender is still there: it is the server that ends it.
    connection.await.unwrap().unwrap();
    drop(sender);
    served.end().await;
}

/// Asks once more over a kept connection, once it has done with the answer before.
async fn ask(sender: &mut Sender, request: Request<Empty<Bytes>>) -> Response<Incoming> {
    sender.ready().await.unwrap();
    sender.send_request(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_asks_too_often_is_told_when_to_come_again() {
    let rates = Rates { requests_per_network: 3, ..Rates::default() };
    let served = Served::start(Limits::default(), rates, None).await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // However slow the machine is: three a second is less than it asks.
    let mut asked = 0;
    let answer = loop {
        let client = format!("203.0.113.{}", asked % 200);
        let answer = ask(&mut sender, asking("/healthz", &client)).await;
        if answer.status() != 200 {
            break answer;
        }
        text(answer).await;
        asked += 1;
        assert!(asked < 500, "nobody is told to wait");
    };
    assert!(asked >= 3, "three at once are taken: {asked}");
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "1");
    let why = text(answer).await;
    assert!(why.contains("too_often") && why.contains("at most 3 requests a second"), "{why}");
    let answer = ask(&mut sender, asking("/healthz", "198.51.100.1")).await;
    assert_eq!(answer.status(), 200, "another network is not held up");
    text(answer).await;
    drop(sender);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_nobodys_business_on_the_internet() {
    let served = Served::start(Limits::default(), Rates::default(), None).await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (client, status) in [("", 200), ("10.0.0.7", 200), ("203.0.113.5", 404)] {
        let answer = ask(&mut sender, asking("/metrics", client)).await;
        assert_eq!(answer.status(), status, "{client}");
        text(answer).await;
    }
    drop(sender);
    served.end().await;
}
