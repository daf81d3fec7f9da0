//! Ids and secondary indexes behind the log: what is merged into them, and how an id is known to be new.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fastbloom::AtomicBloomFilter;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use beaconry_model::event_id::EventId;
use beaconry_model::time::{DAY_MS, Timestamp};

use crate::bulk::{Table, Values};
use crate::error::StoreError;
use crate::keyed::Keyed;
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
static IDS: Table = Table::new("INSERT INTO ids VALUES", 2, THERE);
static BY_EVENT: Table = Table::new("INSERT INTO by_event VALUES", 4, THERE);
static BY_VERSION: Table = Table::new("INSERT INTO by_version VALUES", 4, THERE);

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
    /// Whether there are events of people who were erased, whose ids are known by their hashes alone.
    erased: AtomicBool,
}

impl Filter {
    pub(crate) fn new() -> Arc<Filter> {
        let bits = AtomicBloomFilter::with_num_bits(FILTER_BITS).hashes(FILTER_HASHES);
        Arc::new(Filter { bits, complete: AtomicBool::new(false), erased: AtomicBool::new(false) })
    }

    /// Whether this id is certainly nowhere in the log.
    pub(crate) fn is_new(&self, id: EventId) -> bool {
        self.complete.load(Ordering::Acquire) && !self.bits.contains(&id.0)
    }

    /// Adds an id. Whether it was certainly nowhere in the log before.
    pub(crate) fn add(&self, id: EventId) -> bool {
        // First, or an id that is read into the filter in between would be taken for a new one.
        let complete = self.complete.load(Ordering::Acquire);
        let there = self.bits.insert(&id.0);
        complete && !there
    }

    /// Adds what stands for the id of an event that was erased.
    fn add_erased(&self, hash: EventId) {
        self.add(hash);
        self.erased.store(true, Ordering::Release);
    }

    /// Finds out whether anybody was erased lately. Before anything is asked of the filter.
    pub(crate) fn look_for_erased(&self, index: &Connection) -> Result<(), StoreError> {
        let any = index.prepare("SELECT 1 FROM erased")?.exists([])?;
        self.erased.store(any, Ordering::Release);
        Ok(())
    }

