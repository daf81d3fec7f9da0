//! Drives a browser as a person would: by the roles and names that assistive technology gets, never by where a thing is in
//! the markup; counts what it takes.

use std::cell::Cell;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, Locator};
use serde_json::json;

use crate::Browser;

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// How somebody looks at pages.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Width of the window, in CSS pixels.
    pub width: u32,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Device {
    /// A window on a desk.
    pub const DESKTOP: Device = Device { width: 1280, scripts: true };
    /// A phone held upright.
    pub const PHONE: Device = Device { width: 390, scripts: true };
    /// A window on a desk, scripts switched off.
    pub const NO_SCRIPTS: Device = Device { width: 1280, scripts: false };
}

/// Somebody at a browser.
#[derive(Debug)]
pub struct Person<'a> {
    browser: &'a Browser,
    interactions: Cell<u32>,
}

impl<'a> Person<'a> {
    /// Somebody at this browser.
    pub fn at(browser: &'a Browser) -> Person<'a> {
        Person { browser, interactions: Cell::new(0) }
    }

    /// The same, with this device. Chromium only.
    pub async fn with(browser: &'a Browser, device: Device) -> Person<'a> {
        let metrics = json!({
            "width": device.width, "height": 850, "deviceScaleFactor": 1, "mobile": device.width < 600
        });
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let off = json!({ "value": !device.scripts });
        browser.devtools("Emulation.setScriptExecutionDisabled", off).await;
        Person::at(browser)
    }

    /// How many clicks, choices and texts it has taken so far.
    pub fn interactions(&self) -> u32 {
        self.interactions.get()
    }

    /// Does one thing that no page is needed for, such as putting code into a page's file.
    pub fn does<T>(&self, thing: impl FnOnce() -> T) -> T {
        self.count();
        thing()
    }

    /// Opens a page by its address.
    pub async fn opens(&self, url: &str) {
        self.count();
        self.browser.open(url).await;
    }

    /// Opens a page by its address in another tab.
    pub async fn opens_beside(&self, url: &str) {
        self.count();
        self.browser.new_tab().await;
        self.browser.open(url).await;
    }

    /// Goes back to a tab.
    pub async fn goes_to(&self, tab: WindowHandle) {
        self.count();
        self.browser.go_to_tab(tab).await;
    }

    /// Clicks what has this role and name.
    pub async fn presses(&self, role: &str, name: &str) {
        self.count();
        self.acts(role, name, async |found| found.click().await).await;
    }

    /// Types into the input with this name, in place of what is there.
    pub async fn types(&self, name: &str, text: &str) {
        self.count();
        self.acts("input", name, async |found| {
            found.clear().await?;
            found.send_keys(text).await
        })
        .await;
    }

    /// Chooses from the list with this name.
    pub async fn chooses(&self, name: &str, option: &str) {
        self.count();
        self.acts("combobox", name, async |found| found.select_by_label(option).await).await;
    }

    /// Presses keys wherever the cursor is.
    pub async fn keys(&self, keys: &[Key], text: &str) {
        self.count();
        let pressed: String = keys.iter().map(|key| char::from(*key)).chain(text.chars()).collect();
        let active = self.client().active_element().await.expect("something has the cursor");
        active.send_keys(&pressed).await.unwrap_or_else(|error| panic!("{keys:?} {text}: {error}"));
    }

    /// Presses Tab until the cursor is in what has this name, as somebody without a mouse does.
    pub async fn tabs_to(&self, name: &str) {
        for _ in 0..400 {
            let active = self.client().active_element().await.expect("something has the cursor");
            let id = active.element_id().to_string();
            let label = self.browser.computed(&id, "label").await.unwrap_or_default();
            if one_space(&label) == name {
                return;
            }
            self.keys(&[Key::Tab], "").await;
        }
        panic!("Tab never came to {name:?}");
    }

    /// Waits until something with this role and name is on the page, and gives it.
    pub async fn finds(&self, role: &str, name: &str) -> Element {
        let since = Instant::now();
        loop {
            if let Some(found) = self.looks_for(role, name).await {
                return found;
            }
            assert!(since.elapsed() < PATIENCE, "no {role} called {name:?}: {}", self.page().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether something with this role and name is on the page now.
    pub async fn has(&self, role: &str, name: &str) -> bool {
        self.looks_for(role, name).await.is_some()
    }

    /// What the input with this name holds.
    pub async fn reads_input(&self, name: &str) -> String {
        let found = self.finds("input", name).await;
        found.prop("value").await.ok().flatten().unwrap_or_default()
    }

    /// Waits until the page says this somewhere, white space being one space.
    pub async fn reads(&self, text: &str) {
        let since = Instant::now();
        while !self.page().await.contains(text) {
            assert!(since.elapsed() < PATIENCE, "not said: {text:?}, but: {}", self.page().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All that the page shows, white space being one space.
    pub async fn page(&self) -> String {
        let Ok(body) = self.client().find(Locator::Css("body")).await else {
            return String::new();
        };
        let text = body.text().await.unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Finds and acts; a page that is exchanged under the hand is looked at again.
    async fn acts<F>(&self, role: &str, name: &str, act: F)
    where
        F: AsyncFn(Element) -> Result<(), fantoccini::error::CmdError>,
    {
        let since = Instant::now();
        loop {
            let found = self.finds(role, name).await;
            // As a person scrolls: to where nothing else lies over it.
            let into_view = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
            let place = serde_json::to_value(&found).unwrap_or_default();
            let _ = self.client().execute(into_view, vec![place]).await;
            match act(found).await {
                Ok(()) => return,
                Err(error) => assert!(since.elapsed() < PATIENCE, "{role} {name:?}: {error}"),
            }
        }
    }

    async fn looks_for(&self, role: &str, name: &str) -> Option<Element> {
        let candidates = self.client().find_all(Locator::Css(selector(role))).await.ok()?;
        for candidate in candidates {
            let id = candidate.element_id().to_string();
            if self.browser.computed(&id, "label").await.as_deref().map(one_space).as_deref()
                != Some(name)
            {
                continue;
            }
            let computed = self.browser.computed(&id, "role").await.unwrap_or_default();
            let fits = role == "input" || computed.eq_ignore_ascii_case(role);
            if fits && candidate.is_displayed().await.unwrap_or_default() {
                return Some(candidate);
            }
        }
        None
    }

    fn client(&self) -> &Client {
        self.browser.client()
    }

    fn count(&self) {
        self.interactions.set(self.interactions.get() + 1);
    }
}

fn one_space(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What can have a role, so that not every element of a page is asked for it.
fn selector(role: &str) -> &'static str {
    match role {
        "button" => "button, [role=button], input[type=submit]",
        "link" => "a[href]",
        "heading" => "h1, h2, h3",
        "input" => "input:not([type=hidden], [type=radio], [type=checkbox]), textarea",
        "combobox" => "select",
        "radio" => "input[type=radio]",
        "checkbox" => "input[type=checkbox]",
        "DisclosureTriangle" => "summary",
        "navigation" => "nav",
        "region" => "section",
        _ => "*",
    }
}
