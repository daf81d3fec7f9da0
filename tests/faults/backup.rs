//! A backup while beacons arrive: what was promised before it began is in it, and a server on what is restored goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use beaconry_tests::{Server, beaconry};

use crate::clients::Ledger;
use crate::rig::prepare;

#[test]
fn a_backup_under_load_holds_what_was_promised_before_it_and_can_be_restored() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key = prepare(&data);
    let server = Server::start(&data);
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
                for database in ["index.db  100 %", "events.db  100 %", "registry.db  100 %"] {
                    assert!(run.err.contains(database), "{database}: {run:?}");
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
        let run = beaconry(&restored, 0, &["restore", backup.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{run:?}");
        ledger.check_first(&restored, promised);
        let again = beaconry(&restored, 0, &["restore", backup.to_str().unwrap()]);
        assert!(again.code == 1 && again.err.contains("nothing is overwritten"), "{again:?}");
    }
    // What the last one missed is sent again, and what it has is known.
    let restored = backups[2].with_extension("restored");
    let server = Server::start(&restored);
    ledger.send_again(&server.collector, &key, usize::MAX);
    assert_eq!(server.stop(), 0);
    ledger.check(&restored);
}
