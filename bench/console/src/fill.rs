//! Fills a data folder through the store's own writer: beacons are judged as the collector judges them, and appended in
//! groups. A folder that was filled before is taken as it is.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use beaconry_model::category::Category;
use beaconry_model::event::{Description, Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::judge::{Arrival, Verdict, judge};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::{Origin, Section};
use beaconry_model::time::{DAY_MS, HOUR_MS, Timestamp};
use beaconry_model::wire::Envelope;
use beaconry_store::{Clock, Count, Entry, Known, Store, bytes, event_seed, quarantine_until};

/// Events defined.
pub const DEFINED: usize = 200;
/// How far back events reach.
const DAYS: i64 = 90;
/// Beacons in a request to the store: what the writer takes as one group.
const GROUP: u64 = 4_096;
/// One beacon in so many does not fit, and goes to quarantine.
const BAD: u64 = 100;

/// What the folder holds.
#[derive(Debug)]
pub struct Filled {
    /// Stored by this run; none where the folder was filled before.
    pub new: u64,
    /// Stored now.
    pub stored: u64,
    /// In quarantine now.
    pub quarantined: u64,
    /// The event with the most stored: its discriminator, and how many.
    pub largest: (String, u64),
    /// The section's id.
    pub section: String,
    /// On disk.
    pub bytes: u64,
}

/// Fills the folder with so many events.
pub fn fill(data: &Path, events: u64) -> Result<Filled, String> {
    let said = |error: beaconry_store::StoreError| error.to_string();
    let store = Store::open(data, Clock::default()).map_err(said)?;
    let now = store.clock().now();
    let mut new = 0;
    if store.snapshot().all_events().is_empty() {
        define(&store, now)?;
    }
    let known: Vec<Arc<Known>> = store.snapshot().all_events().to_vec();
    if stored(&store, &known).map_err(said)?.0 == 0 {
        new = events;
        append(&store, &known, events, now)?;
    }
    let section = known.first().map(|known| known.section.id.to_string()).unwrap_or_default();
    let (all, quarantined, largest) = stored(&store, &known).map_err(said)?;
    drop(store);
    Ok(Filled { new, stored: all, quarantined, largest, section, bytes: size(data) })
}

type Stored = (u64, u64, (String, u64));

fn stored(store: &Store, known: &[Arc<Known>]) -> Result<Stored, beaconry_store::StoreError> {
    let reader = store.reader()?;
    let (mut all, mut quarantined, mut largest) = (0, 0, (String::new(), 0));
    for known in known {
        let count = reader.count(known.number)?;
        all += count;
        quarantined += reader.quarantine_count(known.number)?;
        if count > largest.1 {
            largest = (known.event.discriminator().to_string(), count);
        }
    }
    Ok((all, quarantined, largest))
}

fn size(data: &Path) -> u64 {
    let files = std::fs::read_dir(data).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// One section and its events. Each has three versions, of which the second is pinned and the first is accepted as well.
fn define(store: &Store, now: Timestamp) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let begin = now.plus(-(DAYS + 10) * DAY_MS);
    let name = Name::try_from("Shop".to_owned()).map_err(|e| said(&e))?;
    let id = SectionId::new(&name, bytes().map_err(|e| said(&e))?).map_err(|e| said(&e))?;
    let origins = vec![Origin::try_from("https://shop.example".to_owned()).map_err(|e| said(&e))?];
    let section = Section { id, name, origins, origin_required: false };
    store.registry().add_section(&section, "bench", begin).map_err(|e| said(&e))?;
    for at in 0..DEFINED {
        let event = event(&section, at, begin).map_err(|e| said(&e))?;
        let number = store.registry().add_event(&event, "bench", begin).map_err(|e| said(&e))?;
        let later = |days: i64| begin.plus(days * DAY_MS);
        let second = fields(&["coupon:text"]).map_err(|e| said(&e))?;
        let third = fields(&["coupon:text", "gift:bool"]).map_err(|e| said(&e))?;
        let accept =
            "accept".to_owned().try_into().map_err(|e: beaconry_model::error::Invalid| said(&e))?;
        store
            .change_event(number, "bench", "event.edit", |event| {
                event.enable_tracking(false, later(1))?;
                event.edit(second, [1; 16], later(2))?;
                event.set_stale_policy(accept, later(3))?;
                event.regenerate_snippet(false, later(3))?;
                event.edit(third, [2; 16], later(4))
            })
            .map_err(|e| said(&e))?;
    }
    Ok(())
}

fn event(
    section: &Section,
    at: usize,
    begin: Timestamp,
) -> Result<Event, Box<dyn std::error::Error>> {
    let new = NewEvent {
        section: section.id.clone(),
        category: Category::ALL[at % 3],
        name: Name::try_from(format!("Event number {at}"))?,
        description: Description::default(),
        retention: Retention::Forever,
        fields: fields(&[])?,
    };
    Ok(Event::create(new, event_seed()?, begin)?)
}

fn fields(more: &[&str]) -> Result<Fields, beaconry_model::error::Invalid> {
    let first = [
        "orderid:text:required",
        "value:decimal:required",
        "currency:text",
        "items:number",
        "day:date",
        "at:timestamp",
        "member:bool",
    ];
    let all = first.iter().chain(more).map(|field| Field::parse(field));
    Fields::with_source(all.collect::<Result<_, _>>()?)
}

/// Appends all events, oldest arrival first, judged on one thread while the writer writes on its own.
fn append(
    store: &Arc<Store>,
    known: &[Arc<Known>],
    events: u64,
    now: Timestamp,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().map_err(|e| e.to_string())?;
    let (give, take) = std::sync::mpsc::sync_channel(4);
    let appending = store.clone();
    let writer = thread::spawn(move || {
        for group in take {
            let group: Vec<Entry> = group;
            // Tried again while more waits to be merged than is allowed to.
            while let Err(error) = runtime.block_on(appending.append(group.clone())) {
                if error != beaconry_store::AppendError::Busy {
                    return Err(error.to_string());
                }
                thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        Ok(())
    });
    let step = (DAYS * DAY_MS) as f64 / events as f64;
    let begin = now.plus(-DAYS * DAY_MS);
    let mut group = Vec::new();
    for n in 0..events {
        let received = begin.plus((n as f64 * step) as i64).min(now);
        if let Some(entry) = beacon(store, known, n, received) {
            group.push(entry);
        }
        if group.len() as u64 == GROUP || n + 1 == events {
            give.send(std::mem::take(&mut group))
                .map_err(|_| "the store has stopped".to_owned())?;
        }
    }
    drop(give);
    writer.join().map_err(|_| "appending panicked".to_owned())?
}

/// The n-th beacon. The first event gets a third of all, and each of the others less than the one before it.
fn beacon(store: &Store, known: &[Arc<Known>], n: u64, received: Timestamp) -> Option<Entry> {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let part = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
    let at = ((known.len() as f64).powf(part) - 1.0) as usize;
    let known = &known[if mixed.is_multiple_of(4) { 0 } else { at }];
    let ver = if mixed % 10 < 3 { 1 } else { 2 };
    let id = id(received, n, mixed);
    let value =
        if n.is_multiple_of(BAD) { r#""much""#.to_owned() } else { format!("{}.5", n % 1_000) };
    let raw = format!(
        r#"{{"id":"{id}","key":"{}","ver":{ver},"rev":1,"time":"{received}","url":"https://shop.example/checkout/{}?step=3","data":{{"source":"Website","orderid":"O-{n}","value":{value},"currency":"SEK","items":{},"day":"2026-03-01","at":"2026-03-01T12:00:00+01:00","member":{}}}}}"#,
        known.event.key(),
        n % 40,
        n % 7,
        n.is_multiple_of(2)
    );
    let body = format!(r#"{{"v":1,"visitor":"{:016x}","events":[{raw}]}}"#, mixed);
    let envelope = Envelope::parse(body.as_bytes()).ok()?;
    let beacon = envelope.events[0].beacon.as_ref().ok()?;
    let arrival = Arrival { received, origin: Some("https://shop.example") };
    match judge(beacon, &envelope, &known.section, &known.event, &arrival) {
        Verdict::Accepted(accepted) => Some(Entry::Accepted(known.number, accepted)),
        Verdict::Quarantined(kept) => {
            let until = quarantine_until(known.event.retention(), received);
            // What would have expired is not worth the writing.
            let fresh = until > store.clock().now().plus(HOUR_MS);
            fresh.then_some(Entry::Quarantined(known.number, kept, until))
        }
        Verdict::Refused(_) => {
            store.count_refused(Some(known.number), Count::Origin, None, received);
            None
        }
    }
}

/// An id as visitors make them: version 7, its clock some seconds apart.
fn id(received: Timestamp, n: u64, mixed: u64) -> String {
    let ms = (received.0 - (mixed % 10_000) as i64) as u64;
    let (high, low) = (ms >> 16, ms & 0xffff);
    format!("{high:08x}-{low:04x}-7{:03x}-8{:03x}-{n:012x}", mixed & 0xfff, mixed >> 52)
}
