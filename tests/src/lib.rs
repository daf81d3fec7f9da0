//! What the end-to-end tests share: the real binary, a real browser, a site with snippets pasted in, plain HTTP.
//!
//! Helpers panic where something is not as it must be: here that is a failed test.

mod browser;
mod contract;
mod driver;
mod faketime;
mod form;
mod http;
mod person;
mod pointer;
mod receiver;
mod server;
mod session;
mod site;

pub use browser::Browser;
pub use faketime::faketime_library;
pub use form::Form;
pub use http::{Answer, Connection, exchange, get, post, request};
pub use person::{Device, Person};
pub use pointer::Control;
pub use receiver::{Answering, Posted, Receiver};
pub use server::{Run, Server, beaconry, binary_path, eventually, signal};
pub use session::{PASSWORD, Session, cookie, log_in, post_form};
pub use site::Site;

use serde_json::{Value, json};

/// A UUID of version 7 for the n-th event, made at this moment.
pub fn event_id(n: u64) -> String {
    let ms = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let (high, low) = ((ms >> 16) as u32, (ms & 0xffff) as u16);
    format!("{high:08x}-{low:04x}-7{:03x}-8000-{:012x}", n % 0x1000, n)
}

/// One event of a beacon.
pub fn event(id: &str, key: &str, ver: u32, data: Value) -> Value {
    json!({ "id": id, "key": key, "ver": ver, "rev": 1, "time": "2026-01-01T00:00:00Z", "data": data })
}

/// A beacon whose events happen as they are sent.
pub fn beacon(events: Vec<Value>) -> String {
    json!({ "v": 1, "sent": "2026-01-01T00:00:00Z", "visitor": "test-visitor", "events": events })
        .to_string()
}
