//! Every page of the console under axe-core, in light and dark: no violation.

use std::path::Path;

use beaconry_tests::{Browser, Device, Person, Server, Session, eventually};
use serde_json::Value;

use crate::setting::{Setting, create, run};

/// Pages to look at, by their address; `EVENT` and `SECTION` stand for those of the setting. A further page is a further line.
const PAGES: [&str; 31] = [
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
    "/sections/SECTION/health",
    "/events/EVENT/health",
    "/events/EVENT/why",
    "/events/EVENT/data",
    "/quarantine",
    "/settings",
    "/settings/people",
    "/settings/audit",
    "/settings/storage",
    "/settings/keys",
    "/settings/webhooks",
    "/account",
    "/api",
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
        setting
            .session
            .get(&format!("/events/{locked}"))
            .text()
            .contains("Locked for")
            .then_some(())
    });
    let section = setting.server.json(&["section", "list"])[0]["id"].as_str().unwrap().to_owned();
    let pages = PAGES.map(|page| {
        page.replace("EVENT", &event).replace("LOCKED", &locked).replace("SECTION", &section)
    });
    let browser = Browser::start().await;
    // Before anybody is logged in, because who is goes on from these at once.
    let invited = [("email", "eve@example.com"), ("role", "viewer")];
    let invited = setting.session.post("/settings/people/invite", &invited).text();
    let link = invited.split('"').find(|part| part.contains("/enter/")).expect("the link is shown");
    let enter = link.strip_prefix(&setting.server.console).unwrap().to_owned();
    let mut barriers = barriers(&browser, &setting, &["/login".to_owned(), enter]).await;
    browser.come_in(&setting.session).await;
    barriers.extend(self::barriers(&browser, &setting, &pages).await);
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}

#[tokio::test]
async fn nor_have_the_first_page_and_what_a_developer_gets() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    let empty = tempfile::tempdir().unwrap();
    let first = Server::start(empty.path());
    let browser = Browser::start().await;
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        browser.open(&first.link).await;
        assert_eq!(violations(&browser).await, [""; 0], "{scheme}: the link of the first start");
    }
    let of_first = Session::administrator(&first);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let page = format!("/events/{}/tracking", shown["discriminator"].as_str().unwrap());
    let person = Person::at(&browser);
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        // Both servers are one host to the browser, and each has its own session.
        browser.come_in(&of_first).await;
        browser.open(&first.console).await;
        assert_eq!(violations(&browser).await, [""; 0], "{scheme}: the first page");
        browser.come_in(&setting.session).await;
        browser.open(&format!("{}{page}", setting.server.console)).await;
        person.presses("button", "Make a link").await;
        let link = person.reads_input("The link; it is shown only now").await;
        assert_eq!(violations(&browser).await, [""; 0], "{scheme}: the link");
        browser.open(&link).await;
        assert_eq!(violations(&browser).await, [""; 0], "{scheme}: what it shows");
        browser.open(&format!("{}{page}", setting.server.console)).await;
        person.presses("button", "End it now: link 1, made by administrator@example.com").await;
        person.finds("button", "Make a link").await;
    }
}

/// What keeps somebody out of these pages, in light on a desk and in dark on a phone.
pub(crate) async fn barriers(
    browser: &Browser,
    setting: &Setting,
    pages: &[String],
) -> Vec<String> {
    let mut barriers = Vec::new();
    for (scheme, device) in LOOKS {
        look(browser, scheme, device).await;
        for page in pages {
            browser.open(&format!("{}{page}", setting.server.console)).await;
            let here = browser.run("return location.pathname").await;
            let path = page.split('?').next();
            assert_eq!(here.as_str(), path, "another page came than was asked for");
            let found = obstacles(browser).await.into_iter();
            barriers.extend(found.map(|why| format!("{scheme} {page}: {why}")));
        }
    }
    barriers
}

/// How pages are looked at: the scheme, and the width.
pub(crate) const LOOKS: [(&str, Device); 2] = [("light", Device::DESKTOP), ("dark", Device::PHONE)];

/// Looks at pages so from now on.
pub(crate) async fn look(browser: &Browser, scheme: &str, device: Device) {
    Person::with(browser, device).await;
    browser.scheme(scheme).await;
}

/// What axe-core finds on the page that is open, and whether it is wider than the window.
pub(crate) async fn obstacles(browser: &Browser) -> Vec<String> {
    let mut found = violations(browser).await;
    let wider =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    let wider = browser.run(wider).await;
    if wider.as_i64() > Some(0) {
        found.push(format!("{wider} pixels wider than the window"));
    }
    found
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
