//! Webhooks against a real receiver that takes, fails, hangs and dies, and a server that is killed in between.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use beaconry_tests::{
    Answer, Answering, Posted, Receiver, Server, beaconry, event, event_id, eventually, post,
    request,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::setting::{create, run};

const QUICK: [&str; 11] = [
    "--webhooks-to-private-addresses",
    "--webhook-tries",
    "3",
    "--webhook-wait",
    "20",
    "--api-rate",
    "10000",
    "--api-profile-rate",
    "10000",
    "--api-token-rate",
    "10000",
];

/// The same, but nothing is given up while a test looks on.
fn untiring() -> [&'static str; 11] {
    QUICK.map(|option| if option == "3" { "100" } else { option })
}

/// A server with a section and a tracked event, and an administrator's token.
struct Setting {
    folder: TempDir,
    server: Server,
    section: String,
    event: String,
    key: String,
    token: String,
}

impl Setting {
    fn new(options: &[&str]) -> Setting {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        run(at, &["section", "create", "Shop", "--origin", "https://shop.example"]);
        create(at, "Order placed", &["n:number:required"], None);
        run(at, &["tracking", "enable", "order-placed"]);
        let section = beaconry(at, 0, &["section", "list", "--json"]).json()[0]["id"].clone();
        let shown = beaconry(at, 0, &["event", "show", "order-placed", "--json"]).json();
        let token = beaconry(at, 0, &["token", "create", "Laptop", "--json"]).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Setting {
            server: Server::start_with(at, options),
            section: text(&section),
            event: text(&shown["discriminator"]),
            key: text(&shown["key"]),
            token: text(&token["token"]),
            folder,
        }
    }

    fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers =
            [format!("Authorization: Bearer {token}"), format!("Content-Length: {}", body.len())];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        request(&self.server.console, method, path, &headers, body.as_bytes())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_as(&self.token, method, path, body)
    }

    fn hooks(&self) -> String {
        format!("/v1/sections/{}/webhooks", self.section)
    }

    /// A webhook to this receiver: its address in the API, and its secret.
    fn hook(&self, receiver: &Receiver, topics: Value) -> (String, String) {
        let url = format!("{}/in", receiver.url);
        let keyspaces = json!(["com.apsis1.keyspaces.email", "com.apsis1.keyspaces.web"]);
        let new = json!({"name": "CRM", "url": url, "topics": topics, "keyspaces": keyspaces});
        let made = self.ask("POST", &self.hooks(), &new);
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json();
        let path = format!("{}/{}", self.hooks(), made["discriminator"].as_str().unwrap());
        (path, made["secret"].as_str().unwrap().to_owned())
    }

    fn received(&self) -> Value {
        json!([{"type": "event.received", "event": self.event}])
    }

    fn state(&self, hook: &str) -> Value {
        self.ask("GET", hook, &Value::Null).json()
    }

    /// Sends the n-th event of a visitor; says whether it is on disk.
    fn send(&self, visitor: &str, n: u64) -> bool {
        let data = json!({ "source": "test", "n": n });
        let event = event(&event_id(n), &self.key, 1, data);
        let body = json!({
            "v": 1, "sent": "2026-01-01T00:00:00Z", "visitor": visitor, "events": [event],
        });
        post(&self.server.collector, "/c", &[], body.to_string().as_bytes()).status == 204
    }

    /// The same server again, on the same folder.
    fn again(self, options: &[&str]) -> Setting {
        let Setting { folder, server, section, event, key, token } = self;
        server.kill();
        let server = Server::start_with(folder.path(), options);
        Setting { folder, server, section, event, key, token }
    }
}

/// Asks again until there is an answer, where asking changes something.
fn eventually_mut<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
    }
}

fn number(posted: &Posted) -> u64 {
    posted.json()["event"]["data"]["n"].as_u64().unwrap()
}

fn numbers(posted: &[Posted]) -> Vec<u64> {
    posted.iter().map(number).collect()
}

