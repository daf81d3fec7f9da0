//! Every page of the console under axe-core, in light and dark: no violation.

use std::path::Path;

use beaconry_tests::{Browser, eventually, get};
use serde_json::Value;

use crate::setting::{Setting, create, run};

/// Pages to look at, by their address; `EVENT` and `SECTION` stand for those of the setting. A further page is a further line.
const PAGES: [&str; 18] = [
    "/",
    "/?q=nothing+fits+this",
    "/sections/new",
    "/sections/SECTION",
    "/sections/SECTION/new",
    "/sections/SECTION/new/transactions",
    "/sections/SECTION/new/signals?template=survey-answered",
    "/events/EVENT",
    "/events/EVENT/edit",
    "/events/EVENT/hide",
    "/events/EVENT/versions",
    "/events/EVENT/capture",
    "/events/EVENT/tracking",
    "/events/LOCKED",
    "/events/LOCKED/edit",
    "/events/LOCKED/tracking",
    "/live",
    "/there-is-no-such-page",
];

const CAPTURE: &str = r##"
[[trigger]]
on = { submit = "#checkout" }
url = [{ prefix = "/checkout" }]
success = { element = ".thanks" }
[[trigger]]
on = { element_seen = { selector = ".offer" } }
[[field]]
name = "total"
from = { text = "#total" }
decimals = "comma"
[[field]]
name = "day"
from = { attribute = { selector = "#day", name = "data-day" } }
"##;

#[tokio::test]
async fn no_page_has_a_barrier_in_light_or_dark() {
    let setting = Setting::new();
    setting.event_capturing("Order placed", &["total:decimal", "day:date"], CAPTURE);
    create(setting.folder.path(), "Booking made", &["guests:number"], None);
    run(setting.folder.path(), &["tracking", "enable", "booking-made"]);
    run(setting.folder.path(), &["event", "edit", "booking-made", "--add-field", "note:text"]);
    let address = |slug: &str| {
        let shown = setting.server.json(&["event", "show", slug]);
        shown["discriminator"].as_str().unwrap().to_owned()
    };
    let (event, locked) = (address("order-placed"), address("booking-made"));
    eventually("the server notices the edit", || {
        get(&setting.server.console, &format!("/events/{locked}"), &[])
            .text()
            .contains("Locked for")
            .then_some(())
    });
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let pages = PAGES.map(|page| {
        page.replace("EVENT", &event).replace("LOCKED", &locked).replace("SECTION", &section)
    });
    let browser = Browser::start().await;
    let mut barriers = Vec::new();
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        for page in &pages {
            browser.open(&format!("{}{page}", setting.server.console)).await;
            barriers.extend(
                violations(&browser).await.into_iter().map(|why| format!("{scheme} {page}: {why}")),
            );
        }
    }
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}

/// What axe-core finds on the page that is open, everything that can be opened being open.
pub(crate) async fn violations(browser: &Browser) -> Vec<String> {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("accessibility/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&axe)
        .unwrap_or_else(|error| panic!("{}: {error}; run scripts/setup test", axe.display()));
    browser
        .run("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        .await;
    browser.run(&axe).await;
    let found = browser
        .settle(
            "const found = await axe.run(document, { resultTypes: ['violations'] });
             return found.violations.flatMap(rule => rule.nodes.map(node => rule.id + ': ' + node.html + ' ' + node.failureSummary))",
        )
        .await;
    let found = found.as_array().unwrap_or_else(|| panic!("axe did not run: {found}"));
    found.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
