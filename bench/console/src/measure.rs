//! Times the pages of the real program on that folder, over one connection of this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::fill::Filled;

/// Requests for a page that are timed, after some that are not.
const ROUNDS: usize = 60;
const WARM_UP: usize = 3;

/// How long a page took.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) bytes: usize,
    pub(crate) first_ms: f64,
    pub(crate) median_ms: f64,
    pub(crate) p95_ms: f64,
    /// Whether the limit is for it. A search for a value is bounded otherwise.
    pub(crate) bounded: bool,
}

/// Starts the program on the folder and times each page.
pub(crate) fn measure(binary: &Path, data: &Path, filled: &Filled) -> Result<Vec<Page>, String> {
    let (server, console) = Server::start(binary, data)?;
    let mut connection = Connection::open(&console)?;
    connection.log_in(binary, data)?;
    let to = format!("/events/{}", filled.largest.0);
    let section = format!("/sections/{}", filled.section);
    // A place in the middle of the largest event's data, found as a reader finds it: by time.
    let middle = days_ago(45);
    let deep = connection.get(&format!("{to}/data?to={middle}"))?.older()?;
    let kept = connection.get("/quarantine")?.between("href=\"/quarantine/", "\"")?;
    let pages = [
        ("Data model", "/".to_owned(), true),
        ("Data model, searched", "/?q=number+17".to_owned(), true),
        ("Event", to.clone(), true),
        ("Edit", format!("{to}/edit"), true),
        ("Web tracking", format!("{to}/tracking"), true),
        ("Triggers and values", format!("{to}/capture"), true),
        ("Versions", format!("{to}/versions"), true),
        ("Health, 24 hours", format!("{to}/health"), true),
        ("Health, 30 days", format!("{to}/health?span=month"), true),
        ("Health of the section", format!("{section}/health"), true),
        ("Why don't I see my event?", format!("{to}/why"), true),
        ("Live", "/live".to_owned(), true),
        ("Quarantine", "/quarantine".to_owned(), true),
        (
            "Quarantine, one event and reason",
            format!("/quarantine?event={}&reason=invalid_fields", filled.largest.0),
            true,
        ),
        ("Quarantine, one opened", format!("/quarantine/{kept}"), true),
        ("Data", format!("{to}/data"), true),
        ("Data, a page in the middle", deep, true),
        ("Data, by version", format!("{to}/data?version=1"), true),
        ("Data, by time", format!("{to}/data?from={}&to={middle}", days_ago(46)), true),
        (
            "Data, by version and time",
            format!("{to}/data?version=2&from={}&to={middle}", days_ago(46)),
            true,
        ),
        (
            "Data, one step of a search for a value",
            format!("{to}/data?field=orderid&op=is&value=O-17"),
            false,
        ),
        ("Section settings", section.clone(), true),
    ];
    let measured = pages
        .into_iter()
        .map(|(name, path, bounded)| time(&mut connection, name, &path, bounded))
        .collect();
    server.stop();
    measured
}

fn days_ago(days: u64) -> String {
    let ago = std::time::SystemTime::now() - Duration::from_secs(days * 24 * 3_600);
    let ms = ago.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    beaconry_model::time::Timestamp(ms).to_string().chars().take(16).collect()
}

fn time(
    connection: &mut Connection,
    name: &'static str,
    path: &str,
    bounded: bool,
) -> Result<Page, String> {
    let mut ask = || {
        let asked = Instant::now();
        let answer = connection.get(path)?;
        Ok::<_, String>((asked.elapsed().as_secs_f64() * 1_000.0, answer.body.len()))
    };
    let (first_ms, bytes) = ask()?;
    for _ in 0..WARM_UP {
        ask()?;
    }
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        times.push(ask()?.0);
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    Ok(Page { name, bytes, first_ms, median_ms: at(0.5), p95_ms: at(0.95), bounded })
}

/// The program, serving.
struct Server(Child);

