//! Getting in and being kept out: the first administrator, log-in, invitations, resets, and every way round them.

use beaconry_tests::{
    Answer, Browser, PASSWORD, Server, Session, beaconry, cookie, get, log_in, post, post_form,
};
use serde_json::json;

use crate::setting::Setting;

/// The path of a link of this server.
fn path_of<'a>(server: &Server, link: &'a str) -> &'a str {
    let path = link.strip_prefix(&server.console);
    path.unwrap_or_else(|| panic!("{link} is not at {}", server.console))
}

/// Uses a link as its own page does.
fn enter(server: &Server, link: &str, email: &str) -> Answer {
    let origin = format!("Origin: {}", server.console);
    let form = [("email", email), ("name", "Ada"), ("password", PASSWORD)];
    post_form(&server.console, path_of(server, link), &[&origin], &form)
}

#[test]
fn the_first_start_prints_a_link_that_makes_the_first_administrator_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let void = path_of(&server, &server.link).to_owned();
    assert_eq!(server.stop(), 0);
    let server = Server::start(folder.path());
    let link = server.link.clone();
    assert_eq!(get(&server.console, &void, &[]).status, 410, "another start voids it");
    let shown = get(&server.console, path_of(&server, &link), &[]);
    assert!(shown.status == 200 && shown.text().contains("Make the first administrator"));
    assert!(get(&server.console, "/login", &[]).text().contains("Nobody can log in"));

    let weak = [("email", "ada@example.com"), ("password", "short")];
    let origin = format!("Origin: {}", server.console);
    let refused = post_form(&server.console, path_of(&server, &link), &[&origin], &weak);
    assert!(refused.status == 422 && refused.text().contains("at least 12 characters"));
    // An event to begin with needs a web site; nothing is made, nor the link used, until all is right.
    let first = |site: &str| {
        let form = [("email", "a@b.example"), ("password", PASSWORD), ("origins", site)];
        let form = [form.as_slice(), &[("template", "order-placed")]].concat();
        post_form(&server.console, path_of(&server, &link), &[&origin], &form)
    };
    for (site, why) in [("", "Say which web site"), ("not one", "expected scheme, host")] {
        let refused = first(site);
        assert!(refused.status == 422 && refused.text().contains(why), "{}", refused.text());
    }
    let made = enter(&server, &link, "Ada@Example.com");
    assert_eq!((made.status, made.header("location")), (303, Some("/")), "{}", made.text());
    let inside = get(&server.console, "/settings/people", &[&format!("Cookie: {}", cookie(&made))]);
    assert!(inside.status == 200 && inside.text().contains("ada@example.com"));

    assert_eq!(server.json(&["section", "list"]), json!([]), "no web site was named");

    assert_eq!(enter(&server, &link, "eve@example.com").status, 410, "it is used");
    assert_eq!(get(&server.console, path_of(&server, &link), &[]).status, 410);
    assert_eq!(server.stop(), 0);
    let server = Server::start(folder.path());
    assert_eq!(server.link, "", "nobody is asked for a second first one");
    let listed = server.json(&["user", "list"]);
    assert_eq!(listed["people"].as_array().unwrap().len(), 1);
    assert_eq!(listed["people"][0]["role"], json!("administrator"));
}

#[test]
fn the_first_administrator_goes_on_with_a_first_event_of_their_web_site() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let origin = format!("Origin: {}", server.console);
    let form = [
        ("email", "ada@example.com"),
        ("password", PASSWORD),
        ("origins", "https://shop.example/basket?a=1"),
        ("template", "booking-made"),
    ];
    let came = post_form(&server.console, path_of(&server, &server.link), &[&origin], &form);
    let to = came.header("location").unwrap_or_default();
    assert!(to.ends_with("/new/transactions?template=booking-made"), "{to}: {}", came.text());
    let page = get(&server.console, to, &[&format!("Cookie: {}", cookie(&came))]);
    assert!(page.status == 200 && page.text().contains("bookingid"), "{}", page.text());
    let sections = server.json(&["section", "list"]);
    assert_eq!(sections[0]["origins"], json!(["https://shop.example"]));
    assert_eq!(server.json(&["audit"])[0]["actor"], json!("ada@example.com"));
}

