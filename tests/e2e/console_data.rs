//! Data in the console: pages, filters, a search that goes on by itself, and downloads with their progress.

use std::time::{Duration, Instant};

use beaconry_tests::{Browser, Device, Person, Server, beacon, event, event_id, post};
use serde_json::json;

use crate::accessible::violations;
use crate::setting::Setting;

/// An event with so many stored, numbered from 0; gives its address in the console.
fn stored(setting: &Setting, count: u64) -> String {
    let key = setting.event("Order placed", &["n:number:required", "day:date", "note:text"]);
    let numbers: Vec<_> = (0..count).collect();
    for part in numbers.chunks(100) {
        let events = part.iter().map(|n| {
            let note = if *n == 7 { "=1+1, \"seven\" <b>" } else { "plain" };
            let data = json!({ "source": "Website", "n": n, "day": "2026-03-01", "note": note });
            event(&event_id(*n), &key, 1, data)
        });
        let body = beacon(events.collect());
        assert_eq!(post(&setting.server.collector, "/c", &[], body.as_bytes()).status, 204);
    }
    address(&setting.server)
}

fn address(server: &Server) -> String {
    let shown = server.json(&["event", "show", "order-placed"]);
    format!("/events/{}", shown["discriminator"].as_str().unwrap())
}

#[tokio::test]
async fn pages_follow_each_other_and_are_filtered() {
    let setting = Setting::new();
    let to = stored(&setting, 120);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::NO_SCRIPTS).await;
    browser.open(&format!("{}{to}", setting.server.console)).await;
    person.presses("link", "Data").await;
    person.reads("120 events are stored").await;
    person.presses("link", "Older").await;
    person.presses("link", "Older").await;
    person.reads("=1+1, \"seven\" <b>").await;
    assert!(!person.has("link", "Older").await, "that was the last page");
    person.presses("link", "Newest").await;
    person.reads("119").await;

    person.chooses("Version", "Version 1 (120)").await;
    person.chooses("Field", "n").await;
    person.chooses("Comparison", "is at most").await;
    person.types("Value", "7").await;
    person.presses("button", "Filter").await;
    person.reads("8 found here; 120 events were looked at: that is all of them.").await;
    browser.click("#rows a").await;
    person.reads("An event of Order placed").await;
    person.reads("\"note\": \"=1+1, \\\"seven\\\" <b>\"").await;

    browser.open(&format!("{}{to}/data?from=2031-01-01T00:00", setting.server.console)).await;
    person.reads("Nothing fits.").await;
    let wrong = setting.session.get(&format!("{to}/data?to=yesterday")).text();
    assert!(wrong.contains("to: expected a time like 2026-03-01T12:00"), "{wrong}");
}

#[tokio::test]
async fn a_search_goes_on_by_itself_and_shows_what_it_found_so_far() {
    let setting = Setting::new();
    // More than one request looks at.
    let to = stored(&setting, 21_000);
    let first = setting.session.get(&format!("{to}/data?field=n&op=is&value=7"));
    assert!(first.text().contains("Continue the search"), "one request is bounded");
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    browser.open(&format!("{}{to}/data", setting.server.console)).await;
    person.chooses("Field", "n").await;
    person.types("Value", "7").await;
    person.presses("button", "Filter").await;
    person.reads("1 found").await;
    person.reads("that is all of them").await;
    person.reads("=1+1, \"seven\" <b>").await;
}

#[tokio::test]
async fn downloads_say_how_far_they_are_and_keep_their_types() {
    let setting = Setting::new();
    let to = stored(&setting, 2_500);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let person = Person::with(&browser, Device::DESKTOP).await;
    let folder = tempfile::tempdir().unwrap();
    let allow = json!({ "behavior": "allow", "downloadPath": folder.path() });
    browser.devtools("Browser.setDownloadBehavior", allow).await;
    browser.open(&format!("{}{to}/data", setting.server.console)).await;
    person.presses("button", "Download as CSV").await;
    person.reads("2500 events looked at. The download is complete.").await;
    let csv = file(&folder.path().join("order-placed.csv"), "2500 lines", |bytes| {
        bytes.iter().filter(|byte| **byte == b'\n').count() == 2_501
    });
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.starts_with(
        "_id,_version,_time,_received,_page,_origin,_visitor,_unchecked,source,n,day,note\r\n"
    ));
    assert!(
        csv.contains(",7,2026-03-01,\"'=1+1, \"\"seven\"\" <b>\"\r\n"),
        "quoted, and no formula"
    );

    person.presses("button", "Download as Parquet").await;
    person.reads("2500 events looked at. The download is complete.").await;
    let parquet =
        file(&folder.path().join("order-placed.parquet"), "the end of Parquet", |bytes| {
            bytes.len() > 8 && bytes.ends_with(b"PAR1")
        });
    assert!(parquet.starts_with(b"PAR1"));
    assert_eq!(violations(&browser).await, Vec::<String>::new());

    let filtered =
        setting.session.get(&format!("{to}/data/csv?field=note&op=contains&value=SEVEN"));
    assert_eq!(filtered.text().matches("2026-03-01").count(), 1, "{}", filtered.text());
    let head = filtered.header("content-disposition").unwrap();
    assert_eq!(head, "attachment; filename=\"order-placed.csv\"");
}

/// A file that a browser writes, once it is whole.
fn file(path: &std::path::Path, what: &str, whole: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let since = Instant::now();
    loop {
        let bytes = std::fs::read(path).unwrap_or_default();
        if whole(&bytes) {
            return bytes;
        }
        assert!(since.elapsed() < Duration::from_secs(20), "{}: {what}", path.display());
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_download_can_be_stopped() {
    let setting = Setting::new();
    let to = stored(&setting, 30_000);
    let (id, cookie) = ("0123456789abcdef", &setting.session.cookie);
    let host = setting.server.console.strip_prefix("http://").unwrap().to_owned();
    // Somebody who takes nothing: the server waits for it, and holds no more than some pieces.
    let mut slow = std::net::TcpStream::connect(&host).unwrap();
    let ask =
        format!("GET {to}/data/csv?work={id} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n");
    std::io::Write::write_all(&mut slow, ask.as_bytes()).unwrap();
    let progress = || setting.session.get(&format!("{to}/data/downloads/{id}"));
    beaconry_tests::eventually("the download is under way", || {
        (progress().status == 200 && progress().json()["done"].as_u64()? > 0).then_some(())
    });
    let cancel = format!("{to}/data/downloads/{id}/cancel");
    assert_eq!(setting.session.post(&cancel, &[]).status, 204);
    let ended = beaconry_tests::eventually("it has ended", || {
        let progress = progress().json();
        (progress["ended"] == true).then_some(progress)
    });
    assert!(ended["failed"].as_str().unwrap_or_default().contains("stopped"), "{ended}");
    assert_eq!(
        setting.server.json(&["events", "order-placed", "--limit", "1"])[0]["data"]["n"],
        29_999
    );
}
