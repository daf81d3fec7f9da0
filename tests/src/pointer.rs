//! Pointing, pressing keys, and what has a name and a role, because what lies in a closed shadow tree is found by nothing else.

use std::time::{Duration, Instant};

use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use serde_json::{Value, json};

use crate::browser::Browser;

/// How long something may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);

/// A thing that assistive technology knows by its role and name. Chromium only.
#[derive(Debug)]
pub struct Control<'a> {
    browser: &'a Browser,
    object: String,
}

impl Browser {
    /// Goes on in the tab that was opened last, once there are so many.
    pub async fn go_to_latest_tab(&self, tabs: usize) {
        let started = Instant::now();
        loop {
            let open = self.client().windows().await.unwrap_or_else(|error| panic!("{error}"));
            if let Some(latest) = open.last().filter(|_| open.len() >= tabs) {
                return self.go_to_tab(latest.clone()).await;
            }
            assert!(started.elapsed() < PATIENCE, "{tabs} tabs expected, {} are open", open.len());
            tokio::task::yield_now().await;
        }
    }

    /// Clicks where an element of the page is, whatever lies over it.
    pub async fn point_at(&self, selector: &str) {
        let script = format!(
            "const element = document.querySelector({});
             element.scrollIntoView({{ block: 'center' }});
             const place = element.getBoundingClientRect();
             return [place.x + place.width / 2, place.y + place.height / 2]",
            json!(selector)
        );
        self.click_at(&self.run(&script).await).await;
    }

    async fn click_at(&self, place: &Value) {
        let at = |axis: usize| place[axis].as_f64().unwrap_or_default().floor();
        let move_to = PointerAction::MoveTo { duration: None, x: at(0), y: at(1) };
        let mouse = MouseActions::new("mouse".to_owned())
            .then(move_to)
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.client().perform_actions(mouse).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Presses a key.
    pub async fn press(&self, key: char) {
        let keys = KeyActions::new("keys".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.client().perform_actions(keys).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// What has this role and this name, once it is there.
    pub async fn named(&self, role: &str, name: &str) -> Control<'_> {
        let started = Instant::now();
        loop {
            if let Some(found) = self.find_named(role, name).await {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "no {role} is called \"{name}\"");
            tokio::task::yield_now().await;
        }
    }

    /// What has this role and this name, where it is there.
    pub async fn find_named(&self, role: &str, name: &str) -> Option<Control<'_>> {
        self.all_named(role, name).await.into_iter().next()
    }

    /// The texts of everything that has this role.
    pub async fn texts(&self, role: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for found in self.all_named(role, "").await {
            texts.push(found.text().await);
        }
        texts
    }

    async fn all_named(&self, role: &str, name: &str) -> Vec<Control<'_>> {
        // The whole tree, which is made at once. `Accessibility.queryAXTree` waits for the page to be drawn, and where nothing
        // changes, or another page takes this one's place, that may never be.
        // The page may be on its way to another at any moment; what is not there yet is asked for again.
        let tree = self.try_devtools("Accessibility.getFullAXTree", json!({})).await;
        let tree = tree.unwrap_or_default();
        let mut controls = Vec::new();
        for node in tree["nodes"].as_array().into_iter().flatten() {
            let wanted = node["role"]["value"] == role
                && (name.is_empty() || node["name"]["value"] == name)
                && node["ignored"] != json!(true);
            if !wanted {
                continue;
            }
            let node = json!({ "backendNodeId": node["backendDOMNodeId"] });
            let resolved = self.try_devtools("DOM.resolveNode", node).await.unwrap_or_default();
            let object = resolved["object"]["objectId"].as_str().map(str::to_owned);
            controls.extend(object.map(|object| Control { browser: self, object }));
        }
        controls
    }
}

impl Control<'_> {
    /// Clicks it.
    pub async fn click(&self) {
        let script = "function () { this.scrollIntoView({ block: 'nearest' });
            const place = this.getBoundingClientRect(); return [place.x + place.width / 2, place.y + place.height / 2]; }";
        self.browser.click_at(&self.ask(script).await).await;
    }

    /// Its text.
    pub async fn text(&self) -> String {
        self.ask("function () { return this.textContent; }")
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The text of what is chosen in a list.
    pub async fn chosen(&self) -> String {
        let text = self.ask("function () { return this.selectedOptions[0].textContent; }").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Chooses what begins with this text.
    pub async fn choose(&self, text: &str) {
        let script = format!(
            "function () {{
               this.value = [...this.options].find(option => option.text.startsWith({})).value;
               this.dispatchEvent(new Event('change', {{ bubbles: true }}));
             }}",
            json!(text)
        );
        self.ask(&script).await;
    }

    async fn ask(&self, function: &str) -> Value {
        let call = json!({ "objectId": self.object, "functionDeclaration": function, "returnByValue": true });
        let answer = self.browser.devtools("Runtime.callFunctionOn", call).await;
        assert!(answer["exceptionDetails"].is_null(), "{function}: {answer}");
        answer["result"]["value"].clone()
    }
}
