//! Ids and secondary indexes behind the log: what is merged into them, and how an id is known to be new.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fastbloom::AtomicBloomFilter;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use beaconry_model::event_id::EventId;
use beaconry_model::time::{DAY_MS, Timestamp};

use crate::bulk::Table;
use crate::error::StoreError;
use crate::snapshot::EventNo;

/// The filter's size in bits: 16 MiB.
const FILTER_BITS: usize = 16 * 1024 * 1024 * 8;
/// Bits of each id. Each is likely to be a miss of the processor's caches; with four, one new id in a hundred is looked up
/// once 12 million are stored.
const FILTER_HASHES: u32 = 4;
/// How long the id of a deleted event is remembered, in milliseconds: a day longer than a client may bring it again.
const REMEMBERED_MS: i64 = 31 * DAY_MS;

/// What may be merged a second time, after a crash, is there already.
const THERE: &str = "ON CONFLICT DO NOTHING";
const IDS: Table = Table { insert: "INSERT INTO ids VALUES", columns: 2, conflict: THERE };
const BY_EVENT: Table =
    Table { insert: "INSERT INTO by_event VALUES", columns: 4, conflict: THERE };
const BY_VERSION: Table =
    Table { insert: "INSERT INTO by_version VALUES", columns: 4, conflict: THERE };

/// One event of the log that the indexes do not hold yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unmerged {
    pub(crate) id: EventId,
    pub(crate) seq: i64,
    pub(crate) event: EventNo,
    pub(crate) ver: u32,
    pub(crate) received: Timestamp,
    pub(crate) test: bool,
}

/// An event whose row is gone from the log, and is to go from the indexes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deleted {
    pub(crate) event: EventNo,
    pub(crate) test: bool,
    pub(crate) received: Timestamp,
    pub(crate) seq: i64,
    /// Its id and its version; `None` where an earlier deletion was cut off between log and index.
    pub(crate) was: Option<(EventId, u32)>,
}

/// Says of most new ids, without a look-up, that they are new. Until every merged id is in it, it says nothing; every id
/// that is stored after that is added before its group is committed.
#[derive(Debug)]
pub(crate) struct Filter {
    bits: AtomicBloomFilter,
    complete: AtomicBool,
}

impl Filter {
    pub(crate) fn new() -> Arc<Filter> {
        let bits = AtomicBloomFilter::with_num_bits(FILTER_BITS).hashes(FILTER_HASHES);
        Arc::new(Filter { bits, complete: AtomicBool::new(false) })
    }

    /// Whether this id is certainly nowhere in the log.
    pub(crate) fn is_new(&self, id: EventId) -> bool {
        self.complete.load(Ordering::Acquire) && !self.bits.contains(&id.0)
    }

    pub(crate) fn add(&self, id: EventId) {
        self.bits.insert(&id.0);
    }

    /// Reads every merged id into the filter. Those stored meanwhile are added by the writer.
    pub(crate) fn fill(&self, index: &Connection) -> Result<(), StoreError> {
        let mut statement = index.prepare("SELECT id FROM ids")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.add(EventId(row.get(0)?));
        }
        self.complete.store(true, Ordering::Release);
        Ok(())
    }
}

/// The place of the log that `index.db` has for this id. Of a deleted event the row there is gone.
pub(crate) fn place(index: &Connection, id: EventId) -> Result<Option<i64>, rusqlite::Error> {
    let mut statement = index.prepare_cached("SELECT seq FROM ids WHERE id = ?")?;
    statement.query_row([id.0], |row| row.get(0)).optional()
}

/// The last place of the log that is merged.
pub(crate) fn watermark(index: &Connection) -> Result<i64, rusqlite::Error> {
    index.query_row("SELECT seq FROM watermark", [], |row| row.get(0))
}

/// Merges a run that reaches to this place of the log: all of it and the watermark in one transaction. Sorting first lets
/// neighbours share pages.
pub(crate) fn merge(
    index: &mut Connection,
    run: &mut [Unmerged],
    reaches: i64,
) -> Result<(), StoreError> {
    run.sort_unstable_by_key(|unmerged| unmerged.id);
    let transaction = index.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        IDS.insert(&transaction, run, |unmerged, row| {
            row.push(unmerged.id.0)?;
            row.push(unmerged.seq)
        })?;
        run.sort_unstable_by_key(|unmerged| {
            (unmerged.event, unmerged.test, unmerged.received, unmerged.seq)
        });
        BY_EVENT.insert(&transaction, run, |unmerged, row| {
            row.push(unmerged.event.0)?;
            row.push(unmerged.test)?;
            row.push(unmerged.received.0)?;
            row.push(unmerged.seq)
        })?;
        add_by_version(&transaction, run)?;
        transaction.prepare_cached("UPDATE watermark SET seq = ?")?.execute([reaches])?;
    }
    Ok(transaction.commit()?)
}