    /// Reads every merged id into the filter. Those stored meanwhile are added by the writer.
    pub(crate) fn fill(&self, index: &Connection) -> Result<(), StoreError> {
        let mut statement =
            index.prepare("SELECT id FROM ids UNION ALL SELECT hash FROM erased")?;
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

/// Whether this id was that of an event of somebody who was erased since. Costs nothing while there are none.
pub(crate) fn was_erased(
    index: &Connection,
    filter: &Filter,
    keyed: &Keyed,
    id: EventId,
) -> Result<bool, rusqlite::Error> {
    if !filter.erased.load(Ordering::Acquire) {
        return Ok(false);
    }
    let hash = keyed.of_event(id);
    Ok(!filter.is_new(hash)
        && index.prepare_cached("SELECT 1 FROM erased WHERE hash = ?")?.exists([hash.0])?)
}

/// The last place of the log that is merged.
pub(crate) fn watermark(index: &Connection) -> Result<i64, rusqlite::Error> {
    index.query_row("SELECT seq FROM watermark", [], |row| row.get(0))
}

/// How often [`merge`] comes to each event of a run: once an index.
pub(crate) const PASSES: usize = 3;
/// Events that it takes at one go.
const STRIDE: usize = 256;

/// Rows of one commit that lie on pages of their own, about: 1.2 MiB. Syncing more at one go would hold up the log, which lies
/// on the same disk: with three times as many of these and ten times as many rows, one of a hundred requests at 0.8 of the peak
/// waited 28 ms and not 21.
const SCATTERED: usize = 300;
/// Rows of one commit, about: 0.4 MiB where they lie side by side.
const ROWS: usize = 10_000;
/// Neighbours this far apart, in milliseconds, are taken to lie on pages of their own: of ten million ids of a day that is so.
const APART_MS: u64 = 1_000;

/// The commit that rows are put into, followed by another when it is full.
struct Commits<'a> {
    index: &'a Connection,
    transaction: Transaction<'a>,
    rows: usize,
    scattered: usize,
}

impl<'a> Commits<'a> {
    fn begin(index: &'a Connection) -> Result<Commits<'a>, rusqlite::Error> {
        let transaction = Transaction::new_unchecked(index, TransactionBehavior::Immediate)?;
        Ok(Commits { index, transaction, rows: 0, scattered: 0 })
    }

    /// Notes that it holds so many rows more, so many of them on pages of their own.
    fn wrote(mut self, rows: usize, scattered: usize) -> Result<Commits<'a>, rusqlite::Error> {
        self.rows += rows;
        self.scattered += scattered;
        if self.rows < ROWS && self.scattered < SCATTERED {
            return Ok(self);
        }
        self.transaction.commit()?;
        Commits::begin(self.index)
    }
}

/// Merges a run that reaches to this place of the log, the watermark last: what lies above it counts as not merged, and a run
/// that is cut off is merged again. A long run takes several commits. Sorting first lets neighbours share pages. `after` hears
/// of each some events that went into one index, and may rest.
pub(crate) fn merge(
    index: &mut Connection,
    run: &mut [Unmerged],
    reaches: i64,
    mut after: impl FnMut(usize),
) -> Result<(), StoreError> {
    run.sort_unstable_by_key(|unmerged| unmerged.id);
    let by_id = |unmerged: &Unmerged| (0, made(unmerged.id));
    let commits = Commits::begin(index)?;
    let commits = insert(&IDS, commits, run, by_id, &mut after, |unmerged, row| {
        row.push(unmerged.id.0)?;
        row.push(unmerged.seq)
    })?;
    run.sort_unstable_by_key(|unmerged| {
        (unmerged.event, unmerged.test, unmerged.received, unmerged.seq)
    });
    let commits = insert(&BY_EVENT, commits, run, by_event, &mut after, |unmerged, row| {
        row.push(unmerged.event.0)?;
        row.push(unmerged.test)?;
        row.push(unmerged.received.0)?;
        row.push(unmerged.seq)
    })?;
    let last = add_by_version(commits, run, after)?.transaction;
    last.prepare_cached("UPDATE watermark SET seq = ?")?.execute([reaches])?;
    Ok(last.commit()?)
}

/// When a browser made an id, as UUIDs of version 7 have it; of other ids, anything.
fn made(id: EventId) -> i64 {
    id.0[..6].iter().fold(0, |made, byte| made << 8 | i64::from(*byte))
}

fn by_event(unmerged: &Unmerged) -> (u32, i64) {
    (unmerged.event.0, unmerged.received.0)
}

/// Inserts a sorted run, some at a time; `after` hears of them. `at` says on which part of the index a row lies, and when there.
fn insert<'a>(
    into: &Table,
    mut commits: Commits<'a>,
    run: &[Unmerged],
    at: impl Fn(&Unmerged) -> (u32, i64),
    mut after: impl FnMut(usize),
    values: impl Fn(&Unmerged, &mut Values) -> Result<(), rusqlite::Error>,
) -> Result<Commits<'a>, rusqlite::Error> {
    for some in run.chunks(STRIDE) {
        into.insert(&commits.transaction, some, &values)?;
        commits = commits.wrote(some.len(), scattered(some, &at))?;
        after(some.len());
    }
    Ok(commits)
}

/// How many of these rows lie on a page that the row before is not on.
fn scattered(rows: &[Unmerged], at: impl Fn(&Unmerged) -> (u32, i64)) -> usize {
    let apart = |pair: &&[Unmerged]| {
        let ((part, from), (other, to)) = (at(&pair[0]), at(&pair[1]));
        part != other || to.abs_diff(from) > APART_MS
    };
    rows.windows(2).filter(apart).count()
}

