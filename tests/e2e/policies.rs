//! The Content-Security-Policy lines that README gives, each with a page under it.

use beaconry_tests::Browser;
use serde_json::json;

use crate::setting::Setting;

/// Notes every violation from before the snippet on.
fn watch(nonce: &str) -> String {
    format!(
        "<script nonce='{nonce}'>window.violations = [];
         addEventListener('securitypolicyviolation', event => violations.push(event.effectiveDirective + ' ' + event.blockedURI))</script>"
    )
}

/// Opens a page under a policy and tracks once; whether the event came unchecked, and the violations.
async fn under(policy: &str, nonce: &str) -> (bool, serde_json::Value) {
    let setting = Setting::new();
    setting.event("It", &["n:number"]);
    let policy = policy.replace("COLLECTOR", &setting.server.collector);
    let tag = setting.paste("it").replace("<script ", &format!("<script nonce='{nonce}' "));
    let headers = format!("Content-Security-Policy: {policy}\r\n");
    setting.site.page_with("/", &headers, &(watch(nonce) + &tag), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    let answer = browser.settle("while (!window.beaconry) await new Promise(next => setTimeout(next)); return await beaconry.track('it', { n: 1 })").await;
    assert_eq!(answer, json!({ "ok": true }), "{policy}");
    let unchecked = setting.server.events("it", 1)[0]["unchecked"] == json!(true);
    (unchecked, browser.run("return violations").await)
}

#[tokio::test]
async fn hosts() {
    let policy = "default-src 'none'; script-src 'nonce-watch' COLLECTOR 'wasm-unsafe-eval'; connect-src COLLECTOR";
    assert_eq!(under(policy, "watch").await, (false, json!([])));
}

#[tokio::test]
async fn a_nonce() {
    let policy =
        "default-src 'none'; script-src 'nonce-4711' 'wasm-unsafe-eval'; connect-src COLLECTOR";
    assert_eq!(under(policy, "4711").await, (false, json!([])));
}

#[tokio::test]
async fn strict_dynamic() {
    let policy = "default-src 'none'; script-src 'nonce-4711' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src COLLECTOR";
    assert_eq!(under(policy, "4711").await, (false, json!([])));
}

#[tokio::test]
async fn trusted_types() {
    let policy = "script-src 'nonce-4711' 'wasm-unsafe-eval'; connect-src COLLECTOR; require-trusted-types-for 'script'; trusted-types beaconry";
    assert_eq!(under(policy, "4711").await, (false, json!([])));
}

#[tokio::test]
async fn where_wasm_is_refused_the_violation_names_what_is_missing() {
    let policy = "script-src 'nonce-4711'; connect-src COLLECTOR";
    assert_eq!(under(policy, "4711").await, (true, json!(["script-src wasm-eval"])));
}
