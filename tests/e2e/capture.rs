//! No-code capture: every trigger, and every source of a value, in a real browser.

use beaconry_tests::Browser;
use serde_json::{Value, json};

use crate::setting::Setting;

/// A page with the snippet of one event, and a browser on it.
struct Page {
    setting: Setting,
    browser: Browser,
}

impl Page {
    async fn open(fields: &[&str], capture: &str, head: &str, body: &str) -> Page {
        let setting = Setting::new();
        setting.event_capturing("It", fields, capture);
        setting.site.page("/", &(head.to_owned() + &setting.paste("it")), body);
        let browser = Browser::start().await;
        browser.open(&setting.site.url("/?utm_source=letter&id=7#top")).await;
        browser.engine_is_up().await;
        Page { setting, browser }
    }

    /// The data of the first so many events, oldest first, once they are there; `source` left out.
    fn data(&self, count: usize) -> Vec<Value> {
        let events = self.setting.server.events("it", count);
        let data = events.iter().rev().map(|event| {
            let mut data = event["data"].clone();
            data.as_object_mut().unwrap().remove("source");
            data
        });
        data.collect()
    }

    /// Captures another event by hand: whatever came before it is stored by then, so that what is missing stays missing.
    async fn mark(&self) {
        assert_eq!(
            self.browser.settle("return await beaconry.track('it')").await,
            json!({ "ok": true })
        );
    }
}

fn trigger(on: &str) -> String {
    format!("[[trigger]]\non = {on}\n[[field]]\nname = 'what'\nfrom = 'url'\n")
}

#[tokio::test]
async fn an_application_of_one_page_has_a_view_a_move() {
    let page =
        Page::open(&["what:text"], &trigger("'page_view'"), "", "<a href='#/inbox'>Inbox</a>")
            .await;
    let browser = &page.browser;
    browser.run("history.pushState(0, '', '/cart?step=1')").await;
    browser.settle("await new Promise(next => setTimeout(next))").await;
    browser
        .run("history.replaceState(0, '', '/thanks'); history.replaceState(0, '', '/thanks#top')")
        .await;
    browser.settle("await new Promise(next => setTimeout(next))").await;
    browser.run("location.hash = '#/inbox'").await;
    page.data(4);
    browser.run("history.back()").await;
    let seen = page.data(5);
    let paths: Vec<_> = seen
        .iter()
        .map(|data| data["what"].as_str().unwrap().replace(&page.setting.site.origin, ""))
        .collect();
    assert_eq!(
        paths,
        ["/?utm_source=letter&id=7", "/cart?step=1", "/thanks", "/thanks#/inbox", "/thanks"]
    );
}

#[tokio::test]
async fn a_page_that_comes_back_is_viewed_again() {
    let page = Page::open(&["what:text"], &trigger("'page_view'"), "", "").await;
    page.data(1);
    page.setting.site.page("/next", "", "<p id=next>Next</p>");
    page.browser.run("window.kept = true").await;
    page.browser.run("location = '/next'").await;
    page.browser.see("#next").await;
    page.browser.run("history.back()").await;
    page.data(2);
    assert_eq!(
        page.browser.run("return window.kept").await,
        json!(true),
        "from the back/forward cache"
    );
}

#[tokio::test]
async fn an_element_is_seen_once_a_view_also_when_it_comes_late_and_in_a_shadow() {
    let capture = "[[trigger]]\non = { element_seen = { selector = '.offer', share = 50, seconds = 1 } }\n\
                   [[field]]\nname = 'what'\nfrom = { data = 'offer' }\n";
    let body = "<div class=offer data-offer=first style='height:100px'>1</div><div style='height:3000px'></div>\
                <div class=offer data-offer=below style='height:100px'>2</div><div id=host></div>";
    let page = Page::open(&["what:text"], capture, "", body).await;
    assert_eq!(page.data(1), [json!({ "what": "first" })]);
    page.browser
        .run(
            "const late = document.createElement('div');
             late.className = 'offer'; late.dataset.offer = 'late'; late.style.height = '100px';
             document.body.prepend(late);",
        )
        .await;
    assert_eq!(page.data(2)[1], json!({ "what": "late" }));
    page.browser
        .run(
            "document.querySelector('#host').attachShadow({ mode: 'open' }).innerHTML =
               '<p class=offer data-offer=shadow style=\"height:100px\">3</p>';
             window.scrollTo(0, 1e6);",
        )
        .await;
    let mut seen: Vec<_> = page.data(4)[2..].iter().map(|data| data["what"].to_string()).collect();
    seen.sort();
    assert_eq!(seen, ["\"below\"", "\"shadow\""]);
    page.browser.run("window.scrollTo(0, 0)").await;
    page.mark().await;
    assert_eq!(page.data(5).len(), 5, "nothing is seen twice");
}

