//! `beaconry serve`: opens the store and the sockets, and runs until it is told to stop.

#[cfg(feature = "console")]
pub(crate) mod demo;
#[cfg(feature = "console")]
mod doors;
mod guard;
mod hand_over;
#[cfg(feature = "console")]
mod rates;
#[cfg(feature = "console")]
mod webhooks;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use beaconry_collector::front::Rates;
use beaconry_collector::limits::Limits;
use beaconry_collector::server::{self, Collector};
use beaconry_collector::tls::Tls;
use beaconry_model::section::Origin;
use beaconry_store::{Store, StoreError};

use hand_over::{Given, HandOver};

use super::Context;
use super::error::CliError;
use super::output::line;
use super::snippet::{self, COLLECTOR_URL};
#[cfg(feature = "console")]
use doors::Doors;

/// How often what was scheduled is looked at.
const SETTLE: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the collector listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    collector: SocketAddr,
    /// Where the console listens. Beyond this machine only with an https address in --console-url.
    #[cfg(feature = "console")]
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4001")]
    console: SocketAddr,
    /// Where people reach the console, like https://console.example, where a reverse proxy is before it.
    #[cfg(feature = "console")]
    #[arg(long, value_name = "URL")]
    console_url: Option<String>,
    /// Where browsers reach the collector, like https://events.shop.example; its own address where it is left out.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    guard: guard::Guard,
    /// Where another server runs on the data folder, wait until it has ended.
    #[arg(long)]
    wait: bool,
    #[cfg(feature = "console")]
    #[command(flatten)]
    rates: rates::Rates,
    #[cfg(feature = "console")]
    #[command(flatten)]
    webhooks: webhooks::Webhooks,
}

impl Serve {
    pub(crate) fn run(self, context: Context) -> Result<(), CliError> {
        run_until_told(async move {
            let data = context.data.clone();
            let server = Server::open(&self, context).await?;
            server.say();
            let version = env!("CARGO_PKG_VERSION");
            tracing::info!(version, data = %data.display(), collector = server.url, "serving");
            server.run().await
        })
    }

    /// The store, once nobody else has it where this is to wait.
    async fn store(&self, context: Context) -> Result<Arc<Store>, CliError> {
        let Context { data, clock, .. } = context;
        if !self.wait {
            return Ok(Store::open(&data, clock)?);
        }
        let opening = tokio::task::spawn_blocking(move || Store::open_next(&data, clock));
        Ok(opening.await.unwrap_or(Err(StoreError::Stopped))?)
    }
}

/// Runs a server's work on all cores.
fn run_until_told(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(CliError::io("starting threads"))?.block_on(work)
}

/// Everything that runs, its sockets bound.
struct Server {
    signals: Signals,
    hand_over: HandOver,
    store: Arc<Store>,
    url: String,
    collector: TcpListener,
    rates: Rates,
    tls: Option<Arc<Tls>>,
    #[cfg(feature = "console")]
    api: beaconry_www::api::Api,
    #[cfg(feature = "console")]
    webhooks: webhooks::Webhooks,
    #[cfg(feature = "console")]
    console: Doors,
    #[cfg(feature = "console")]
    shop: Option<(TcpListener, beaconry_www::shop::Shop)>,
}

impl Server {
    async fn open(serve: &Serve, context: Context) -> Result<Server, CliError> {
        allow_connections();
        let signals = Signals::listen()?;
        let tls = serve.guard.tls()?;
        let given = address(serve.public_url.as_ref(), "--public-url")?;
        #[cfg(feature = "console")]
        let console_url = address(serve.console_url.as_ref(), "--console-url")?;
        #[cfg(feature = "console")]
        doors::site(serve.console, console_url.as_ref())?;
        let mut sockets = Given::from_environment();
        let collector = bind("--collector", serve.collector, sockets.take(0)).await?;
        #[cfg(feature = "console")]
        let console = bind("--console", serve.console, sockets.take(1)).await?;
        let store = serve.store(context).await?;
        let hand_over = HandOver::new(
            store.folder().clone(),
            &[
                &collector,
                #[cfg(feature = "console")]
                &console,
            ],
        )
        .map_err(CliError::io("the listening sockets"))?;
        #[cfg(feature = "console")]
        let console = Doors::open(&store, console, console_url.as_ref(), serve.guard.proxies())?;
        let url = match given {
            Some(origin) => origin.to_string(),
            None => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", local(&collector, "--collector")?)
            }
        };
        store.registry().set_setting(COLLECTOR_URL, &url)?;
        publish_all(&store, &url)?;
        #[cfg(feature = "console")]
        let api = serve.rates.api(&store, &console.people, snippet::maker(&store, &url))?;
        Ok(Server {
            signals,
            hand_over,
            store,
            url,
            collector,
            rates: serve.guard.rates(),
            tls,
            #[cfg(feature = "console")]
            api,
            #[cfg(feature = "console")]
            webhooks: serve.webhooks,
            #[cfg(feature = "console")]
            console,
            #[cfg(feature = "console")]
            shop: None,
        })
    }

    fn say(&self) {
        line(&format!("collector  {}", self.url));
        #[cfg(feature = "console")]
        self.console.say();
    }

    /// Runs until the process is told to stop, or the disk fails; then finishes what is open and writes everything out.
    async fn run(self) -> Result<(), CliError> {
        let (stop, stopped) = watch::channel(false);
        let watched = self.store.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = self.signals.told(&self.hand_over) => {}
                () = broken(&watched) => {}
            }
            drop(watched);
            let _ = stop.send(true);
        });
        let collector = Collector::new(self.store.clone(), Limits::default());
        let collector = Arc::new(collector.guarded(self.rates, self.tls.clone()));
        if let Some(tls) = self.tls {
            let stopped = stopped.clone();
            tokio::spawn(async move { tls.follow(when(stopped)).await });
        }
        let collecting =
            tokio::spawn(server::run(self.collector, collector, when(stopped.clone())));
        let settling =
            tokio::spawn(settle(self.store.clone(), self.url.clone(), when(stopped.clone())));
        #[cfg(feature = "console")]
        let posting = self.webhooks.start(&self.store, &stopped);
        #[cfg(feature = "console")]
        let pages = pages(&self.store, &self.url, self.api, self.console, self.shop, &stopped);
        let _ = collecting.await;
        let _ = settling.await;
        #[cfg(feature = "console")]
        let _ = pages.await;
        #[cfg(feature = "console")]
        let _ = posting.await;
        tracing::info!("every request is answered; what is left is written out");
        let store = self.store;
        let broken = store.broken();
        // Dropping the store waits for its threads, which are not to be waited for on an async one.
        let _ = tokio::task::spawn_blocking(move || drop(store)).await;
        broken.map_or(Ok(()), |why| Err(CliError::Broken(why)))
    }
}