/// Trials are not looked for by version: they are few, and gone in a day.
fn add_by_version<'a>(
    commits: Commits<'a>,
    run: &mut [Unmerged],
    after: impl FnMut(usize),
) -> Result<Commits<'a>, rusqlite::Error> {
    run.sort_unstable_by_key(|unmerged| {
        (unmerged.test, unmerged.event, unmerged.ver, unmerged.received, unmerged.seq)
    });
    let trials = run.partition_point(|unmerged| !unmerged.test);
    insert(&BY_VERSION, commits, &run[..trials], by_event, after, |unmerged, row| {
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
    let transaction = add_by_version(Commits::begin(index)?, run, |_| {})?.transaction;
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
        take_out(&transaction, gone)?;
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

/// Takes an event out of the indexes, all but its id.
fn take_out(index: &Connection, gone: &Deleted) -> Result<(), rusqlite::Error> {
    index
        .prepare_cached(
            "DELETE FROM by_event WHERE event = ? AND test = ? AND received = ? AND seq = ?",
        )?
        .execute(params![gone.event.0, gone.test, gone.received.0, gone.seq])?;
    if gone.test { Ok(()) } else { forget_by_version(index, gone) }
}

/// Takes events of somebody who is erased out of the indexes, with their ids. Of what a browser may still bring again a keyed
/// hash of the id is remembered until it may not. What a back end posted can be posted again to a profile that is made anew.
pub(crate) fn erase(
    index: &mut Connection,
    deleted: &[Deleted],
    filter: &Filter,
    keyed: &Keyed,
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = index.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for gone in deleted {
        take_out(&transaction, gone)?;
    }
    for (id, received) in ids_of(&transaction, deleted)? {
        let until = received.plus(REMEMBERED_MS);
        if is_browsers(id) && until > now {
            let hash = keyed.of_event(id);
            filter.add_erased(hash);
            transaction
                .prepare_cached("INSERT INTO erased VALUES (?, ?) ON CONFLICT DO NOTHING")?
                .execute(params![hash.0, until.0])?;
        }
        transaction.prepare_cached("DELETE FROM ids WHERE id = ?")?.execute([id.0])?;
        // Retention may have been there first.
        transaction
            .prepare_cached("DELETE FROM forgotten WHERE until = ? AND id = ?")?
            .execute(params![until.0, id.0])?;
    }
    Ok(transaction.commit()?)
}

/// The ids of deleted events, with when they arrived. Where an earlier deletion was cut off the log has none any more, and all
/// ids are looked through, once.
fn ids_of(
    index: &Connection,
    deleted: &[Deleted],
) -> Result<Vec<(EventId, Timestamp)>, rusqlite::Error> {
    let (mut ids, mut lost) = (Vec::with_capacity(deleted.len()), HashMap::new());
    for gone in deleted {
        match gone.was {
            Some((id, _)) => ids.push((id, gone.received)),
            None => {
                lost.insert(gone.seq, gone.received);
            }
        }
    }
    if lost.is_empty() {
        return Ok(ids);
    }
    let mut statement = index.prepare("SELECT id, seq FROM ids")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(received) = lost.get(&row.get(1)?) {
            ids.push((EventId(row.get(0)?), *received));
        }
    }
    Ok(ids)
}

/// Whether a browser made this id: a UUID of version 7, where what a back end posts gets one of version 8.
fn is_browsers(id: EventId) -> bool {
    id.0[6] >> 4 == 7
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
    transaction
        .prepare_cached(
            "DELETE FROM erased WHERE hash IN (SELECT hash FROM erased WHERE until <= ? LIMIT ?)",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::schema::INDEX;

    fn at(seq: i64, received: i64) -> Unmerged {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&seq.to_be_bytes());
        Unmerged {
            id: EventId(id),
            seq,
            event: EventNo(1),
            ver: 1,
            received: Timestamp(received),
            test: false,
        }
    }

    #[test]
    fn what_is_late_is_taken_to_lie_on_a_page_of_its_own() {
        assert_eq!(scattered(&[], by_event), 0);
        let apart = APART_MS as i64;
        let together = [at(1, 0), at(2, 5), at(3, 5 + apart)];
        assert_eq!(scattered(&together, by_event), 0);
        let late = [at(1, 0), at(2, apart + 1), at(3, apart + 2), at(4, 9 * apart)];
        assert_eq!(scattered(&late, by_event), 2);
    }

    #[test]
    fn a_long_run_takes_several_commits_and_one_that_was_cut_off_is_merged_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::open(folder.path()).unwrap();
        let mut index = INDEX.open(&folder).unwrap();
        let reader = INDEX.open_to_read(&folder).unwrap();
        let rows = |table| -> i64 {
            let count = format!("SELECT count(*) FROM {table}");
            reader.query_row(&count, [], |row| row.get(0)).unwrap()
        };
        let late = SCATTERED as i64 + 1_000;
        let mut run: Vec<_> = (1..=late).map(|seq| at(seq, seq * 2 * APART_MS as i64)).collect();
        let mut seen = 0;
        let commits = Commits::begin(&index).unwrap();
        let unfinished = insert(
            &BY_EVENT,
            commits,
            &run,
            by_event,
            |_| seen = rows("by_event"),
            |unmerged, row| {
                row.push(unmerged.event.0)?;
                row.push(unmerged.test)?;
                row.push(unmerged.received.0)?;
                row.push(unmerged.seq)
            },
        );
        drop(unfinished.unwrap());
        assert!(seen >= SCATTERED as i64 && seen < late, "{seen}");
        assert_eq!((rows("by_event"), watermark(&reader).unwrap()), (seen, 0));
        merge(&mut index, &mut run, late, |_| {}).unwrap();
        assert_eq!(["ids", "by_event", "by_version"].map(rows), [late; 3]);
        assert_eq!(watermark(&reader).unwrap(), late);
    }

    /// A crash between the log and the index: the log has the row no more, so only its place says which id it had.
    #[test]
    fn an_id_is_erased_whose_row_is_gone_already() {
        let folder = tempfile::tempdir().unwrap();
        let mut index = INDEX.open(&Folder::open(folder.path()).unwrap()).unwrap();
        let (keyed, filter) = (Keyed::new(b"secret"), Filter::new());
        let received = Timestamp(1);
        let id = |seq: u8, version: u8| {
            EventId([seq, 0, 0, 0, 0, 0, version << 4, 0, 0x80, 0, 0, 0, 0, 0, 0, 0])
        };
        let event = |seq: u8, version: u8| Unmerged {
            id: id(seq, version),
            seq: i64::from(seq),
            event: EventNo(1),
            ver: 1,
            received,
            test: false,
        };
        let mut run = [event(1, 7), event(2, 7), event(3, 8), event(4, 7)];
        merge(&mut index, &mut run, 4, |_| {}).unwrap();
        let gone = |seq, was| Deleted { event: EventNo(1), test: false, received, seq, was };
        let deleted = [gone(1, Some((id(1, 7), 1))), gone(2, None), gone(3, None)];
        erase(&mut index, &deleted, &filter, &keyed, received).unwrap();
        let known = |index: &Connection, id| {
            let erased = was_erased(index, &filter, &keyed, id).unwrap();
            (place(index, id).unwrap().is_some(), erased)
        };
        assert_eq!(known(&index, id(1, 7)), (false, true), "as a hash");
        assert_eq!(known(&index, id(2, 7)), (false, true), "as a hash");
        assert_eq!(known(&index, id(3, 8)), (false, false), "a back end may post it again");
        assert_eq!(known(&index, id(4, 7)), (true, false), "another's");
        drop_forgotten(&mut index, received.plus(REMEMBERED_MS), 10).unwrap();
        assert_eq!(known(&index, id(1, 7)), (false, false), "no browser brings it any more");
    }
}
