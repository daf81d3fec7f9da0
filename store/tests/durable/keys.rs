//! Keys and tokens: shown once, kept as hashes, in force at once in every process, and revoked for good.

use std::fs;
use std::time::{Duration, Instant};

use beaconry_model::key::{Grant, Sections};
use beaconry_model::names::Name;
use beaconry_model::profile::Keyspace;
use beaconry_model::time::{DAY_MS, Timestamp};
use beaconry_store::{Folder, Keys};

const NOW: Timestamp = Timestamp(1_795_435_200_000);

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn grant() -> Grant {
    Grant::new(Sections::All, vec![Keyspace::Email], true, false).unwrap()
}

#[test]
fn a_key_signs_in_with_its_secret_until_it_is_revoked() {
    let data = tempfile::tempdir().unwrap();
    let folder = Folder::open(data.path()).unwrap();
    let keys = Keys::open(&folder).unwrap();
    let made = keys.create(&name("Shop's back end"), grant(), "ada", NOW).unwrap();
    let (id, secret) = (&made.key.client_id, &made.client_secret);
    assert_eq!(secret.len(), 64);
    let sign_in = |id: &str, secret: &str| keys.sign_in(id, secret, NOW).unwrap();
    let (token, seconds) = sign_in(id, secret).unwrap();
    assert_eq!(seconds, 86_400);
    for (id, secret) in [(id.as_str(), "other"), (id, ""), ("other", secret), ("", "")] {
        assert_eq!(sign_in(id, secret), None, "{id} {secret}");
    }
    let key = keys.by_access_token(&token, NOW).unwrap().unwrap();
    assert_eq!((&key.client_id, &key.may), (id, &grant()));
    assert_eq!(keys.by_access_token(&token, NOW.plus(DAY_MS)).unwrap(), None, "a day later");
    // Another process on the folder knows the token too, and what it revokes counts here.
    let other = Keys::open(&folder).unwrap();
    assert!(other.by_access_token(&token, NOW).unwrap().is_some());
    other.revoke(id, "ada", NOW).unwrap();
    let started = Instant::now();
    while keys.by_access_token(&token, NOW).unwrap().is_some() {
        assert!(started.elapsed() < Duration::from_secs(20), "what another process revokes counts");
        std::thread::yield_now();
    }
    assert_eq!(sign_in(id, secret), None);
    assert!(other.revoke(id, "ada", NOW).is_err(), "once");
    let actions: Vec<_> = keys.audit(10).unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["key.revoke", "key.create"]);
    let revoked = &other.audit(1).unwrap()[0];
    let (before, after) = (revoked.before.as_ref().unwrap(), revoked.after.as_ref().unwrap());
    assert!(before.contains("\"revoked\":null") && !after.contains("\"revoked\":null"), "{after}");
    assert!(after.contains("Shop's back end") && !after.contains(&made.client_secret), "{after}");
}

#[test]
fn a_personal_token_is_good_for_its_days() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::open(&Folder::open(data.path()).unwrap()).unwrap();
    let made = keys.create_token(&name("Laptop"), "ada@shop.example", 2, NOW).unwrap();
    assert!(Keys::is_personal(&made.token));
    let found = |now| keys.by_personal_token(&made.token, now).unwrap();
    assert_eq!(found(NOW).unwrap().owner, "ada@shop.example");
    assert!(found(NOW.plus(2 * DAY_MS - 1)).is_some() && found(NOW.plus(2 * DAY_MS)).is_none());
    assert_eq!(keys.by_personal_token("bcn_other", NOW).unwrap(), None);
    keys.revoke_token(made.personal.number, "ada@shop.example", NOW).unwrap();
    assert_eq!(found(NOW), None);
    let revoked = keys.audit(1).unwrap().remove(0);
    let (before, after) = (revoked.before.unwrap(), revoked.after.unwrap());
    assert!(before.contains("\"revoked\":null") && !after.contains("\"revoked\":null"), "{after}");
    assert!(after.contains("Laptop") && !after.contains(&made.token), "{after}");
    for days in [0, 367] {
        let refused = keys.create_token(&name("Laptop"), "ada", days, NOW).unwrap_err();
        assert!(refused.to_string().starts_with("days: expected 1 to 366"), "{refused}");
    }
}

#[test]
fn no_secret_is_on_disk() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::open(&Folder::open(data.path()).unwrap()).unwrap();
    let key = keys.create(&name("Shop"), grant(), "ada", NOW).unwrap();
    let (access, _) = keys.sign_in(&key.key.client_id, &key.client_secret, NOW).unwrap().unwrap();
    let token = keys.create_token(&name("Laptop"), "ada", 1, NOW).unwrap().token;
    let mut bytes = Vec::new();
    for file in fs::read_dir(data.path()).unwrap() {
        bytes.extend(fs::read(file.unwrap().path()).unwrap());
    }
    let there = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(there(&key.key.client_id));
    for secret in [&key.client_secret, &access, &token] {
        assert!(!there(secret), "{secret}");
    }
}
