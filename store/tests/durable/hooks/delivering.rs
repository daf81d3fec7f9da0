//! What is queued is posted in order, tried again, given up and sent again, through every restart.

use beaconry_model::event::{Access, AllowedOperations};
use beaconry_model::profile::Keyspace;
use beaconry_model::retention::Retention;
use beaconry_store::{Known, Store, Tried};
use serde_json::{Value, json};

use super::samples::{
    answer, body, drain, fill, hook, hook_for, next, numbers, outbox, refused, try_hook,
};
use crate::profiles::samples::{email, linked, visit, web};
use crate::samples::{entry, entry_of, entry_with, eventually, new_event, open, tracked};

fn received(known: &Known) -> Value {
    json!([{ "type": "event.received", "event": known.event.discriminator() }])
}

async fn visits(store: &Store, known: &Known, visitors: &[(&str, u64)]) {
    for (visitor, n) in visitors {
        visit(store, known, visitor, *n).await;
    }
    linked(store).await;
}

#[tokio::test]
async fn what_comes_from_now_on_is_posted_in_order_for_each_profile() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    visits(&store, &known, &[("ada", 1)]).await;
    let hook = hook(&store, &known, received(&known));
    let mut outbox = outbox(&store);
    visits(&store, &known, &[("ada", 2), ("ben", 3), ("ada", 4), ("ben", 5)]).await;
    let first = next(&mut outbox, &hook);
    let bodies: Vec<Value> = first.iter().map(body).collect();
    assert_eq!(numbers(&bodies), [2, 3], "of each profile the first, and nothing from before");
    let [ada, ben] = &first[..] else { panic!("{first:?}") };
    // Ben's is refused: Ada's goes on, Ben's waits behind it.
    answer(&mut outbox, std::slice::from_ref(ada), &Tried::Delivered);
    answer(&mut outbox, std::slice::from_ref(ben), &refused());
    let second = next(&mut outbox, &hook);
    let again = second.iter().find(|parcel| parcel.number == ben.number).unwrap();
    assert_eq!((&again.id, &again.body), (&ben.id, &ben.body), "the same at each try");
    let bodies: Vec<Value> = second.iter().map(body).collect();
    assert_eq!(numbers(&bodies), [3, 4]);
    answer(&mut outbox, &second, &Tried::Delivered);
    assert_eq!(numbers(&drain(&mut outbox, &hook)), [5]);
    let state = &store.webhook_states().unwrap()[&hook.number];
    assert_eq!((state.delivered, state.waiting, state.failing), (4, 0, None));
    let sample = &bodies[0];
    assert_eq!(sample["type"], "event.received");
    assert_eq!(sample["section_discriminator"], known.section.id.as_str());
    assert_eq!(
        sample["profile"],
        json!({"keys": [{"keyspace_discriminator": "com.apsis1.keyspaces.web", "profile_key": "ben"}]})
    );
    assert_eq!(sample["event"]["version"], 1);
    assert_eq!(sample["event"]["discriminator"], known.event.discriminator().as_str());
}

#[tokio::test]
async fn what_is_not_on_its_way_is_taken_and_what_is_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let hook = hook(&store, &known, received(&known));
    let mut outbox = outbox(&store);
    visits(&store, &known, &[("ada", 1), ("ben", 2), ("ada", 3), ("cleo", 4)]).await;
    fill(&mut outbox);
    let one = outbox.take(hook.number, &[].into(), 1).unwrap();
    let busy = one.iter().map(|parcel| parcel.number).collect();
    let others = outbox.take(hook.number, &busy, 10).unwrap();
    assert_eq!(numbers(&one.iter().chain(&others).map(body).collect::<Vec<_>>()), [1, 2, 4]);
    // Ada turns out to be Ben: what of hers is on its way is not sent a second time beside it.
    store.merge_profiles(vec![web("ada"), web("ben")]).await.unwrap();
    visits(&store, &known, &[("ben", 5)]).await;
    fill(&mut outbox);
    let busy = one.iter().chain(&others).map(|parcel| parcel.number).collect();
    assert_eq!(outbox.take(hook.number, &busy, 10).unwrap().len(), 0);
    answer(&mut outbox, &one, &Tried::Delivered);
    answer(&mut outbox, &others, &Tried::Delivered);
    assert_eq!(numbers(&drain(&mut outbox, &hook)), [3, 5], "one profile, one order");
}