#[tokio::test]
async fn scrolling_and_staying_count_once_a_view() {
    let capture = "[[trigger]]\non = { scroll_depth = 50 }\n[[trigger]]\non = { time_on_page = 2 }\n\
                   [[field]]\nname = 'what'\nfrom = 'title'\n";
    let page = Page::open(&["what:text"], capture, "", "<div style='height:5000px'></div>").await;
    assert_eq!(page.data(1), [json!({ "what": "Page" })], "the time");
    page.browser.run("scrollTo(0, 1000)").await;
    page.browser.run("scrollTo(0, 4000)").await;
    page.data(2);
    page.browser.run("scrollTo(0, 0)").await;
    page.browser.run("scrollTo(0, 4500)").await;
    page.mark().await;
    assert_eq!(page.data(3).len(), 3);
}

#[tokio::test]
async fn pushes_to_the_data_layer_count_also_those_of_before() {
    let capture = "[[trigger]]\non = { data_layer = 'purchase' }\n\
                   [[field]]\nname = 'order'\nfrom = { data_layer = 'ecommerce.transaction_id' }\n\
                   [[field]]\nname = 'total'\nfrom = { data_layer = 'ecommerce.value' }\n\
                   [[field]]\nname = 'item'\nfrom = { data_layer = 'ecommerce.items.name' }\n\
                   [[field]]\nname = 'currency'\nfrom = { data_layer = 'currency' }\n";
    let head = "<script>dataLayer = [{ currency: 'SEK' }, { event: 'purchase', ecommerce: { transaction_id: 17, value: '1 299,50', items: [{ name: 'Lamp' }] } }]</script>";
    let fields = ["order:text", "total:decimal", "item:text", "currency:text"];
    let page = Page::open(&fields, capture, head, "").await;
    let first = json!({ "order": "17", "total": 1299.5, "item": "Lamp", "currency": "SEK" });
    assert_eq!(page.data(1), [first]);
    let length = page.browser.run("return dataLayer.push({ event: 'other' }, { event: 'purchase', ecommerce: { transaction_id: 'B-2', value: 1.299, items: [] } })").await;
    assert_eq!(length, json!(4), "push answers as before");
    assert_eq!(
        page.data(2)[1],
        json!({ "order": "B-2", "total": 1.299, "item": "Lamp", "currency": "SEK" })
    );
    page.browser.run("(function () { dataLayer.push(arguments) })('event', 'purchase', { ecommerce: { transaction_id: 'C-3' } })").await;
    assert_eq!(page.data(3)[2]["order"], json!("C-3"), "as gtag() pushes");
}

#[tokio::test]
async fn a_dom_event_counts_wherever_it_is_dispatched() {
    let capture = "[[trigger]]\non = { custom_event = 'order:placed' }\n\
                   [[field]]\nname = 'order'\nfrom = { event_detail = 'order.id' }\n\
                   [[field]]\nname = 'shop'\nfrom = { data = 'shop' }\n";
    let page = Page::open(
        &["order:text", "shop:text"],
        capture,
        "",
        "<div id=here data-shop=lamps></div>",
    )
    .await;
    page.browser
        .run("dispatchEvent(new CustomEvent('order:placed', { detail: { order: { id: 'A' } } }))")
        .await;
    page.data(1);
    page.browser.run("document.querySelector('#here').dispatchEvent(new CustomEvent('order:placed', { detail: { order: { id: 'B' } } }))").await;
    assert_eq!(
        page.data(2),
        [json!({ "order": "A", "shop": "lamps" }), json!({ "order": "B", "shop": "lamps" })]
    );
}

#[tokio::test]
async fn a_submit_counts_when_it_is_valid_and_not_cancelled() {
    let capture = "[[trigger]]\non = { submit = 'form' }\n[[field]]\nname = 'email'\nfrom = { form_input = 'email' }\n";
    let body = "<iframe name=there></iframe><form target=there action=/sent novalidate><input name=email type=email required><button>Send</button></form>";
    let page = Page::open(&["email:text"], capture, "", body).await;
    page.browser.click("button").await;
    page.browser.fill("[name=email]", "ada@example.com").await;
    page.browser
        .run("document.querySelector('form').onsubmit = event => event.preventDefault()")
        .await;
    page.browser.click("button").await;
    page.browser.run("document.querySelector('form').onsubmit = event => { event.stopPropagation(); event.target.elements.email.value = '' }").await;
    page.browser.click("button").await;
    assert_eq!(
        page.data(1),
        [json!({ "email": "ada@example.com" })],
        "as it was when the form was submitted"
    );
    page.mark().await;
    assert_eq!(page.data(2).len(), 2);
}

