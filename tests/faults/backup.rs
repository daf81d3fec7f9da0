//! A backup while beacons arrive: what was promised before it began is in it, and a server on what is restored goes on.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use beaconry_tests::{Server, beaconry, event, eventually, post};

use serde_json::{Value, json};

use crate::clients::Ledger;
use crate::rig::prepare;

#[test]
fn a_backup_under_load_holds_what_was_promised_before_it_and_can_be_restored() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key = prepare(&data);
    let server = Server::start(&data);
    assert_eq!(
        server
            .beaconry(&[
                "key",
                "create",
                "Ours",
                "--section",
                "Shop",
                "--keyspace",
                "email",
                "--read"
            ])
            .code,
        0
    );
    let (ledger, url, runs) = (Ledger::default(), server.collector.clone(), AtomicBool::new(true));
    let backups: Vec<_> = (0..3).map(|n| folder.path().join(format!("backup-{n}"))).collect();
    let promised = thread::scope(|scope| {
        scope.spawn(|| ledger.send(&url, &key, 4, || runs.load(Ordering::Relaxed)));
        let backed_up: Vec<_> = backups
            .iter()
            .map(|to| {
                let enough = ledger.promised() + 500;
                while ledger.promised() < enough {
                    thread::yield_now();
                }
                let promised = ledger.promised();
                let run = server.beaconry(&["backup", to.to_str().unwrap()]);
                assert!(run.code == 0 && run.out.contains("checked"), "{run:?}");
                for database in ["index", "profiles", "events", "registry", "people", "keys"] {
                    let copied = format!("{database}.db  100 %");
                    assert!(run.err.contains(&copied), "{copied}: {run:?}");
                }
                assert!(ledger.promised() > promised, "nothing was promised during the backup");
                promised
            })
            .collect();
        runs.store(false, Ordering::Relaxed);
        backed_up
    });
    let again = server.beaconry(&["backup", backups[0].to_str().unwrap()]);
    assert!(again.code == 1 && again.err.contains("nothing is overwritten"), "{again:?}");
    assert_eq!(server.stop(), 0);
    ledger.check(&data);

    for (backup, promised) in backups.iter().zip(promised) {
        let restored = backup.with_extension("restored");
        let restore = ["restore", backup.to_str().unwrap(), "--erased-since-come-back"];
        let asked = beaconry(&restored, 0, &restore[..2]);
        assert!(asked.code == 2 && asked.err.contains("--replaces DIR"), "{asked:?}");
        let run = beaconry(&restored, 0, &restore);
        assert!(run.code == 0 && run.err.contains("erase them again"), "{run:?}");
        ledger.check_first(&restored, promised);
        let again = beaconry(&restored, 0, &restore);
        assert!(again.code == 1 && again.err.contains("nothing is overwritten"), "{again:?}");
    }
    // What the last one missed is sent again, and what it has is known.
    let restored = backups[2].with_extension("restored");
    let server = Server::start(&restored);
    ledger.send_again(&server.collector, &key, usize::MAX);
    assert_eq!(server.stop(), 0);
    ledger.check(&restored);
}

/// One beacon that is stored, and one that goes to quarantine.
fn visit(server: &Server, key: &str, visitor: &str, n: u32) {
    send(server, key, visitor, n, &[(1, json!(n)), (2, json!("not a number"))]);
}

fn send(server: &Server, key: &str, visitor: &str, n: u32, parts: &[(u32, Value)]) {
    for (part, value) in parts {
        let id = format!("019a0000-0000-7000-8000-00000000{n:02}{part:02}");
        let events = [event(&id, key, 1, json!({ "source": "test", "n": value }))];
        let body =
            json!({ "v": 1, "sent": "2026-01-01T00:00:00Z", "visitor": visitor, "events": events });
        let answer = post(&server.collector, "/c", &[], body.to_string().as_bytes());
        assert!(matches!(answer.status, 200 | 204), "{}", answer.text());
    }
}

/// The files of a folder in which these bytes are.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = files.filter(|path| holds(&fs::read(path).unwrap()));
    found.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn who_was_erased_since_the_backup_is_erased_from_what_is_restored() {
    const ERASED: [&[&str]; 3] = [
        &["profile", "erase", "visitor-of-lock", "--yes", "--lock"],
        &["profile", "erase", "visitor-of-once", "--yes"],
        &["profile", "erase", "web:visitor-of-none", "--yes"],
    ];
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let key = prepare(&data);
    let server = Server::start(&data);
    for (n, visitor) in (1..).zip(["visitor-of-lock", "visitor-of-once", "visitor-who-stays"]) {
        visit(&server, &key, visitor, n);
    }
    // Has no profile.
    send(&server, &key, "visitor-of-none", 7, &[(2, json!("not a number"))]);
    eventually("all is linked", || (server.json(&["stats"])["profiles"] == 3).then_some(()));
    assert_eq!(server.beaconry(&["backup", backup.to_str().unwrap()]).code, 0);
    for command in ERASED {
        let run = server.beaconry(command);
        assert_eq!(run.code, 0, "{run:?}");
    }
    assert_eq!(server.stop(), 0);
    assert_eq!(files_with(&backup, "visitor-of-").len(), 2, "events.db and profiles.db");

    let replaced = folder.path().join("replaced");
    fs::rename(&data, &replaced).unwrap();
    let (from, old) = (backup.to_str().unwrap(), replaced.to_str().unwrap());
    let run = beaconry(&data, 0, &["restore", from, "--replaces", old]);
    assert!(run.code == 0 && run.out.contains("2 people erased since the backup"), "{run:?}");
    assert_eq!(files_with(&data, "visitor-of-"), [] as [String; 0]);
    assert_eq!(files_with(&data, "visitor-who-stays").len(), 2);

    // Who is locked stays so, and who is not may come again.
    let server = Server::start(&data);
    visit(&server, &key, "visitor-of-once", 4);
    visit(&server, &key, "visitor-who-stays", 5);
    visit(&server, &key, "visitor-of-lock", 6);
    eventually("two are known", || (server.json(&["stats"])["profiles"] == 2).then_some(()));
    assert_eq!(server.beaconry(&["profile", "export", "visitor-of-lock"]).code, 1);
    assert_eq!(server.stop(), 0);
    assert_eq!(beaconry(&data, 0, &["verify"]).code, 0);

    // Another folder's hashes say nothing of these people.
    let other = folder.path().join("other");
    prepare(&other);
    let server = Server::start(&other);
    let lock = ["profile", "erase", "web:visitor-of-lock", "--yes", "--lock"];
    assert_eq!(server.beaconry(&lock).code, 0);
    assert_eq!(server.stop(), 0);
    let again = folder.path().join("again");
    let run = beaconry(&again, 0, &["restore", from, "--replaces", other.to_str().unwrap()]);
    assert!(run.code == 1 && run.err.contains("the folder that the backup is of"), "{run:?}");
}
