//! A data folder copied whole while a server runs, and back.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, TransactionBehavior};
use serde::Serialize;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::folder::{self, Folder};
use crate::profiles::{self, Erased, ProfileError, ProfileReader};
use crate::schema::{Database, EVENTS, HOOKS, INDEX, KEYS, PEOPLE, PROFILES, REGISTRY};
use crate::store::Store;
use crate::verify::{VerifyReport, verify};

/// Pages copied between two words of progress: one MiB.
const STEP: i32 = 256;
/// The order of their moments. Each is copied as it was at one moment, index and profiles before the log and the log before
/// the definitions: so what is behind the log is behind it, as after a crash, and every stored event is defined.
const ORDER: [&Database; 7] = [&INDEX, &PROFILES, &HOOKS, &EVENTS, &REGISTRY, &PEOPLE, &KEYS];
/// What a data folder has once a server ran on it. The others are there once they were needed.
const ALWAYS: [&Database; 3] = [&INDEX, &EVENTS, &REGISTRY];

/// How long a copy waits for linking to catch up with the log, and how long the log waits with it.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

/// How far a copy is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The database that is copied.
    pub database: &'static str,
    /// Pages copied.
    pub done: u64,
    /// Pages in all.
    pub all: u64,
}

/// Copies the folder to a new one, checks the copy, and only then gives it its name. What was acknowledged before this
/// began is in it.
pub fn backup(
    folder: &Folder,
    to: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<VerifyReport, StoreError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| StoreError::Backup { path, error }
    };
    let unfinished = beside(to, ".unfinished");
    for path in [to, &unfinished] {
        if path.exists() {
            return Err(failed(path)(io::ErrorKind::AlreadyExists.into()));
        }
    }
    folder::make(&unfinished).map_err(failed(&unfinished))?;
    let copy = Folder::to_read(&unfinished);
    let there = there(folder);
    for (database, from) in there.iter().zip(moments(folder, &there)?) {
        copy_database(database, &from, &copy, &mut progress)?;
    }
    let report = verify(&copy)?;
    for database in &there {
        let path = copy.file(database.name);
        File::open(&path).and_then(|file| file.sync_all()).map_err(failed(&path))?;
    }
    sync_folder(&unfinished).map_err(failed(&unfinished))?;
    fs::rename(&unfinished, to).map_err(failed(to))?;
    sync_folder(parent(to)).map_err(failed(to))?;
    Ok(report)
}

/// What became of a restore.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    /// What the backup holds, and what is wrong with it; with a fault nothing was restored.
    #[serde(flatten)]
    pub report: VerifyReport,
    /// People who were erased again, because they had been since the backup.
    pub erased: u64,
}

/// Copies a backup into a data folder that has nothing in it yet. A backup with a fault is refused. Whoever was erased from
/// the folder that this one replaces is erased from what is restored.
pub fn restore(
    from: &Path,
    folder: &Folder,
    replaced: Option<&Path>,
) -> Result<Restored, StoreError> {
    let failed = |path: PathBuf| move |error| StoreError::Backup { path, error };
    for database in ALWAYS {
        let path = from.join(database.name);
        fs::metadata(&path).map_err(failed(path))?;
    }
    for database in ORDER {
        // A WAL without its database would be taken for the restored one's.
        let there = [folder.file(database.name), folder.file(&format!("{}-wal", database.name))];
        if let Some(path) = there.into_iter().find(|path| path.exists()) {
            return Err(failed(path)(io::ErrorKind::AlreadyExists.into()));
        }
    }
    let lease = folder.lease()?;
    let erased = replaced.map(|path| erased(path, &Folder::to_read(from))).transpose()?;
    let report = verify(&Folder::to_read(from))?;
    if !report.faults.is_empty() {
        return Ok(Restored { report, erased: 0 });
    }
    let copying = |database: &Database| folder.file(&format!("{}.unfinished", database.name));
    let there = there(&Folder::to_read(from));
    for database in &there {
        let path = copying(database);
        fs::copy(from.join(database.name), &path).map_err(failed(path.clone()))?;
        File::open(&path).and_then(|file| file.sync_all()).map_err(failed(path))?;
    }
    for database in &there {
        let path = folder.file(database.name);
        fs::rename(copying(database), &path).map_err(failed(path))?;
    }
    sync_folder(folder.path()).map_err(failed(folder.path().to_owned()))?;
    let Some(erased) = erased else { return Ok(Restored { report, erased: 0 }) };
    erased.note(folder)?;
    let store = Store::open_leased(folder.clone(), lease, Clock::default())?;
    let erased = profiles::erase_again(&store).map_err(|error| match error {
        ProfileError::Store(error) => error,
        other => failed(folder.path().to_owned())(io::Error::other(other.to_string())),
    })?;
    Ok(Restored { report, erased })
}

/// Who was erased from the folder that is replaced, which must be the one that the backup is of.
fn erased(replaced: &Path, backup: &Folder) -> Result<Erased, StoreError> {
    let erased = Erased::read(&Folder::to_read(replaced))?;
    if erased.is_of(backup)? {
        return Ok(erased);
    }
    let error = io::Error::other("expected the folder that the backup is of, got another one");
    Err(StoreError::Backup { path: replaced.to_owned(), error })
}

/// What is to be copied: what a folder cannot be without, and what it has beside that.
fn there(folder: &Folder) -> Vec<&'static Database> {
    let always = |database: &Database| ALWAYS.iter().any(|one| one.name == database.name);
    let there = |database: &&Database| always(database) || folder.file(database.name).exists();
    ORDER.into_iter().filter(there).collect()
}

/// Readers of each database, each held at one moment: without, each commit of the server would have its copy begin anew.
///
/// For the moment that it takes to make them the log waits, until all of it is linked where that comes soon: who is erased
/// later is then known by the ids that the copy has. And no profile changes, so that no event goes from the log whose
/// timeline was looked at before.
fn moments(folder: &Folder, databases: &[&Database]) -> Result<Vec<Connection>, StoreError> {
    let (mut events, mut profiles) = (EVENTS.open(folder)?, PROFILES.open(folder)?);
    let linked = ProfileReader::open(folder)?;
    linked.wait_linked(PATIENCE)?;
    let _still = events.transaction_with_behavior(TransactionBehavior::Immediate)?;
    linked.wait_linked(PAUSE)?;
    drop(linked);
    let _still_too = profiles.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let held = |database: &&Database| {
        let reader = database.open_to_read(folder)?;
        reader.execute_batch("BEGIN")?;
        reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(reader)
    };
    databases.iter().map(held).collect()
}

fn copy_database(
    database: &'static Database,
    from: &Connection,
    to: &Folder,
    progress: &mut impl FnMut(Progress),
) -> Result<(), StoreError> {
    let mut copy = Connection::open(to.file(database.name))?;
    {
        let backup = Backup::new(from, &mut copy)?;
        loop {
            let step = backup.step(STEP)?;
            let pages = backup.progress();
            let all = u64::try_from(pages.pagecount).unwrap_or_default();
            let left = u64::try_from(pages.remaining).unwrap_or_default();
            progress(Progress { database: database.name, done: all - left, all });
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
    // A file that is whole by itself, without a WAL beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(ending);
    path.with_file_name(name)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Has the names in a folder on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
