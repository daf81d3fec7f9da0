//! One connection: greeted by TLS where there is a certificate, then HTTP/1 or HTTP/2, each with its bounds.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::limits::{MAX_HEAD, MAX_STREAMS};
use crate::routes::route;
use crate::server::Collector;

/// Serves a stream of plain HTTP/1 from nobody in particular, until its client closes it or breaks a bound.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    collector: &Arc<Collector>,
) {
    let (_never, stopped) = watch::channel(false);
    accepted(stream, None, None, collector, stopped).await;
}

/// Serves a stream until its client closes it, breaks a bound, or is told that the server stops. A client that breaks off
/// is its own affair; what it was owed is either durable or unanswered.
pub(crate) async fn accepted(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: Option<IpAddr>,
    acceptor: Option<TlsAcceptor>,
    collector: &Arc<Collector>,
    stopped: watch::Receiver<bool>,
) {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(collector.limits.answer));
    let stream = Box::pin(stream);
    let Some(acceptor) = acceptor else {
        return over_http1(stream, peer, collector, stopped).await;
    };
    let greeting = tokio::time::timeout(collector.limits.headers, acceptor.accept(stream));
    let Ok(Ok(stream)) = greeting.await else { return };
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => over_http2(stream, peer, collector, stopped).await,
        _ => over_http1(stream, peer, collector, stopped).await,
    }
}

async fn over_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: Option<IpAddr>,
    collector: &Arc<Collector>,
    stopped: watch::Receiver<bool>,
) {
    let service = service_fn(|request| answer(collector.clone(), request, peer));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(collector.limits.headers)
        .max_buf_size(MAX_HEAD)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    // HTTP/1 bounds the time without a request by itself.
    drive(connection, Duration::MAX, || false, stopped).await;
}

async fn over_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: Option<IpAddr>,
    collector: &Arc<Collector>,
    stopped: watch::Receiver<bool>,
) {
    let work = Arc::new(Work::default());
    let service = service_fn(|request| {
        let (collector, begun) = (collector.clone(), work.begin());
        async move {
            let answered = answer(collector, request, peer).await;
            drop(begun);
            answered
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .serve_connection(TokioIo::new(stream), service);
    drive(connection, collector.limits.headers, || work.is_none(), stopped).await;
}

async fn answer(
    collector: Arc<Collector>,
    request: Request<Incoming>,
    peer: Option<IpAddr>,
) -> Result<Answer, Infallible> {
    Ok(route(&collector, request, peer).await)
}

/// What a connection is asked for.
#[derive(Debug, Default)]
struct Work {
    open: AtomicUsize,
    /// Whether a request came since the last look.
    came: AtomicBool,
}

impl Work {
    fn begin(self: &Arc<Work>) -> impl Drop + use<> {
        struct Begun(Arc<Work>);
        impl Drop for Begun {
            fn drop(&mut self) {
                self.0.open.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        self.came.store(true, Ordering::Relaxed);
        Begun(self.clone())
    }

    /// Whether nothing is asked for now, and nothing was since this was called before.
    fn is_none(&self) -> bool {
        !self.came.swap(false, Ordering::Relaxed) && self.open.load(Ordering::Relaxed) == 0
    }
}

/// Runs a connection to its end. Where it is idle over a whole period, or the server stops, its client is told to go.
async fn drive(
    connection: impl GracefulConnection,
    period: Duration,
    is_idle: impl Fn() -> bool,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    let mut ending = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = told(&mut stopped), if !ending => {}
            () = wait(period), if !ending => if !is_idle() { continue },
        }
        ending = true;
        connection.as_mut().graceful_shutdown();
    }
}

/// Ready once the server stops; never, where nobody is left who could say so.
async fn told(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending().await
    }
}

async fn wait(period: Duration) {
    match period {
        Duration::MAX => std::future::pending().await,
        period => tokio::time::sleep(period).await,
    }
}
