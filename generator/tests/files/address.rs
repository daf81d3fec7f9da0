//! Addresses of collectors that are taken, and those that are not.

use beaconry_generator::CollectorUrl;

#[test]
fn a_collector_has_an_address_that_pages_can_reach() {
    for (text, address) in [
        ("https://collect.shop.example", "https://collect.shop.example"),
        ("http://127.0.0.1:4000/", "http://127.0.0.1:4000"),
        ("https://shop.example/collect/", "https://shop.example/collect"),
        ("HTTPS://Shop.example:443", "https://shop.example"),
        ("http://[::1]:4000", "http://[::1]:4000"),
    ] {
        assert_eq!(CollectorUrl::parse(text).unwrap().as_str(), address);
    }
    for text in [
        "",
        "shop.example",
        "//shop.example",
        "ftp://shop.example",
        "https://",
        "https://a b",
        "https://a/\"",
        "https://a/?b",
        "https://a/#b",
    ] {
        let error = CollectorUrl::parse(text).unwrap_err().to_string();
        let expected = format!(
            "public URL of the collector: expected one like https://collect.shop.example, got \"{text}\""
        );
        assert_eq!(error, expected);
    }
}