#[test]
fn where_a_section_is_already_the_first_administrator_is_asked_for_none() {
    let folder = tempfile::tempdir().unwrap();
    crate::setting::run(
        folder.path(),
        &["section", "create", "Shop", "--origin", "https://shop.example"],
    );
    let server = Server::start(folder.path());
    let page = get(&server.console, path_of(&server, &server.link), &[]).text();
    assert!(!page.contains("Address of your web site"), "{page}");
    let origin = format!("Origin: {}", server.console);
    let form = [("email", "a@b.example"), ("password", PASSWORD), ("origins", "https://x.example")];
    let came = post_form(&server.console, path_of(&server, &server.link), &[&origin], &form);
    assert_eq!((came.status, came.header("location")), (303, Some("/")));
    assert_eq!(server.json(&["section", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn one_click_on_the_printed_link_is_in_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_demo(folder.path());
    for _ in 0..2 {
        let clicked = get(&server.console, path_of(&server, &server.link), &[]);
        assert_eq!((clicked.status, clicked.header("location")), (303, Some("/")));
        let page = get(&server.console, "/", &[&format!("Cookie: {}", cookie(&clicked))]);
        assert!(page.status == 200 && page.text().contains("Order placed"), "{}", page.text());
    }
    let old = path_of(&server, &server.link).to_owned();
    assert_eq!(server.stop(), 0);
    let server = Server::start_demo(folder.path());
    assert_eq!(get(&server.console, &old, &[]).status, 410);
}

#[test]
fn nothing_tells_a_stranger_who_is_here() {
    let setting = Setting::new();
    let console = &setting.server.console;
    let answers = ["administrator@example.com", "nobody@example.com"].map(|email| {
        let answer = log_in(console, email, "a wrong password", "", &[]);
        assert!(answer.status == 403 && answer.header("set-cookie").is_none());
        answer.text().replace(email, "…")
    });
    assert_eq!(answers[0], answers[1]);
    for path in ["/", "/events/none", "/settings/people", "/live/stream", "/nothing", "/account"] {
        let answer = get(console, path, &[]);
        let to = answer.header("location").unwrap_or_default();
        assert!(answer.status == 303 && to.starts_with("/login"), "{path}: {}", answer.status);
    }
    let stream = get(console, "/live/stream", &["Accept: text/event-stream"]);
    assert_eq!(stream.status, 401);
    for path in ["/login", "/", "/settings", "/enter/x", "/share/x", "/static/console.css"] {
        let answer = get(&setting.server.collector, path, &[]);
        assert_eq!(answer.status, 404, "the collector's address never serves the console: {path}");
    }
}

#[test]
fn a_session_is_its_browsers_alone_and_ends_when_told() {
    let setting = Setting::new();
    let console = &setting.server.console;
    let email = "administrator@example.com";
    let answer = log_in(console, email, PASSWORD, "", &[]);
    let set = answer.header("set-cookie").unwrap();
    assert!(set.contains("; HttpOnly; SameSite=Lax") && set.contains("; Path=/;"), "{set}");
    assert_eq!(cookie(&answer).split('=').nth(1).unwrap().len(), 64, "256 random bits");
    let page = setting.session.get("/");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));

    let (first, second) = (Session::log_in(&setting.server, email), setting.session.clone());
    assert_ne!(first.cookie, second.cookie);
    assert_eq!(first.post("/logout", &[]).status, 303);
    assert_eq!((first.get("/").status, second.get("/").status), (303, 200));
    assert_eq!(second.post("/logout/everywhere", &[]).status, 303);
    assert_eq!(second.get("/").status, 303);
}

#[test]
fn a_session_that_somebody_else_put_there_is_worth_nothing() {
    let setting = Setting::new();
    let (console, email) = (&setting.server.console, "administrator@example.com");
    let name = setting.session.cookie.split('=').next().unwrap().to_owned();
    let planted = format!("{name}={}", "a".repeat(64));
    let answer = log_in(console, email, PASSWORD, "", &[&format!("Cookie: {planted}")]);
    assert_eq!(answer.status, 303);
    assert_ne!(cookie(&answer), planted, "the log-in makes a session of its own");
    assert_eq!(get(console, "/", &[&format!("Cookie: {planted}")]).status, 303);
    // One that was good before, and is known to somebody else, ends with the log-in.
    let known = format!("Cookie: {}", setting.session.cookie);
    assert_eq!(log_in(console, email, PASSWORD, "", &[&known]).status, 303);
    assert_eq!(setting.session.get("/").status, 303);
}

#[test]
fn the_log_in_goes_on_inside_only() {
    let setting = Setting::new();
    let (console, email) = (&setting.server.console, "administrator@example.com");
    let asked = get(console, "/settings/audit?person=a%20b", &[]);
    assert_eq!(asked.header("location"), Some("/login?next=/settings/audit%3Fperson%3Da%2520b"));
    for (next, expected) in [
        ("/settings/audit?person=a%20b", "/settings/audit?person=a%20b"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let answer = log_in(console, email, PASSWORD, next, &[]);
        assert_eq!(answer.header("location"), Some(expected), "{next}");
        let query = next.replace('%', "%25").replace(['\\', ' '], "%5C");
        let already = setting.session.get(&format!("/login?next={query}"));
        assert_eq!(already.header("location"), Some(expected), "{next}");
    }
}

#[test]
fn passwords_are_not_tried_out() {
    let setting = Setting::new();
    let console = &setting.server.console;
    Session::of_role(&setting.server, "viewer");
    let attempt = |email: &str, password| log_in(console, email, password, "", &[]);
    let email = "administrator@example.com";
    let refused = (0..10).map(|_| attempt(email, "a wrong password").status);
    assert_eq!(refused.collect::<Vec<_>>(), [403; 10]);
    let limited = attempt(email, PASSWORD);
    assert_eq!(limited.status, 429, "even with the right one");
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(attempt(" Administrator@Example.com", PASSWORD).status, 429, "however it is typed");
    assert_eq!(attempt("viewer@example.com", PASSWORD).status, 303, "others are let in");
    // One network is limited over all accounts.
    let statuses: Vec<_> =
        (0..60).map(|n| attempt(&format!("p{n}@example.com"), "wrong").status).collect();
    assert_eq!(statuses.last(), Some(&429));
    let failed = setting.server.json(&["audit", "--limit", "100"]);
    let failed: Vec<_> = failed
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "login.failed")
        .collect();
    assert_eq!(failed.len(), 2, "counted, one entry an account: {failed:?}");
    assert!(failed.iter().any(|entry| entry["after"].as_str().unwrap().contains("\"failed\":10")));
}

#[test]
fn forms_of_other_sites_change_nothing() {
    let setting = Setting::new();
    setting.event("Order placed", &["orderid:text"]);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let disable = format!("/events/{}/tracking/disable", shown["discriminator"].as_str().unwrap());
    let cookie = format!("Cookie: {}", setting.session.cookie);
    let console = &setting.server.console;
    let localhost = console.replace("127.0.0.1", "localhost");
    for origin in ["https://evil.example", "null", &setting.site.origin, &localhost, ""] {
        let origin = format!("Origin: {origin}");
        assert_eq!(post(console, &disable, &[&cookie, &origin], b"").status, 403, "{origin}");
    }
    assert_eq!(post(console, &disable, &[&cookie], b"").status, 403, "no origin at all");
    let own = format!("Origin: {console}");
    let cross = "Sec-Fetch-Site: same-site";
    assert_eq!(post(console, &disable, &[&cookie, &own, cross], b"").status, 403);
    let status = || setting.server.json(&["tracking", "status", "order-placed"])["enabled"].clone();
    assert_eq!(status(), json!(true));
    assert_eq!(get(console, &disable, &[&cookie]).status, 405, "no GET changes anything");
    assert_eq!(post(console, &disable, &[&cookie, &own], b"").status, 303);
    assert_eq!(status(), json!(false));
}

#[tokio::test]
async fn a_page_on_another_port_of_this_machine_cannot_use_the_browsers_session() {
    let setting = Setting::new();
    setting.event("Order placed", &["orderid:text"]);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let disable = format!(
        "{}/events/{}/tracking/disable",
        setting.server.console,
        shown["discriminator"].as_str().unwrap()
    );
    let form = format!("<form method=post action='{disable}'><button>Win a lamp</button></form>");
    setting.site.page("/", "", &form);
    let browser = Browser::start().await;
    browser.come_in(&setting.session).await;
    browser.open(&setting.site.url("/")).await;
    browser.click("button").await;
    browser
        .reads("*", "This form was sent from another site. Open the console, and do it there.")
        .await;
    let status = setting.server.json(&["tracking", "status", "order-placed"]);
    assert_eq!(status["enabled"], json!(true));
}

#[test]
fn an_invitation_is_good_once_and_a_role_is_kept_to() {
    let setting = Setting::new();
    let invite = |email, role| {
        setting.session.post("/settings/people/invite", &[("email", email), ("role", role)])
    };
    let page = invite("eve@example.com", "viewer").text();
    let start =
        page.find(&format!("{}/enter/", setting.server.console)).expect("the link is shown");
    let link = page[start..].split('"').next().unwrap().to_owned();
    assert!(!setting.session.get("/settings/people").text().contains(&link), "only once");
    let came = enter(&setting.server, &link, "other@example.com");
    assert_eq!(came.status, 303, "{}", came.text());
    assert_eq!(enter(&setting.server, &link, "other@example.com").status, 410);
    let viewer = Session::log_in(&setting.server, "eve@example.com");

    setting.event("Order placed", &["orderid:text"]);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let event = format!("/events/{}", shown["discriminator"].as_str().unwrap());
    let seen = viewer.get(&event).text();
    assert!(seen.contains("Order placed") && !seen.contains(&format!("{event}/edit")), "{seen}");
    let tracking = viewer.get(&format!("{event}/tracking")).text();
    assert!(
        tracking.contains("Your role may look")
            && !tracking.contains("<form method=\"post\" action=\"/events")
    );
    for path in ["/hide", "/edit", "/tracking/disable", "/tracking/share"] {
        assert_eq!(viewer.post(&(event.clone() + path), &[("name", "Order placed")]).status, 403);
    }
    let marketer = Session::of_role(&setting.server, "marketer");
    for path in ["/settings", "/settings/people", "/settings/audit", "/sections/new"] {
        assert_eq!((viewer.get(path).status, marketer.get(path).status), (403, 403), "{path}");
    }
    let invited = marketer
        .post("/settings/people/invite", &[("email", "x@example.com"), ("role", "administrator")]);
    assert_eq!(invited.status, 403);
    assert_eq!(marketer.post(&(event.clone() + "/tracking/disable"), &[]).status, 303);

    // Removed: out at once, by every way.
    let people = setting.server.json(&["user", "list"]);
    let number = |email: &str| {
        let found =
            people["people"].as_array().unwrap().iter().find(|one| one["email"] == email).unwrap();
        found["number"].to_string()
    };
    let path = format!("/settings/people/{}/remove", number("eve@example.com"));
    assert_eq!(setting.session.post(&path, &[]).status, 303);
    assert_eq!(viewer.get("/").status, 303);
    assert_eq!(log_in(&setting.server.console, "eve@example.com", PASSWORD, "", &[]).status, 403);
    let last = format!("/settings/people/{}/role", number("administrator@example.com"));
    let refused = setting.session.post(&last, &[("role", "viewer")]);
    assert!(
        refused.status == 422 && refused.text().contains("at least one administrator to be left")
    );
}

#[test]
fn links_end_and_a_reset_lets_in_who_is_locked_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let admin = Session::administrator(&server);
    let make = |arguments: &[&str]| server.json(arguments)["link"].as_str().unwrap().to_owned();
    let invited = make(&["user", "create", "eve@example.com", "--role", "viewer"]);
    let reset = make(&["user", "reset", "Administrator@example.com"]);
    assert_eq!(get(&server.console, path_of(&server, &reset), &[]).status, 200);
    assert_eq!(enter(&server, &reset, "ignored@example.com").status, 303);
    assert_eq!(admin.get("/").status, 303, "whoever was in is out");
    assert_eq!(enter(&server, &reset, "").status, 410, "it is used");
    let unused = make(&["user", "reset", "administrator@example.com"]);
    let old = server.console.clone();
    assert_eq!(server.stop(), 0);
    // Eight days later.
    let server = Server::start_shifted(folder.path(), 8 * 24 * 60);
    for link in [invited, unused] {
        let path = link.strip_prefix(&old).unwrap().to_owned();
        assert_eq!(get(&server.console, &path, &[]).status, 410, "its time is over");
        assert_eq!(enter(&server, &(server.console.clone() + &path), "x@example.com").status, 410);
    }
    let unknown = server.beaconry(&["user", "reset", "nobody@example.com"]);
    assert!(unknown.code == 1 && unknown.err.contains("beaconry user list"), "{unknown:?}");
    let refused = server.beaconry_reading(
        &["user", "create", "new@example.com", "--role", "viewer", "--password-stdin"],
        "short\n",
    );
    assert!(refused.code == 1 && refused.err.contains("at least 12 characters"), "{refused:?}");
    assert_eq!(server.beaconry(&["user", "create", "a@b.c", "--role", "king"]).code, 2);
}

