//! A collector in the test's own process, so that the disk below its store can be a faulty one.

use std::path::Path;
use std::sync::Arc;

use beaconry_collector::limits::Limits;
use beaconry_collector::server::{self, Collector};
use beaconry_model::category::Category;
use beaconry_model::event::{Description, Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::Section;
use beaconry_store::{Clock, Folder, Registry, Store, StoreError, bytes, event_seed};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Makes a data folder with one event that has a required number `n`, its tracking on; gives its public key.
pub(crate) fn prepare(folder: &Path) -> String {
    let folder = Folder::open(folder).unwrap();
    let (mut registry, now) = (Registry::open(&folder).unwrap(), Clock::default().now());
    let name = Name::try_from("Shop".to_owned()).unwrap();
    let id = SectionId::new(&name, bytes().unwrap()).unwrap();
    let section = Section { id, name, origins: vec![], origin_required: false };
    registry.add_section(&section, "test", now).unwrap();
    let new = NewEvent {
        section: section.id.clone(),
        category: Category::Signals,
        name: Name::try_from("Order placed".to_owned()).unwrap(),
        description: Description::default(),
        retention: Retention::Forever,
        fields: Fields::with_source(vec![Field::parse("n:number:required").unwrap()]).unwrap(),
    };
    let mut event = Event::create(new, event_seed().unwrap(), now).unwrap();
    event.enable_tracking(false, now).unwrap();
    registry.add_event(&event, "test", now).unwrap();
    event.key().to_string()
}

/// A running collector. [`Rig::stop`] ends it as a signal would.
pub(crate) struct Rig {
    /// `http://host:port`.
    pub(crate) url: String,
    pub(crate) store: Arc<Store>,
    runtime: Runtime,
    serving: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Rig {
    /// Opens the folder and serves it on a free port.
    pub(crate) fn start(folder: &Path) -> Result<Rig, StoreError> {
        let store = Store::open(folder, Clock::default())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Arc::new(Collector::new(store.clone(), Limits::default()));
        let (stop, stopped) = oneshot::channel();
        let serving = runtime.spawn(server::run(listener, collector, async {
            let _ = stopped.await;
        }));
        Ok(Rig { url, store, runtime, serving, stop })
    }

    /// Finishes what is open, writes everything out and closes the store.
    pub(crate) fn stop(self) {
        let Rig { store, runtime, serving, stop, .. } = self;
        let _ = stop.send(());
        runtime.block_on(serving).unwrap();
        drop(runtime);
        drop(store);
    }
}
