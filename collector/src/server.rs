//! The collector's sockets: accepts connections up to a cap, serves HTTP/1, and drains when it is told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutWriter;

use beaconry_store::Store;

use crate::files::Files;
use crate::limits::{Limits, MAX_HEAD};
use crate::metrics::Metrics;
use crate::routes::route;

/// What every request needs.
#[derive(Debug)]
pub struct Collector {
    /// Where events become durable.
    pub store: Arc<Store>,
    /// What is counted.
    pub metrics: Metrics,
    /// The bounds it keeps.
    pub limits: Limits,
    pub(crate) files: Files,
}

impl Collector {
    /// A collector over this store.
    pub fn new(store: Arc<Store>, limits: Limits) -> Collector {
        Collector { store, metrics: Metrics::default(), limits, files: Files::default() }
    }
}

/// Serves until `shutdown` is ready; then takes no new connections, lets open requests finish and returns.
pub async fn run(
    listener: TcpListener,
    collector: Arc<Collector>,
    shutdown: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(collector.limits.connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let slot = tokio::select! {
            slot = slots.clone().acquire_owned() => slot,
            () = &mut shutdown => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Answers are small and written whole, so waiting to fill a segment only delays them.
                let _ = stream.set_nodelay(true);
                let serving = graceful.watch(connection(stream, collector.clone()));
                let collector = collector.clone();
                tokio::spawn(async move {
                    collector.metrics.connected();
                    // A client that breaks off is its own affair; what it was owed is either durable or unanswered.
                    let _ = serving.await;
                    collector.metrics.disconnected();
                    drop(slot);
                });
            }
            Err(error) => wait_out(&error).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(collector.limits.drain, graceful.shutdown()).await;
}

/// Serves one connection on any stream, as [`run`] serves those it accepts.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    collector: Arc<Collector>,
) -> Result<(), hyper::Error> {
    connection(stream, collector).await
}

/// One connection's HTTP/1, with bounds on the head of each request and on how long an answer waits to be taken.
fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    collector: Arc<Collector>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(collector.limits.answer));
    let headers = collector.limits.headers;
    let service = service_fn(move |request| {
        let collector = collector.clone();
        async move { Ok::<_, Infallible>(route(&collector, request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers)
        .max_buf_size(MAX_HEAD)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
}

/// Out of file descriptors or memory: accepting again at once would only spin.
async fn wait_out(error: &io::Error) {
    eprintln!("collector: cannot accept a connection ({error}); trying again");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