#[test]
fn posts_are_signed_and_tried_again_in_order_and_what_is_given_up_is_sent_again() {
    let (setting, receiver) = (Setting::new(&QUICK), Receiver::start());
    let (hook, secret) = setting.hook(&receiver, setting.received());
    assert!(setting.send("ada", 1));
    let first = &receiver.wait_taken(1)[0];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let (signed, at) = first.signed_by(&secret);
    assert!(signed && (now - 60..=now).contains(&at), "{first:?}");
    assert!(!first.signed_by("whsec_other").0);
    assert_eq!(first.head[0], "POST /in HTTP/1.1");
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.json()["id"], first.header("beaconry-delivery"));
    assert_eq!(first.json()["type"], "event.received");
    assert_eq!(first.json()["profile"]["keys"][0]["profile_key"], "ada");
    assert!(setting.state(&hook).get("secret").is_none(), "it is shown once");

    // Refused twice, taken the third time; what is behind it waits for it.
    receiver.answer_with(500);
    assert!(setting.send("ada", 2) && setting.send("ada", 3));
    receiver.wait(3);
    receiver.answer_with(204);
    let taken = receiver.wait_taken(3);
    assert_eq!(numbers(&taken), [1, 2, 3]);
    let of_two: Vec<Posted> = receiver.all().into_iter().filter(|all| number(all) == 2).collect();
    assert!(of_two.len() >= 2 && of_two.iter().all(|one| one.body == of_two[0].body));

    // A redirect is not followed; three tries, and it is given up.
    let elsewhere = Receiver::start();
    receiver.answer(Answering::With(307, format!("Location: {}/", elsewhere.url)));
    assert!(setting.send("ada", 4));
    eventually("it is given up", || (setting.state(&hook)["dead_letters"] == 1).then_some(()));
    assert_eq!(elsewhere.all().len(), 0);
    let dead = setting.ask("GET", &format!("{hook}/dead-letters"), &Value::Null).json();
    let letter = &dead["items"][0];
    assert_eq!(letter["tries"], 3);
    assert!(letter["why"].as_str().unwrap().contains("307, and redirects are not followed"));
    assert!(setting.state(&hook)["failing_since"].is_string());
    receiver.answer_with(200);
    let resend = format!("{hook}/dead-letters/{}/resend", letter["number"]);
    assert_eq!(setting.ask("POST", &resend, &Value::Null).json()["resent"], 1);
    let taken = receiver.wait_taken(4);
    assert_eq!(taken[3].json()["id"], letter["id"]);
    eventually("nothing is left", || {
        let state = setting.state(&hook);
        let nothing = state["dead_letters"] == 0 && state["failing_since"].is_null();
        (nothing && state["delivered"] == 4).then_some(())
    });
    let absent = setting.ask("POST", &resend, &Value::Null);
    assert_eq!(absent.status, 404, "{}", absent.text());
    assert_eq!(setting.ask("DELETE", &hook, &Value::Null).status, 204);
    assert_eq!(setting.ask("GET", &hook, &Value::Null).status, 404);
}

#[test]
fn receivers_that_hang_hold_up_neither_ingest_nor_others() {
    let setting = Setting::new(&QUICK);
    let (hanging, dead, up) = (Receiver::start(), Receiver::start(), Receiver::start());
    hanging.answer(Answering::Never);
    dead.answer(Answering::Closing);
    for receiver in [&hanging, &dead, &up] {
        setting.hook(receiver, setting.received());
    }
    for n in 0..200 {
        assert!(setting.send(&format!("visitor-{}", n % 20), n), "{n}");
    }
    let mut taken = numbers(&up.wait_taken(200));
    taken.sort_unstable();
    assert_eq!(taken, (0..200).collect::<Vec<_>>());
    assert_eq!(hanging.taken().len() + dead.taken().len(), 0);
    let at_once = hanging.all().len();
    assert!(at_once <= 16, "a hanging receiver has {at_once} posts to hang on");
    assert_eq!(setting.server.stop(), 0, "and it stops when it is asked to");
}

