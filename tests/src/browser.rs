//! What a test does in a browser, because it should read as what a visitor does, whichever engine shows the page.

use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::driver::{Driver, Engine};
use crate::http;
use crate::session::Session;

/// A browser with one window. Closed, with its driver, when it goes out of scope.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    driver: Driver,
}

impl Browser {
    /// Starts a browser with a fresh profile: Chromium, or the one that `BEACONRY_BROWSER` names.
    pub async fn start() -> Browser {
        let engine = Engine::chosen();
        let driver = Driver::start(engine);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(engine.capabilities())
            .connect(&driver.address)
            .await;
        let client = client.unwrap_or_else(|error| panic!("no browser: {error}"));
        Browser { client, driver }
    }

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Goes on as somebody who is logged in to the console: this browser gets the session's cookie.
    pub async fn come_in(&self, session: &Session) {
        // A cookie is given to the site of the page that is open.
        self.open(&format!("{}/static/console.css", session.console())).await;
        let (name, value) = session.cookie.split_once('=').expect("a cookie has a name");
        // Said to the driver itself: the client would name a domain, which for an address of numbers there is not.
        let id = self.client.session_id().await.ok().flatten().unwrap_or_default();
        let path = format!("/session/{id}/cookie");
        let cookie =
            json!({ "cookie": { "name": name, "value": value, "path": "/", "httpOnly": true } });
        let json = ["Content-Type: application/json"];
        let set = http::post(&self.driver.address, &path, &json, cookie.to_string().as_bytes());
        assert_eq!(set.status, 200, "{}", set.text());
    }

    /// Clicks the first element that matches.
    pub async fn click(&self, selector: &str) {
        let found = self.client.wait().for_element(Locator::Css(selector)).await;
        let found = found.unwrap_or_else(|error| panic!("{selector}: {error}"));
        found.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Types into the first element that matches.
    pub async fn fill(&self, selector: &str, text: &str) {
        let found = self.client.wait().for_element(Locator::Css(selector)).await;
        let found = found.unwrap_or_else(|error| panic!("{selector}: {error}"));
        found.send_keys(text).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Waits until an element matches.
    pub async fn see(&self, selector: &str) {
        let found = self.client.wait().for_element(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Waits until an element of this name has this text. A click may return before the page that it leads to is there,
    /// so this is how a test sees that it has come.
    pub async fn reads(&self, name: &str, text: &str) {
        let path = format!("//{name}[normalize-space()='{text}']");
        let found = self.client.wait().for_element(Locator::XPath(&path)).await;
        found.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// The text of the first element that matches.
    pub async fn text(&self, selector: &str) -> String {
        let found = self.client.wait().for_element(Locator::Css(selector)).await;
        let found = found.unwrap_or_else(|error| panic!("{selector}: {error}"));
        found.text().await.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    /// Runs a script in the page and gives what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.client
            .execute(script, vec![])
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs an async function's body in the page and gives what it returns.
    pub async fn settle(&self, body: &str) -> Value {
        let script = format!(
            "const done = arguments[0];
             (async () => {{ {body} }})().then(value => done(value ?? null), error => done({{ failed: '' + error }}))"
        );
        self.client
            .execute_async(&script, vec![])
            .await
            .unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// Waits until the engine of the page's snippets is up.
    pub async fn engine_is_up(&self) {
        let up = self
            .settle(
                "while (!window.beaconry?.s || beaconry.q.length) await new Promise(next => setTimeout(next, 10));
                 return true",
            )
            .await;
        assert_eq!(up, json!(true));
    }

    /// The browser itself, for what has a file of its own.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What assistive technology gets of an element: its `label` or its `role`, as the browser computes it.
    pub(crate) async fn computed(&self, element: &str, what: &str) -> Option<String> {
        let session = self.client.session_id().await.ok().flatten().unwrap_or_default();
        let path = format!("/session/{session}/element/{element}/computed{what}");
        let answer = http::get(&self.driver.address, &path, &[]);
        (answer.status == 200).then(|| answer.json()["value"].as_str().map(str::to_owned))?
    }

    /// Shows pages in light or dark from now on. Chromium only.
    pub async fn scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Runs a command of the Chrome DevTools Protocol and gives what it answers. Chromium only.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        self.try_devtools(command, params).await.unwrap_or_else(|why| panic!("{command}: {why}"))
    }

    /// The same, where what it asks for may be gone by then.
    pub(crate) async fn try_devtools(&self, command: &str, params: Value) -> Result<Value, String> {
        let session = self.client.session_id().await.ok().flatten().unwrap_or_default();
        let path = format!("/session/{session}/goog/cdp/execute");
        let body = json!({ "cmd": command, "params": params }).to_string();
        let answer = http::post(
            &self.driver.address,
            &path,
            &["Content-Type: application/json"],
            body.as_bytes(),
        );
        if answer.status == 200 { Ok(answer.json()["value"].clone()) } else { Err(answer.text()) }
    }

    /// Takes the page's network away, or gives it back.
    pub async fn offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.devtools("Network.emulateNetworkConditions", conditions).await;
    }

    /// Opens another tab and goes on there; gives its handle.
    pub async fn new_tab(&self) -> WindowHandle {
        let opened = self.client.new_window(true).await.unwrap_or_else(|error| panic!("{error}"));
        self.go_to_tab(opened.handle.clone()).await;
        opened.handle
    }

    /// Goes on in a tab.
    pub async fn go_to_tab(&self, tab: WindowHandle) {
        self.client.switch_to_window(tab).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The tab that is open.
    pub async fn tab(&self) -> WindowHandle {
        self.client.window().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// How many files the page has loaded whose address has this in it.
    pub async fn loaded(&self, part: &str) -> u64 {
        self.requests(&format!("entry.name.includes('{part}')")).await
    }

    /// How many beacons the page has sent. Addresses of files have hashes in them, which may begin as the collector's path does.
    pub async fn beacons(&self) -> u64 {
        self.requests("new URL(entry.name).pathname === '/c'").await
    }

    async fn requests(&self, which: &str) -> u64 {
        let count = format!(
            "return performance.getEntriesByType('resource').filter(entry => {which}).length"
        );
        self.run(&count).await.as_u64().unwrap_or_default()
    }
}