#[tokio::test]
async fn a_form_that_sends_itself_counts_once_success_is_seen() {
    let capture = "[[trigger]]\non = { submit = 'form' }\nsuccess = { element = '.thanks' }\n\
                   [[field]]\nname = 'email'\nfrom = { form_input = 'email' }\n";
    let body = "<form onsubmit='event.preventDefault()'><input name=email><button>Send</button></form><p class=thanks hidden>Thanks</p>";
    let page = Page::open(&["email:text"], capture, "", body).await;
    page.browser.fill("[name=email]", "first@example.com").await;
    page.browser.click("button").await;
    page.browser.fill("[name=email]", ".org").await;
    page.browser.click("button").await;
    page.mark().await;
    assert_eq!(page.data(1), [json!({})], "nothing before success");
    page.browser.run("document.querySelector('.thanks').hidden = false").await;
    assert_eq!(page.data(2)[1], json!({ "email": "first@example.com.org" }), "the last try alone");
}

#[tokio::test]
async fn success_may_be_the_address_of_the_next_page() {
    let capture = "[[trigger]]\non = { submit = 'form' }\nsuccess = { url = { prefix = '/thanks' } }\n\
                   [[field]]\nname = 'email'\nfrom = { form_input = 'email' }\n";
    let body = "<form action=/thanks><input name=email><button>Send</button></form>";
    let page = Page::open(&["email:text"], capture, "", body).await;
    page.setting.site.page("/thanks", &page.setting.paste("it"), "<p id=thanks>Thanks</p>");
    page.browser.fill("[name=email]", "ada@example.com").await;
    page.browser.click("button").await;
    page.browser.see("#thanks").await;
    assert_eq!(page.data(1), [json!({ "email": "ada@example.com" })]);
    assert_eq!(page.browser.run("return sessionStorage.length").await, json!(0));
}

