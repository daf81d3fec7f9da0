//! Pasted code lives for years: what an older program published is served as it was, and works beside the new.

use std::fs::File;
use std::process::Command;

use beaconry_generator::{CollectorUrl, Engine, Input, generate};
use beaconry_model::time::Timestamp;
use beaconry_store::{Folder, PublishedFile, Registry};
use beaconry_tests::{Browser, get};
use serde_json::json;

use crate::setting::Setting;

/// The engine of an earlier program: the same work, other bytes.
fn older_engine() -> Engine {
    let embedded = Engine::embedded();
    let script = [b"/* An earlier engine. */\n", embedded.script().bytes()].concat();
    let loader =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../snippet/dist/loader.js"))
            .unwrap();
    Engine::from_parts(&script, embedded.debug().bytes(), &loader)
}

/// A file in gzip, which is what WebKit asks for over plain HTTP.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let made = Command::new("gzip").arg("-c").stdin(File::open(file.path()).unwrap()).output();
    made.unwrap().stdout
}

#[tokio::test]
async fn an_older_engines_snippet_is_served_and_works_beside_a_newer_one() {
    let setting = Setting::new();
    setting.event("Order placed", &["orderid:text:required"]);
    setting.event("Demo requested", &["role:text:required"]);

    // As the earlier program published it, before this one was installed.
    let folder = Folder::open(setting.folder.path()).unwrap();
    let mut registry = Registry::open(&folder).unwrap();
    let known = registry.snapshot().unwrap().event("order-placed").unwrap().clone();
    let (url, engine) = (CollectorUrl::parse(&setting.server.collector).unwrap(), older_engine());
    let older = generate(&Input::of(&known.event, &known.section, &url, &engine).unwrap());
    let files: Vec<PublishedFile> = older
        .served()
        .map(|file| PublishedFile {
            path: format!("/{}", file.path()),
            mime: "text/javascript; charset=utf-8".to_owned(),
            body: file.bytes().to_vec(),
            brotli: file.brotli().to_vec(),
            gzip: gzip(file.bytes()),
        })
        .collect();
    registry.publish(&files, Timestamp(0)).unwrap();

    for file in older.served() {
        let served = get(&setting.server.collector, &format!("/{}", file.path()), &[]);
        assert_eq!((served.status, served.body.as_slice()), (200, file.bytes()), "byte for byte");
    }
    let newer = setting.paste("demo-requested");
    assert_ne!(setting.paste("order-placed"), older.paste);
    let browser = Browser::start().await;
    for (path, tags) in [("/a", older.paste.clone() + &newer), ("/b", newer.clone() + &older.paste)]
    {
        setting.site.page(path, &tags, "");
        browser.open(&setting.site.url(path)).await;
        browser.engine_is_up().await;
        for (slug, data) in
            [("order-placed", "{orderid: '1'}"), ("demo-requested", "{role: 'buyer'}")]
        {
            let answer =
                browser.settle(&format!("return await beaconry.track('{slug}', {data})")).await;
            assert_eq!(answer, json!({ "ok": true }), "{slug} on {path}");
        }
    }
    assert_eq!(setting.server.events("order-placed", 2).len(), 2);
    assert_eq!(setting.server.events("demo-requested", 2).len(), 2);
}