#[test]
fn a_server_that_is_killed_posts_everything_at_least_once_and_in_order() {
    const VISITORS: u64 = 7;
    let receiver = Receiver::start();
    // Never given up, whenever the kills come.
    let mut setting = Setting::new(&untiring());
    let (hook, secret) = setting.hook(&receiver, setting.received());
    let mut n = 0;
    for round in 0..6 {
        receiver.answer_with(if round % 3 == 1 { 503 } else { 204 });
        for _ in 0..60 {
            assert!(setting.send(&format!("visitor-{}", n % VISITORS), n));
            n += 1;
        }
        // Not a wait for anything: the moment of the cut.
        std::thread::sleep(Duration::from_millis(round * 37 % 150));
        setting = setting.again(&untiring());
    }
    receiver.answer_with(204);
    eventually("nothing waits", || {
        let taken: std::collections::BTreeSet<u64> =
            numbers(&receiver.taken()).into_iter().collect();
        (taken.len() as u64 == n && setting.state(&hook)["waiting"] == 0).then_some(())
    });
    let taken = receiver.taken();
    assert!(taken.iter().all(|posted| posted.signed_by(&secret).0));
    let mut ids: BTreeMap<u64, String> = BTreeMap::new();
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    let mut again = 0;
    for posted in &taken {
        let (n, id) = (number(posted), posted.header("beaconry-delivery").to_owned());
        let known = ids.entry(n).or_insert_with(|| id.clone());
        assert_eq!(*known, id, "a repetition has the id of the first");
        let before = last.insert(n % VISITORS, n);
        assert!(
            before.is_none_or(|before| n == before + VISITORS || n == before),
            "{before:?} then {n}"
        );
        again += usize::from(before == Some(n));
    }
    assert!(again <= 6 * 8, "{again} were repeated, of at most 8 under way at each kill");
    assert_eq!(setting.server.beaconry(&["verify"]).code, 0);
}

#[test]
fn entering_and_leaving_a_segment_and_rejected_beacons_are_posted() {
    let (setting, receiver) = (Setting::new(&QUICK), Receiver::start());
    let twice = json!({"event": {"event": setting.event, "at_most": 2}});
    let segment = setting.ask(
        "POST",
        &format!("/v1/sections/{}/segments", setting.section),
        &json!({"name": "Once or twice", "condition": twice}),
    );
    let segment = segment.json()["discriminator"].clone();
    let (hook, _) = setting.hook(
        &receiver,
        json!([
            {"type": "segment.entered", "segment": segment},
            {"type": "segment.left", "segment": segment},
            {"type": "beacon.rejected"},
        ]),
    );
    // Who came before everybody was looked at once does not enter, so visitors come until one does.
    let mut n = 0;
    let entered = eventually_mut("somebody enters", || {
        n += 1;
        assert!(setting.send(&format!("visitor-{n}"), n));
        receiver.taken().first().map(Posted::json)
    });
    assert_eq!(entered["type"], "segment.entered");
    assert_eq!(entered["segment"]["name"], "Once or twice");
    let who = entered["profile"]["keys"][0]["profile_key"].as_str().unwrap().to_owned();
    for more in 1..=2 {
        assert!(setting.send(&who, 1_000_000 + more));
    }
    let left = eventually("they leave", || {
        receiver.taken().iter().map(Posted::json).find(|json| json["type"] == "segment.left")
    });
    assert_eq!(left["profile"], entered["profile"]);
    let data = json!({ "source": "test", "n": "three" });
    let wrong = event(&event_id(9), &setting.key, 1, data);
    let body = json!({"v": 1, "sent": "2026-01-01T00:00:00Z", "visitor": "ben", "events": [wrong]});
    let answer = post(&setting.server.collector, "/c", &[], body.to_string().as_bytes());
    assert_eq!(answer.status, 200);
    let rejected = eventually("the rejected beacon is posted", || {
        receiver.taken().iter().map(Posted::json).find(|json| json["type"] == "beacon.rejected")
    });
    assert_eq!(rejected["beacon"]["code"], "invalid_fields");
    assert_eq!(rejected["beacon"]["data"]["n"], "three");
    let samples = setting.ask(
        "POST",
        &format!("{}/samples", setting.hooks()),
        &json!({"topics": [{"type": "beacon.rejected", "event": setting.event}]}),
    );
    assert_eq!(samples.json()["items"][0]["beacon"], rejected["beacon"]);
    assert_eq!(setting.state(&hook)["remarks"], json!([]));
}

