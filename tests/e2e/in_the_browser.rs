//! One action on a page, and the beacons it must make.

use beaconry_tests::{Browser, Server, get};
use serde_json::{Value, json};

use crate::setting::Setting;

/// A shop's stored events of one kind, once there is one.
fn stored(server: &Server, event: &str) -> Vec<Value> {
    server.events(event, 1)
}

#[tokio::test]
async fn a_newsletter_is_signed_up_for_by_a_click() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_demo(folder.path());
    let browser = Browser::start().await;
    browser.open(&server.shop).await;
    browser.fill("#newsletter [name=email]", "ada@example.com").await;
    browser.engine_is_up().await;
    browser.click("#newsletter button").await;
    browser.reads("h1", "You are on the list").await;
    let events = stored(&server, "newsletter-signed-up");
    assert_eq!(
        events[0]["data"],
        json!({ "source": "Website", "list": "lamps", "placement": "footer" })
    );
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn a_wrong_type_is_refused_in_the_page_and_nothing_is_sent() {
    let setting = Setting::new();
    setting.event("Order placed", &["total:decimal:required", "items:number"]);
    setting.site.page("/", &setting.paste("order-placed"), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    let refused = browser
        .settle("return await beaconry.track('order-placed', {total: '12', colour: 'red'})")
        .await;
    assert_eq!(refused["ok"], json!(false));
    let mut named: Vec<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["field"], &error["code"]))
        .collect();
    named.sort_by_key(|(field, _)| field.to_string());
    assert_eq!(
        named,
        [(&json!("colour"), &json!("unexpected_field")), (&json!("total"), &json!("wrong_type"))]
    );
    // What is right afterwards arrives, and nothing but that.
    let taken = browser.settle("return await beaconry.track('order-placed', {total: 12})").await;
    assert_eq!(taken, json!({ "ok": true }));
    assert_eq!(setting.server.events("order-placed", 1).len(), 1);
    assert_eq!(setting.server.json(&["quarantine", "list"]), json!([]));
    assert_eq!(browser.beacons().await, 1);
}

#[tokio::test]
async fn two_events_on_a_page_share_one_engine() {
    let setting = Setting::new();
    setting.event("Order placed", &["orderid:text"]);
    setting.event("Demo requested", &["role:text"]);
    let tags = setting.paste("order-placed") + &setting.paste("demo-requested");
    setting.site.page("/", &tags, "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    for (slug, data) in [("order-placed", "{orderid: '1'}"), ("demo-requested", "{role: 'buyer'}")]
    {
        let answer =
            browser.settle(&format!("return await beaconry.track('{slug}', {data})")).await;
        assert_eq!(answer, json!({ "ok": true }));
        assert_eq!(setting.server.events(slug, 1).len(), 1);
    }
    assert_eq!(browser.loaded("/engine/").await, 1, "one script, with the Wasm in it");
}

#[tokio::test]
async fn a_page_view_counts_where_its_url_fits() {
    let setting = Setting::new();
    let capture = "[[trigger]]\non = 'page_view'\nurl = [{ prefix = '/thanks' }]\n[[field]]\nname = 'campaign'\nfrom = { url_param = 'utm_campaign' }\n[[field]]\nname = 'total'\nfrom = { value = '#total' }\n";
    setting.event_capturing("Order seen", &["campaign:text", "total:decimal"], capture);
    let tag = setting.paste("order-seen");
    setting.site.page("/other", &tag, "");
    setting.site.page("/thanks", &tag, "<input id=total value='1.299,50 €'>");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/other")).await;
    browser.engine_is_up().await;
    browser.open(&setting.site.url("/thanks?utm_campaign=spring")).await;
    let events = stored(&setting.server, "order-seen");
    assert_eq!(
        events[0]["data"],
        json!({ "source": "Website", "campaign": "spring", "total": 1299.5 })
    );
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn what_is_masked_is_never_read() {
    let setting = Setting::new();
    let capture = "[[trigger]]\non = { submit = 'form' }\n[[field]]\nname = 'note'\nfrom = { text = '#note' }\n[[field]]\nname = 'secret'\nfrom = { form_input = 'secret' }\n[[field]]\nname = 'hidden'\nfrom = { value = '#hidden' }\n";
    setting.event_capturing("Form sent", &["note:text", "secret:text", "hidden:text"], capture);
    setting.site.page(
        "/",
        &setting.paste("form-sent"),
        "<p id=note>Call <b data-beaconry-mask>Ada Lovelace</b> back</p><form action=/sent>\
         <input type=password name=secret value=hunter2><div data-beaconry-mask><input id=hidden value=4711></div>\
         <button>Send</button></form>",
    );
    setting.site.page("/sent", "", "<p id=sent>Sent</p>");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    browser.click("button").await;
    browser.see("#sent").await;
    assert_eq!(
        stored(&setting.server, "form-sent")[0]["data"],
        json!({ "source": "Website", "note": "Call back" })
    );
}

#[tokio::test]
async fn published_files_come_compressed_and_for_ever() {
    let setting = Setting::new();
    setting.event("Order placed", &["orderid:text"]);
    let paste = setting.paste("order-placed");
    let url = paste.split('"').nth(7).unwrap();
    let path = url.strip_prefix(&setting.server.collector).unwrap();
    for encoding in ["br", "gzip"] {
        let answer =
            get(&setting.server.collector, path, &[&format!("Accept-Encoding: {encoding}")]);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-encoding"), Some(encoding));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
    }
    assert_eq!(get(&setting.server.collector, "/s/none.js", &[]).status, 404);
}