#[tokio::test]
async fn what_is_refused_again_and_again_is_given_up_and_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let hook = hook(&store, &known, received(&known));
    let mut outbox = outbox(&store);
    visits(&store, &known, &[("ada", 1), ("ada", 2)]).await;
    for _ in 0..3 {
        let parcels = next(&mut outbox, &hook);
        assert_eq!(numbers(&parcels.iter().map(body).collect::<Vec<_>>()), [1]);
        answer(&mut outbox, &parcels, &refused());
    }
    let state = store.webhook_states().unwrap()[&hook.number].clone();
    assert_eq!((state.dead, state.waiting), (1, 1));
    assert!(state.failing.is_some());
    assert_eq!(state.why.as_deref(), Some("it answered 500"));
    assert_eq!(numbers(&drain(&mut outbox, &hook)), [2], "what is behind it goes on");
    let dead = store.dead_letters(&hook, i64::MAX, 10).unwrap();
    assert_eq!(dead.len(), 1);
    let letter = (dead[0].topic, dead[0].tries, dead[0].why.as_str());
    assert_eq!(letter, ("event.received", 3, "it answered 500"));
    assert_eq!(store.resend(&hook, Some(dead[0].number + 1), "test").unwrap(), 0);
    assert_eq!(store.resend(&hook, Some(dead[0].number), "test").unwrap(), 1);
    let again = drain(&mut outbox, &hook);
    assert_eq!(numbers(&again), [1]);
    assert_eq!(again[0]["id"], dead[0].id.as_str());
    let audit = store.registry().audit(1).unwrap();
    assert_eq!((audit[0].action.as_str(), audit[0].actor.as_str()), ("webhook.resend", "test"));
}

#[tokio::test]
async fn a_restart_repeats_only_what_was_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let hook = hook(&store, &known, received(&known));
    visits(&store, &known, &[("ada", 1), ("ben", 2), ("ada", 3)]).await;
    let mut sender = outbox(&store);
    let parcels = next(&mut sender, &hook);
    answer(&mut sender, &parcels[..1], &Tried::Delivered);
    drop(sender);
    drop(store);
    let store = open(folder.path());
    visits(&store, &known, &[("ada", 4)]).await;
    assert_eq!(numbers(&drain(&mut outbox(&store), &hook)), [2, 3, 4]);
}

#[tokio::test]
async fn a_receiver_that_is_down_holds_up_its_own_place_in_the_log_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let (down, up) =
        (hook(&store, &known, received(&known)), hook(&store, &known, received(&known)));
    for run in 0..50 {
        let entries = (0..100).map(|n| {
            let n = run * 100 + n;
            entry_of(&format!("v{n}"), &known, n, json!(n), store.clock().now(), false)
        });
        store.append(entries.collect()).await.unwrap();
    }
    linked(&store).await;
    let mut outbox = outbox(&store);
    assert_eq!(drain(&mut outbox, &up).len(), 5_000);
    let waiting = store.webhook_states().unwrap()[&down.number].waiting;
    assert!((2_000..3_000).contains(&waiting), "{waiting}");
    // It comes up: all that is in the log comes after all, each once.
    let mut all = numbers(&drain(&mut outbox, &down));
    all.sort_unstable();
    assert_eq!(all, (0..5_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_webhook_gets_what_may_be_read_and_no_other_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let all = [Keyspace::Email, Keyspace::CrmId];
    let hook = hook_for(&store, &known, received(&known), &all);
    let mut outbox = outbox(&store);
    let crm = beaconry_model::profile::ProfileKey::new(Keyspace::CrmId, "C-1").unwrap();
    store.merge_profiles(vec![web("ada"), email("ada@shop.example"), crm]).await.unwrap();
    let read = |email, crm_id| {
        let access = |read| Access { read, write: true };
        let allowed = AllowedOperations {
            email: access(email),
            mobile: access(true),
            crm_id: access(crm_id),
        };
        let now = store.clock().now();
        store
            .change_event(known.number, "test", "event.edit", |event| event.allow(allowed, now))
            .unwrap();
    };
    let spaces = |bodies: &[Value]| -> Vec<String> {
        let keys = bodies.iter().flat_map(|body| body["profile"]["keys"].as_array().unwrap());
        keys.map(|key| key["profile_key"].as_str().unwrap().to_owned()).collect()
    };
    visits(&store, &known, &[("ada", 1)]).await;
    assert_eq!(spaces(&drain(&mut outbox, &hook)), ["ada@shop.example", "C-1"]);
    visits(&store, &known, &[("ada", 2)]).await;
    fill(&mut outbox);
    // What counts is what may be read when it is posted.
    read(false, true);
    assert_eq!(spaces(&drain(&mut outbox, &hook)), ["C-1"]);
    read(false, false);
    visits(&store, &known, &[("ada", 3)]).await;
    assert_eq!(drain(&mut outbox, &hook), Vec::<Value>::new());
    let unread = "event: none of its keyspaces may read \"order-placed\"";
    assert_eq!(beaconry_store::hook_remarks(&store.snapshot(), &hook.hook), [unread]);
    read(false, true);
    assert_eq!(beaconry_store::hook_remarks(&store.snapshot(), &hook.hook), [""; 0]);
    let by_email = try_hook(&store, &known, received(&known), &[Keyspace::Email]).unwrap_err();
    assert!(by_email.to_string().contains(unread), "{by_email}");
}

#[tokio::test]
async fn only_chosen_versions_are_posted_and_nothing_of_trials_or_of_what_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let named = known.event.discriminator();
    let version =
        |number: u32| json!([{"type": "event.received", "event": named, "versions": [number]}]);
    let absent = try_hook(&store, &known, version(2), &Keyspace::ALL).unwrap_err().to_string();
    assert!(absent.contains("\"order-placed\" has no version 2"), "{absent}");
    let hook = hook(&store, &known, version(1));
    let mut outbox = outbox(&store);
    let now = store.clock().now();
    store.append(vec![entry_with(&known, 1, json!(1), now, true)]).await.unwrap();
    visits(&store, &known, &[("ada", 2), ("ben", 3)]).await;
    let first = next(&mut outbox, &hook);
    assert_eq!(first.len(), 2);
    answer(&mut outbox, &first[..1], &Tried::Delivered);
    answer(&mut outbox, &first[1..], &refused());
    store.change_event(known.number, "test", "event.hide", |event| event.hide(now)).unwrap();
    assert_eq!(drain(&mut outbox, &hook), Vec::<Value>::new(), "what waited is dropped");
    assert_eq!(store.webhook_states().unwrap()[&hook.number].waiting, 0);
    let remarks = beaconry_store::hook_remarks(&store.snapshot(), &hook.hook);
    assert!(remarks[0].contains("is hidden"), "{remarks:?}");
    assert_eq!(store.snapshot().webhooks_naming(named).len(), 1);
}

