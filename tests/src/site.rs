//! A web site on a free port: the pages a test gives it, files of folders, and nothing else.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A running site.
#[derive(Debug)]
pub struct Site {
    /// Its origin, `http://127.0.0.1:port`.
    pub origin: String,
    content: Arc<Mutex<Content>>,
}

/// What it serves: pages by path, and below some paths the files of a folder.
#[derive(Debug, Default)]
struct Content {
    pages: HashMap<String, Page>,
    folders: Vec<(String, PathBuf)>,
}

#[derive(Clone, Debug)]
struct Page {
    body: Vec<u8>,
    headers: String,
}

impl Site {
    /// A site without pages yet.
    pub fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("its address"));
        let content: Arc<Mutex<Content>> = Arc::default();
        let served = content.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = served.clone();
                thread::spawn(move || answer(stream, &served));
            }
        });
        Site { origin, content }
    }

    /// Puts a page there, with this in its head and this in its body.
    pub fn page(&self, path: &str, head: &str, body: &str) {
        self.page_with(path, "", head, body);
    }

    /// The same, sent with further headers, each ended by CRLF.
    pub fn page_with(&self, path: &str, headers: &str, head: &str, body: &str) {
        let html =
            format!("<!doctype html><meta charset=utf-8><title>Page</title>{head}<body>{body}");
        self.put(path, headers, html);
    }

    /// Puts a page there that is a whole document.
    pub fn document(&self, path: &str, html: String) {
        self.put(path, "", html);
    }

    /// Serves the files of a folder below a path.
    pub fn folder(&self, path: &str, folder: &Path) {
        lock(&self.content).folders.push((path.to_owned(), folder.to_owned()));
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    fn put(&self, path: &str, headers: &str, html: String) {
        let headers = format!("Content-Type: text/html\r\n{headers}");
        lock(&self.content)
            .pages
            .insert(path.to_owned(), Page { body: html.into_bytes(), headers });
    }
}

fn lock(content: &Mutex<Content>) -> MutexGuard<'_, Content> {
    content.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Content {
    fn find(&self, path: &str) -> Option<Page> {
        if let Some(page) = self.pages.get(path) {
            return Some(page.clone());
        }
        self.folders.iter().find_map(|(below, folder)| file(folder, path.strip_prefix(below)?))
    }
}

/// A folder's file, by its path below the folder.
fn file(folder: &Path, path: &str) -> Option<Page> {
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let file = folder.join(path.trim_start_matches('/'));
    let body = std::fs::read(&file).ok()?;
    let mime = match file.extension()?.to_str()? {
        "html" => "text/html",
        "css" => "text/css",
        "js" => "text/javascript",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    };
    Some(Page { body, headers: format!("Content-Type: {mime}\r\n") })
}

fn answer(mut stream: TcpStream, content: &Mutex<Content>) {
    let Some(path) = requested(&stream) else { return };
    let page = lock(content).find(&path);
    let status = if page.is_some() { "200 OK" } else { "404 Not Found" };
    let Page { body, headers } = page
        .unwrap_or(Page { body: Vec::new(), headers: "Content-Type: text/html\r\n".to_owned() });
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

/// The path that a request asks for, without its query. The rest of its head is read, and is of no interest.
fn requested(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    Some(first.split(' ').nth(1)?.split('?').next()?.to_owned())
}
