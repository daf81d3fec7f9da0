//! Why a command failed, and with which exit code.

use std::fmt;
use std::io;
use std::path::PathBuf;

use beaconry_model::error::{Invalid, Refusal};
use beaconry_store::{ProfileError, StoreError};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The words on the command line do not go together.
    Usage(String),
    /// The store or the domain refused it.
    Store(StoreError),
    /// The profiles refused it.
    Profile(ProfileError),
    /// A file or an address could not be used.
    Io { thing: String, error: io::Error },
    /// No snippet can be made.
    Snippet(beaconry_generator::Error),
    /// The demo could not be set up.
    #[cfg(feature = "console")]
    Demo(String),
    /// The server stopped because the disk failed.
    Broken(String),
    /// The data folder does not hold what was written.
    Faults(Vec<String>),
    /// Definitions are refused, each with its file and why.
    Planned(Vec<String>),
    /// A server did not do what it was asked.
    Server { url: String, why: String },
    /// A file does not hold what it should.
    File { path: PathBuf, why: String },
}

impl CliError {
    /// 1: refused; 2: wrong usage.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, CliError::Usage(_)) { 2 } else { 1 }
    }

    pub(crate) fn io(thing: impl Into<String>) -> impl FnOnce(io::Error) -> CliError {
        let thing = thing.into();
        move |error| CliError::Io { thing, error }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CliError::Usage(why) => f.write_str(why),
            CliError::Store(error) => error.fmt(f),
            CliError::Profile(error) => error.fmt(f),
            CliError::Io { thing, error } => write!(f, "{thing}: {error}"),
            CliError::Snippet(error) => error.fmt(f),
            #[cfg(feature = "console")]
            CliError::Demo(why) => write!(f, "demo: {why}"),
            CliError::Broken(why) => write!(f, "stopped: {why}"),
            CliError::Faults(faults) => write!(
                f,
                "the data folder does not hold what was written; restore it from a backup:\n{}",
                faults.join("\n")
            ),
            CliError::Planned(refused) => {
                write!(f, "nothing was changed, because of:\n{}", refused.join("\n"))
            }
            CliError::Server { url, why } => write!(f, "{url}: {why}"),
            CliError::File { path, why } => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        CliError::Store(error)
    }
}

impl From<ProfileError> for CliError {
    fn from(error: ProfileError) -> CliError {
        CliError::Profile(error)
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> CliError {
        CliError::Store(refusal.into())
    }
}

impl From<Invalid> for CliError {
    fn from(invalid: Invalid) -> CliError {
        CliError::Store(invalid.into())
    }
}

impl From<beaconry_generator::Error> for CliError {
    fn from(error: beaconry_generator::Error) -> CliError {
        CliError::Snippet(error)
    }
}
