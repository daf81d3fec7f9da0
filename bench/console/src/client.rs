//! The real program as a server, and a client that is logged in to its console.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const FORM: &str = "application/x-www-form-urlencoded";

/// The program, serving.
#[derive(Debug)]
pub struct Server(Child);

impl Server {
    /// Starts it on a folder; says where its console is, as `host:port`.
    pub fn start(binary: &Path, data: &Path) -> Result<(Server, String), String> {
        Server::start_with(binary, data, &[])
    }

    /// The same with options of `serve`.
    pub fn start_with(
        binary: &Path,
        data: &Path,
        options: &[&str],
    ) -> Result<(Server, String), String> {
        let mut command = Command::new(binary);
        command.arg("--data").arg(data).arg("serve");
        command.args(["--collector", "127.0.0.1:0", "--console", "127.0.0.1:0"]).args(options);
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

    /// Tells it to end, and waits until it has.
    pub fn stop(mut self) {
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
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    /// The header that says who asks, where anybody does.
    who: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    cookie: String,
    /// The page.
    pub body: Vec<u8>,
}

impl Answer {
    fn expect(self, path: &str, status: u16) -> Result<Answer, String> {
        if self.status == status {
            return Ok(self);
        }
        let body: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Err(format!("{path}: expected {status}, got {}: {body}", self.status))
    }

    /// What stands between these on the page.
    pub fn between(&self, before: &str, after: &str) -> Result<String, String> {
        let text = String::from_utf8_lossy(&self.body);
        let missing = || format!("the page holds no {before:?}");
        let (_, rest) = text.split_once(before).ok_or_else(missing)?;
        let (found, _) = rest.split_once(after).ok_or_else(missing)?;
        Ok(found.replace("&#38;", "&").replace("&amp;", "&"))
    }

    /// Where the button "Older" leads.
    pub fn older(&self) -> Result<String, String> {
        let text = String::from_utf8_lossy(&self.body);
        let (before, _) = text.split_once("\">Older<").ok_or("the page has no button \"Older\"")?;
        let (_, link) =
            before.rsplit_once("href=\"").ok_or("the button \"Older\" leads nowhere")?;
        Ok(link.replace("&#38;", "&").replace("&amp;", "&"))
    }
}

impl Connection {
    /// Connects to `host:port`.
    pub fn open(host: &str) -> Result<Connection, String> {
        let stream = TcpStream::connect(host).map_err(|error| format!("{host}: {error}"))?;
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
        Ok(Connection { stream: BufReader::new(stream), host: host.to_owned(), who: String::new() })
    }

    /// Asks with an access token of the API from now on.
    pub fn bear(&mut self, token: &str) {
        self.who = format!("Authorization: Bearer {token}\r\n");
    }

    /// Makes an administrator on the command line, and logs in as one. A console without log-in takes no notice.
    pub fn log_in(&mut self, binary: &Path, data: &Path) -> Result<(), String> {
        // Another one each time: a folder that is kept has the others still.
        let secret = || beaconry_store::bytes().map_err(|e| e.to_string());
        let email = format!("bench-{:08x}@example.com", u128::from_le_bytes(secret()?) as u32);
        let password = format!("{:032x}", u128::from_le_bytes(secret()?));
        let mut command = Command::new(binary);
        command.arg("--data").arg(data).args(["user", "create", &email, "--role", "administrator"]);
        command.args(["--name", "Bench", "--password-stdin"]).stdin(Stdio::piped());
        command.stdout(Stdio::null());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(password.as_bytes());
        }
        let _ = child.wait();
        let form = format!("email={email}&password={password}&next=");
        let answer = self.ask("POST", "/login", FORM, form.as_bytes())?;
        self.who = format!("Cookie: {}\r\n", answer.cookie);
        Ok(())
    }

    /// A page; anything but 200 is an error.
    pub fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.ask("GET", path, "", b"")?.expect(path, 200)
    }

    /// What the API answers to JSON; any status but this is an error.
    pub fn tell(
        &mut self,
        method: &str,
        path: &str,
        json: &str,
        status: u16,
    ) -> Result<Answer, String> {
        self.ask(method, path, "application/json", json.as_bytes())?.expect(path, status)
    }

    /// The same person over no connection yet, for downloads.
    pub fn again(&self) -> Visitor {
        Visitor { host: self.host.clone(), who: self.who.clone() }
    }
}

/// Who is logged in, without a connection.
#[derive(Clone, Debug)]
pub struct Visitor {
    host: String,
    who: String,
}

impl Visitor {
    /// Reads a page of any length over a connection of its own and throws it away, as long as `go_on` says so of the
    /// bytes that came last.
    pub fn download(&self, path: &str, mut go_on: impl FnMut(usize) -> bool) -> Result<(), String> {
        let said = |error: std::io::Error| format!("{path}: {error}");
        let Visitor { host, who } = self;
        let mut stream = TcpStream::connect(host).map_err(said)?;
        let head = format!("Host: {host}\r\n{who}Connection: close\r\n\r\n");
        stream.write_all(format!("GET {path} HTTP/1.1\r\n{head}").as_bytes()).map_err(said)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = stream.read(&mut buffer).map_err(said)?;
            if read == 0 || !go_on(read) {
                return Ok(());
            }
        }
    }
}

impl Connection {
    fn ask(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Answer, String> {
        let said = |error: std::io::Error| format!("{path}: {error}");
        let Connection { host, who, .. } = self;
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{who}");
        if !kind.is_empty() {
            request += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        }
        if kind == FORM {
            request += &format!("Origin: http://{host}\r\n");
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
