//! The collector's sockets: accepts connections up to a cap, and drains when it is told to stop.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use beaconry_store::Store;

use crate::connection;
use crate::files::Files;
use crate::front::{Front, Rates};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::tls::Tls;

/// What every request needs.
#[derive(Debug)]
pub struct Collector {
    /// Where events become durable.
    pub store: Arc<Store>,
    /// What is counted.
    pub metrics: Metrics,
    /// The bounds it keeps.
    pub limits: Limits,
    pub(crate) front: Front,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) files: Files,
}

impl Collector {
    /// A collector over this store, which speaks plain HTTP and keeps the rates that are the default.
    pub fn new(store: Arc<Store>, limits: Limits) -> Collector {
        Collector {
            store,
            metrics: Metrics::default(),
            limits,
            front: Front::new(Rates::default()),
            tls: None,
            files: Files::default(),
        }
    }

    /// The same at these rates, and over TLS where there is a certificate.
    pub fn guarded(self, rates: Rates, tls: Option<Arc<Tls>>) -> Collector {
        Collector { front: Front::new(rates), tls, ..self }
    }
}

/// Serves until `shutdown` is ready; then takes no new connections, lets open requests finish and returns.
pub async fn run(
    listener: TcpListener,
    collector: Arc<Collector>,
    shutdown: impl Future<Output = ()>,
) {
    let most = collector.limits.connections;
    let slots = Arc::new(Semaphore::new(most));
    let (stop, stopped) = watch::channel(false);
    let acceptor = collector.tls.as_deref().map(Tls::acceptor);
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
            Ok((stream, peer)) => {
                // Answers are small and written whole, so waiting to fill a segment only delays them.
                let _ = stream.set_nodelay(true);
                let (collector, acceptor, stopped) =
                    (collector.clone(), acceptor.clone(), stopped.clone());
                tokio::spawn(async move {
                    collector.metrics.connected();
                    connection::accepted(stream, Some(peer.ip()), acceptor, &collector, stopped)
                        .await;
                    collector.metrics.disconnected();
                    drop(slot);
                });
            }
            Err(error) => wait_out(&error).await,
        }
    }
    drop(listener);
    let _ = stop.send(true);
    // Every connection holds a slot until its last answer is written.
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(collector.limits.drain, slots.acquire_many(all)).await;
}

/// Out of file descriptors or memory: accepting again at once would only spin.
async fn wait_out(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection; trying again");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
