//! HTTP by hand: one request a connection, so that tests see just what is on the wire.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::contract;

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status; 0 where the connection closed without an answer.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| {
            line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        self.head
            .lines()
            .find(named)
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim())
    }
}

/// `GET` of a path at `http://host:port`, with further headers, each a line.
pub fn get(url: &str, path: &str, headers: &[&str]) -> Answer {
    request(url, "GET", path, headers, b"")
}

/// `POST` to a path at `http://host:port`, with further headers, each a line.
pub fn post(url: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    request(url, "POST", path, &[headers, &[&length]].concat(), body)
}

/// Any request, with further headers, each a line; the length of a body is one of them. What the API answers must be as its
/// description says.
#[track_caller]
pub fn request(url: &str, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
    let host = url.strip_prefix("http://").unwrap_or(url);
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|line| line.starts_with("Host:")) {
        head += &format!("Host: {host}\r\n");
    }
    for line in headers {
        head += &format!("{line}\r\n");
    }
    let bytes = [head.as_bytes(), b"\r\n", body].concat();
    let answer =
        exchange(url, &bytes).unwrap_or_else(|error| panic!("{method} {url}{path}: {error}"));
    contract::check(url, method, path, &answer);
    answer
}

/// Sends bytes and reads the answer: until the other side closes, or all that it announced is there.
pub fn exchange(url: &str, bytes: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap_or(url))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // A server that has heard enough may close before all is sent; what it said is read all the same.
    let _ = stream.write_all(bytes);
    receive(&mut stream)
}

/// A connection that is used for one request after another, as browsers do.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    host: String,
}

impl Connection {
    /// Connects to `http://host:port`.
    pub fn open(url: &str) -> std::io::Result<Connection> {
        let host = url.strip_prefix("http://").unwrap_or(url).to_owned();
        let stream = TcpStream::connect(&host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Connection { stream, host })
    }

    /// `POST` to a path. Status 0 says that the other side closed without an answer.
    pub fn post(&mut self, path: &str, body: &[u8]) -> std::io::Result<Answer> {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}\r\n\r\n",
            self.host
        );
        self.stream.write_all(&[head.as_bytes(), body].concat())?;
        receive(&mut self.stream)
    }
}

fn receive(stream: &mut TcpStream) -> std::io::Result<Answer> {
    let mut received = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => received.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error),
        }
        let answer = parse(&received);
        let announced = match answer.status {
            204 => Some(0),
            _ => answer.header("content-length").and_then(|length| length.parse().ok()),
        };
        if announced.is_some_and(|length: usize| answer.body.len() >= length) {
            break;
        }
    }
    Ok(parse(&received))
}

fn parse(received: &[u8]) -> Answer {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Answer::default();
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head, body: received[end + 4..].to_vec() }
}