#[test]
fn beyond_this_machine_it_is_https_behind_a_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let run = beaconry(
            folder.path(),
            0,
            &[&["serve", "--collector", "127.0.0.1:0"], arguments].concat(),
        );
        assert_eq!(run.code, 2, "{run:?}");
        run.err
    };
    let all = ["--console", "0.0.0.0:0"];
    assert!(refused(&all).contains("Put a reverse proxy with https before it"));
    let plain = ["--console-url", "http://console.example"];
    assert!(refused(&plain).contains("--console-url: expected https"));
    assert!(refused(&[&all[..], &plain].concat()).contains("expected https"));
    assert!(refused(&["--console-url", "console"]).contains("--console-url: origin"));

    let server = Server::start_with(folder.path(), &["--console-url", "https://console.example"]);
    let listens = server.listens.clone();
    let host = "Host: console.example";
    assert_eq!(get(&listens, "/login", &[]).status, 421, "DNS rebinding");
    assert_eq!(get(&listens, "/login", &["Host: evil.example"]).status, 421);
    assert_eq!(get(&listens, "/login", &[host]).status, 200);
    let create =
        ["user", "create", "ada@example.com", "--role", "administrator", "--password-stdin"];
    assert_eq!(server.beaconry_reading(&create, PASSWORD).code, 0);
    let form = [("email", "ada@example.com"), ("password", PASSWORD)];
    let from =
        |origin: &str| post_form(&listens, "/login", &[host, &format!("Origin: {origin}")], &form);
    assert_eq!(from("http://console.example").status, 403);
    let answer = from("https://console.example");
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-beaconry=") && set.ends_with("; Secure"), "{set}");
    let page = get(&listens, "/", &[host, &format!("Cookie: {}", cookie(&answer))]);
    assert_eq!(page.status, 200);
}