/// One field a source, of the type it is read for; then what must come out.
const SOURCES: &[(&str, &str, &str, &str)] = &[
    ("text", "{ constant = 'always' }", "", r#""always""#),
    ("number", "{ url_param = 'id' }", "", "7"),
    ("text", "{ path_segment = 1 }", "", "null"),
    ("text", "{ text = '.name' }", "", r#""Near""#),
    ("text", "{ text = '.name' }", "anywhere = true", r#""First""#),
    ("text", "{ text = '.in-shadow' }", "", r#""Deep""#),
    ("decimal", "{ value = '#amount' }", "", "1299.125"),
    ("text", "{ attribute = { selector = 'a', name = 'href' } }", "", r#""/there""#),
    ("text", "{ data = 'sku' }", "", r#""N-1""#),
    ("text", "{ meta = 'og:title' }", "", r#""Meta \"title\"""#),
    ("decimal", "{ json_ld = { type = 'Product', path = 'offers.price' } }", "", "249.5"),
    ("text", "{ json_ld = { path = 'itemListElement.1.name' } }", "", r#""Lamps""#),
    ("text", "{ form_input = 'size' }", "", r#""m""#),
    ("text", "{ form_input = 'colours' }", "", r#""red, blue""#),
    ("text", "{ form_input = 'plan' }", "", r#""pro""#),
    ("bool", "{ form_input = 'news' }", "", "true"),
    ("bool", "{ form_input = 'terms' }", "", "false"),
    ("date", "{ form_input = 'day' }", "dates = 'dmy'", r#""2026-11-23""#),
    ("decimal", "{ form_input = 'weight' }", "decimals = 'comma'", "1.5"),
    ("text", "{ form_input = 'note' }", "", r#""two lines""#),
    ("text", "{ form_input = 'secret' }", "", "null"),
    ("text", "{ form_input = 'card' }", "", "null"),
    ("text", "{ text = '.masked' }", "", "null"),
    ("text", "{ text = '.partly' }", "", r#""seen""#),
    ("text", "{ text = '.shadow-masked' }", "", "null"),
    ("text", "{ text = 'b[' }", "", "null"),
    ("text", "'title'", "", r#""Page""#),
    ("text", "'referrer'", "", "null"),
    ("decimal", "{ text = '.price' }", "", "1299.5"),
    ("date", "{ text = '.day' }", "dates = 'dmy'", r#""2026-11-23""#),
    ("bool", "{ text = '.agreed' }", "", "true"),
    ("text", "{ value = '[name=secret]' }", "", "null"),
    ("text", "{ attribute = { selector = '[name=secret]', name = 'value' } }", "", "null"),
    ("text", "{ value = '.masked-input' }", "", "null"),
    ("text", "{ data = 'hidden' }", "", "null"),
    ("text", "{ form_input = 'whom' }", "", "null"),
    ("text", "{ json_ld = { path = 'hidden' } }", "", "null"),
    ("text", "{ text = '.slotted' }", "", "null"),
];

const SOURCES_PAGE: &str = r#"
<div data-beaconry-mask><p class="masked">Ada</p><div id="masked-host"></div><input class="masked-input" value="Ada">
  <b data-hidden="Ada"></b><script type="application/ld+json">{"hidden":"Ada"}</script></div>
<div id="host-of-masked"></div>
<p class="name">First</p><div id="host"></div>
<form onsubmit="event.preventDefault()" data-sku="N-1">
  <p class="name">Near</p><a href="/there">There</a><p class="partly">seen<i data-beaconry-mask>hidden</i></p>
  <span class="price">1 299,50&nbsp;kr</span><span class="day">23/11/2026</span><span class="agreed">Ja</span>
  <input id="amount" type="number" step="any" value="1299.125">
  <select name="size"><option value="s">S</option><option value="m" selected>M</option></select>
  <select name="colours" multiple><option selected>red</option><option>green</option><option selected>blue</option></select>
  <input type="radio" name="plan" value="free"><input type="radio" name="plan" value="pro" checked>
  <input type="hidden" name="news" value="0"><input type="checkbox" name="news" checked><input type="checkbox" name="terms">
  <input type="date" name="day" value="2026-11-23"><input type="number" step="any" name="weight" value="1.5">
  <textarea name="note">two lines</textarea>
  <p data-beaconry-mask><input name="whom" value="Ada"></p><input type="password" name="secret" value="hunter2"><input name="card" autocomplete="cc-number" value="4111">
  <button>Go</button>
</form>
<script>
  document.querySelector('#host').attachShadow({ mode: 'open' }).innerHTML = '<p class=in-shadow>Deep</p>';
  document.querySelector('#host-of-masked').attachShadow({ mode: 'open' }).innerHTML = '<p data-beaconry-mask><i class=slotted>Ada</i></p>';
  document.querySelector('#masked-host').attachShadow({ mode: 'open' }).innerHTML = '<p class=shadow-masked>Ada</p>';
</script>"#;

const SOURCES_HEAD: &str = r#"<meta property="og:title" content='Meta "title"'>
<script type="application/ld+json">{ broken</script>
<script type="application/ld+json">{"@graph":[{"@type":"Organization","offers":{"price":1}},{"@type":["Thing","Product"],"offers":[{"price":"249.50"}]}]}</script>
<script type="application/ld+json">[{"@type":"BreadcrumbList","itemListElement":[{"name":"Home"},{"name":"Lamps"}]}]</script>"#;

#[tokio::test]
async fn a_page_knows_its_path_and_where_the_visitor_came_from() {
    let capture = "[[trigger]]\non = 'page_view'\nurl = [{ prefix = '/shop/' }]\n\
                   [[field]]\nname = 'section'\nfrom = { path_segment = 2 }\n\
                   [[field]]\nname = 'before'\nfrom = 'referrer'\n";
    let page = Page::open(
        &["section:text", "before:text"],
        capture,
        "",
        "<a href='/shop/l%C3%A4mps'>Shop</a>",
    )
    .await;
    page.setting.site.page("/shop/l%C3%A4mps", &page.setting.paste("it"), "<p id=shop>Shop</p>");
    page.browser.click("a").await;
    page.browser.see("#shop").await;
    let before = format!("{}/?utm_source=letter&id=7", page.setting.site.origin);
    assert_eq!(page.data(1), [json!({ "section": "lämps", "before": before })]);
}

#[tokio::test]
async fn every_source_is_read_and_what_is_masked_is_not() {
    let mut capture = String::from("[[trigger]]\non = { click = 'button' }\n");
    let mut fields = Vec::new();
    let mut expected = json!({});
    for (n, (kind, from, more, value)) in SOURCES.iter().enumerate() {
        capture += &format!("[[field]]\nname = 'f{n}'\nfrom = {from}\n{more}\n");
        fields.push(format!("f{n}:{kind}"));
        let value: Value = serde_json::from_str(value).unwrap();
        if !value.is_null() {
            expected[format!("f{n}")] = value;
        }
    }
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let page = Page::open(&fields, &capture, SOURCES_HEAD, SOURCES_PAGE).await;
    page.browser.click("button").await;
    assert_eq!(page.data(1), [expected]);
}
