//! A receiver of webhooks: a real HTTP server that a test has answer as it likes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::server::eventually;

/// How posts are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answering {
    /// With this status, and this further header line.
    With(u16, String),
    /// Not at all: the connection is held open.
    Never,
    /// The connection is closed.
    Closing,
}

/// One post as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The head's lines.
    pub head: Vec<String>,
    /// The body, as it came.
    pub body: String,
    /// Whether it was answered with a 2xx.
    pub taken: bool,
}

impl Posted {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.iter().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or_else(|| panic!("{name} is not in {:?}", self.head), |(_, value)| value)
    }

    /// Whether its signature is the one of this secret, as a receiver finds out by itself; and when it was signed.
    pub fn signed_by(&self, secret: &str) -> (bool, i64) {
        let header = self.header("beaconry-signature");
        let part = |name: &str| {
            let mut parts = header.split(',').filter_map(|part| part.split_once('='));
            parts.find(|(found, _)| *found == name).map_or("", |(_, value)| value).to_owned()
        };
        let (time, digits) = (part("t"), part("v1"));
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
        let signed = mac.chain_update(format!("{time}.{}", self.body)).finalize().into_bytes();
        let hex: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
        (hex == digits, time.parse().unwrap_or_default())
    }
}

/// A running receiver. It stops taking connections when it goes out of scope.
#[derive(Debug)]
pub struct Receiver {
    /// `http://host:port`.
    pub url: String,
    posted: Arc<Mutex<Vec<Posted>>>,
    answering: Arc<Mutex<Answering>>,
    stop: Arc<AtomicBool>,
}

impl Receiver {
    /// One that answers 204 until it is told otherwise.
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let receiver = Receiver {
            url,
            posted: Arc::default(),
            answering: Arc::new(Mutex::new(Answering::With(204, String::new()))),
            stop: Arc::default(),
        };
        let (posted, answering, stop) =
            (receiver.posted.clone(), receiver.answering.clone(), receiver.stop.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (posted, answering) = (posted.clone(), answering.clone());
                thread::spawn(move || serve(stream, &posted, &answering));
            }
        });
        receiver
    }

    /// Answers so from now on.
    pub fn answer(&self, answering: Answering) {
        *self.answering.lock().expect("nobody panicked") = answering;
    }

    /// Answers with this status from now on.
    pub fn answer_with(&self, status: u16) {
        self.answer(Answering::With(status, String::new()));
    }

    /// Every post that came, in the order it came.
    pub fn all(&self) -> Vec<Posted> {
        self.posted.lock().expect("nobody panicked").clone()
    }

    /// Those that were taken.
    pub fn taken(&self) -> Vec<Posted> {
        self.all().into_iter().filter(|posted| posted.taken).collect()
    }

    /// Those that were taken, once there are so many.
    pub fn wait_taken(&self, count: usize) -> Vec<Posted> {
        eventually(&format!("{count} posts are taken"), || {
            thread::sleep(Duration::from_millis(5));
            Some(self.taken()).filter(|taken| taken.len() >= count)
        })
    }

    /// Every post, once there are so many.
    pub fn wait(&self, count: usize) -> Vec<Posted> {
        eventually(&format!("{count} posts"), || {
            thread::sleep(Duration::from_millis(5));
            Some(self.all()).filter(|all| all.len() >= count)
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn serve(stream: TcpStream, posted: &Mutex<Vec<Posted>>, answering: &Mutex<Answering>) {
    let Ok(reading) = stream.try_clone() else { return };
    let (mut reader, mut writer) = (BufReader::new(reading), stream);
    while let Some((head, body)) = read(&mut reader) {
        let answering = answering.lock().expect("nobody panicked").clone();
        let taken = matches!(answering, Answering::With(200..=299, _));
        posted.lock().expect("nobody panicked").push(Posted { head, body, taken });
        match answering {
            Answering::With(status, header) => {
                let more = if header.is_empty() { header } else { header + "\r\n" };
                let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n{more}\r\n");
                if writer.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
            Answering::Never => {
                // Until the other side has had enough.
                let _ = reader.read(&mut [0]);
                return;
            }
            Answering::Closing => return,
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(Vec<String>, String)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}