#[test]
fn the_audit_log_names_people_and_holds_no_secret() {
    let setting = Setting::new();
    setting
        .session
        .post("/settings/people/invite", &[("email", "eve@example.com"), ("role", "viewer")]);
    setting.event("Order placed", &["orderid:text"]);
    let shown = setting.server.json(&["event", "show", "order-placed"]);
    let event = shown["discriminator"].as_str().unwrap();
    setting.session.post(&format!("/events/{event}/tracking/disable"), &[]);
    log_in(&setting.server.console, "administrator@example.com", "secret-that-was-wrong", "", &[]);
    let log = setting.server.json(&["audit", "--limit", "100"]);
    let entries: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            ["actor", "action", "thing"].map(|name| entry[name].as_str().unwrap().to_owned())
        })
        .collect();
    let me = "administrator@example.com";
    for expected in [
        [me, "person.login", me],
        [me, "person.invite", "eve@example.com"],
        [me, "tracking.disable", event],
        ["somebody", "login.failed", me],
        ["command line", "person.add", me],
    ] {
        assert!(
            entries.iter().any(|entry| entry == &expected.map(str::to_owned)),
            "{expected:?}: {entries:?}"
        );
    }
    let token = setting.session.cookie.split('=').nth(1).unwrap();
    let page = setting.session.get("/settings/audit?thing=order+placed").text();
    assert!(page.contains("disabled web tracking of") && page.contains("tracking › "), "{page}");
    assert!(!page.contains("eve@example.com</"), "filtered");
    for file in std::fs::read_dir(setting.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [PASSWORD, token, "secret-that-was-wrong"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is on disk");
        }
    }
}
