//! What is erased leaves no trace in any file, and who is locked is never taken again.

use std::path::Path;
use std::sync::Arc;

use beaconry_model::consent::{Channel, ConsentList, ConsentType};
use beaconry_model::names::Name;
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::retention::Retention;
use beaconry_model::segment::Segment;
use beaconry_store::{Entry, Known, KnownWebhook, Outbox, Posted, Posting, ProfileError, Store};
use serde_json::json;

use super::samples::{email, find, key, linked, timeline, values, visit, web};
use crate::hooks::samples::{answer, drain, fill, hook, next, outbox, refused};
use crate::samples::{entry_of, id, open, tracked};

/// The files of a folder that hold this text, as it is or as the hexadecimal digits of it.
fn traces(folder: &Path, needle: &str) -> Vec<String> {
    files_with(folder, needle.as_bytes()).iter().map(|file| format!("{needle} in {file}")).collect()
}

/// The files of a folder that hold these bytes.
fn files_with(folder: &Path, needle: &[u8]) -> Vec<String> {
    files_with_any(folder, &[needle.to_vec()])
}

/// The files of a folder that hold any of these.
fn files_with_any(folder: &Path, needles: &[Vec<u8>]) -> Vec<String> {
    // Most places are passed over by one look: the folder is read through many times.
    let mut begins = [false; 256];
    needles.iter().for_each(|needle| begins[usize::from(needle[0])] = true);
    let holds = |bytes: &[u8]| {
        (0..bytes.len()).any(|at| {
            begins[usize::from(bytes[at])]
                && needles.iter().any(|needle| bytes[at..].starts_with(needle))
        })
    };
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if holds(&std::fs::read(&path).unwrap()) {
            found.push(path.file_name().unwrap().display().to_string());
        }
    }
    found
}

