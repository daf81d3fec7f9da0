//! A data folder that is damaged, or not this server's: refused or recovered with words that say what to do, never silently.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use beaconry_store::{Folder, Reader, Registry, verify};
use beaconry_tests::{Run, Server, beaconry, binary_path};
use tempfile::TempDir;

use crate::clients::Ledger;
use crate::rig::{Rig, prepare};

const DATABASES: [&str; 4] = ["registry.db", "events.db", "index.db", "profiles.db"];

/// A folder with some events, closed.
fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (key, ledger) = (prepare(folder.path()), Ledger::default());
    let rig = Rig::start(folder.path()).unwrap();
    ledger.send(&rig.url, &key, 2, || ledger.promised() < 1_500);
    rig.stop();
    ledger.check(folder.path());
    folder
}

fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in DATABASES {
        // A folder of the first schema knew no profiles.
        if folder.join(name).exists() {
            fs::copy(folder.join(name), copy.path().join(name)).unwrap();
        }
    }
    copy
}

/// Everything that people can read of the events, or why they cannot.
fn events(folder: &Path) -> Result<String, String> {
    let read = || {
        let folder = Folder::open(folder)?;
        let snapshot = Registry::open(&folder)?.snapshot()?;
        let number = snapshot.all_events().first().map(|known| known.number);
        let events = Reader::open(&folder)?.after(number.unwrap(), 0)?;
        Ok::<_, beaconry_store::StoreError>(format!("{events:?}"))
    };
    read().map_err(|error| error.to_string())
}

#[test]
fn a_flipped_bit_is_found_by_verify_or_has_changed_no_event() {
    let folder = filled();
    let good = events(folder.path()).unwrap();
    let mut random = fastrand::Rng::with_seed(4);
    let (mut found, mut harmless) = (0, 0);
    for _ in 0..120 {
        let damaged = copy(folder.path());
        let path = damaged.path().join("events.db");
        let mut bytes = fs::read(&path).unwrap();
        let (at, bit) = (random.usize(..bytes.len()), random.u8(..8));
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        let faults = Folder::open(damaged.path()).and_then(|folder| verify(&folder));
        let faults = faults.map_or_else(|error| vec![error.to_string()], |report| report.faults);
        if faults.is_empty() {
            assert_eq!(events(damaged.path()).as_ref(), Ok(&good), "bit {bit} of byte {at}");
            harmless += 1;
        } else {
            found += 1;
        }
    }
    eprintln!("{found} flipped bits found, {harmless} in places that hold nothing of an event");
    assert!(found > 60, "only {found} found");
}

#[test]
fn a_flipped_bit_in_an_event_is_found_when_it_is_read() {
    let damaged = filled();
    let path = damaged.path().join("events.db");
    let mut bytes = fs::read(&path).unwrap();
    let data = b"{\"source\":\"test\",\"n\":1";
    let at = bytes.windows(data.len()).position(|window| window == data).unwrap();
    bytes[at + 12] ^= 1;
    fs::write(&path, bytes).unwrap();
    for command in [&["events", "order-placed", "--limit", "10000"][..], &["verify"]] {
        let run = beaconry(damaged.path(), 0, command);
        assert!(run.code == 1 && run.err.contains("does not hold what was written"), "{run:?}");
        assert!(run.err.contains("events.db: event 019a") && run.err.contains("backup"), "{run:?}");
    }
    let to = damaged.path().join("backup");
    let run = beaconry(damaged.path(), 0, &["backup", to.to_str().unwrap()]);
    assert!(run.code == 1 && run.err.contains("does not hold what was written"), "{run:?}");
}

#[test]
fn a_definition_that_changed_by_itself_is_found() {
    let damaged = filled();
    let path = damaged.path().join("registry.db");
    let mut bytes = fs::read(&path).unwrap();
    let name = b"\"Order placed\"";
    let at: Vec<_> =
        (0..bytes.len() - name.len()).filter(|at| &bytes[*at..at + name.len()] == name).collect();
    assert!(!at.is_empty());
    for at in at {
        bytes[at + 1] ^= 0x20;
        fs::write(&path, &bytes).unwrap();
        let run = beaconry(damaged.path(), 0, &["verify"]);
        bytes[at + 1] ^= 0x20;
        // Of the places that hold the name, some are old copies in the audit that nothing goes by.
        if run.code == 1 {
            assert!(run.err.contains("is not what the audit noted last"), "{run:?}");
            return;
        }
    }
    panic!("no changed name was found");
}

