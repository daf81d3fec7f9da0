//! Starts and ends browsers by their WebDriver servers, because each engine is found, addressed and ended in its own way,
//! and no test should have to know it.

use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fantoccini::wd::Capabilities;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;

/// How many ports are tried: a free one may be somebody else's by the time a driver takes it.
const TRIES: usize = 20;

/// How long a process that was asked to end may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which engine shows the pages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    WebKit,
}

impl Engine {
    /// The engine that `BEACONRY_BROWSER` names; Chromium where it is not set.
    pub(crate) fn chosen() -> Engine {
        match std::env::var("BEACONRY_BROWSER").as_deref() {
            Err(_) | Ok("chromium") => Engine::Chromium,
            Ok("firefox") => Engine::Firefox,
            Ok("webkit") => Engine::WebKit,
            Ok(other) => panic!("BEACONRY_BROWSER is chromium, firefox or webkit, not {other:?}"),
        }
    }

    /// What a session asks for: no window on anybody's screen, and no waiting for ever.
    pub(crate) fn capabilities(self) -> Capabilities {
        let (name, options) = match self {
            Engine::Chromium => ("goog:chromeOptions", chromium()),
            Engine::Firefox => ("moz:firefoxOptions", json!({ "args": ["-headless"] })),
            Engine::WebKit => (
                "webkitgtk:browserOptions",
                json!({ "binary": minibrowser(), "args": ["--automation"] }),
            ),
        };
        let timeouts = json!({ "script": 20_000, "pageLoad": 20_000 });
        Capabilities::from_iter([(name.to_owned(), options), ("timeouts".to_owned(), timeouts)])
    }
}

fn chromium() -> Value {
    // No sandbox, because tests may run as root; no background networking, because there may be no internet.
    json!({ "args": [
        "--headless=new",
        "--no-sandbox",
        // Pages reach nothing but this machine.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1200,900",
    ] })
}

/// The small browser that comes with WebKit's library, in a folder named after the machine's architecture.
fn minibrowser() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut places = folders.map(|folder| folder.path().join("webkit2gtk-4.1/MiniBrowser"));
    places.find(|path| path.exists()).expect("MiniBrowser is installed by `make test-browsers`")
}

/// A running driver. Ended, with its browser, when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Driver {
    /// `http://host:port`.
    pub(crate) address: String,
    engine: Engine,
    // Dropped in this order: a browser ends before its screen, and before the folder for what it would leave behind.
    process: Process,
    _screen: Option<Process>,
    _temporary: TempDir,
}

impl Driver {
    /// Starts an engine's driver on a free port.
    pub(crate) fn start(engine: Engine) -> Driver {
        let screen = matches!(engine, Engine::WebKit).then(Screen::start);
        let temporary = TempDir::new().expect("a temporary folder");
        let started = (0..TRIES).find_map(|_| match engine {
            Engine::Chromium => chromedriver(&temporary),
            Engine::Firefox => geckodriver(&temporary),
            Engine::WebKit => webkit_driver(&temporary, screen.as_ref()?),
        });
        let (process, port) =
            started.unwrap_or_else(|| panic!("no driver for {engine:?} after {TRIES} tries"));
        Driver {
            address: format!("http://127.0.0.1:{port}"),
            engine,
            process,
            _screen: screen.map(|screen| screen.process),
            _temporary: temporary,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The other drivers end their browsers when they are asked to end; this one would leave them behind.
        if matches!(self.engine, Engine::Chromium) {
            let request = b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            let _ = http::exchange(&self.address, request);
            self.process.ends_within(PATIENCE);
        }
    }
}

/// A driver whose browsers keep there what they would leave behind elsewhere.
fn in_folder(driver: &str, temporary: &TempDir) -> Command {
    let mut command = Command::new(driver);
    command.env("TMPDIR", temporary.path());
    command
}

/// It takes a free port of IPv4 and then the same one of IPv6, and ends where somebody else holds that.
fn chromedriver(temporary: &TempDir) -> Option<(Process, u16)> {
    let mut process = Process::start(in_folder("chromedriver", temporary).arg("--port=0"));
    let port = process.says(|line| {
        line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
    })?;
    Some((process, port))
}

fn geckodriver(temporary: &TempDir) -> Option<(Process, u16)> {
    // Its second port is for WebDriver BiDi, and would be the same one for all.
    let arguments = ["--port", "0", "--websocket-port", "0"];
    let mut process = Process::start(in_folder("geckodriver", temporary).args(arguments));
    let port =
        process.says(|line| line.rsplit_once("Listening on 127.0.0.1:")?.1.trim().parse().ok())?;
    Some((process, port))
}

/// It does not say which port it took, so it is given one that was free a moment ago.
fn webkit_driver(temporary: &TempDir, screen: &Screen) -> Option<(Process, u16)> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port();
    let mut driver = in_folder("WebKitWebDriver", temporary);
    driver.arg(format!("--port={port}")).env("DISPLAY", &screen.display);
    // No sandbox, because tests may run as root; no accessibility bus, because there may be none.
    driver.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1").env("NO_AT_BRIDGE", "1");
    let mut process = Process::start(&mut driver);
    let address = format!("http://127.0.0.1:{port}");
    let ask = b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    while !process.has_ended() {
        if http::exchange(&address, ask).is_ok_and(|answer| answer.text().contains("ready")) {
            return Some((process, port));
        }
        thread::yield_now();
    }
    None
}

/// A screen that nobody looks at, for a browser that cannot do without.
#[derive(Debug)]
struct Screen {
    process: Process,
    display: String,
}

impl Screen {
    fn start() -> Screen {
        let arguments = ["-displayfd", "1", "-screen", "0", "1200x900x24", "-nolisten", "tcp"];
        let mut process = Process::start(Command::new("Xvfb").args(arguments));
        let display = process.says(|line| line.trim().parse::<u32>().ok());
        let display = display.expect("Xvfb says which display it took");
        Screen { process, display: format!(":{display}") }
    }
}

/// A process that a test started. Asked to end when it goes out of scope, and killed where it does not.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Process {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let name = command.get_program().display();
        Process(started.unwrap_or_else(|error| {
            panic!("{name}: {error}; `make test` and `make test-browsers` install it")
        }))
    }

    /// Reads what it prints until a line holds what is looked for; nothing where it ends before.
    fn says<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut out = BufReader::new(self.0.stdout.take().expect("its output is piped"));
        let found = out.by_ref().lines().map_while(Result::ok).find_map(|line| find(&line));
        // What else it prints is read as well, so that it never waits for a reader.
        thread::spawn(move || io::copy(&mut out, &mut io::sink()));
        found
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    fn ends_within(&mut self, time: Duration) -> bool {
        let since = Instant::now();
        while !self.has_ended() && since.elapsed() < time {
            thread::yield_now();
        }
        self.has_ended()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        let _ = Command::new("kill").arg(self.0.id().to_string()).stderr(Stdio::null()).status();
        if !self.ends_within(PATIENCE) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