/// The 16 bytes of a UUID, as databases hold it.
fn uuid(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// The ids of the events of the tests' person: from browsers, stored, tried and in quarantine, and posted by a back end.
fn ids_of_events(store: &Store) -> Vec<Vec<u8>> {
    let events = timeline(store, &email("ada.lovelace@shop.example"));
    let posted = events.iter().find(|event| event.profile.is_some()).unwrap();
    let mut ids: Vec<_> = (1_001..=1_004).map(|n| uuid(&id(n))).collect();
    ids.push(posted.id.0.to_vec());
    ids
}

/// The discriminator of a segment that everybody is in.
fn everybody(store: &Store, known: &Known) -> String {
    let name = Name::try_from("Everybody".to_owned()).unwrap();
    let condition = serde_json::from_value(json!({"all": []})).unwrap();
    let (section, now) = (known.section.id.clone(), store.clock().now());
    let everybody = Segment::create(section, name, condition, [3; 10], now).unwrap();
    store.registry().add_segment(&everybody, "test", now).unwrap();
    store.reload().unwrap();
    everybody.discriminator
}

/// All that a webhook can hear of.
fn everything(known: &Known, segment: &str) -> serde_json::Value {
    json!([
        {"type": "event.received", "event": known.event.discriminator()},
        {"type": "beacon.rejected"},
        {"type": "segment.entered", "segment": segment},
    ])
}

/// Webhooks that hear of everything, and a sender whose first try of each was refused: some of it waits, some was given up.
async fn posted_in_vain(store: &Store, known: &Known) -> (Outbox, Vec<KnownWebhook>) {
    let all = everything(known, &everybody(store, known));
    let hooks = vec![hook(store, known, all.clone()), hook(store, known, all)];
    let mut sender = outbox(store);
    fill(&mut sender);
    person(store, known).await;
    linked(store).await;
    for _ in 0..3 {
        let parcels = next(&mut sender, &hooks[0]);
        answer(&mut sender, &parcels, &refused());
    }
    fill(&mut sender);
    (sender, hooks)
}

/// Everything by which the tests' person is known.
const KNOWN_BY: [&str; 7] = [
    "ada-laptop-visitor",
    "ada-phone-visitor",
    "ada.lovelace@shop.example",
    "+46701234567",
    "crm-4711-lovelace",
    "Countess of Lovelace",
    "771234567",
];

/// A person with a bit of everything, among others.
async fn person(store: &Store, known: &Known) {
    let section = &known.section.id;
    let now = store.clock().now();
    for n in 0..300 {
        visit(store, known, &format!("other-{}", n % 50), n).await;
    }
    let data = json!(771_234_567);
    for (visitor, n, value, test) in [
        ("ada-laptop-visitor", 1_001, data.clone(), false),
        ("ada-phone-visitor", 1_002, data.clone(), false),
        ("ada-laptop-visitor", 1_003, data, true),
        ("ada-laptop-visitor", 1_004, json!("not a number: 771234567"), false),
    ] {
        store.append(vec![entry_of(visitor, known, n, value, now, test)]).await.unwrap();
    }
    let ada = email("ada.lovelace@shop.example");
    let others =
        [key(Keyspace::Mobile, "+46 70-123 45 67"), key(Keyspace::CrmId, "crm-4711-lovelace")];
    let [mobile, crm] = others;
    store.merge_profiles(vec![ada.clone(), mobile, crm, web("ada-laptop-visitor")]).await.unwrap();
    store.merge_profiles(vec![ada.clone(), web("ada-phone-visitor")]).await.unwrap();
    let snapshot = store.snapshot();
    let version = snapshot
        .audience()
        .attribute(section, "Last name")
        .unwrap()
        .attribute
        .current()
        .id
        .to_string();
    for name in ["Countess of Lovelace", "Countess of Lovelace, née Byron"] {
        let patch = json!({&version: name}).to_string();
        store.set_attributes(&ada, section, patch.as_bytes()).await.unwrap();
    }
    let list = &snapshot.audience().consent_lists(section).next().unwrap().clone();
    let topic = (list.discriminator.as_str(), list.topics[0].discriminator.as_str());
    store
        .add_consent(section, (Channel::Email, ada.as_str()), topic, ConsentType::OptIn)
        .await
        .unwrap();
    let version = known.event.versions().last().id.to_string();
    let body =
        json!({"items": [{"version_id": version, "data": {"source": "ERP", "n": 771234567}}]})
            .to_string();
    let posting =
        Posting { section: "Shop", key: &ada, body: body.as_bytes(), idempotency_key: None };
    store.post_events(posting).await.unwrap();
}

fn with_topic(store: &Store, known: &Known) {
    let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
    let now = store.clock().now();
    let mut list =
        ConsentList::create(known.section.id.clone(), name("News"), [7; 10], now).unwrap();
    list.add_topic(name("Weekly"), [8; 10]).unwrap();
    store.registry().add_consent_list(&list, "test", now).unwrap();
    store.reload().unwrap();
}

#[tokio::test]
async fn an_erased_person_leaves_no_trace_in_any_file() {
    for lock in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let known = tracked(&store, "Order placed", Retention::Forever);
        with_topic(&store, &known);
        let (mut sender, hooks) = posted_in_vain(&store, &known).await;
        let id = find(&store, &email("ada.lovelace@shop.example")).unwrap().id.0;
        let files = files_with(folder.path(), &id);
        assert!(files.iter().any(|file| file.starts_with("hooks.db")), "{files:?}");
        for known_by in KNOWN_BY {
            assert_ne!(
                traces(folder.path(), known_by),
                Vec::<String>::new(),
                "{known_by} is there before"
            );
        }
        let ids = ids_of_events(&store);
        for id in &ids {
            assert_ne!(files_with(folder.path(), id), Vec::<String>::new(), "{id:02x?}, before");
        }
        let before = store.reader().unwrap().count(known.number).unwrap();
        let store = erase(store, "ada.lovelace@shop.example", lock).await.unwrap();
        let left: Vec<String> =
            KNOWN_BY.iter().flat_map(|known_by| traces(folder.path(), known_by)).collect();
        assert_eq!(left, Vec::<String>::new(), "while the server runs");
        assert_eq!(files_with(folder.path(), &id), Vec::<String>::new(), "the profile's id");
        for id in &ids {
            assert_eq!(files_with(folder.path(), id), Vec::<String>::new(), "{id:02x?}");
        }
        let known_from = |posted: &[serde_json::Value]| -> Vec<&str> {
            let told: String = posted.iter().map(ToString::to_string).collect();
            KNOWN_BY.into_iter().filter(|known_by| told.contains(known_by)).collect()
        };
        for hook in &hooks {
            let mut posted = drain(&mut sender, hook);
            store.resend(hook, None, "test").unwrap();
            posted.extend(drain(&mut sender, hook));
            assert!(posted.len() >= 350, "others' events and entries are posted: {}", posted.len());
            assert_eq!(known_from(&posted), Vec::<&str>::new());
        }
        drop(sender);
        assert_eq!(find(&store, &email("ada.lovelace@shop.example")), None);
        assert_eq!(values(&store, &web("other-1")).len(), 6, "others keep theirs");
        drop(store);
        let left: Vec<String> =
            KNOWN_BY.iter().flat_map(|known_by| traces(folder.path(), known_by)).collect();
        assert_eq!(left, Vec::<String>::new(), "after a stop");
        let store = open(folder.path());
        assert_eq!(store.reader().unwrap().count(known.number).unwrap(), before - 3);
        assert_eq!(beaconry_store::verify(store.folder()).unwrap().faults, Vec::<String>::new());
    }
}

