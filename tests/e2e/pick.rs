//! Point and click: from a button in the console to the owner's own page on another origin, back into the form, and to an
//! event with the value that was pointed at.

use beaconry_tests::{Browser, Server, Session, eventually, get, post, post_form};
use serde_json::{Value, json};

use crate::setting::{Setting, run};

/// A shop's page as tools make them: ids and classes that change with every release, among a few that a person chose.
const SHOP: &str = "<main>\
    <h1 class='text-lg md:flex'>Skerry lamp</h1>\
    <p id='radix-:r1:' class='css-1x2y3z price mt-4'>1 299,50 kr</p>\
    <p class='sc-bdVaJa delivery'>03/04/2026</p>\
    <button id='ember42' class='sc-kZkTzG px-4 add-to-cart' onclick='window.bought = true'><span class=icon>+</span> Buy</button>\
    <form><input type=password name=secret value=hush style='display:block'></form></main>";

/// The event's pages in the console.
fn event_page(server: &Server, slug: &str) -> String {
    let shown = server.json(&["event", "show", slug]);
    format!("/events/{}", shown["discriminator"].as_str().unwrap())
}

/// Opens the owner's page by the button of the form, and goes on there.
async fn pick_on(browser: &Browser, address: &str) {
    browser.run(&format!("document.querySelector('#pick-page').value = {}", json!(address))).await;
    browser.click("form[action$='/pick'] button").await;
    browser.go_to_latest_tab(2).await;
    browser.named("dialog", "Beaconry: pick on this page").await;
}

/// Waits until an input of the console holds a text.
async fn holds(browser: &Browser, input: &str, text: &str) {
    let body = format!(
        "while (document.querySelector('{input}')?.value != {}) await new Promise(next => setTimeout(next, 10)); return true",
        json!(text)
    );
    assert_eq!(browser.settle(&body).await, json!(true), "{input}: {text}");
}

#[tokio::test]
async fn what_is_pointed_at_becomes_a_trigger_and_a_value() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal:required", "delivery:date", "note:text"]);
    setting.site.page("/", &setting.paste("order-placed"), SHOP);
    let page = event_page(&setting.server, "order-placed");
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    browser.open(&format!("{}{page}/capture", setting.server.console)).await;
    let console = browser.tab().await;
    let offered = browser.run("return document.querySelector('#pick-page').value").await;
    assert_eq!(offered, json!(setting.site.url("/")), "the section's own site is offered");
    // What was chosen before stays.
    browser.run("document.querySelector('#consent-hold').click()").await;
    pick_on(&browser, &setting.site.url("/")).await;
    assert_eq!(
        browser.run("return location.hash").await,
        json!(""),
        "the link is used up and gone"
    );

    // A click on what lies in the button proposes the button, and the page does not notice.
    browser.point_at(".icon").await;
    let clicked = browser.named("combobox", "Clicked element").await.chosen().await;
    assert_eq!(clicked, ".add-to-cart (this one alone)");
    assert_eq!(browser.run("return window.bought ?? null").await, json!(null));
    browser.named("button", "When it is clicked").await.click().await;
    says(&browser, "The trigger is in the form.").await;

    // A price goes to the number that has no source yet, read as an event would have it.
    browser.point_at(".price").await;
    assert_eq!(
        browser.named("combobox", "Field").await.chosen().await,
        "total (Number with decimals)"
    );
    assert_eq!(
        browser.named("combobox", "Element").await.chosen().await,
        ".price (this one alone)"
    );
    reads(&browser, "Reads “1 299,50 kr”: the field gets 1299.5").await;
    browser.named("button", "Fill total from this").await.click().await;
    says(&browser, "Where total comes from is in the form.").await;

    // What could be two dates is asked.
    browser.point_at(".delivery").await;
    assert_eq!(browser.named("combobox", "Field").await.chosen().await, "delivery (Date)");
    let which = browser.named("combobox", "It could mean several things. Which?").await;
    assert_eq!(which.chosen().await, "day first: 2026-04-03");
    which.choose("month first").await;
    reads(&browser, "Reads “03/04/2026”: the field gets 2026-03-04").await;
    browser.named("button", "Fill delivery from this").await.click().await;
    says(&browser, "Where delivery comes from is in the form.").await;

    // Passwords are refused, with a word on why.
    browser.point_at("[name=secret]").await;
    let refused = browser.named("alert", "").await.text().await;
    assert!(refused.starts_with("Beaconry never reads this"), "{refused}");
    assert!(browser.find_named("combobox", "Field").await.is_none());

    // All of it is in the form, and nowhere else yet.
    browser.go_to_tab(console).await;
    holds(&browser, "#what-0", ".add-to-cart").await;
    holds(&browser, "#from-total", ".price").await;
    holds(&browser, "#dates-delivery", "mdy").await;
    assert_eq!(
        browser.run("return document.querySelector('#consent-hold').checked").await,
        json!(true)
    );
    let notes = browser
        .run("return [...document.querySelectorAll('.picked')].map(note => note.textContent)")
        .await;
    assert!(notes.to_string().contains("so the field gets 1299.5. Not saved yet."), "{notes}");
    let saved = setting.server.json(&["tracking", "show", "order-placed"]);
    assert!(saved["trigger"].is_null() && saved["field"].is_null(), "{saved}");

    browser.run("document.querySelector('#consent-not_required').click()").await;
    browser.click("button.primary[value=publish]").await;
    browser.see("#paste").await;
    setting.site.page("/", &setting.paste("order-placed"), SHOP);
    // A visitor's tab knows nothing of the picking.
    browser.new_tab().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    assert_eq!(browser.loaded("debug").await + browser.loaded("inspector").await, 0);
    browser.click(".add-to-cart").await;
    let events = setting.server.events("order-placed", 1);
    assert_eq!(events.len(), 1, "nothing was sent while somebody pointed");
    assert_eq!(
        events[0]["data"],
        json!({ "source": "Website", "total": 1299.5, "delivery": "2026-03-04" })
    );
}

