//! What valgrind counts the instructions of: the way of a beacon through the model, and its share of a group's commit. The
//! same beacons each time, one group after the other, so that the counts are the same too.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use beaconry_bench_collector::beacon::{Beacon as Sent, Days, ORIGIN};
use beaconry_bench_collector::define::define;
use beaconry_model::judge::{Accepted, Arrival, Verdict, judge};
use beaconry_model::wire::Envelope;
use beaconry_store::{Clock, Entry, Known, Store};

/// Events in all, and in a group.
const EVENTS: usize = 5_000;
const GROUP: usize = 100;

fn main() -> ExitCode {
    match run() {
        Ok(events) => {
            println!("{events}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("bench-instructions: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Says how many events went all the way.
fn run() -> Result<usize, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let key = define(folder.path())?;
    let store = open(folder.path())?;
    let known = store.snapshot().by_key(&key).cloned().ok_or("the event is missing")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (mut random, mut days) = (fastrand::Rng::with_seed(1), Days::default());
    let mut sent = Sent::new("127.0.0.1:4000", &key, 1);
    let mut stored = 0;
    for _ in 0..EVENTS / GROUP {
        let mut entries = Vec::new();
        for _ in 0..GROUP {
            let length = sent.body_len();
            let request = sent.next(&mut random, &mut days);
            let body = &request[request.len() - length..];
            let received = store.clock().now();
            let accepted = beacon_to_accepted(body, &store, &known, received);
            entries.push(Entry::Accepted(known.number, accepted.ok_or("a beacon was refused")?));
        }
        stored += runtime.block_on(store.append(entries))?.stored;
    }
    Ok(stored)
}

fn open(folder: &Path) -> Result<Arc<Store>, beaconry_store::StoreError> {
    Store::open(folder, Clock::default())
}

/// From a request's bytes to what is written: counted under this name.
#[inline(never)]
fn beacon_to_accepted(
    body: &[u8],
    store: &Store,
    known: &Known,
    received: beaconry_model::time::Timestamp,
) -> Option<Accepted> {
    let envelope = Envelope::parse(black_box(body)).ok()?;
    let beacon = envelope.events.first()?.beacon.as_ref().ok()?;
    store.snapshot().by_key(&beacon.key)?;
    let arrival = Arrival { received, origin: Some(ORIGIN) };
    match judge(beacon, &envelope, &known.section, &known.event, &arrival) {
        Verdict::Accepted(accepted) => Some(black_box(accepted)),
        _ => None,
    }
}
