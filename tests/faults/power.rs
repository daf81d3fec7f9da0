//! The power goes while beacons arrive: whatever was answered with 2xx is there when it is back, once.

use std::fs;
use std::path::Path;
use std::time::Instant;

use beaconry_store::{Clock, Store};
use tempfile::TempDir;

use crate::clients::Ledger;
use crate::disk::Disk;
use crate::rig::{Rig, prepare};

const CLIENTS: usize = 6;
/// Power cuts that one data folder goes through.
const CUTS: u64 = 10;
/// Operations on the disk in which the power may go: from the opening on, over some checkpoints.
const OPERATIONS: u64 = 2_500;
/// Operations of which some fall into the opening of a folder, and its recovery.
const OPENING: u64 = 80;

/// Data folders go through power cuts, each at another moment, with what the one before it left.
fn cut_again_and_again(folders: u64, seed: u64) {
    let (started, mut opening, mut operations, mut promised) = (Instant::now(), 0, 0, 0);
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..folders {
        let mut folder = tempfile::tempdir().unwrap();
        let key = prepare(folder.path());
        let ledger = Ledger::default();
        for cut in 0..CUTS {
            let disk = Disk::under(folder.path(), random.u64(..));
            let after = if cut % 4 == 3 { OPENING } else { OPERATIONS };
            disk.cut_after(random.u64(1..=after));
            match Rig::start(folder.path()) {
                Ok(rig) => {
                    ledger.send(&rig.url, &key, CLIENTS, || !disk.is_off());
                    rig.stop();
                }
                Err(error) => {
                    assert!(disk.is_off(), "after {cut} cuts of seed {seed}: {error}");
                    opening += 1;
                }
            }
            operations += disk.operations();
            folder = tempfile::tempdir().unwrap();
            disk.after_power_cut(folder.path());
            // Looked at on a copy, opened and closed once: what lies here is for the next round to recover.
            let copy = copy(folder.path());
            drop(Store::open(copy.path(), Clock::default()).unwrap());
            ledger.check(copy.path());
        }
        promised += ledger.promised() as u64;
    }
    let cuts = folders * CUTS;
    assert!(promised > cuts * 50, "next to nothing was sent: {promised} events");
    eprintln!(
        "{cuts} power cuts ({opening} of them while a folder was opened) in {operations} writes and syncs: \
         {promised} events promised, none lost, none twice; seed {seed}, {:.1?}",
        started.elapsed()
    );
}

fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn nothing_promised_is_lost_in_twenty_power_cuts() {
    cut_again_and_again(2, 6);
}

#[test]
#[ignore = "some minutes; make test-faults"]
fn nothing_promised_is_lost_in_a_hundred_power_cuts() {
    cut_again_and_again(10, fastrand::u64(..));
}

/// Whatever a cut leaves of a folder that is being made, it opens, with everything promised in it by then.
#[test]
fn a_power_cut_in_the_making_of_a_folder_leaves_one_that_opens() {
    for operation in (1..160).step_by(6) {
        let folder = tempfile::tempdir().unwrap();
        let key = prepare(folder.path());
        let (disk, ledger) = (Disk::under(folder.path(), operation), Ledger::default());
        disk.cut_after(operation);
        if let Ok(rig) = Rig::start(folder.path()) {
            ledger.send(&rig.url, &key, 2, || !disk.is_off());
            rig.stop();
        }
        let left = tempfile::tempdir().unwrap();
        disk.after_power_cut(left.path());
        let opened = Store::open(left.path(), Clock::default());
        drop(opened.unwrap_or_else(|error| panic!("cut in operation {operation}: {error}")));
        ledger.check(left.path());
    }
}