#[tokio::test]
async fn beacons_that_went_to_quarantine_are_posted_with_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let section = &known.section;
    let other = new_event(section, "Other", Retention::Forever, store.clock().now());
    store.registry().add_event(&other, "test", store.clock().now()).unwrap();
    store.reload().unwrap();
    let named = |event: &str| json!([{"type": "beacon.rejected", "event": event}]);
    let any = hook(&store, &known, json!([{"type": "beacon.rejected"}]));
    let its = hook(&store, &known, named(known.event.discriminator().as_str()));
    let others = hook(&store, &known, named(other.discriminator().as_str()));
    let mut outbox = outbox(&store);
    let now = store.clock().now();
    store.append(vec![entry(&known, 1, json!("many"), now)]).await.unwrap();
    for hook in [&any, &its] {
        let posted = drain(&mut outbox, hook);
        assert_eq!(posted.len(), 1);
        let beacon = &posted[0]["beacon"];
        assert_eq!(posted[0]["type"], "beacon.rejected");
        assert_eq!(beacon["code"], "invalid_fields");
        assert_eq!(beacon["errors"][0]["field"], "n");
        assert_eq!(beacon["data"], json!({"source": "Website", "n": "many"}));
        assert_eq!(beacon["discriminator"], known.event.discriminator().as_str());
    }
    assert_eq!(drain(&mut outbox, &others), Vec::<Value>::new());
}

#[tokio::test]
async fn a_receiver_that_wants_nothing_more_gets_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let hook = hook(&store, &known, received(&known));
    let mut sender = outbox(&store);
    visits(&store, &known, &[("ada", 1), ("ada", 2)]).await;
    let parcels = next(&mut sender, &hook);
    answer(&mut sender, &parcels, &Tried::Gone);
    visits(&store, &known, &[("ada", 3)]).await;
    fill(&mut sender);
    assert_eq!(sender.ready().unwrap(), Vec::<u32>::new());
    let state = &store.webhook_states().unwrap()[&hook.number];
    assert!(state.stopped.is_some() && state.waiting == 0);
}

#[tokio::test]
async fn a_deleted_webhook_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let hook = hook(&store, &known, received(&known));
    let mut sender = outbox(&store);
    visits(&store, &known, &[("ada", 1)]).await;
    fill(&mut sender);
    store.delete_webhook(&hook.hook.discriminator, "test").unwrap();
    visits(&store, &known, &[("ada", 2)]).await;
    fill(&mut sender);
    assert!(store.webhook_states().unwrap().is_empty());
    assert_eq!(sender.take(hook.number, &[].into(), 10).unwrap().len(), 0);
    let gone = store.delete_webhook(&hook.hook.discriminator, "test").unwrap_err().to_string();
    assert!(gone.contains("there is none"), "{gone}");
    let mut audit = store.registry().audit(10).unwrap();
    // That the snippet was seen is noted some time after its first beacon.
    audit.retain(|entry| entry.action.starts_with("webhook."));
    let said: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(said, ["webhook.delete", "webhook.create"]);
    assert!(audit.iter().all(|entry| {
        let texts = [&entry.before, &entry.after];
        texts.iter().all(|text| !text.as_deref().unwrap_or_default().contains("whsec_"))
    }));
}

#[tokio::test]
async fn addresses_of_this_machine_need_leave() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let to = |url: &str| beaconry_model::webhook::NewWebhook {
        section: known.section.id.clone(),
        name: "CRM".to_owned().try_into().unwrap(),
        url: url.to_owned().try_into().unwrap(),
        topics: serde_json::from_value(received(&known)).unwrap(),
        keyspaces: vec![Keyspace::Email],
        made_with: None,
    };
    for url in
        ["http://crm.example/", "https://127.0.0.1/", "https://localhost:8/", "https://[::1]/"]
    {
        assert!(store.add_webhook(to(url), "test").is_err(), "{url}");
    }
    store.allow_private_webhooks();
    for url in ["http://crm.example/", "http://127.0.0.1:9/"] {
        assert!(store.add_webhook(to(url), "test").is_ok(), "{url}");
    }
    eventually("they are there", || store.snapshot().webhooks().len() == 2);
}
