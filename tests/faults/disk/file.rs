//! One file as the disk holds it: what is synced, and what was done to it since.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a disk writes whole, in bytes.
const SECTOR: usize = 512;

/// How long a slow disk may have had nothing to do and make up for it, as by its cache: who waits for it is woken too late on a
/// busy machine.
const SLACK: Duration = Duration::from_millis(50);

/// A file, known by its path through deletion and making anew.
pub(crate) struct File {
    path: PathBuf,
    content: Mutex<Content>,
}

struct Content {
    /// `None` where there is no such file.
    synced: Option<Vec<u8>>,
    /// In the order it was done.
    unsynced: Vec<Change>,
    /// As the process sees it.
    size: u64,
    /// Until when a slow disk has to do with it.
    busy_until: Instant,
}

enum Change {
    Create,
    Write(usize, Vec<u8>),
    Truncate(usize),
    Delete,
}

impl File {
    pub(super) fn new(path: &Path, synced: Option<Vec<u8>>) -> File {
        let size = synced.as_ref().map_or(0, |content| content.len() as u64);
        let content = Content { synced, unsynced: Vec::new(), size, busy_until: Instant::now() };
        File { path: path.to_owned(), content: Mutex::new(content) }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn size(&self) -> u64 {
        self.content().size
    }

    pub(super) fn create(&self) {
        self.content().unsynced.push(Change::Create);
    }

    pub(super) fn write(&self, at: u64, bytes: &[u8]) {
        let mut content = self.content();
        content.size = content.size.max(at + bytes.len() as u64);
        content.unsynced.push(Change::Write(at as usize, bytes.to_vec()));
    }

    /// When a slow disk is done, if it has to do with this file for so much longer from now.
    pub(super) fn busy(&self, longer: Duration) -> Instant {
        let mut content = self.content();
        let earliest = Instant::now().checked_sub(SLACK).unwrap_or(content.busy_until);
        content.busy_until = content.busy_until.max(earliest) + longer;
        content.busy_until
    }

    pub(super) fn truncate(&self, size: u64) {
        let mut content = self.content();
        content.size = size;
        content.unsynced.push(Change::Truncate(size as usize));
    }

    pub(super) fn delete(&self) {
        let mut content = self.content();
        content.size = 0;
        content.unsynced.push(Change::Delete);
    }

    pub(super) fn sync(&self) {
        let mut content = self.content();
        let changes = std::mem::take(&mut content.unsynced);
        let synced = &mut content.synced;
        for change in changes {
            match change {
                Change::Create => *synced = Some(Vec::new()),
                Change::Write(at, bytes) => put(synced, at, &bytes),
                Change::Truncate(size) => resize(synced, size),
                Change::Delete => *synced = None,
            }
        }
    }

    /// What was not synced never will be, though the process goes on seeing it. Making and sizing a file are the file
    /// system's own records and not lost by a failed write of its pages.
    pub(super) fn forget_unsynced(&self) {
        let mut content = self.content();
        let changes = std::mem::take(&mut content.unsynced);
        let synced = &mut content.synced;
        for change in changes {
            match change {
                Change::Create => *synced = Some(Vec::new()),
                Change::Write(at, bytes) => grow(synced, at + bytes.len()),
                Change::Truncate(size) => resize(synced, size),
                Change::Delete => *synced = None,
            }
        }
    }

    /// What is there after the power went: everything synced. Of the rest, each sector is there, or is not, or, rarely, holds
    /// rubbish; a making or deletion that did not reach the disk takes all that came after it along.
    pub(super) fn after_power_cut(&self, random: &mut fastrand::Rng) -> Option<Vec<u8>> {
        let content = self.content();
        let mut left = content.synced.clone();
        // Now and then all of it got there, or nothing.
        let (some, share) = (random.u8(..4) > 0, random.u8(..=100));
        for change in &content.unsynced {
            let survives = if some { random.u8(..100) < share } else { share > 50 };
            match change {
                Change::Create if survives => left = Some(Vec::new()),
                Change::Delete if survives => left = None,
                Change::Create | Change::Delete => break,
                Change::Truncate(size) if survives => resize(&mut left, *size),
                Change::Write(at, bytes) if survives => put(&mut left, *at, bytes),
                Change::Write(at, bytes) if some => tear(&mut left, *at, bytes, random),
                Change::Truncate(_) | Change::Write(..) => {}
            }
        }
        left
    }
}

/// Writes some of the sectors that these bytes touch.
fn tear(content: &mut Option<Vec<u8>>, at: usize, bytes: &[u8], random: &mut fastrand::Rng) {
    let mut from = 0;
    while from < bytes.len() {
        let to = (from + SECTOR - (at + from) % SECTOR).min(bytes.len());
        match random.u8(..16) {
            0..5 => put(content, at + from, &bytes[from..to]),
            5 => {
                let rubbish: Vec<u8> = (from..to).map(|_| random.u8(..)).collect();
                put(content, at + from, &rubbish);
            }
            _ => {}
        }
        from = to;
    }
}

fn put(content: &mut Option<Vec<u8>>, at: usize, bytes: &[u8]) {
    grow(content, at + bytes.len());
    content.get_or_insert_default()[at..at + bytes.len()].copy_from_slice(bytes);
}

fn grow(content: &mut Option<Vec<u8>>, size: usize) {
    let content = content.get_or_insert_default();
    content.resize(content.len().max(size), 0);
}

fn resize(content: &mut Option<Vec<u8>>, size: usize) {
    content.get_or_insert_default().resize(size, 0);
}
