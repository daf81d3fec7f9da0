//! The real binary on disks of the operating system that have no room, or refuse to write.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use beaconry_tests::{Server, eventually, get};

use crate::clients::Ledger;
use crate::rig::prepare;

/// A small file system in memory. Unmounted when it goes out of scope.
struct Small(PathBuf);

impl Small {
    /// `None` where this user may not mount.
    fn mount(at: &Path) -> Option<Small> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "beaconry-test"]).arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Small(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_small_file_system_that_is_full_is_503_and_heals_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(folder.path()) else {
        eprintln!("not checked: this user may not mount a file system");
        return;
    };
    let data = small.0.join("data");
    let key = prepare(&data);
    let filler = small.0.join("filler");
    let server = Server::start(&data);
    let ledger = Ledger::default();
    ledger.send(&server.collector, &key, 4, || ledger.promised() < 300);
    // Takes all the room there is.
    let fill = Command::new("dd")
        .args(["if=/dev/zero", "bs=64k"])
        .arg(format!("of={}", filler.display()))
        .output();
    assert!(fill.is_ok_and(|fill| !fill.status.success()), "the file system did not fill up");
    ledger.send(&server.collector, &key, 4, || ledger.answered(503) < 200);
    // Now and then something small still finds room, in a WAL that begins anew.
    eventually("the health says so", || {
        let more = ledger.answered(503) + 4;
        ledger.send(&server.collector, &key, 4, || ledger.answered(503) < more);
        let health = get(&server.collector, "/healthz", &[]);
        (health.status == 503 && health.text().contains("the disk is full")).then_some(())
    });
    // Reading goes on, and what the command line would write is refused in plain words.
    assert_eq!(server.beaconry(&["events", "order-placed"]).code, 0);
    let refused = server.beaconry(&["section", "create", "Other", "--origin", "https://a.example"]);
    assert!(refused.code == 1 && refused.err.contains("disk is full"), "{refused:?}");

    std::fs::remove_file(filler).unwrap();
    eventually("it heals", || {
        (get(&server.collector, "/healthz", &[]).status == 200).then_some(())
    });
    let promised = ledger.promised();
    ledger.send(&server.collector, &key, 4, || ledger.promised() < promised + 300);
    let said = server.errors();
    // Whichever of what is written with each event finds no room first says so for all.
    let full = |line: &str| {
        line.contains("the disk is full")
            && ["events.db", "index.db", "profiles.db"]
                .iter()
                .any(|name| line.ends_with(&format!("database={name}")))
    };
    assert!(said.lines().any(full), "{said}");
    assert_eq!(server.stop(), 0);
    ledger.check(&data);
}

#[test]
fn a_disk_that_refuses_to_write_stops_the_server_and_it_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let key = prepare(folder.path());
    // Files of at most 2,500 blocks of 512 bytes: beyond it, a write fails, and not for want of room.
    let mut server = Server::start_after(folder.path(), "trap '' XFSZ; ulimit -f 2500");
    let (ledger, url, runs) = (Ledger::default(), server.collector.clone(), AtomicBool::new(true));
    thread::scope(|scope| {
        scope.spawn(|| ledger.send(&url, &key, 4, || runs.load(Ordering::Relaxed)));
        assert_eq!(server.wait(), 1);
        runs.store(false, Ordering::Relaxed);
    });
    let said = server.errors();
    // Whichever of what is written with each event reaches the limit first.
    let which = ["events.db", "index.db", "profiles.db"];
    let failed = |name| {
        let what = format!("database={name} error=disk I/O error");
        said.lines().any(|line| line.contains("writing failed") && line.ends_with(&what))
    };
    assert!(which.into_iter().any(failed), "{said}");
    assert!(said.contains("beaconry: stopped: the disk failed"), "{said}");
    assert!(ledger.promised() > 100);
    let server = Server::start(folder.path());
    let promised = ledger.promised();
    ledger.send(&server.collector, &key, 4, || ledger.promised() < promised + 100);
    assert_eq!(server.stop(), 0);
    ledger.check(folder.path());
}