#[test]
fn a_key_makes_webhooks_only_as_far_as_it_reaches_and_revoking_it_ends_them() {
    let (setting, receiver) = (Setting::new(&untiring()), Receiver::start());
    let key_with = |grants: &[&str]| -> (String, String) {
        let arguments = [&["key", "create", "Zapier", "--json", "--all-sections"], grants].concat();
        let key = beaconry(setting.folder.path(), 0, &arguments).json();
        let ask = json!({
            "grant_type": "client_credentials",
            "client_id": key["client_id"], "client_secret": key["client_secret"],
        });
        let token = setting.ask_as("", "POST", "/oauth/token", &ask).json()["access_token"].clone();
        (key["client_id"].as_str().unwrap().to_owned(), token.as_str().unwrap().to_owned())
    };
    let (_, reader) = key_with(&["--keyspace", "email", "--read"]);
    let (_, writer) = key_with(&["--keyspace", "email", "--write"]);
    let (client, both) = key_with(&["--keyspace", "email", "--read", "--write"]);
    let new = |keyspaces: Value| json!({"name": "Zap", "url": receiver.url, "topics": setting.received(), "keyspaces": keyspaces});
    let (email, web) = ("com.apsis1.keyspaces.email", "com.apsis1.keyspaces.web");
    for (token, keyspaces, status) in
        [(&reader, json!([email]), 403), (&writer, json!([email]), 403), (&both, json!([web]), 403)]
    {
        let answer = setting.ask_as(token, "POST", &setting.hooks(), &new(keyspaces));
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let made = setting.ask_as(&both, "POST", &setting.hooks(), &new(json!([email])));
    assert_eq!(made.status, 201, "{}", made.text());
    setting.hook(&receiver, json!([{"type": "beacon.rejected"}]));
    let count = |token: &str| {
        let listed = setting.ask_as(token, "GET", &setting.hooks(), &Value::Null).json();
        listed["items"].as_array().unwrap().len()
    };
    assert_eq!((count(&both), count(&reader), count(&setting.token)), (1, 0, 2));
    assert!(setting.send("ada", 1));
    let first = &receiver.wait_taken(1)[0];
    assert_eq!(first.json()["profile"]["keys"], json!([]), "web visitors are not for this key");
    run(setting.folder.path(), &["key", "revoke", &client]);
    eventually("the key is known to be revoked", || {
        let answer = setting.ask_as(&both, "GET", &setting.hooks(), &Value::Null);
        (answer.status == 401).then_some(())
    });
    // The sender believes what it read of keys for a fifth of a second; there is nothing to be seen when that is over.
    std::thread::sleep(Duration::from_millis(500));
    // Another webhook tells when the event would have been posted.
    let witness = Receiver::start();
    setting.hook(&witness, setting.received());
    assert!(setting.send("ada", 2));
    witness.wait_taken(1);
    assert_eq!(receiver.all().len(), 1);
}

#[test]
fn addresses_of_this_machine_are_refused_where_they_are_not_allowed() {
    let (setting, receiver) = (Setting::new(&[]), Receiver::start());
    let new = |url: &str| json!({"name": "CRM", "url": url, "topics": setting.received()});
    for (url, words) in [
        (receiver.url.as_str(), "https://"),
        ("https://127.0.0.1/", "--webhooks-to-private-addresses"),
        ("https://[::ffff:169.254.169.254]/", "--webhooks-to-private-addresses"),
        ("https://localhost/", "--webhooks-to-private-addresses"),
        ("https://me:secret@crm.example/", "no password"),
    ] {
        let answer = setting.ask("POST", &setting.hooks(), &new(url));
        assert_eq!(answer.status, 400, "{url}: {}", answer.text());
        assert!(answer.text().contains(words), "{url}: {}", answer.text());
    }
    // Made while it was allowed, and then no more: nothing is connected to.
    let setting = setting.again(&untiring());
    receiver.answer_with(500);
    let (hook, _) = setting.hook(&receiver, setting.received());
    assert!(setting.send("ada", 1));
    receiver.wait(1);
    let setting = setting.again(&["--webhook-tries", "2", "--webhook-wait", "20"]);
    let before = receiver.all().len();
    eventually("it is given up", || (setting.state(&hook)["dead_letters"] == 1).then_some(()));
    let why = setting.state(&hook)["last_failure"].as_str().unwrap().to_owned();
    assert!(why.contains("https") || why.contains("private"), "{why}");
    assert_eq!(receiver.all().len(), before);
}

#[test]
fn events_are_exported_with_the_keys_that_may_be_read() {
    let setting = Setting::new(&QUICK);
    for n in 0..3 {
        assert!(setting.send("ada", n));
    }
    let path = format!("/v1/sections/{}/events/order-placed/export", setting.section);
    let get = |query: &str| setting.ask("GET", &format!("{path}{query}"), &Value::Null);
    let merge = json!({"profiles": [
        {"keyspace_discriminator": "com.apsis1.keyspaces.email", "profile_key": "ada@shop.example"},
        {"keyspace_discriminator": "com.apsis1.keyspaces.web", "profile_key": "ada"},
    ]});
    let arguments = [
        "key",
        "create",
        "All",
        "--json",
        "--all-sections",
        "--keyspace",
        "email",
        "--keyspace",
        "web",
        "--read",
        "--write",
    ];
    let key = beaconry(setting.folder.path(), 0, &arguments).json();
    let ask = json!({
        "grant_type": "client_credentials",
        "client_id": key["client_id"], "client_secret": key["client_secret"],
    });
    let token = setting.ask_as("", "POST", "/oauth/token", &ask).json()["access_token"].clone();
    let token = token.as_str().unwrap().to_owned();
    let merged = setting.ask_as(&token, "PUT", "/audience/profiles/merges", &merge);
    assert_eq!(merged.status, 204, "{}", merged.text());

    let csv = get("").text();
    let mut lines = csv.lines();
    let columns = "_id,_version,_time,_received,_page,_origin,_visitor,_email,_mobile,_crm_id,_unchecked,source,n";
    // It comes in pieces, each after its length.
    assert!(lines.any(|line| line == columns), "{csv}");
    assert_eq!(csv.matches(",ada,ada@shop.example,,,false,test,").count(), 3, "{csv}");
    let jsonl = get("?format=jsonl").text();
    let lines: Vec<Value> =
        jsonl.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let lines: Vec<&Value> = lines.iter().filter(|line| line.is_object()).collect();
    assert_eq!(lines.len(), 3, "{jsonl}");
    assert_eq!(lines[0]["profile"]["keys"].as_array().unwrap().len(), 2);
    let parquet = get("?format=parquet&version=1");
    assert!(parquet.body.windows(4).any(|bytes| bytes == b"PAR1"));
    for (query, words) in [
        ("?format=xml", "csv, jsonl or parquet"),
        ("?from=yesterday", "RFC 3339"),
        ("?version=x", "version"),
    ] {
        let answer = get(query);
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains(words), "{}", answer.text());
    }
}