/// Ready once nothing is stored any more. A new process finds out what is on disk; this one cannot.
async fn broken(store: &Store) {
    while store.broken().is_none() {
        tokio::time::sleep(SETTLE).await;
    }
}

/// Runs what people look at: the console, and in a demo the shop.
#[cfg(feature = "console")]
fn pages(
    store: &Arc<Store>,
    url: &str,
    api: beaconry_www::api::Api,
    console: Doors,
    shop: Option<(TcpListener, beaconry_www::shop::Shop)>,
    stopped: &watch::Receiver<bool>,
) -> tokio::task::JoinHandle<()> {
    use beaconry_www::console::{self, Console};
    let Doors { listener, people, site, proxies, .. } = console;
    let snippets = snippet::maker(store, url);
    let shown = Console { store: store.clone(), people, site, proxies, snippets, api };
    let console = console::run(listener, shown, when(stopped.clone()));
    let closed = when(stopped.clone());
    tokio::spawn(async move {
        match shop {
            None => console.await,
            Some((listener, shop)) => {
                tokio::join!(console, beaconry_www::shop::run(listener, shop, closed));
            }
        }
    })
}

/// An address that an option gives.
fn address(given: Option<&String>, option: &str) -> Result<Option<Origin>, CliError> {
    let parsed = given.cloned().map(Origin::try_from).transpose();
    parsed.map_err(|invalid| CliError::Usage(format!("{option}: {invalid}")))
}

/// Lets this process have as many files open as it may have at all: each connection is one, and many systems begin with a
/// thousand.
fn allow_connections() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it may not, fewer connections are open at once, and further ones wait.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// The socket this process was given, or one on this address.
async fn bind(
    setting: &str,
    address: SocketAddr,
    given: io::Result<Option<std::net::TcpListener>>,
) -> Result<TcpListener, CliError> {
    let listener = match given {
        Ok(Some(given)) => TcpListener::from_std(given),
        Ok(None) => listen(address),
        Err(error) => Err(error),
    };
    listener.map_err(CliError::io(format!("{setting}: cannot listen on {address}")))
}

/// Listens with room for many who connect at the same moment; beyond it, a browser tries again only after a second.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    const WAITING: u32 = 4_096;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does it, so that a restart finds its port free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

fn local(listener: &TcpListener, setting: &str) -> Result<SocketAddr, CliError> {
    listener.local_addr().map_err(CliError::io(setting))
}

/// Ready once the channel says so.
async fn when(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody can say so any more, which is as good.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// What tells the process to stop. It listens from its making on, so that no moment is left after the addresses are
/// said in which a stop would cut short what is under way.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    upgrade: Signal,
}

impl Signals {
    fn listen() -> Result<Signals, CliError> {
        let listen = |kind| signal(kind).map_err(CliError::io("listening for signals"));
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            upgrade: listen(SignalKind::user_defined2())?,
        })
    }

    /// Ready once this process is to end, with or without a successor.
    async fn told(mut self, hand_over: &HandOver) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.upgrade.recv() => {}
            }
            match hand_over.start().await {
                Ok(process) => {
                    tracing::info!(process, "handing over to another process");
                    return;
                }
                Err(error) => tracing::error!(%error, "the upgrade failed; this server goes on"),
            }
        }
    }
}

/// Publishes the snippets of all pins, as the engine of this program makes them. What earlier programs published stays.
fn publish_all(store: &Store, url: &str) -> Result<(), CliError> {
    let snapshot = store.snapshot();
    for known in snapshot.visible_events().filter(|known| known.event.tracking().enabled()) {
        let made = snippet::generate(known, url)?;
        store.registry().publish(&snippet::published(&made), store.clock().now())?;
    }
    Ok(())
}

/// Does what was scheduled for when a pending version becomes current.
async fn settle(store: Arc<Store>, url: String, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut tick = tokio::time::interval(SETTLE);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = &mut stop => return,
        }
        if let Err(error) = settle_due(&store, &url) {
            tracing::error!(%error, "a scheduled change failed; it is tried again");
        }
    }
}

fn settle_due(store: &Store, url: &str) -> Result<(), CliError> {
    let now = store.clock().steady();
    let mut due = false;
    for known in store.snapshot().visible_events() {
        if known.event.tracking().scheduled().is_some()
            && known.event.versions().pending(now).is_none()
        {
            store.change_event(known.number, "schedule", "tracking.settle", |event| {
                Ok(event.settle(now))
            })?;
            due = true;
        }
    }
    if due { publish_all(store, url) } else { Ok(()) }
}
