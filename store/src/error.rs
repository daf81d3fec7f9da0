//! Everything that can go wrong in the store, as a closed list with one message each.

use std::fmt;
use std::io;
use std::path::PathBuf;

use beaconry_model::error::{Invalid, Refusal};

/// Why the store could not do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// The data folder cannot be used.
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another server holds the folder.
    Taken {
        /// The folder.
        path: PathBuf,
        /// What the other server wrote about itself.
        holder: String,
    },
    /// A backup cannot be written, or read.
    Backup {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A database was written by a newer Beaconry.
    NewerSchema {
        /// The database's file name.
        database: &'static str,
        /// Its schema's number.
        found: u32,
        /// The newest number this program knows.
        known: u32,
    },
    /// No section or event fits the words.
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// The words.
        name: String,
    },
    /// Several events fit the words.
    Ambiguous {
        /// The slug.
        slug: String,
        /// The discriminators that fit.
        candidates: Vec<String>,
    },
    /// The domain refused the change.
    Refused(Refusal),
    /// A row does not hold what was written.
    Damaged {
        /// Where it is.
        what: String,
    },
    /// A segment cannot be evaluated.
    Broken {
        /// Why.
        why: String,
    },
    /// A database is none any more.
    Corrupt {
        /// The database's file name.
        database: &'static str,
        /// What SQLite found.
        error: rusqlite::Error,
    },
    /// A running server did not do what it was asked.
    NoAnswer,
    /// A background thread is gone.
    Stopped,
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Folder { path, error } => write!(
                f,
                "data folder {}: expected one that this user can read and write, got: {error}",
                path.display()
            ),
            StoreError::Taken { path, holder } => write!(
                f,
                "data folder {}: another server works on it ({holder}); stop that one, or choose another folder with --data",
                path.display()
            ),
            StoreError::Backup { path, error } if error.kind() == io::ErrorKind::AlreadyExists => {
                write!(
                    f,
                    "{}: expected nothing there, got something; nothing is overwritten, so name another folder, or move this one away",
                    path.display()
                )
            }
            StoreError::Backup { path, error } => {
                write!(f, "{}: a backup could not be written or read: {error}", path.display())
            }
            StoreError::NewerSchema { database, found, known } => write!(
                f,
                "{database}: expected schema {known} or older, got {found}; it was written by a newer Beaconry, so use that one"
            ),
            StoreError::NotFound { what, name } => {
                write!(
                    f,
                    "{what}: there is none called \"{name}\"; list them with `beaconry {what} list`"
                )
            }
            StoreError::Ambiguous { slug, candidates } => write!(
                f,
                "event: several are called \"{slug}\"; name one by its discriminator: {}",
                candidates.join(", ")
            ),
            StoreError::Refused(refusal) => refusal.fmt(f),
            StoreError::Damaged { what } => {
                write!(
                    f,
                    "{what} does not hold what was written; restore the data folder from a backup"
                )
            }
            StoreError::Broken { why } => write!(f, "segment: {why}"),
            StoreError::Corrupt { database: "index.db", error } => write!(
                f,
                "index.db: {error}; delete it while no server runs (the next start makes it anew from the log), or restore the data folder from a backup"
            ),
            StoreError::Corrupt { database, error } => {
                write!(f, "{database}: {error}; restore the data folder from a backup")
            }
            StoreError::NoAnswer => f.write_str(
                "the running server did not answer within 30 seconds; look at what it prints",
            ),
            StoreError::Stopped => f.write_str("the store has stopped; start the server again"),
            StoreError::Sqlite(error) => write!(f, "database: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Sqlite(error)
    }
}

/// The operating system had no random bytes.
impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        StoreError::Folder { path: PathBuf::from("random bytes"), error }
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> StoreError {
        StoreError::Refused(refusal)
    }
}

impl From<Invalid> for StoreError {
    fn from(invalid: Invalid) -> StoreError {
        StoreError::Refused(Refusal::Invalid(invalid))
    }
}