/// What was cut off, and what the server says to it.
#[test]
fn a_database_that_lost_its_end_is_refused_in_words() {
    let folder = filled();
    for (name, keep) in [("events.db", 0.5), ("registry.db", 0.5), ("index.db", 0.5)] {
        let damaged = copy(folder.path());
        let path = damaged.path().join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..(bytes.len() as f64 * keep) as usize - 1_000]).unwrap();
        let run = beaconry(damaged.path(), 0, &["verify"]);
        assert_eq!(run.code, 1, "{name}: {run:?}");
        assert!(run.err.contains(name), "{name}: {run:?}");
        let run = serve(damaged.path());
        assert!(run.code == 1 && run.err.contains(name), "{name}: {run:?}");
        assert!(run.err.contains("backup"), "{name}: {run:?}");
    }
    // No database at all.
    for name in DATABASES {
        let damaged = copy(folder.path());
        fs::write(
            damaged.path().join(name),
            "not a database, and long enough to be seen as none".repeat(100),
        )
        .unwrap();
        let run = serve(damaged.path());
        assert!(run.code == 1 && run.err.contains(name) && run.err.contains("backup"), "{run:?}");
    }
}

/// `beaconry serve` that is expected to refuse.
fn serve(folder: &Path) -> Run {
    beaconry(folder, 0, &["serve", "--collector", "127.0.0.1:0", "--console", "127.0.0.1:0"])
}

#[test]
fn a_lost_or_broken_index_is_made_anew_once_it_is_deleted() {
    let folder = filled();
    let before = beaconry(folder.path(), 0, &["stats", "--json"]).json();
    fs::remove_file(folder.path().join("index.db")).unwrap();
    Server::start(folder.path()).stop();
    assert_eq!(beaconry(folder.path(), 0, &["verify"]).code, 0);
    assert_eq!(beaconry(folder.path(), 0, &["stats", "--json"]).json()["events"], before["events"]);
}

#[test]
fn a_folder_of_a_newer_beaconry_is_refused_by_every_command() {
    for name in DATABASES {
        let folder = filled();
        let database = rusqlite::Connection::open(folder.path().join(name)).unwrap();
        database.pragma_update(None, "user_version", 99).unwrap();
        drop(database);
        let expected = format!("{name}: expected schema");
        let commands: &[&[&str]] = match name {
            "registry.db" => &[&["event", "list"], &["verify"]],
            "profiles.db" => &[&["profile", "export", "test-visitor"], &["verify"], &["stats"]],
            _ => &[&["events", "order-placed"], &["verify"], &["stats"]],
        };
        for command in commands {
            let run = beaconry(folder.path(), 0, command);
            assert!(run.code == 1 && run.err.contains(&expected), "{command:?}: {run:?}");
        }
        let run = serve(folder.path());
        assert!(run.code == 1 && run.err.contains(&expected), "{run:?}");
        assert!(run.err.contains("written by a newer Beaconry, so use that one"), "{run:?}");
    }
}

/// The folder as the first schema wrote it.
#[test]
fn a_folder_of_the_first_schema_is_brought_up_to_date() {
    let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/first_schema");
    let folder = copy(&first);
    let command = ["events", "order-placed", "--limit", "1000", "--json"];
    let events = beaconry(folder.path(), 0, &command).json();
    assert_eq!(events.as_array().unwrap().len(), 38);
    let server = Server::start(folder.path());
    assert_eq!(server.events("order-placed", 38).len(), 38);
    assert_eq!(server.stop(), 0);
    let verified = beaconry(folder.path(), 0, &["verify", "--json"]).json();
    assert_eq!((&verified["events"], &verified["quarantined"]), (&38.into(), &2.into()));
}

#[test]
fn a_second_server_is_refused() {
    let folder = filled();
    let first = Server::start(folder.path());
    let second = serve(folder.path());
    assert_eq!(second.code, 1);
    assert!(
        second.err.contains(&format!("another server works on it (process {})", first.id())),
        "{second:?}"
    );
    assert_eq!(first.stop(), 0);
}

/// As another user where this one is root, and else on a folder that its user may not enter.
#[test]
fn another_users_folder_is_refused() {
    const NOBODY: u32 = 65_534;
    let folder = filled();
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = place.path().join("beaconry");
    fs::copy(binary_path(), &binary).unwrap();
    let root = fs::metadata("/proc/self").unwrap().permissions().mode() != 0
        && chown(place.path(), Some(0), None).is_ok();
    if !root {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o000)).unwrap();
    }
    for arguments in [&["serve"][..], &["events", "order-placed"], &["verify"], &["event", "list"]]
    {
        let mut command = Command::new(&binary);
        command.arg("--data").arg(folder.path()).args(arguments);
        if root {
            command.uid(NOBODY);
        }
        let output = command.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {err}");
        let expected = format!(
            "data folder {}: expected one that this user can read and write, got: Permission denied",
            folder.path().display()
        );
        assert!(err.contains(&expected), "{arguments:?}: {err}");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if root {
        chown(folder.path(), Some(NOBODY), None).unwrap();
        let run = beaconry(folder.path(), 0, &["verify"]);
        let expected = "it belongs to user 65534, and this is root; run this as that user";
        assert!(run.code == 1 && run.err.contains(expected), "{run:?}");
    }
}