/// Pages of a B-tree split and are filled anew as people come and grow, and what was copied from one to the other must not
/// stay behind where it was. Many people, whose rows come in a mixed order, then some of them erased.
#[tokio::test]
async fn nothing_stays_behind_in_pages_that_were_split() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let section = &known.section.id;
    let snapshot = store.snapshot();
    let version =
        snapshot.audience().attribute(section, "City").unwrap().attribute.current().id.to_string();
    let mut random = 4_711_u64;
    let mut below = |bound: u64| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % bound
    };
    let name = |person: u64| format!("person-{person:04}-of-many");
    let everybody = everybody(&store, &known);
    let hook = hook(&store, &known, everything(&known, &everybody));
    let mut sender = outbox(&store);
    for request in 0..300_u64 {
        let now = store.clock().now();
        let entries = (0..40).map(|n| {
            let person = below(400);
            let value = json!(900_000_000 + person);
            entry_of(&name(person), &known, request * 40 + n, value, now, false)
        });
        store.append(entries.collect()).await.unwrap();
        for person in [below(400), below(400)] {
            let address = email(&format!("{}@shop.example", name(person)));
            store.merge_profiles(vec![web(&name(person)), address.clone()]).await.unwrap();
            let city = format!(
                "{} lives in {}",
                name(person),
                "x".repeat(usize::try_from(below(300)).unwrap())
            );
            let patch = json!({&version: city}).to_string();
            store.set_attributes(&address, section, patch.as_bytes()).await.unwrap();
        }
        fill(&mut sender);
        if request % 20 == 0 {
            drain(&mut sender, &hook);
        }
    }
    linked(&store).await;
    fill(&mut sender);
    tokio::task::spawn_blocking(move || {
        let mut left = Vec::new();
        for person in (0..400).step_by(20) {
            let key = web(&name(person));
            let mut needles = vec![
                find(&store, &key).unwrap().id.0.to_vec(),
                name(person).into_bytes(),
                format!("{}", 900_000_000 + person).into_bytes(),
            ];
            needles.extend(timeline(&store, &key).iter().map(|event| event.id.0.to_vec()));
            assert!(!files_with_any(folder.path(), &needles).is_empty());
            store.erase(&key, false, "test").unwrap();
            left.extend(files_with_any(folder.path(), &needles));
        }
        assert_eq!(left, Vec::<String>::new());
    })
    .await
    .unwrap();
}

async fn erase(
    store: Arc<Store>,
    address: &'static str,
    lock: bool,
) -> Result<Arc<Store>, ProfileError> {
    erase_key(store, email(address), lock).await
}

async fn erase_key(
    store: Arc<Store>,
    key: ProfileKey,
    lock: bool,
) -> Result<Arc<Store>, ProfileError> {
    tokio::task::spawn_blocking(move || {
        store.erase(&key, lock, "test")?;
        Ok(store)
    })
    .await
    .unwrap()
}

/// The command line leaves a server the profile's id as work to do, which must not stay behind either.
#[tokio::test]
async fn who_is_erased_from_the_command_line_beside_a_server_leaves_no_trace_either() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    with_topic(&store, &known);
    person(&store, &known).await;
    linked(&store).await;
    let ada = email("ada.lovelace@shop.example");
    let profile = find(&store, &ada).unwrap().id;
    let path = folder.path().to_owned();
    tokio::task::spawn_blocking(move || beaconry_store::erase(&path, &ada, true))
        .await
        .unwrap()
        .unwrap();
    let mut left = files_with(folder.path(), &profile.0);
    left.extend(traces(folder.path(), &profile.to_string()));
    left.extend(KNOWN_BY.iter().flat_map(|known_by| traces(folder.path(), known_by)));
    assert_eq!(left, Vec::<String>::new());
}

/// A beacon of this visitor that is turned away and kept.
fn kept(store: &Store, known: &Known, visitor: &str, n: u64) -> Entry {
    entry_of(visitor, known, n, json!("not a number"), store.clock().now(), false)
}

