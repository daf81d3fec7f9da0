//! A disk that fails as disks do: it knows what SQLite wrote in one folder and what of it is synced, cuts the power at a
//! given write, has no room, fails a sync, or is slow.

mod file;
mod vfs;

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString, c_int};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::ffi;

pub(crate) use file::File;

/// One watched folder.
pub(crate) struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    files: HashMap<PathBuf, Arc<File>>,
    random: fastrand::Rng,
    /// Writes, truncations, syncs and deletions so far.
    operations: u64,
    /// The operation in which the power goes.
    cut_at: Option<u64>,
    /// Nothing is read or written any more.
    off: bool,
    faults: Faults,
    /// Names of files that were refused room.
    refused: HashSet<OsString>,
}

/// What is wrong with a disk while its power is on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// How many bytes it holds in all; beyond that it is full.
    pub(crate) capacity: Option<u64>,
    /// The next operation of this kind on the file of this name fails, and those after it succeed.
    pub(crate) fails: Option<(Operation, &'static str)>,
    /// What it writes to each file in a second at the most, in bytes.
    pub(crate) bytes_per_second: Option<u64>,
}

/// What may be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Write,
    Sync,
}

static DISKS: Mutex<Vec<Weak<Disk>>> = Mutex::new(Vec::new());

fn disks() -> MutexGuard<'static, Vec<Weak<Disk>>> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Watches this folder. What is in it counts as synced.
    pub(crate) fn under(folder: &Path, seed: u64) -> Arc<Disk> {
        let mut files = HashMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path().canonicalize().unwrap();
            let content = fs::read(&path).unwrap();
            files.insert(path.clone(), Arc::new(File::new(&path, Some(content))));
        }
        Disk::with_files(folder, seed, files)
    }

    fn with_files(folder: &Path, seed: u64, files: HashMap<PathBuf, Arc<File>>) -> Arc<Disk> {
        vfs::register();
        let folder = folder.canonicalize().unwrap();
        let state = State {
            files,
            random: fastrand::Rng::with_seed(seed),
            operations: 0,
            cut_at: None,
            off: false,
            faults: Faults::default(),
            refused: HashSet::new(),
        };
        let disk = Arc::new(Disk { folder, state: Mutex::new(state) });
        let mut disks = disks();
        disks.retain(|disk| disk.strong_count() > 0);
        disks.push(Arc::downgrade(&disk));
        disk
    }

    /// The disk that this file lies on, where it is watched.
    fn of(path: &Path) -> Option<Arc<Disk>> {
        let folder = path.parent()?;
        disks().iter().filter_map(Weak::upgrade).find(|disk| disk.folder == folder)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power in the n-th operation from now.
    pub(crate) fn cut_after(&self, operations: u64) {
        let mut state = self.state();
        state.cut_at = Some(state.operations + operations);
    }

    /// Cuts the power now, or ends the process: nothing is written any more.
    pub(crate) fn cut(&self) {
        self.state().off = true;
    }

    /// Whether the power is gone.
    pub(crate) fn is_off(&self) -> bool {
        self.state().off
    }

    /// How many operations there were so far.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Breaks the disk, or mends it.
    pub(crate) fn set(&self, faults: Faults) {
        let mut state = self.state();
        state.faults = faults;
        state.refused.clear();
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> u64 {
        self.state().used()
    }

    /// Whether the failure that was asked for has happened.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().faults.fails.is_none()
    }

    /// Whether this file was refused room since the disk was broken or mended last.
    pub(crate) fn was_full(&self, file: &str) -> bool {
        self.state().refused.contains(OsStr::new(file))
    }

    /// What a power cut left, as a folder of its own: all that was synced, and of the rest what chance would have it.
    pub(crate) fn after_power_cut(&self, folder: &Path) {
        let mut state = self.state();
        assert!(state.off, "the power is still on");
        let files: Vec<_> =
            state.files.iter().map(|(path, file)| (path.clone(), file.clone())).collect();
        for (path, file) in files {
            if let Some(content) = file.after_power_cut(&mut state.random) {
                fs::write(folder.join(path.file_name().unwrap()), content).unwrap();
            }
        }
    }

    /// What the end of the process alone leaves, in a folder of its own: all that was written, none of it more synced than
    /// it was.
    pub(crate) fn after_kill(&self, folder: &Path, seed: u64) -> Arc<Disk> {
        let state = self.state();
        assert!(state.off, "the process still runs");
        let mut files = HashMap::new();
        for (path, file) in &state.files {
            let name = path.file_name().unwrap();
            if path.exists() {
                fs::copy(path, folder.join(name)).unwrap();
            }
            files.insert(folder.canonicalize().unwrap().join(name), file.clone());
        }
        drop(state);
        Disk::with_files(folder, seed, files)
    }

    /// A file about to be opened.
    fn open(&self, path: &Path, may_make: bool) -> Arc<File> {
        let mut state = self.state();
        let file = state
            .files
            .entry(path.to_owned())
            .or_insert_with(|| Arc::new(File::new(path, None)))
            .clone();
        if may_make && !path.exists() {
            file.create();
        }
        file
    }

    fn write(&self, file: &File, at: u64, bytes: &[u8]) -> (usize, Option<c_int>) {
        let mut state = self.state();
        if let Err(code) = state.begin(ffi::SQLITE_IOERR_WRITE) {
            // The write in which the power goes may have got there in part.
            if state.cut_at == Some(state.operations) {
                file.write(at, bytes);
            }
            return (0, Some(code));
        }
        if state.fails(Operation::Write, file) {
            return (0, Some(ffi::SQLITE_IOERR_WRITE));
        }
        let growth = (at + bytes.len() as u64).saturating_sub(file.size());
        let room = state.faults.capacity.map_or(u64::MAX, |all| all.saturating_sub(state.used()));
        let taken = bytes.len() - growth.saturating_sub(room).min(bytes.len() as u64) as usize;
        file.write(at, &bytes[..taken]);
        if taken < bytes.len() {
            state.refused.extend(file.path().file_name().map(OsStr::to_owned));
        }
        let pace = state.faults.bytes_per_second;
        drop(state);
        if let Some(pace) = pace {
            let takes = Duration::from_secs(bytes.len() as u64) / u32::try_from(pace).unwrap();
            thread::sleep(file.busy(takes).saturating_duration_since(Instant::now()));
        }
        (taken, (taken < bytes.len()).then_some(ffi::SQLITE_FULL))
    }

    fn truncate(&self, file: &File, size: u64) -> Result<(), c_int> {
        self.state().begin(ffi::SQLITE_IOERR_TRUNCATE)?;
        file.truncate(size);
        Ok(())
    }

    fn sync(&self, file: &File) -> Result<(), c_int> {
        let mut state = self.state();
        state.begin(ffi::SQLITE_IOERR_FSYNC)?;
        if state.fails(Operation::Sync, file) {
            // As on Linux: what could not be written is taken for clean, and no later sync tries again.
            file.forget_unsynced();
            return Err(ffi::SQLITE_IOERR_FSYNC);
        }
        file.sync();
        Ok(())
    }

    fn delete(&self, path: &Path, sync: bool) -> Result<(), c_int> {
        let mut state = self.state();
        state.begin(ffi::SQLITE_IOERR_DELETE)?;
        if let Some(file) = state.files.get(path) {
            file.delete();
            if sync {
                file.sync();
            }
        }
        Ok(())
    }
}

impl State {
    /// Counts an operation, and cuts the power where its time has come.
    fn begin(&mut self, code: c_int) -> Result<(), c_int> {
        if self.off {
            return Err(code);
        }
        self.operations += 1;
        self.off = self.cut_at == Some(self.operations);
        if self.off { Err(code) } else { Ok(()) }
    }

    fn fails(&mut self, operation: Operation, file: &File) -> bool {
        let fails = self.faults.fails.is_some_and(|(which, name)| {
            which == operation && file.path().file_name().is_some_and(|it| it == name)
        });
        if fails {
            self.faults.fails = None;
        }
        fails
    }

    fn used(&self) -> u64 {
        self.files.values().map(|file| file.size()).sum()
    }
}
