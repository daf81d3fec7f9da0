//! Sending: one thread keeps the queue, and each post has a thread of its own, a few at a time for each receiver.

use std::collections::{HashMap, HashSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use beaconry_store::{Backoff, Outbox, Outcome, Parcel, Store, StoreError, Tried};

use crate::post::Post;

/// Posts to one receiver at a time. A slow one holds up these, and no other receiver's.
const AT_ONCE: usize = 8;
/// How often the queue is looked at while posts are on their way, and while none are. Slept, not waited for: what waits for a
/// moment of the monotonic clock waits for ever in a process under a shifted one.
const BUSY: Duration = Duration::from_millis(2);
const IDLE: Duration = Duration::from_millis(25);
/// How long sending rests after the queue failed.
const FAILED: Duration = Duration::from_secs(1);
/// How long what is on its way is waited for when the server stops. What takes longer is sent again after the start.
const ENDING: Duration = Duration::from_secs(2);
/// A post's thread: TLS needs less than half of it.
const STACK: usize = 512 * 1024;

/// How to send.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// How what failed is tried again.
    pub backoff: Backoff,
    /// How long a receiver may take to answer.
    pub patience: Duration,
    /// How often everybody is held against the segments that webhooks watch.
    pub round: Duration,
}

impl Default for Sending {
    fn default() -> Sending {
        Sending {
            backoff: Backoff::default(),
            patience: Duration::from_secs(10),
            round: Duration::from_secs(300),
        }
    }
}

/// Sends until told to stop. Blocks: it is made for a thread of its own. Comes back with nothing of the store open.
pub fn run(store: &Store, sending: Sending, stopped: impl Fn() -> bool) -> Result<(), StoreError> {
    let outbox = Outbox::open(store, sending.backoff, sending.round)?;
    let post = Post::new(store.private_webhooks(), sending.patience);
    let (tell, told) = mpsc::channel();
    let mut sender = Send { outbox, post, tell, told, busy: HashMap::new() };
    while !stopped() {
        match sender.turn() {
            Ok(true) => {}
            Ok(false) => thread::sleep(if sender.on_their_way() > 0 { BUSY } else { IDLE }),
            Err(error) => {
                tracing::error!(%error, "the queue of webhooks failed; it is tried again");
                thread::sleep(FAILED);
            }
        }
    }
    sender.end()
}

struct Send {
    outbox: Outbox,
    post: Post,
    tell: Sender<Outcome>,
    told: Receiver<Outcome>,
    /// Deliveries on their way, by webhook.
    busy: HashMap<u32, HashSet<i64>>,
}

impl Send {
    /// Does what there is to do at once. Says whether there may be more.
    fn turn(&mut self) -> Result<bool, StoreError> {
        let settled = self.settle()?;
        let more = self.outbox.step()?;
        let mut sent = false;
        for hook in self.outbox.ready()? {
            let busy = self.busy.entry(hook).or_default();
            let room = AT_ONCE.saturating_sub(busy.len());
            for parcel in self.outbox.take(hook, busy, room)? {
                busy.insert(parcel.number);
                sent = true;
                send(self.post.clone(), parcel, self.tell.clone());
            }
        }
        Ok(settled || more || sent)
    }

    /// Writes down what has come back, all of it in one go.
    fn settle(&mut self) -> Result<bool, StoreError> {
        let outcomes: Vec<Outcome> = self.told.try_iter().collect();
        if outcomes.is_empty() {
            return Ok(false);
        }
        let settled = self.outbox.settle(&outcomes);
        // Where it could not be written down, it is posted again.
        for outcome in &outcomes {
            if let Some(busy) = self.busy.get_mut(&outcome.hook) {
                busy.remove(&outcome.number);
            }
        }
        self.busy.retain(|_, busy| !busy.is_empty());
        settled.map(|()| true)
    }

    fn on_their_way(&self) -> usize {
        self.busy.values().map(HashSet::len).sum()
    }

    fn end(mut self) -> Result<(), StoreError> {
        let since = Instant::now();
        while self.on_their_way() > 0 && since.elapsed() < ENDING {
            if !self.settle()? {
                thread::sleep(BUSY);
            }
        }
        Ok(())
    }
}

/// Posts a parcel on a thread of its own, and tells what became of it.
fn send(post: Post, parcel: Parcel, tell: Sender<Outcome>) {
    let (hook, number) = (parcel.hook, parcel.number);
    let failing = tell.clone();
    let posting = move || {
        // Whatever happens, it is told, or its profile would wait for ever.
        let posted = panic::catch_unwind(AssertUnwindSafe(|| post.send(&parcel)));
        let tried = posted.unwrap_or_else(|_| Tried::Failed {
            why: "posting it failed; what the server prints says how".to_owned(),
            retry_after: None,
        });
        let _ = tell.send(Outcome { hook: parcel.hook, number: parcel.number, tried });
    };
    if let Err(error) =
        thread::Builder::new().name("webhook".to_owned()).stack_size(STACK).spawn(posting)
    {
        let why = format!("this machine had no thread for it ({error})");
        let _ =
            failing.send(Outcome { hook, number, tried: Tried::Failed { why, retry_after: None } });
    }
}
