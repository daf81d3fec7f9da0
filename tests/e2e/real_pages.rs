//! Pages that others wrote, from site templates on npm: the snippet does its work there, and the page does not notice.
//!
//! `make setup` for tests downloads them into `tests/pages`; other hosts are out of reach in both runs of a page.

use std::path::Path;

use beaconry_tests::Browser;
use serde_json::Value;

use crate::setting::Setting;

/// One page: what is captured on it, what a visitor does, and what must be stored, `source` left out.
struct Page {
    file: &'static str,
    /// Where the tag is pasted: before this.
    paste_before: &'static str,
    fields: &'static [&'static str],
    capture: &'static str,
    act: &'static str,
    expected: &'static str,
}

const PAGES: &[Page] = &[
    Page {
        file: "startbootstrap-agency/dist/index.html",
        paste_before: "</head>",
        fields: &["project:text", "kind:text", "at:number"],
        capture: "[[trigger]]\non = { click = '.portfolio-link' }\n\
            [[field]]\nname = 'project'\nfrom = { text = '.portfolio-caption-heading' }\n\
            [[field]]\nname = 'kind'\nfrom = { text = '.portfolio-caption-subheading' }\n",
        act: "document.querySelectorAll('.portfolio-link img')[1].click()",
        expected: r#"{ "project": "Explore", "kind": "Graphic Design" }"#,
    },
    Page {
        file: "startbootstrap-shop-item/dist/index.html",
        paste_before: "</body>",
        fields: &["product:text:required", "price:decimal", "was:decimal", "quantity:number", "sku:text"],
        capture: "[[trigger]]\non = { click = '#inputQuantity + button' }\n\
            [[field]]\nname = 'product'\nfrom = { text = 'h1' }\n\
            [[field]]\nname = 'price'\nfrom = { text = '.fs-5 span + span' }\n\
            [[field]]\nname = 'was'\nfrom = { text = '.text-decoration-line-through' }\n\
            [[field]]\nname = 'quantity'\nfrom = { value = '#inputQuantity' }\n\
            [[field]]\nname = 'sku'\nfrom = { text = '.small.mb-1' }\n",
        act: "document.querySelector('#inputQuantity').value = '3'; document.querySelector('#inputQuantity + button i').click()",
        expected: r#"{ "product": "Shop item template", "price": 40.0, "was": 45.0, "quantity": 3, "sku": "SKU: BST-498" }"#,
    },
    Page {
        file: "html5-boilerplate/dist/index.html",
        paste_before: "</body>",
        fields: &["said:text", "title:text", "folder:text"],
        capture: "[[trigger]]\non = 'page_view'\n\
            [[field]]\nname = 'said'\nfrom = { text = 'p' }\n\
            [[field]]\nname = 'title'\nfrom = 'title'\n\
            [[field]]\nname = 'folder'\nfrom = { path_segment = 2 }\n",
        act: "",
        expected: r#"{ "said": "Hello world! This is HTML5 Boilerplate.", "folder": "html5-boilerplate" }"#,
    },
    Page {
        file: "material-dashboard/pages/sign-in.html",
        paste_before: "</head>",
        fields: &["email:text", "secret:text", "remember:bool", "button:text"],
        capture: "[[trigger]]\non = { click = 'form button' }\n\
            [[field]]\nname = 'email'\nfrom = { value = '[type=email]' }\n\
            [[field]]\nname = 'secret'\nfrom = { value = '[type=password]' }\n\
            [[field]]\nname = 'remember'\nfrom = { value = '#rememberMe' }\n\
            [[field]]\nname = 'button'\nfrom = { text = 'button' }\n",
        act: "document.querySelector('[type=email]').value = 'ada@example.com'; document.querySelector('[type=password]').value = 'hunter2'; document.querySelector('form button').click()",
        expected: r#"{ "email": "ada@example.com", "remember": true, "button": "Sign in" }"#,
    },
    Page {
        file: "paper-kit-2/examples/register.html",
        paste_before: "</head>",
        fields: &["email:text", "title:text"],
        capture: "[[trigger]]\non = { submit = '.register-form' }\nsuccess = { element = '.done' }\n\
            [[field]]\nname = 'email'\nfrom = { value = '[type=text]' }\n\
            [[field]]\nname = 'title'\nfrom = 'title'\n",
        act: "const form = document.querySelector('.register-form');
            form.addEventListener('submit', event => { event.preventDefault(); form.insertAdjacentHTML('afterend', '<p class=done>Done</p>') });
            form.querySelector('[type=text]').value = 'ada@example.com'; form.querySelector('button').click()",
        expected: r#"{ "email": "ada@example.com", "title": "Paper Kit 2 by Creative Tim" }"#,
    },
    Page {
        file: "now-ui-kit/examples/login-page.html",
        paste_before: "</body>",
        fields: &["page:text", "share:text"],
        capture: "[[trigger]]\non = { element_seen = { selector = '.card-login', share = 60, seconds = 0 } }\n\
            [[field]]\nname = 'page'\nfrom = { path_segment = 4 }\n\
            [[field]]\nname = 'share'\nfrom = { attribute = { selector = '[rel=\"apple-touch-icon\"]', name = 'sizes' } }\n",
        act: "document.querySelector('.card-login').scrollIntoView()",
        expected: r#"{ "page": "login-page.html", "share": "76x76" }"#,
    },
    Page {
        file: "material-kit/examples/landing-page.html",
        paste_before: "</head>",
        fields: &["heading:text", "from:text"],
        capture: "[[trigger]]\non = 'page_view'\nurl = [{ wildcard = '/real/*/landing-page.html?*' }]\n\
            [[field]]\nname = 'heading'\nfrom = { text = 'h1.title' }\n\
            [[field]]\nname = 'from'\nfrom = { url_param = 'utm_source' }\n",
        act: "",
        expected: r#"{ "heading": "Your Story Starts With Us.", "from": "letter" }"#,
    },
    Page {
        file: "soft-ui-dashboard/pages/sign-up.html",
        paste_before: "</body>",
        fields: &["agreed:bool", "name:text", "heading:text"],
        capture: "[[trigger]]\non = { click = '.bg-gradient-dark' }\n\
            [[field]]\nname = 'agreed'\nfrom = { value = '#flexCheckDefault' }\n\
            [[field]]\nname = 'name'\nfrom = { value = 'input[type=text]' }\n\
            [[field]]\nname = 'heading'\nfrom = { text = 'h1' }\n",
        act: "document.querySelector('form input[type=text]').value = 'Ada'; document.querySelector('#flexCheckDefault').click(); document.querySelector('form .bg-gradient-dark').click()",
        expected: r#"{ "agreed": false, "name": "Ada", "heading": "Welcome!" }"#,
    },
    Page {
        file: "black-dashboard/examples/user.html",
        paste_before: "</head>",
        fields: &["company:text", "user:text", "zip:number"],
        capture: "[[trigger]]\non = { click = '.btn-fill' }\n\
            [[field]]\nname = 'company'\nfrom = { value = 'form [disabled]' }\n\
            [[field]]\nname = 'user'\nfrom = { value = 'form [placeholder=Username]' }\nanywhere = true\n\
            [[field]]\nname = 'zip'\nfrom = { value = 'form [type=number]' }\n",
        act: "document.querySelector('form [type=number]').value = '11122'; document.querySelector('.btn-fill').click()",
        expected: r#"{ "company": "Creative Code Inc.", "user": "michael23", "zip": 11122 }"#,
    },
    Page {
        file: "gentelella/dist/production/landing.html",
        paste_before: "</head>",
        fields: &["colour:text", "heading:text"],
        capture: "[[trigger]]\non = { scroll_depth = 90 }\n\
            [[field]]\nname = 'colour'\nfrom = { meta = 'theme-color' }\n\
            [[field]]\nname = 'heading'\nfrom = 'title'\n",
        act: "scrollTo(0, document.documentElement.scrollHeight)",
        expected: r##"{ "colour": "#1ABB9C", "heading": "Gentelella 2026 — Free admin template" }"##,
    },
    Page {
        file: "reveal.js/index.html",
        paste_before: "</head>",
        fields: &["slide:text"],
        capture: "[[trigger]]\non = 'page_view'\nurl = [{ contains = '#/1' }]\n\
            [[field]]\nname = 'slide'\nfrom = { text = 'section.present' }\n",
        act: "Reveal.next()",
        expected: r#"{ "slide": "Slide 2" }"#,
    },
    Page {
        file: "impress.js/index.html",
        paste_before: "</body>",
        fields: &["step:text"],
        capture: "[[trigger]]\non = { custom_event = 'impress:stepleave' }\n\
            [[field]]\nname = 'step'\nfrom = { attribute = { selector = '.step', name = 'id' } }\n",
        act: "impress().next()",
        expected: r#"{ "step": "bored" }"#,
    },
];

