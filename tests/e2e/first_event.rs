//! From the first start to "It works", as somebody does it who knows the site's HTML: few interactions, little time.

use std::time::{Duration, Instant};

use beaconry_tests::{Browser, PASSWORD, Person, Server, Site};
use serde_json::json;

/// What it may take in all, from opening the link that the first start prints to being back at the console: what somebody
/// does in the console, with the code, and on the page.
const MOST_INTERACTIONS: u32 = 12;
const CHECKOUT: &str = "<form role=search><input name=q> <button>Search</button></form><form id=checkout action=/thanks>
    <label>Order <input name=orderid value=A-17></label> <label>Total <input name=totalvalue value='1299.50'></label>
    <label>Currency <input name=currency value=SEK></label> <label>Kind <input name=productcategories value=lamps></label>
    <button>Place the order</button></form>";

#[tokio::test]
async fn a_template_event_is_seen_after_few_interactions() {
    let folder = tempfile::tempdir().unwrap();
    let (server, site) = (Server::start(folder.path()), Site::start());
    let browser = Browser::start().await;
    let person = Person::at(&browser);
    let started = Instant::now();

    person.opens(&server.link).await;
    person.types("E-mail address", "anna@shop.example").await;
    person.types("Password", PASSWORD).await;
    person.types("Address of your web site", &site.url("/checkout")).await;
    person.presses("button", "Order placed").await;
    person.presses("radio", "2 years, for win-back and loyalty").await;
    person.presses("button", "Create, and get the code").await;
    person.reads("Waiting for the first beacon…").await;
    person.presses("button", "Copy the code").await;
    person.reads("Copied").await;
    let paste =
        person.reads_input(&format!("Into the head of every page of {}", site.origin)).await;
    note_when_it_turns(&browser).await;
    let console = browser.tab().await;

    person.does(|| {
        site.page("/checkout", &paste, CHECKOUT);
        site.page("/thanks", &paste, "<p>Thank you");
    });
    person.opens_beside(&site.url("/checkout")).await;
    browser.engine_is_up().await;
    person.presses("button", "Place the order").await;
    person.goes_to(console).await;
    person.reads("It works").await;
    let took = started.elapsed();

    person.reads(&format!("from {}", site.url("/checkout"))).await;
    let behind = browser
        .run("return turned - Date.parse(document.querySelector('#status time').dateTime)")
        .await;
    assert!(behind.as_i64().unwrap() < 1_000, "it turned {behind} ms after the beacon arrived");
    let stored = &server.events("order-placed", 1)[0]["data"];
    let expected = json!({ "source": "Website", "orderid": "A-17", "totalvalue": 1299.5, "currency": "SEK",
        "productcategories": "lamps" });
    assert_eq!(stored, &expected);
    println!(
        "from the first start to \"It works\": {} interactions, {took:.1?}",
        person.interactions()
    );
    assert!(person.interactions() <= MOST_INTERACTIONS);
    assert!(took < Duration::from_secs(90), "{took:?}");
}

/// The page itself notes the moment, because asking it from here would take time of its own.
async fn note_when_it_turns(browser: &Browser) {
    browser
        .run(
            "const status = document.querySelector('#status');
             new MutationObserver(() => { if (status.textContent.includes('It works')) window.turned ??= Date.now(); })
                 .observe(status, { childList: true, subtree: true })",
        )
        .await;
}
