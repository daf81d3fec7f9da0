//! Where a webhook may post to, and what it hears of.

use beaconry_model::names::{Discriminator, Name, SectionId};
use beaconry_model::profile::Keyspace;
use beaconry_model::time::Timestamp;
use beaconry_model::webhook::{HookUrl, NewWebhook, Topic, Webhook, is_public};
use serde_json::{Value, json};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ORDER: &str = "com.beaconry.events.transaction.custom-order-placed-0123456789";
const OTHER: &str = "com.beaconry.events.signal.custom-other-0123456789";

fn url(text: &str) -> Result<HookUrl, String> {
    HookUrl::try_from(text.to_owned()).map_err(|invalid| invalid.to_string())
}

fn new(topics: Vec<Topic>, keyspaces: Vec<Keyspace>) -> NewWebhook {
    NewWebhook {
        section: SectionId::try_from("com.beaconry.sections.shop-0123456789".to_owned()).unwrap(),
        name: Name::try_from("CRM".to_owned()).unwrap(),
        url: url("https://crm.example/in").unwrap(),
        topics,
        keyspaces,
        made_with: None,
    }
}

fn hook(topics: Value) -> Webhook {
    let keyspaces = vec![Keyspace::CrmId, Keyspace::Email, Keyspace::Email];
    let new = new(serde_json::from_value(topics).unwrap(), keyspaces);
    Webhook::create(new, [7; 10], Timestamp(0)).unwrap()
}

#[test]
fn an_address_is_one_that_can_be_posted_to() {
    for (text, host, https, private) in [
        ("https://crm.example/in?a=b", "crm.example", true, false),
        ("http://crm.example:8080", "crm.example", false, false),
        ("https://[2a00:1450::1]:443/x", "[2a00:1450::1]", true, false),
        ("https://localhost/", "localhost", true, true),
        ("https://a.LOCALHOST./", "a.LOCALHOST.", true, true),
        ("http://127.0.0.1:9/", "127.0.0.1", false, true),
        ("https://[::1]/", "[::1]", true, true),
        ("https://[::ffff:10.0.0.1]/", "[::ffff:10.0.0.1]", true, true),
    ] {
        let url = url(text).unwrap();
        let seen = (url.host(), url.is_https(), url.is_private());
        assert_eq!(seen, (host, https, private), "{text}");
    }
    let long = format!("https://crm.example/{}", "a".repeat(2_000));
    for (text, expected) in [
        ("ftp://crm.example/", "begins with https://"),
        ("crm.example", "begins with https://"),
        ("https://", "a host"),
        ("https://:80/", "a host"),
        ("https://crm.example:port/", "perhaps a port"),
        ("https://crm.example:0/", "perhaps a port"),
        ("https://me:secret@crm.example/", "no password"),
        ("https://crm.example/#here", "no fragment"),
        ("https://crm.example/a b", "without spaces"),
        ("https://crm.example/\r\nX: y", "without spaces"),
        ("https://crm.example\\@evil.example/", "without spaces"),
        (long.as_str(), "at most 2,000 bytes"),
    ] {
        assert!(url(text).is_err_and(|why| why.contains(expected)), "{text}: {:?}", url(text));
    }
}

#[test]
fn private_addresses_are_told_from_public_ones() {
    for (text, public) in [
        ("8.8.8.8", true),
        ("127.0.0.1", false),
        ("127.9.9.9", false),
        ("0.0.0.0", false),
        ("10.1.2.3", false),
        ("172.16.0.1", false),
        ("172.32.0.1", true),
        ("192.168.1.1", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("100.128.0.1", true),
        ("198.18.0.1", false),
        ("192.0.0.8", false),
        ("192.0.2.1", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("::", false),
        ("::1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:8.8.8.8", true),
        ("64:ff9b::a00:1", false),
        ("64:ff9b::808:808", true),
        ("2002:7f00:1::", false),
        ("2002:808:808::", true),
        ("fc00::1", false),
        ("fe80::1", false),
        ("ff02::1", false),
        ("2001:db8::1", false),
        ("2001::1", false),
        ("2a00:1450:4001::1", true),
    ] {
        assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
    }
}

#[test]
fn a_webhook_hears_of_what_it_names() {
    let event = |text: &str| Discriminator::try_from(text.to_owned()).unwrap();
    let (order, other) = (event(ORDER), event(OTHER));
    let one = hook(json!([
        {"type": "event.received", "event": ORDER, "versions": [2, 3]},
        {"type": "beacon.rejected", "event": ORDER},
        {"type": "segment.entered", "segment": "one"},
        {"type": "segment.left", "segment": "one"},
        {"type": "segment.left", "segment": "two"},
    ]));
    assert!(one.hears(&order, 2) && !one.hears(&order, 1) && !one.hears(&other, 2));
    assert!(one.hears_rejected(&order) && !one.hears_rejected(&other));
    assert_eq!(one.hears_segment("one"), (true, true));
    assert_eq!(one.hears_segment("two"), (false, true));
    assert_eq!(one.hears_segment("three"), (false, false));
    assert_eq!(one.segments(), ["one", "two"]);
    assert_eq!(one.keyspaces, [Keyspace::Email, Keyspace::CrmId]);
    assert_eq!(one.discriminator.len(), "com.beaconry.webhooks.crm-".len() + 10);
    let any =
        hook(json!([{"type": "event.received", "event": ORDER}, {"type": "beacon.rejected"}]));
    assert!(any.hears(&order, 9) && any.hears_rejected(&other));
    let kept: Webhook = serde_json::from_value(serde_json::to_value(&one).unwrap()).unwrap();
    assert_eq!(kept, one);
}

#[test]
fn what_no_webhook_can_be_is_refused() {
    for topics in [
        json!([{"type": "event.received"}]),
        json!([{"type": "event.received", "event": ORDER, "verions": [1]}]),
        json!([{"type": "event.sent", "event": ORDER}]),
        json!([{"type": "segment.left"}]),
    ] {
        assert!(serde_json::from_value::<Vec<Topic>>(topics.clone()).is_err(), "{topics}");
    }
    let any = || Topic::Rejected { event: None };
    for (new, thing) in [
        (new(vec![], vec![Keyspace::Email]), "topics"),
        (new(vec![any(); 51], vec![Keyspace::Email]), "topics"),
        (new(vec![any()], vec![]), "keyspaces"),
    ] {
        assert_eq!(Webhook::create(new, [7; 10], Timestamp(0)).unwrap_err().thing, thing);
    }
}