#[tokio::test]
async fn a_visitor_who_is_in_quarantine_alone_is_erased_too() {
    for lock in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let known = tracked(&store, "Order placed", Retention::Forever);
        for (visitor, n) in [("eve-in-quarantine", 1), ("eve-in-quarantine", 2), ("other", 3)] {
            store.append(vec![kept(&store, &known, visitor, n)]).await.unwrap();
        }
        let eve = web("eve-in-quarantine");
        assert_eq!(find(&store, &eve), None, "there is no profile");
        let store = erase_key(store, eve.clone(), lock).await.unwrap();
        assert_eq!(traces(folder.path(), "eve-in-quarantine"), Vec::<String>::new());
        assert_eq!(store.reader().unwrap().quarantine_count(known.number).unwrap(), 1);
        // Nothing is left to be erased; who is locked can be locked again.
        let again = erase_key(store, eve.clone(), lock).await;
        assert_eq!(again.is_ok(), lock, "{again:?}");
        drop(again);
        let store = open(folder.path());
        assert_eq!(store.is_locked(&eve), lock);
        // What comes later stays, unless they are locked.
        store.append(vec![kept(&store, &known, "eve-in-quarantine", 4)]).await.unwrap();
        let store = erase_key(store, web("other"), false).await.unwrap();
        let left = store.reader().unwrap().quarantine_count(known.number).unwrap();
        assert_eq!(left, u64::from(!lock));
    }
}

#[tokio::test]
async fn a_late_try_of_a_browser_does_not_bring_an_erased_event_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    visit(&store, &known, "eve", 1).await;
    let mut store = erase_key(store, web("eve"), false).await.unwrap();
    for _ in 0..2 {
        let late = entry_of("eve", &known, 1, json!(1), store.clock().now(), false);
        let written = store.append(vec![late]).await.unwrap();
        assert_eq!((written.stored, written.duplicates), (0, 1));
        assert_eq!(files_with(folder.path(), &uuid(&id(1))), Vec::<String>::new());
        drop(store);
        store = open(folder.path());
    }
    visit(&store, &known, "eve", 2).await;
    linked(&store).await;
    assert_eq!(values(&store, &web("eve")), [2]);
}

#[tokio::test]
async fn what_was_posted_can_be_posted_again_to_a_profile_that_was_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    let ada = email("ada@shop.example");
    let version = known.event.versions().last().id.to_string();
    let item = json!({"version_id": version, "data": {"source": "ERP", "n": 1}});
    let body = json!({"items": [item]}).to_string();
    for _ in 0..3 {
        store.merge_profiles(vec![ada.clone()]).await.unwrap();
        for (stored, duplicates) in [(1, 0), (0, 1)] {
            let (key, body) = (&ada, body.as_bytes());
            let posting = Posting { section: "Shop", key, body, idempotency_key: Some("A-1") };
            let posted: Posted = store.post_events(posting).await.unwrap();
            assert_eq!((posted.stored, posted.duplicates), (stored, duplicates));
        }
        store = erase_key(store, ada.clone(), false).await.unwrap();
    }
}

#[tokio::test]
async fn who_is_locked_is_never_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    with_topic(&store, &known);
    person(&store, &known).await;
    let store = erase(store, "ada.lovelace@shop.example", true).await.unwrap();
    drop(store);
    let store = open(folder.path());
    let section = &known.section.id;
    let ada = email("ADA.Lovelace@shop.example");
    assert!(store.is_locked(&ada) && store.is_locked_visitor("ada-phone-visitor"));
    assert!(!store.is_locked_visitor("other-1"));
    let refused = |error| assert!(matches!(error, ProfileError::Locked), "{error:?}");
    refused(store.merge_profiles(vec![email("new@shop.example"), ada.clone()]).await.unwrap_err());
    refused(store.set_attributes(&ada, section, b"{}").await.unwrap_err());
    let posting = Posting { section: "Shop", key: &ada, body: b"{}", idempotency_key: None };
    refused(store.post_events(posting).await.unwrap_err());
    // A beacon that was judged just before the lock: it leaves the log again.
    visit(&store, &known, "ada-phone-visitor", 2_000).await;
    linked(&store).await;
    assert_eq!(find(&store, &web("ada-phone-visitor")), None);
    let started = std::time::Instant::now();
    while !traces(folder.path(), "ada-phone-visitor").is_empty() {
        assert!(
            started.elapsed().as_secs() < 20,
            "{:?}",
            traces(folder.path(), "ada-phone-visitor")
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_was_erased_and_not_locked_may_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let known = tracked(&store, "Order placed", Retention::Forever);
    with_topic(&store, &known);
    person(&store, &known).await;
    let store = erase(store, "ada.lovelace@shop.example", false).await.unwrap();
    let missing = erase(store, "ada.lovelace@shop.example", false).await.unwrap_err();
    assert!(matches!(missing, ProfileError::NotFound), "{missing:?}");
    let store = open(folder.path());
    visit(&store, &known, "ada-phone-visitor", 2_000).await;
    linked(&store).await;
    assert_eq!(values(&store, &web("ada-phone-visitor")), [2_000]);
}
