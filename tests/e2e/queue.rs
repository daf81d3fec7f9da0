//! The browser's queue, with several tabs and no network for an hour.

use beaconry_tests::Browser;
use serde_json::json;

use crate::setting::Setting;

/// A clock that the test moves: timers come due when `pass(ms)` says so, and `Date` follows.
const CLOCK: &str = "<script>{
  const RealDate = Date, real = setTimeout;
  let now = RealDate.now(), last = 0;
  const timers = new Map();
  window.Date = class extends RealDate {
    constructor(...given) { super(...given.length ? given : [now]); }
    static now() { return now; }
  };
  window.setTimeout = (act, ms = 0) => (timers.set(++last, { act, at: now + ms }), last);
  window.clearTimeout = id => timers.delete(id);
  window.pass = async ms => {
    const until = now + ms;
    for (;;) {
      const [id, due] = [...timers].sort((a, b) => a[1].at - b[1].at)[0] || [];
      if (!due || due.at > until) break;
      timers.delete(id);
      now = due.at;
      due.act();
      await new Promise(next => real(next));
    }
    now = until;
  };
}</script>";

#[tokio::test]
async fn three_tabs_offline_for_an_hour_lose_nothing_and_store_it_once() {
    const TABS: usize = 3;
    const EACH: usize = 40;
    let setting = Setting::new();
    setting.event("It", &["n:number:required"]);
    setting.site.page("/", &(CLOCK.to_owned() + &setting.paste("it")), "");
    let browser = Browser::start().await;
    let mut tabs = vec![browser.tab().await];
    for _ in 1..TABS {
        tabs.push(browser.new_tab().await);
    }
    for tab in &tabs {
        browser.go_to_tab(tab.clone()).await;
        browser.open(&setting.site.url("/")).await;
        browser.engine_is_up().await;
        browser.offline(true).await;
    }
    // An hour of events, with all the tries that fall into it.
    for (at, tab) in tabs.iter().enumerate() {
        browser.go_to_tab(tab.clone()).await;
        let body = format!(
            "for (let n = 0; n < {EACH}; n++) {{
               const answer = await beaconry.track('it', {{ n: {at} * {EACH} + n }});
               if (!answer.ok) throw JSON.stringify(answer);
               await pass(90_000);
             }}
             return true"
        );
        assert_eq!(browser.settle(&body).await, json!(true));
    }
    assert_eq!(setting.server.json(&["events", "it"]), json!([]));
    for tab in &tabs {
        browser.go_to_tab(tab.clone()).await;
        browser.offline(false).await;
        // As long as the longest wait between two tries.
        assert_eq!(browser.settle("await pass(90_000); return true").await, json!(true));
    }
    let events = setting.server.events("it", TABS * EACH);
    let mut numbers: Vec<_> =
        events.iter().map(|event| event["data"]["n"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..(TABS * EACH) as u64).collect::<Vec<_>>());
    let left = "while (Object.keys(localStorage).some(key => key.startsWith('beaconry.q.'))) await new Promise(requestAnimationFrame); return true";
    assert_eq!(browser.settle(left).await, json!(true), "what is stored is not kept any longer");
    let metrics = beaconry_tests::get(&setting.server.collector, "/metrics", &[]).text();
    assert!(metrics.contains("beaconry_events_dropped_by_browsers_total 0"), "{metrics}");
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest_and_says_how_many() {
    let setting = Setting::new();
    setting.event("It", &["n:number:required"]);
    setting.site.page("/", &setting.paste("it"), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    browser.offline(true).await;
    let fill = "for (let n = 0; n < 260; n++) {
                  await beaconry.track('it', { n });
                  // Events of one millisecond have no order.
                  if (n == 59) await new Promise(next => setTimeout(next, 5));
                }
                return true";
    browser.settle(fill).await;
    browser.offline(false).await;
    browser.run("dispatchEvent(new Event('online'))").await;
    let metric = beaconry_tests::eventually("how many were dropped", || {
        let metrics = beaconry_tests::get(&setting.server.collector, "/metrics", &[]).text();
        let line = metrics
            .lines()
            .find(|line| line.starts_with("beaconry_events_dropped_by_browsers_total"))?;
        line.rsplit(' ').next()?.parse().ok().filter(|dropped: &usize| *dropped > 0)
    });
    let events = setting.server.events("it", 260 - metric);
    assert_eq!(events.len() + metric, 260);
    assert!(events.len() >= 200, "{}", events.len());
    let newer = events.iter().filter(|event| event["data"]["n"].as_u64() >= Some(60)).count();
    assert_eq!(newer, 200, "the newest are kept");
}

#[tokio::test]
async fn a_collector_that_asks_to_wait_is_not_asked_before() {
    let setting = Setting::new();
    setting.event("It", &["n:number:required"]);
    // To the page it looks as if the collector were too busy.
    let busy = "<script>{
      const real = fetch, calls = window.calls = [];
      window.fetch = (url, options) => url.endsWith('/c')
        ? (calls.push(1), Promise.resolve(new Response('', { status: 429, headers: { 'Retry-After': '120' } }))) : real(url, options);
    }</script>";
    setting.site.page("/", &(CLOCK.to_owned() + busy + &setting.paste("it")), "");
    let browser = Browser::start().await;
    browser.open(&setting.site.url("/")).await;
    browser.engine_is_up().await;
    let calls = browser
        .settle(
            "await beaconry.track('it', { n: 1 }); await pass(1_000);
             const first = calls.length;
             await beaconry.track('it', { n: 2 }); dispatchEvent(new Event('online')); await pass(118_000);
             const waited = calls.length;
             await pass(10_000);
             while (calls.length == waited) await new Promise(requestAnimationFrame);
             return [first, waited]",
        )
        .await;
    assert_eq!(calls, json!([1, 1]));
}
