//! The servers that are measured, each a process of its own on a free port and in a temporary folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process;

/// A running server. Killed when it goes out of scope, its folder removed.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where its console is, where it has one.
    pub(crate) console: String,
    /// The data folder, or nginx's.
    pub(crate) folder: PathBuf,
    _temporary: Option<TempDir>,
}

/// Programs that were built for this.
#[derive(Clone, Debug, Default)]
pub(crate) struct Programs {
    pub(crate) beaconry: PathBuf,
    pub(crate) hyper: PathBuf,
    /// Whether it is the collector alone, built without its console.
    pub(crate) lean: bool,
    /// Where temporary folders are made: on the disk that is measured.
    pub(crate) work: PathBuf,
}

impl Programs {
    pub(crate) fn temporary(&self) -> Result<TempDir, String> {
        tempfile::tempdir_in(&self.work)
            .map_err(|error| format!("{}: {error}", self.work.display()))
    }

    /// The bare Hyper.
    pub(crate) fn hyper(&self) -> Result<Server, String> {
        said(Command::new(&self.hyper), "collector", PathBuf::new(), None)
    }

    /// Beaconry on a new folder; says the event's key too.
    pub(crate) fn beaconry(&self) -> Result<(Server, String), String> {
        let folder = self.temporary()?;
        let key = beaconry_bench_collector::define::define(folder.path())?;
        let path = folder.path().to_owned();
        Ok((said(self.serve(&path), self.last(), path, Some(folder))?, key))
    }

    /// Beaconry on a folder that stays.
    pub(crate) fn beaconry_on(&self, folder: &Path) -> Result<Server, String> {
        said(self.serve(folder), self.last(), folder.to_owned(), None)
    }

    fn serve(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.beaconry);
        command.arg("--data").arg(folder).arg("serve");
        // One event is all that is posted, faster than anybody's rate.
        command.args(["--collector", "127.0.0.1:0", "--key-rate", "0"]);
        if !self.lean {
            command.args(["--console", "127.0.0.1:0"]);
        }
        command
    }

    /// The last socket that it says.
    fn last(&self) -> &'static str {
        if self.lean { "collector" } else { "console" }
    }

    /// nginx that answers 204, after it wrote the body to its log where it is to.
    pub(crate) fn nginx(&self, log: BodyLog) -> Result<Server, String> {
        let folder = self.temporary()?;
        let path = folder.path().to_owned();
        let io = |error: std::io::Error| format!("nginx: {error}");
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(io)?;
        std::fs::write(path.join("nginx.conf"), configuration(free, log)).map_err(io)?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&path).args(["-c", "nginx.conf", "-e", "error.log"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(io)?;
        let console = String::new();
        let server =
            Server { child, address: free, console, folder: path, _temporary: Some(folder) };
        let begun = Instant::now();
        while TcpStream::connect(free).is_err() {
            if begun.elapsed() > Duration::from_secs(10) {
                let why = std::fs::read_to_string(server.folder.join("error.log"));
                return Err(format!("nginx does not listen: {}", why.unwrap_or_default()));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

/// Whether nginx writes bodies to its log, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLog {
    Off,
    /// As its manual has it, with a write for each request.
    Plain,
    /// Through a buffer, its connections to itself kept.
    Buffered,
}

/// nginx reads a body only where it hands it on, so what logs bodies hands them to itself.
fn configuration(address: SocketAddr, log: BodyLog) -> String {
    let (location, kept) = match log {
        BodyLog::Off => ("return 204;", ""),
        BodyLog::Plain => ("access_log body.log body; proxy_pass http://itself;", ""),
        BodyLog::Buffered => (
            "access_log body.log body buffer=64k flush=1s; proxy_pass http://itself; proxy_http_version 1.1; \
             proxy_set_header Connection '';",
            "keepalive 512; keepalive_requests 1000000000;",
        ),
    };
    format!(
        "daemon off; worker_processes auto; pid nginx.pid; error_log error.log;
         events {{ worker_connections 4096; }}
         http {{
            access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k; client_body_temp_path body;
            proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            log_format body escape=json '$time_iso8601 $request_body';
            upstream itself {{ server unix:itself.sock; {kept} }}
            server {{ listen unix:itself.sock; return 204; }}
            server {{ listen {address} backlog=4096; location = /c {{ {location} }} }}
         }}"
    )
}

/// Starts a program that says `NAME  http://ADDRESS` of each of its sockets, up to the last of them.
fn said(
    mut command: Command,
    last: &str,
    folder: PathBuf,
    temporary: Option<TempDir>,
) -> Result<Server, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("{program}: {error}"))?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?);
    let (address, console) = (([127, 0, 0, 1], 0).into(), String::new());
    let mut server = Server { child, address, console, folder, _temporary: temporary };
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
        if let [name, address] = line.split_whitespace().collect::<Vec<_>>()[..] {
            let address = address.trim_start_matches("http://");
            match name {
                "collector" => {
                    let parsed = address.parse();
                    server.address =
                        parsed.map_err(|_| format!("{program}: no address: {address}"))?;
                }
                "console" => server.console = address.to_owned(),
                _ => {}
            }
            if name == last {
                // What it says further goes nowhere, but must have somebody to read it.
                thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok(server);
            }
        }
        line.clear();
    }
    Err(format!("{program} ended before it said where it listens"))
}

impl Server {
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// How far the indexes and the profiles are behind the log, in events.
    pub(crate) fn behind(&self) -> Result<(u64, u64), String> {
        let text = self.metrics()?;
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().parse().ok());
            number.ok_or_else(|| format!("/metrics has no {name}"))
        };
        Ok((of("beaconry_events_unindexed ")?, of("beaconry_events_unlinked ")?))
    }

    fn metrics(&self) -> Result<String, String> {
        let said = |error: std::io::Error| format!("/metrics: {error}");
        let mut stream = TcpStream::connect(self.address).map_err(said)?;
        let host = self.address;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .map_err(said)?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map_err(said)?;
        Ok(text)
    }

    /// Waits until nothing is behind the log and the process rests; says how long that took.
    pub(crate) fn rest(&self, longest: Duration) -> Result<Duration, String> {
        const SHORT: Duration = Duration::from_millis(250);
        let begun = Instant::now();
        let mut cpu = process::cpu_seconds(self.process());
        loop {
            thread::sleep(SHORT);
            let now = process::cpu_seconds(self.process());
            let busy = (now - cpu) / SHORT.as_secs_f64();
            cpu = now;
            if busy < 0.1 && self.behind()? == (0, 0) {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > longest {
                return Err(format!(
                    "the server did not come to rest within {} s",
                    longest.as_secs()
                ));
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx's workers end with their master only where it is told to end.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(1) {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
