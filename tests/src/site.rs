//! A web site on a free port: the pages a test gives it, and nothing else.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A running site.
#[derive(Debug)]
pub struct Site {
    /// Its origin, `http://127.0.0.1:port`.
    pub origin: String,
    pages: Arc<Mutex<HashMap<String, Page>>>,
}

#[derive(Clone, Debug, Default)]
struct Page {
    html: String,
    headers: String,
}

impl Site {
    /// A site without pages yet.
    pub fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("its address"));
        let pages: Arc<Mutex<HashMap<String, Page>>> = Arc::default();
        let served = pages.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = served.clone();
                thread::spawn(move || answer(stream, &served));
            }
        });
        Site { origin, pages }
    }

    /// Puts a page there, with this in its head and this in its body.
    pub fn page(&self, path: &str, head: &str, body: &str) {
        self.page_with(path, "", head, body);
    }

    /// The same, sent with further headers, each ended by CRLF.
    pub fn page_with(&self, path: &str, headers: &str, head: &str, body: &str) {
        let html =
            format!("<!doctype html><meta charset=utf-8><title>Page</title>{head}<body>{body}");
        let page = Page { html, headers: headers.to_owned() };
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), page);
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

fn answer(mut stream: TcpStream, pages: &Mutex<HashMap<String, Page>>) {
    let mut reader = BufReader::new(&stream);
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() {
        return;
    }
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    let path = first
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .split('?')
        .next()
        .unwrap_or_default()
        .to_owned();
    let page = pages.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
    let status = if page.is_some() { "200 OK" } else { "404 Not Found" };
    let Page { html, headers } = page.unwrap_or_default();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{html}",
        html.len()
    );
}
