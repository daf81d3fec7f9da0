//! Walks every route as everybody who might come, because one route that was forgotten is a door left open.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use beaconry_model::names::Name;
use beaconry_store::{Clock, Hashed, Keys, NewPerson, People, Role, Store};
use beaconry_traffic::Networks;

use super::routes::Needs;
use super::{Console, routes, run};
use crate::access::Site;
use crate::api::{Api, Limits};
use crate::snippet::Snippets;

/// A console on a free port, with a cookie for each role.
struct Open {
    address: String,
    cookies: Vec<(Option<Role>, String)>,
    _stop: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

async fn open() -> Open {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Clock::default()).unwrap();
    let people = Arc::new(People::open(store.folder()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut cookies = vec![(None, "unrelated=1".to_owned())];
    for role in Role::ALL {
        let new = NewPerson {
            email: format!("{}@example.com", role.word()),
            name: Name::try_from(role.label().to_owned()).unwrap(),
            role,
            password: Some(Hashed("none".to_owned())),
        };
        let now = store.clock().now();
        let person = people.add(&new, "test", now).unwrap();
        let token = people.start_session(person.number, now).unwrap();
        cookies.push((Some(role), format!("beaconry-{}={}", address.port(), token.as_str())));
    }
    let site = Site::new(address, None).unwrap();
    let snippets: Snippets =
        Arc::new(|_: &beaconry_store::Known| Err("no generator here".to_owned()));
    let keys = Arc::new(Keys::open(store.folder()).unwrap());
    let api = Api::new(store.clone(), keys, people.clone(), snippets.clone(), Limits::default());
    let (stop, stopped) = oneshot::channel();
    let stopped = async move {
        let _ = stopped.await;
    };
    tokio::spawn(run(
        listener,
        Console { store, people, site, proxies: Networks::local(), snippets, api },
        stopped,
    ));
    Open { address: address.to_string(), cookies, _stop: stop, _folder: folder }
}

impl Open {
    /// The status of an answer, with its `Location`.
    async fn ask(&self, method: &Method, path: &str, cookie: &str) -> (u16, String) {
        let host = &self.address;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nAccept: text/html\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let (mut answer, mut part) = (Vec::new(), [0; 4096]);
        // Streams go on for ever; their head is enough.
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut part));
            match read.await.unwrap().unwrap() {
                0 => break,
                read => answer.extend_from_slice(&part[..read]),
            }
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
        let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
        (status, location.unwrap_or_default().to_owned())
    }
}

/// A path that fits the route.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_lets_in_whom_it_must_and_nobody_else() {
    let console = open().await;
    let routes = routes();
    for (method, path, needs) in routes.listed() {
        for (role, cookie) in &console.cookies {
            // Logging out is for everybody, and would end the session that others are asked with.
            if role.is_some() && path.starts_with("/logout") {
                continue;
            }
            let (status, location) = console.ask(method, &filled(path), cookie).await;
            let shut_out = match (needs, role) {
                (Needs::Nothing, _) => false,
                (Needs::Role(_), None) => true,
                (Needs::Role(needed), Some(role)) => role < needed,
            };
            let asked = format!("{method} {path} by {role:?}: {status} {location}");
            match (shut_out, role, method) {
                (false, ..) => {
                    let turned = status == 401 || status == 403 && !path.starts_with("/login");
                    assert!(!turned && status != 405 && status != 0, "{asked}");
                    assert!(role.is_none() || !location.starts_with("/login"), "{asked}");
                }
                (true, None, &Method::GET) => {
                    assert!(status == 303 && location.starts_with("/login"), "{asked}");
                }
                (true, None, _) => assert_eq!(status, 401, "{asked}"),
                (true, Some(_), _) => assert_eq!(status, 403, "{asked}"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_at_no_route_is_told_to_nobody_without_a_session() {
    let console = open().await;
    for path in ["/none", "/events", "/static/other.css", "/share", "/.git/config"] {
        for (role, cookie) in &console.cookies {
            let (status, location) = console.ask(&Method::GET, path, cookie).await;
            match role {
                None => assert!(status == 303 && location.starts_with("/login"), "{path} {status}"),
                Some(_) => assert_eq!(status, 404, "{path}"),
            }
        }
    }
}

/// What may be had without a session is this and no more; a route that is added here must be argued for.
#[test]
fn little_is_open() {
    let routes = routes();
    let open = routes.listed().iter().filter(|(_, _, needs)| *needs == Needs::Nothing);
    let open: Vec<String> = open.map(|(method, path, _)| format!("{method} {path}")).collect();
    let expected = [
        "GET /login",
        "POST /login",
        "GET /enter/{token}",
        "POST /enter/{token}",
        "GET /share/{token}",
        "GET /static/console.css",
        "GET /static/reports.css",
        "GET /static/people.css",
        "GET /static/reports.js",
        "GET /static/console.js",
        "GET /static/icon.svg",
        "GET /static/htmx.js",
    ];
    assert_eq!(open, expected);
}

/// Beside the console the API answers, to tokens. Without one it gives its description, because people read that before they
/// have a key: it is made from the code alone, says what docs/api.md says of every Beaconry, and knows nothing of this one.
/// And it takes a key's secret for a token.
#[tokio::test]
async fn the_api_gives_strangers_its_description_and_nothing_more() {
    let console = open().await;
    for (_, cookie) in &console.cookies {
        for path in ["/api", "/openapi.json"] {
            assert_eq!(console.ask(&Method::GET, path, cookie).await.0, 200, "{path}");
        }
        for (method, path, is_open) in crate::api::listed() {
            let (status, _) = console.ask(&method, &filled(path), cookie).await;
            let expected = if is_open { 400 } else { 401 };
            assert_eq!(status, expected, "{method} {path}: a session is no token");
        }
    }
    let open: Vec<_> = crate::api::listed().into_iter().filter(|(.., is_open)| *is_open).collect();
    assert_eq!(open, [(Method::POST, "/oauth/token", true)]);
}

#[test]
fn a_route_that_names_no_role_needs_an_administrator() {
    let routes = super::routes::Routes::new().get("/", async || "");
    assert_eq!(routes.listed()[0].2, Needs::Role(Role::Administrator));
}