impl Server {
    fn start(binary: &Path, data: &Path) -> Result<(Server, String), String> {
        let mut command = Command::new(binary);
        command.arg("--data").arg(data).arg("serve");
        command.args(["--collector", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("{}: {error}", binary.display()))?;
        let out = child.stdout.take();
        let server = Server(child);
        for line in BufReader::new(out.ok_or("no output")?).lines().map_while(Result::ok) {
            if let ["console", address] = line.split_whitespace().collect::<Vec<_>>()[..] {
                return Ok((server, address.trim_start_matches("http://").to_owned()));
            }
        }
        Err("the server ended before it said where it listens".to_owned())
    }

    fn stop(mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One connection that is kept.
struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    /// The session's, as it travels.
    cookie: String,
}

struct Answer {
    status: u16,
    cookie: String,
    body: Vec<u8>,
}

impl Answer {
    fn between(&self, before: &str, after: &str) -> Result<String, String> {
        let text = String::from_utf8_lossy(&self.body);
        let missing = || format!("the page holds no {before:?}");
        let (_, rest) = text.split_once(before).ok_or_else(missing)?;
        let (found, _) = rest.split_once(after).ok_or_else(missing)?;
        Ok(found.replace("&#38;", "&").replace("&amp;", "&"))
    }

    /// Where the button "Older" leads.
    fn older(&self) -> Result<String, String> {
        let text = String::from_utf8_lossy(&self.body);
        let (before, _) = text.split_once("\">Older<").ok_or("the page has no button \"Older\"")?;
        let (_, link) =
            before.rsplit_once("href=\"").ok_or("the button \"Older\" leads nowhere")?;
        Ok(link.replace("&#38;", "&").replace("&amp;", "&"))
    }
}

impl Connection {
    fn open(host: &str) -> Result<Connection, String> {
        let stream = TcpStream::connect(host).map_err(|error| format!("{host}: {error}"))?;
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
        Ok(Connection {
            stream: BufReader::new(stream),
            host: host.to_owned(),
            cookie: String::new(),
        })
    }

    /// Makes an administrator on the command line, and logs in as one. A console without log-in takes no notice.
    fn log_in(&mut self, binary: &Path, data: &Path) -> Result<(), String> {
        const EMAIL: &str = "bench@example.com";
        let password = format!(
            "{:032x}",
            u128::from_le_bytes(beaconry_store::bytes().map_err(|e| e.to_string())?)
        );
        let mut command = Command::new(binary);
        command.arg("--data").arg(data).args(["user", "create", EMAIL, "--role", "administrator"]);
        command.args(["--name", "Bench", "--password-stdin"]).stdin(Stdio::piped());
        command.stdout(Stdio::null());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(password.as_bytes());
        }
        let _ = child.wait();
        let form = format!("email={EMAIL}&password={password}&next=");
        let answer = self.ask("POST", "/login", form.as_bytes())?;
        self.cookie = answer.cookie;
        Ok(())
    }

    fn get(&mut self, path: &str) -> Result<Answer, String> {
        let answer = self.ask("GET", path, b"")?;
        match answer.status {
            200 => Ok(answer),
            status => Err(format!("{path}: expected 200, got {status}")),
        }
    }

    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Answer, String> {
        let said = |error: std::io::Error| format!("{path}: {error}");
        let Connection { host, cookie, .. } = self;
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n");
        if method == "POST" {
            request += &format!(
                "Origin: http://{host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        let request = [request.as_bytes(), b"\r\n", body].concat();
        self.stream.get_mut().write_all(&request).map_err(said)?;
        let mut answer = Answer { status: 0, cookie: String::new(), body: Vec::new() };
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).map_err(said)?;
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            if answer.status == 0 {
                let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
                answer.status = status.ok_or_else(|| format!("{path}: no status: {line}"))?;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or_default(),
                "set-cookie" => {
                    answer.cookie = value.trim().split(';').next().unwrap_or_default().to_owned();
                }
                _ => {}
            }
        }
        answer.body = vec![0; length];
        self.stream.read_exact(&mut answer.body).map_err(said)?;
        Ok(answer)
    }
}