/// Waits until the panel says something that begins so.
async fn says(browser: &Browser, text: &str) {
    text_of(browser, "status", text).await;
}

/// Waits until the panel says what a field would get.
async fn reads(browser: &Browser, text: &str) {
    text_of(browser, "paragraph", text).await;
}

async fn text_of(browser: &Browser, role: &str, text: &str) {
    let started = std::time::Instant::now();
    loop {
        let found = browser.texts(role).await;
        if found.iter().any(|found| found.starts_with(text)) {
            return;
        }
        assert!(started.elapsed().as_secs() < 30, "{role}: expected {text}, got {found:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_page_under_a_policy_is_pointed_at_by_keyboard() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    let collector = &setting.server.collector;
    let policy = |wasm: &str| {
        format!(
            "Content-Security-Policy: default-src 'none'; script-src {collector}{wasm}; connect-src {collector}\r\n"
        )
    };
    let (tag, body) =
        (setting.paste("order-placed"), "<main id=shop><button id=buy>Buy</button></main>");
    setting.site.page_with("/", &policy(" 'wasm-unsafe-eval'"), &tag, body);
    setting.site.page_with("/strict", &policy(""), &tag, body);
    let form = format!(
        "{}{}/capture",
        setting.server.console,
        event_page(&setting.server, "order-placed")
    );
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    browser.open(&form).await;
    let console = browser.tab().await;
    pick_on(&browser, &setting.site.url("/")).await;
    // The page's body, what lies in it, and what lies in that.
    for _ in 0..3 {
        browser.press(DOWN).await;
    }
    browser.press(ENTER).await;
    let clicked = browser.named("combobox", "Clicked element").await.chosen().await;
    assert_eq!(clicked, "#buy (this one alone)");
    browser.press(ESCAPE).await;
    browser.press(UP).await;
    browser.press(ENTER).await;
    let chosen = browser.named("combobox", "Clicked element").await.chosen().await;
    assert_eq!(chosen, "#shop (this one alone)");
    // The picking goes on with the next page of the tab, until it is done.
    browser.open(&setting.site.url("/?next")).await;
    browser.named("dialog", "Beaconry: pick on this page").await;
    browser.named("button", "Done").await.click().await;
    assert_eq!(browser.run("return document.querySelectorAll('beaconry-inspector').length + sessionStorage.length").await, json!(0));

    // Where the policy refuses Wasm, the form says what it would need.
    browser.go_to_tab(console).await;
    browser.open(&form).await;
    browser
        .run(&format!(
            "document.querySelector('#pick-page').value = {}",
            json!(setting.site.url("/strict"))
        ))
        .await;
    browser.click("form[action$='/pick'] button").await;
    let said = "while (!document.querySelector('#picks').textContent.includes(\"Add 'wasm-unsafe-eval' to its\"))
        await new Promise(next => setTimeout(next, 10)); return true";
    assert_eq!(browser.settle(said).await, json!(true));
}

#[tokio::test]
async fn dialogs_shadow_trees_and_routes_behind_the_hash_are_no_hindrance() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal", "sku:text"]);
    // A page of routes, with a dialog that makes all else inert, closes when something else is clicked, and holds a component.
    let body = "<script>window.routes = []; addEventListener('hashchange', () => routes.push(location.hash));
        document.addEventListener('click', event => event.target.closest('dialog') || document.querySelector('dialog').close());</script>
        <script type='application/ld+json'>{\"@type\":\"Product\",\"sku\":\"SKU-7\",\"offers\":[{\"price\":1299.5}]}</script>
        <dialog><button class=pay>Pay</button><shop-total></shop-total></dialog>
        <script>document.querySelector('shop-total').attachShadow({ mode: 'open' }).innerHTML = '<b class=sum>99,90</b>';
        document.querySelector('dialog').showModal();</script>";
    setting.site.page("/", &setting.paste("order-placed"), body);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    let form = format!(
        "{}{}/capture",
        setting.server.console,
        event_page(&setting.server, "order-placed")
    );
    browser.open(&form).await;
    let console = browser.tab().await;
    pick_on(&browser, &setting.site.url("/#/cart")).await;
    assert_eq!(browser.run("return location.hash").await, json!("#/cart"));
    assert_eq!(
        browser.run("return routes.at(-1)").await,
        json!("#/cart"),
        "the page finds its way"
    );

    browser.point_at(".pay").await;
    browser.named("button", "When it is clicked").await.click().await;
    says(&browser, "The trigger is in the form.").await;
    browser.point_at("shop-total").await;
    reads(&browser, "Reads “99,90”: the field gets 99.9").await;
    assert_eq!(browser.named("combobox", "Element").await.chosen().await, ".sum (this one alone)");
    browser.named("button", "Fill total from this").await.click().await;
    says(&browser, "Where total comes from is in the form.").await;
    assert_eq!(browser.run("return document.querySelector('dialog').open").await, json!(true));

    // What the page holds for machines is there without pointing.
    browser.named("button", "Values of the page itself").await.click().await;
    browser.named("combobox", "From").await.choose("JSON-LD sku").await;
    reads(&browser, "Reads “SKU-7”: the field gets SKU-7").await;
    browser.named("button", "Fill sku from this").await.click().await;
    says(&browser, "Where sku comes from is in the form.").await;
    browser.go_to_tab(console).await;
    holds(&browser, "#what-0", ".pay").await;
    holds(&browser, "#from-total", ".sum").await;
    holds(&browser, "#from-sku", "sku").await;
}

const DOWN: char = '\u{E015}';
const UP: char = '\u{E013}';
const ENTER: char = '\u{E007}';
const ESCAPE: char = '\u{E00C}';

/// A form's number, as the console gives one.
const FORM: &str = "0123456789abcdef0123456789abcdef";

/// The token of a link that the console makes for a page; or what it says against it.
fn link(session: &Session, event: &str, page: &str) -> Result<String, String> {
    let answer = session.post(&format!("{event}/pick"), &[("form", FORM), ("page", page)]);
    let text = answer.text();
    let token = text.split("beaconry-pick=").nth(1).and_then(|rest| rest.split('"').next());
    token.filter(|_| answer.status == 200).map(str::to_owned).ok_or(text)
}

/// What the collector answers to a page of this origin.
fn ask(server: &Server, origin: &str, what: &Value) -> (u16, String) {
    let answer = post(
        &server.collector,
        "/pick",
        &[&format!("Origin: {origin}")],
        what.to_string().as_bytes(),
    );
    (answer.status, answer.text())
}

#[test]
fn nobody_else_can_open_a_link_or_put_anything_into_a_form() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal"]);
    run(
        setting.folder.path(),
        &["section", "create", "Other", "--origin", "https://other.example"],
    );
    let server = &setting.server;
    let (event, site) = (event_page(server, "order-placed"), &setting.site.origin);
    let refused = link(&setting.session, &event, "https://other.example/").unwrap_err();
    assert!(refused.contains("not among the web sites"), "{refused}");
    let token = link(&setting.session, &event, &setting.site.url("/")).unwrap();
    let forged =
        ["Origin: https://evil.example", "Content-Type: application/x-www-form-urlencoded"];
    assert_eq!(post(&server.console, &format!("{event}/pick"), &forged, b"").status, 403);

    // Whoever may only look makes no link, and another site's page makes none for somebody who may.
    let viewer = Session::of_role(server, "viewer");
    let sent = [("form", FORM), ("page", &*setting.site.url("/"))];
    let to = format!("{event}/pick");
    assert_eq!(viewer.post(&to, &sent).status, 403);
    let evil = [&*format!("Cookie: {}", setting.session.cookie), "Origin: https://evil.example"];
    assert_eq!(post_form(&server.console, &to, &evil, &sent).status, 403);

    // Another origin, also that of another section; a link that was changed; none at all.
    for origin in ["https://other.example", "https://evil.example", "null"] {
        let (status, text) = ask(server, origin, &json!({ "link": token }));
        assert!(
            status == 403 && text.contains("which the link is for"),
            "{origin}: {status} {text}"
        );
    }
    let changed = token.replacen(|digit: char| digit.is_ascii_digit(), "a", 1);
    for forged in [changed.as_str(), "", "00.00"] {
        let (status, text) = ask(server, site, &json!({ "link": forged }));
        assert!(
            status == 403 && text.contains("that this Beaconry has made"),
            "{forged}: {status} {text}"
        );
    }
    let (status, text) = ask(server, site, &json!({ "link": token }));
    assert_eq!(status, 200, "{text}");
    let invitation: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&invitation["event"], &invitation["mapped"]), (&json!("Order placed"), &json!([])));
    let (status, text) = ask(server, site, &json!({ "link": token }));
    assert!(status == 403 && text.contains("opened already"), "{status} {text}");

    // A key is good at its own origin, for what settings could be, and saves nothing.
    let key = &invitation["key"];
    let pick = |key: &Value, what: Value| json!({ "pick": { "key": key, "pick": { "page": setting.site.url("/"), "what": what } } });
    let click = || json!({ "trigger": { "on": { "click": "#buy" } } });
    let table = [
        (site.as_str(), pick(&json!("guessed"), click()), 403),
        ("https://evil.example", pick(key, click()), 403),
        (site, pick(key, json!({ "trigger": { "on": { "run": "alert(1)" } } })), 400),
        (site, pick(key, json!({ "field": { "name": "other", "from": { "text": "#t" } } })), 400),
        (site, pick(key, json!({ "field": { "name": "total", "from": { "text": "" } } })), 400),
        (site, json!({ "key": key, "save": true }), 400),
        (site, pick(key, click()), 204),
    ];
    for (origin, what, expected) in table {
        let (status, text) = ask(server, origin, &what);
        assert_eq!(status, expected, "{origin} {what}: {text}");
    }
    assert!(server.json(&["tracking", "show", "order-placed"])["trigger"].is_null());
    // It waits for the form that asked, and for no other.
    let form = |form: &str| {
        let sent = [("do", "picked"), ("form", form), ("taken", "0")];
        setting.session.post(&format!("{event}/capture"), &sent).text()
    };
    assert!(form(FORM).contains("value=\"#buy\""));
    assert!(!form("ffffffffffffffffffffffffffffffff").contains("value=\"#buy\""));
    assert_eq!(get(&server.collector, "/pick", &[]).status, 405);
}

#[test]
fn a_link_ends_after_a_quarter_of_an_hour() {
    let Setting { server, site, folder, session } = Setting::new();
    crate::setting::create(folder.path(), "Order placed", &["total:decimal"], None);
    let event = event_page(&server, "order-placed");
    let token =
        eventually("the event in the console", || link(&session, &event, &site.url("/")).ok());
    assert_eq!(server.stop(), 0);
    let server = Server::start_shifted(folder.path(), 16);
    let (status, text) = ask(&server, &site.origin, &json!({ "link": token }));
    assert!(status == 403 && text.contains("within 15 minutes"), "{status} {text}");
}