/// Keeps what goes wrong on a page: exceptions, rejections, console errors, and files that do not load.
const ERRORS: &str = "<script>window.errors = [];
    addEventListener('error', event => errors.push(event.message || 'no ' + (event.target.src || event.target.href)), true);
    addEventListener('unhandledrejection', event => errors.push('' + event.reason));
    { const error = console.error; console.error = (...what) => (errors.push(what.join(' ')), error(...what)) }</script>";

#[tokio::test]
async fn twelve_pages_of_others_take_the_snippet_without_noticing() {
    let setting = Setting::new();
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/node_modules");
    setting.site.folder("/plain", &packages);
    setting.site.folder("/real", &packages);
    let browser = Browser::start().await;
    for (at, page) in PAGES.iter().enumerate() {
        let html =
            std::fs::read_to_string(packages.join(page.file)).expect("run `make test` first");
        let slug = format!("page-{at}");
        setting.event_capturing(&format!("Page {at}"), page.fields, page.capture);
        let watched = html.replacen("<head>", &format!("<head>{ERRORS}"), 1);
        let tag = format!("{}{}", setting.paste(&slug), page.paste_before);
        let pasted = watched.replacen(page.paste_before, &tag, 1);
        assert!(watched.len() > html.len() && pasted.len() > watched.len(), "{}", page.file);
        let before = visit(&setting, &browser, "/plain/", page, watched).await;
        let after = visit(&setting, &browser, "/real/", page, pasted).await;
        let events = setting.server.events(&slug, 1);
        let mut data = events[0]["data"].clone();
        data.as_object_mut().unwrap().remove("source");
        let expected: Value = serde_json::from_str(page.expected).unwrap();
        assert_eq!((events.len(), data), (1, expected), "{}", page.file);
        let new: Vec<_> = after.iter().filter(|error| !before.contains(error)).collect();
        assert!(new.is_empty(), "{}: {new:?}, beside {before:?}", page.file);
    }
}

/// Does on a page what a visitor does; every error of the page.
async fn visit(
    setting: &Setting,
    browser: &Browser,
    below: &str,
    page: &Page,
    html: String,
) -> Vec<String> {
    let path = format!("{below}{}", page.file);
    setting.site.document(&path, html);
    browser.open(&setting.site.url(&format!("{path}?utm_source=letter"))).await;
    if below == "/real/" {
        browser.engine_is_up().await;
    }
    browser.run(page.act).await;
    let errors = browser.run("return errors").await;
    let texts = errors.as_array().cloned().unwrap_or_default();
    texts.iter().map(|error| error.to_string().replace(below, "/")).collect()
}
