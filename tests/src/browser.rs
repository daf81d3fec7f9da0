//! Headless Chromium, driven by WebDriver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::http;

/// A browser with one window. Closed, with its driver, when it goes out of scope.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: String,
    client: Client,
}

impl Browser {
    /// Starts a driver on a free port, and a browser with a fresh profile.
    pub async fn start() -> Browser {
        let (driver, port) = start_driver();
        let address = format!("http://127.0.0.1:{port}");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities())
            .connect(&address)
            .await;
        let client = client.unwrap_or_else(|error| panic!("no browser: {error}"));
        Browser { driver, address, client }
    }

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
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
                "while (!window.beaconry || performance.getEntriesByType('resource').filter(entry =>
                     entry.name.includes('/engine/') && entry.responseEnd).length < 2 || beaconry.q.length)
                   await new Promise(next => setTimeout(next, 10));
                 return true",
            )
            .await;
        assert_eq!(up, json!(true));
    }

    /// How many files below a path the page has loaded.
    pub async fn loaded(&self, part: &str) -> u64 {
        let count = format!(
            "return performance.getEntriesByType('resource').filter(entry => entry.name.includes('{part}')).length"
        );
        self.run(&count).await.as_u64().unwrap_or_default()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browsers before itself.
        let _ = http::exchange(
            &self.address,
            b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        );
        let _ = self.driver.wait();
    }
}

/// A driver, and the port it listens on. It takes a free port of IPv4 and then the same one of IPv6, which somebody else
/// may hold by then: it ends itself, and another one tries another port.
fn start_driver() -> (Child, String) {
    for _ in 0..20 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver is installed by `make test`");
        let out = driver.stdout.take().expect("its output is piped");
        let port = BufReader::new(out).lines().map_while(Result::ok).find_map(|line| {
            line.rsplit_once("successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        if let Some(port) = port {
            return (driver, port);
        }
        let _ = driver.wait();
    }
    panic!("chromedriver found no port that is free for IPv4 and IPv6");
}

fn capabilities() -> Capabilities {
    // No sandbox, because tests may run as root; no background networking, because there may be no internet.
    let arguments = json!([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1200,900",
    ]);
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), json!({ "args": arguments }));
    capabilities.insert("timeouts".to_owned(), json!({ "script": 20_000, "pageLoad": 20_000 }));
    capabilities
}
