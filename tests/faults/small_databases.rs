//! The small databases, of definitions, of who may change them and of what waits for webhooks, where the disk fails as their
//! commits are written back: what was said to be saved is saved, and nothing more is said to be until it is opened anew.

use std::sync::Arc;
use std::time::Duration;

use beaconry_model::key::{Grant, Sections};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::profile::Keyspace;
use beaconry_model::section::Section;
use beaconry_model::time::Timestamp;
use beaconry_model::webhook::{HookUrl, NewWebhook};
use beaconry_store::{
    Backoff, Clock, Folder, Keys, NewPerson, Outbox, Outcome, People, Registry, Role, Store, Tried,
    bytes,
};

use crate::disk::{Disk, Faults, Operation};
use crate::rig::prepare;

/// An open database: saves the thing of this number, and says how many things there are.
trait Database {
    fn save(&mut self, n: usize) -> bool;
    fn count(&self) -> usize;
}

fn name(n: usize) -> Name {
    Name::try_from(format!("Number {n}")).unwrap()
}

impl Database for Registry {
    fn save(&mut self, n: usize) -> bool {
        let id = SectionId::new(&name(n), bytes().unwrap()).unwrap();
        let section = Section { id, name: name(n), origins: vec![], origin_required: false };
        self.add_section(&section, "test", Timestamp(0)).is_ok()
    }

    fn count(&self) -> usize {
        self.snapshot().unwrap().sections().len()
    }
}

impl Database for People {
    fn save(&mut self, n: usize) -> bool {
        let email = format!("{n}@example.com");
        let new = NewPerson { email, name: name(n), role: Role::Viewer, password: None };
        self.add(&new, "test", Timestamp(0)).is_ok()
    }

    fn count(&self) -> usize {
        self.list().unwrap().len()
    }
}

impl Database for Keys {
    fn save(&mut self, n: usize) -> bool {
        let keyspace = Keyspace::try_from("email".to_owned()).unwrap();
        let may = Grant::new(Sections::All, vec![keyspace], true, false).unwrap();
        self.create(&name(n), may, "test", Timestamp(0)).is_ok()
    }

    fn count(&self) -> usize {
        self.list().unwrap().len()
    }
}

/// What waits for webhooks, and how many were posted to one.
struct Hooks {
    store: Arc<Store>,
    outbox: Outbox,
    hook: u32,
}

impl Hooks {
    fn open(folder: &Folder) -> Hooks {
        if Registry::open(folder).unwrap().snapshot().unwrap().sections().is_empty() {
            prepare(folder.path());
        }
        let store = Store::open(folder.path(), Clock::default()).unwrap();
        if store.snapshot().webhooks().is_empty() {
            let new = NewWebhook {
                section: store.snapshot().sections()[0].id.clone(),
                name: name(0),
                url: HookUrl::try_from("https://crm.example/in".to_owned()).unwrap(),
                topics: serde_json::from_str(r#"[{"type": "beacon.rejected"}]"#).unwrap(),
                keyspaces: vec![Keyspace::Web],
                made_with: None,
            };
            store.add_webhook(new, "test").unwrap();
        }
        let outbox = Outbox::open(&store, Backoff::default(), Duration::from_secs(60)).unwrap();
        let hook = store.snapshot().webhooks()[0].number;
        Hooks { store, outbox, hook }
    }
}

impl Database for Hooks {
    fn save(&mut self, _: usize) -> bool {
        let posted = Outcome { hook: self.hook, number: 0, tried: Tried::Delivered };
        let saved = self.outbox.settle(&[posted]).is_ok();
        assert_eq!(saved, self.store.broken().is_none(), "the whole store stops with it");
        saved
    }

    fn count(&self) -> usize {
        self.store.webhook_states().unwrap()[&self.hook].delivered as usize
    }
}

fn fails_and_is_opened_anew(
    file: &'static str,
    operation: Operation,
    open: impl Fn(&Folder) -> Box<dyn Database>,
) {
    let what = format!("{operation:?} of {file}");
    let made = tempfile::tempdir().unwrap();
    let folder = Folder::open(made.path()).unwrap();
    drop(open(&folder));
    let disk = Disk::under(made.path(), 6);
    let mut database = open(&folder);
    disk.set(Faults { fails: Some((operation, file)), ..Faults::default() });
    let mut saved = 0;
    while database.save(saved) {
        saved += 1;
        assert!(saved < 10_000, "{what} did not happen");
    }
    assert!(disk.has_failed(), "{what}: not saved before it");
    assert!(saved > 0 && !database.save(saved + 1), "{what}: saved after it");
    // In closing, SQLite would let go of what a failed sync has lost.
    drop(database);
    disk.cut();

    let restarted = tempfile::tempdir().unwrap();
    let disk = disk.after_kill(restarted.path(), 7);
    let mut database = open(&Folder::open(restarted.path()).unwrap());
    assert!(database.save(saved + 2), "{what}: not saved by the next");
    drop(database);
    disk.cut();
    let left = tempfile::tempdir().unwrap();
    disk.after_power_cut(left.path());
    let count = open(&Folder::open(left.path()).unwrap()).count();
    // What failed at the last was in the write-ahead log.
    assert!(count > saved, "{what}: {count} are left of {saved}, and one more");
}

#[test]
fn what_small_databases_said_to_be_saved_is_saved_though_writing_it_back_fails() {
    for operation in [Operation::Write, Operation::Sync] {
        fails_and_is_opened_anew("registry.db", operation, |folder| {
            Box::new(Registry::open(folder).unwrap())
        });
        fails_and_is_opened_anew("people.db", operation, |folder| {
            Box::new(People::open(folder).unwrap())
        });
        fails_and_is_opened_anew("keys.db", operation, |folder| {
            Box::new(Keys::open(folder).unwrap())
        });
        fails_and_is_opened_anew("hooks.db", operation, |folder| Box::new(Hooks::open(folder)));
    }
}
