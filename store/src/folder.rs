//! The data folder: made when it is missing, and held by one server at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::StoreError;

/// How often one that waits for the lease tries to take it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A data folder that exists and can be written.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at this path, made where it is missing, readable by its user alone.
    pub fn open(path: &Path) -> Result<Folder, StoreError> {
        make(path)
            .and_then(|()| usable(path))
            .map_err(|error| StoreError::Folder { path: path.to_owned(), error })?;
        Ok(Folder(path.to_owned()))
    }

    /// A folder to read alone, which is there.
    pub(crate) fn to_read(path: &Path) -> Folder {
        Folder(path.to_owned())
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Waits until no other server holds the folder, and takes the lease. While it waits, [`Folder::successor_waits`] says
    /// so to the one that holds it.
    pub(crate) fn wait_for_lease(&self) -> Result<Lease, StoreError> {
        let path = self.file("successor");
        let failed = |error| StoreError::Folder { path: path.clone(), error };
        let waiting = open_lock(&path).map_err(failed)?;
        waiting.lock().map_err(failed)?;
        loop {
            if let Some(lease) = self.try_lease()? {
                return Ok(lease);
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Whether a process waits for the folder's lease.
    pub fn successor_waits(&self) -> Result<bool, StoreError> {
        let path = self.file("successor");
        let failed = |error| StoreError::Folder { path: path.clone(), error };
        match open_lock(&path).map_err(failed)?.try_lock() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Takes the lease that makes this process the folder's one server; `None` where another holds it.
    pub(crate) fn try_lease(&self) -> Result<Option<Lease>, StoreError> {
        let path = self.file("lease");
        let failed = |error| StoreError::Folder { path: path.clone(), error };
        let mut file = open_lock(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        write!(file, "process {}", std::process::id()).map_err(failed)?;
        Ok(Some(Lease { _file: file }))
    }

    /// Takes the lease, or says who has it.
    pub(crate) fn lease(&self) -> Result<Lease, StoreError> {
        if let Some(lease) = self.try_lease()? {
            return Ok(lease);
        }
        let mut holder = String::new();
        let _ =
            File::open(self.file("lease")).and_then(|mut file| file.read_to_string(&mut holder));
        Err(StoreError::Taken { path: self.0.clone(), holder })
    }
}

/// Held by the folder's one server; the operating system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lease {
    _file: File,
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Makes a folder that its user alone can read, where it is missing.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Whether this user can write in the folder, and may: what root makes in the folder of somebody else, that user cannot open.
fn usable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let owner = fs::metadata(path)?.uid();
        // Linux says there whose process this is; elsewhere root may do as it likes.
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if root && owner != 0 {
            let why =
                format!("it belongs to user {owner}, and this is root; run this as that user");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
    }
    open_lock(&path.join("lease")).map(|_| ())
}