/// Trials are not looked for by version: they are few, and gone in a day.
fn add_by_version(index: &Connection, run: &mut [Unmerged]) -> Result<(), rusqlite::Error> {
    run.sort_unstable_by_key(|unmerged| {
        (unmerged.test, unmerged.event, unmerged.ver, unmerged.received, unmerged.seq)
    });
    let trials = run.partition_point(|unmerged| !unmerged.test);
    BY_VERSION.insert(index, &run[..trials], |unmerged, row| {
        row.push(unmerged.event.0)?;
        row.push(unmerged.ver)?;
        row.push(unmerged.received.0)?;
        row.push(unmerged.seq)
    })
}

/// How far an index by version that was added to an older `index.db` reaches; `None` where it lacks nothing.
pub(crate) fn by_version_lacks(index: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(index.query_row("SELECT reaches FROM by_version_lacks", [], |row| row.get(0)).optional()?)
}

/// Adds a run of what is merged already to the index by version; `done` says that this was the last.
pub(crate) fn fill_by_version(
    index: &mut Connection,
    run: &mut [Unmerged],
    reaches: i64,
    done: bool,
) -> Result<(), StoreError> {
    let transaction = index.transaction_with_behavior(TransactionBehavior::Immediate)?;
    add_by_version(&transaction, run)?;
    transaction.execute("UPDATE by_version_lacks SET reaches = ?", [reaches])?;
    if done {
        transaction.execute("DELETE FROM by_version_lacks", [])?;
    }
    Ok(transaction.commit()?)
}

fn forget_by_version(index: &Connection, gone: &Deleted) -> Result<(), rusqlite::Error> {
    let versions = match gone.was {
        Some((_, ver)) => vec![ver],
        None => versions(index, gone.event)?,
    };
    let mut delete = index.prepare_cached(
        "DELETE FROM by_version WHERE event = ? AND ver = ? AND received = ? AND seq = ?",
    )?;
    for ver in versions {
        delete.execute(params![gone.event.0, ver, gone.received.0, gone.seq])?;
    }
    Ok(())
}

/// The versions of which events are indexed: one look-up each.
fn versions(index: &Connection, event: EventNo) -> Result<Vec<u32>, rusqlite::Error> {
    let mut next =
        index.prepare_cached("SELECT min(ver) FROM by_version WHERE event = ? AND ver > ?")?;
    let mut versions = Vec::new();
    let mut last = -1;
    while let Some(ver) =
        next.query_row(params![event.0, last], |row| row.get::<_, Option<u32>>(0))?
    {
        versions.push(ver);
        last = i64::from(ver);
    }
    Ok(versions)
}

/// Takes deleted events out of the indexes. An id that a client may still bring again is remembered until it may not.
pub(crate) fn forget(
    index: &mut Connection,
    deleted: &[Deleted],
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = index.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for gone in deleted {
        transaction
            .prepare_cached(
                "DELETE FROM by_event WHERE event = ? AND test = ? AND received = ? AND seq = ?",
            )?
            .execute(params![gone.event.0, gone.test, gone.received.0, gone.seq])?;
        if !gone.test {
            forget_by_version(&transaction, gone)?;
        }
        let until = gone.received.plus(REMEMBERED_MS);
        match gone.was.map(|(id, _)| id) {
            Some(id) if until > now => {
                transaction
                    .prepare_cached("INSERT INTO forgotten VALUES (?, ?) ON CONFLICT DO NOTHING")?
                    .execute(params![until.0, id.0])?;
            }
            Some(id) => {
                transaction.prepare_cached("DELETE FROM ids WHERE id = ?")?.execute([id.0])?;
            }
            None => {}
        }
    }
    Ok(transaction.commit()?)
}

/// Drops some of the ids that no client may bring again; says how many.
pub(crate) fn drop_forgotten(
    index: &mut Connection,
    now: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let transaction = index.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction
        .prepare_cached("DELETE FROM ids WHERE id IN (SELECT id FROM forgotten WHERE until <= ? ORDER BY until LIMIT ?)")?
        .execute(params![now.0, limit])?;
    let dropped = transaction
        .prepare_cached(
            "DELETE FROM forgotten WHERE (until, id) IN (SELECT until, id FROM forgotten WHERE until <= ? ORDER BY until LIMIT ?)",
        )?
        .execute(params![now.0, limit])?;
    transaction.commit()?;
    Ok(dropped)
}

/// Places of some events that lie after this one and arrived before this moment, oldest first.
pub(crate) fn arrived_before(
    index: &Connection,
    event: EventNo,
    test: bool,
    after: (Timestamp, i64),
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Deleted>, StoreError> {
    let mut statement = index.prepare_cached(
        "SELECT received, seq FROM by_event
         WHERE event = ? AND test = ? AND (received, seq) > (?, ?) AND received < ? ORDER BY received, seq LIMIT ?",
    )?;
    let of_event = params![event.0, test, after.0.0, after.1, before.0, limit];
    let rows = statement.query_map(of_event, |row| {
        Ok(Deleted { event, test, received: Timestamp(row.get(0)?), seq: row.get(1)?, was: None })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
