//! An upgrade in place: the running server starts its successor, hands it the listening sockets, and ends once the
//! successor waits for the data folder. Connections that come meanwhile wait in the sockets.
//!
//! A supervisor that holds the sockets itself (systemd's socket units) hands them over the same way: by `LISTEN_FDS`, the
//! collector's first and the console's second.

use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use listenfd::ListenFd;

use beaconry_store::Folder;

/// The first file descriptor that is handed over, after standard input, output and error.
const FIRST: i32 = 3;
/// How long a successor may take until it waits for the data folder.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The listening sockets this process was given, in their order; `None` where it is to bind its own.
pub(super) struct Given(ListenFd);

impl Given {
    pub(super) fn from_environment() -> Given {
        Given(ListenFd::from_env())
    }

    pub(super) fn take(&mut self, at: usize) -> io::Result<Option<TcpListener>> {
        let given = self.0.take_tcp_listener(at)?;
        if let Some(listener) = &given {
            listener.set_nonblocking(true)?;
        }
        Ok(given)
    }
}

/// All that a successor needs.
#[derive(Debug)]
pub(super) struct HandOver {
    /// Asked for at the start: by now there may be another program at this path, which is the point.
    program: PathBuf,
    sockets: Vec<OwnedFd>,
    folder: Folder,
}

impl HandOver {
    pub(super) fn new(folder: Folder, sockets: &[&dyn AsFd]) -> io::Result<HandOver> {
        let sockets = sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned());
        Ok(HandOver {
            program: std::env::current_exe()?,
            sockets: sockets.collect::<io::Result<_>>()?,
            folder,
        })
    }

    /// Starts the successor and waits until nothing is left for it to wait for but the data folder. Where it fails, says
    /// why; then this server goes on.
    pub(super) async fn start(&self) -> Result<u32, String> {
        let mut child =
            self.spawn().map_err(|error| format!("{}: {error}", self.program.display()))?;
        let started = Instant::now();
        while !self.folder.successor_waits().map_err(|error| error.to_string())? {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("the new process ended ({status})"));
            }
            if started.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("the new process was not ready within {PATIENCE:?}"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(child.id())
    }

    /// The program with the arguments of this process.
    fn spawn(&self) -> io::Result<Child> {
        let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        if !arguments.iter().any(|argument| argument == "--wait") {
            arguments.push("--wait".into());
        }
        let mut mappings = Vec::with_capacity(self.sockets.len());
        for (child_fd, socket) in (FIRST..).zip(&self.sockets) {
            mappings.push(FdMapping { parent_fd: socket.try_clone()?, child_fd });
        }
        let mut command = Command::new(&self.program);
        command.args(arguments).env("LISTEN_FDS", mappings.len().to_string());
        command.env_remove("LISTEN_PID").env_remove("LISTEN_FDNAMES");
        command.fd_mappings(mappings).map_err(io::Error::other)?;
        command.spawn()
    }
}
