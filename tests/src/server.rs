//! The real binary: as a server on a free port, and as a command.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::faketime::{shift, tidy};

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
}

impl Run {
    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The binary under test: `BEACONRY_BIN`, or what `make build` leaves.
fn binary() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/beaconry");
    let path = std::env::var_os("BEACONRY_BIN").map_or(built, PathBuf::from);
    assert!(path.exists(), "{} is missing: run `make build` first", path.display());
    path
}

/// Where the binary under test is.
pub fn binary_path() -> PathBuf {
    binary()
}

/// A command of the binary on a data folder, under a clock shifted by so many minutes.
fn command(data: &Path, minutes: i64) -> Command {
    let mut command = Command::new(binary());
    command.arg("--data").arg(data);
    shift(&mut command, minutes);
    command
}

/// Runs `beaconry` with these arguments to its end.
pub fn beaconry(data: &Path, minutes: i64, arguments: &[&str]) -> Run {
    reading(data, minutes, arguments, "")
}

/// The same, with this on its standard input.
fn reading(data: &Path, minutes: i64, arguments: &[&str], input: &str) -> Run {
    let mut command = command(data, minutes);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("its input is piped");
    // A command that reads nothing may be over before this is written.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("the binary runs");
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running server. Killed when it goes out of scope.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://host:port` of the collector.
    pub collector: String,
    /// `http://host:port` of the console.
    pub console: String,
    /// `http://host:port` where the console listens for its reverse proxy, where there is one.
    pub listens: String,
    /// `http://host:port` of the demo shop.
    pub shop: String,
    /// The link it printed: into the demo, or for the first administrator.
    pub link: String,
    data: PathBuf,
    minutes: i64,
    errors: Arc<Mutex<String>>,
}

impl Server {
    /// `beaconry serve` on free ports.
    pub fn start(data: &Path) -> Server {
        Server::start_shifted(data, 0)
    }

    /// The same under a clock shifted by so many minutes.
    pub fn start_shifted(data: &Path, minutes: i64) -> Server {
        Server::launch(data, minutes, "serve", &["--collector", "127.0.0.1:0"])
    }

    /// The same with further options.
    pub fn start_with(data: &Path, options: &[&str]) -> Server {
        let arguments = [&["--collector", "127.0.0.1:0"], options].concat();
        Server::launch(data, 0, "serve", &arguments)
    }

    /// The same, its collector where one was before: pasted snippets name it.
    pub fn start_at(data: &Path, minutes: i64, collector: &str) -> Server {
        let address = collector.strip_prefix("http://").unwrap_or(collector);
        Server::launch(data, minutes, "serve", &["--collector", address])
    }

    /// `beaconry demo` on free ports.
    pub fn start_demo(data: &Path) -> Server {
        Server::launch(data, 0, "demo", &["--collector", "127.0.0.1:0", "--shop", "127.0.0.1:0"])
    }

    fn launch(data: &Path, minutes: i64, what: &str, arguments: &[&str]) -> Server {
        let mut command = command(data, minutes);
        command.arg(what).args(arguments).args(["--console", "127.0.0.1:0"]);
        Server::spawn(command, data, minutes)
    }

    /// `beaconry serve` on free ports, by a shell that runs this first: limits, variables.
    pub fn start_after(data: &Path, shell: &str) -> Server {
        let mut command = Command::new("sh");
        let serve =
            format!("{shell}; exec \"$0\" \"$@\" --collector 127.0.0.1:0 --console 127.0.0.1:0");
        command.args(["-c", &serve]).arg(binary()).arg("--data").arg(data).arg("serve");
        Server::spawn(command, data, 0)
    }

    /// `beaconry serve` on free ports, by a program elsewhere.
    pub fn start_program(program: &Path, data: &Path) -> Server {
        let mut command = Command::new(program);
        command.arg("--data").arg(data).arg("serve");
        command.args(["--collector", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
        Server::spawn(command, data, 0)
    }

    fn spawn(mut command: Command, data: &Path, minutes: i64) -> Server {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let errors = collect(child.stderr.take().expect("its errors are piped"));
        let out = child.stdout.take().expect("its output is piped");
        let mut server = Server {
            child,
            collector: String::new(),
            console: String::new(),
            listens: String::new(),
            shop: String::new(),
            link: String::new(),
            data: data.to_owned(),
            minutes,
            errors,
        };
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        while let Some(line) = lines.next() {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["shop", address] => server.shop = address.to_owned(),
                ["collector", address] => server.collector = address.to_owned(),
                ["listens", address, ..] => server.listens = format!("http://{address}"),
                ["first", link] => server.link = link.to_owned(),
                // The last line; everything answers by now. In a demo it lets in.
                ["console", address] => {
                    let at = address.find("/enter/").unwrap_or(address.len());
                    server.console = address[..at].to_owned();
                    if at < address.len() {
                        server.link = address.to_owned();
                    }
                    // Read to its end, which comes when the last process that was handed this output ends.
                    thread::spawn(move || lines.for_each(drop));
                    return server;
                }
                _ => {}
            }
        }
        panic!("ended before it said where it listens: {}", server.errors());
    }

    /// Runs `beaconry` beside this server, under the same clock.
    pub fn beaconry(&self, arguments: &[&str]) -> Run {
        beaconry(&self.data, self.minutes, arguments)
    }

    /// The same, with this on its standard input.
    pub fn beaconry_reading(&self, arguments: &[&str], input: &str) -> Run {
        reading(&self.data, self.minutes, arguments, input)
    }

    /// The JSON that a command prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.beaconry(&[arguments, &["--json"]].concat()).json()
    }

    /// The stored events of one kind, once there are at least so many.
    pub fn events(&self, event: &str, at_least: usize) -> Vec<Value> {
        eventually(&format!("{at_least} stored events of {event}"), || {
            let events = self
                .json(&["events", event, "--limit", "1000000"])
                .as_array()
                .cloned()
                .unwrap_or_default();
            (events.len() >= at_least).then_some(events)
        })
    }

    /// What it said on standard error so far.
    pub fn errors(&self) -> String {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it ends by itself, and gives its exit code.
    pub fn wait(&mut self) -> i32 {
        self.child.wait().ok().and_then(|status| status.code()).unwrap_or(-1)
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the process a signal, by its name.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Ends it as a power cut would.
    pub fn kill(self) {
        drop(self);
    }

    /// Asks it to stop, waits until it has, and gives its exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().ok().and_then(|status| status.code()).unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        tidy(self.child.id());
    }
}

/// Sends a process a signal, by its name.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status();
    assert!(sent.is_ok_and(|status| status.success()), "signal {name} to process {process}");
}

/// Keeps what a process says, and says it again, so that it stands beside a test that failed.
fn collect(said: ChildStderr) -> Arc<Mutex<String>> {
    let kept = Arc::new(Mutex::new(String::new()));
    let keep = kept.clone();
    thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            eprintln!("{line}");
            let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
            *kept += &line;
            kept.push('\n');
        }
    });
    kept
}

/// Asks again until there is an answer, for at most a minute: machines are busy.
pub fn eventually<T>(what: &str, ask: impl Fn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        std::thread::yield_now();
    }
}
