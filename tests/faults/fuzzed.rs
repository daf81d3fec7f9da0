//! The fuzz targets of `make fuzz` in short: each on its kept corpus, and on bytes changed by chance.

use std::fs;
use std::path::Path;

#[allow(unreachable_pub, reason = "a crate of its own under libFuzzer")]
#[path = "../fuzz/src/targets.rs"]
mod targets;

/// Changes of each file of the corpus.
const CHANGES: usize = 150;

#[track_caller]
fn run(name: &str, target: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut random = fastrand::Rng::with_seed(7);
    let files: Vec<_> =
        fs::read_dir(corpus).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(files.len() > 5, "{name}: a corpus of {} files", files.len());
    for file in &files {
        target(file);
        for _ in 0..CHANGES {
            target(&changed(file.clone(), &files, &mut random));
        }
    }
}

/// Some bytes put in, taken out, turned over or taken from elsewhere.
fn changed(mut bytes: Vec<u8>, files: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        let to = (at + random.usize(..16)).min(bytes.len());
        match random.u8(..5) {
            0 => drop(bytes.drain(at..to)),
            1 => bytes.insert(at, random.u8(..)),
            2 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            3 => drop(
                bytes.splice(at..to, [b"0", b"\"", b"}", b"\n"][random.usize(..4)].iter().copied()),
            ),
            _ => {
                let other = &files[random.usize(..files.len())];
                let from = random.usize(..=other.len());
                let part = &other[from..(from + random.usize(..64)).min(other.len())];
                drop(bytes.splice(at..to, part.iter().copied()));
            }
        }
    }
    bytes
}

#[test]
fn no_bytes_of_a_body_bring_down_the_reading_of_beacons() {
    run("beacon", targets::beacon);
}

#[test]
fn no_bytes_of_a_definition_bring_down_its_reading() {
    run("definition", targets::definition);
}

#[test]
fn no_bytes_of_tracking_settings_bring_down_their_reading() {
    run("settings", targets::settings);
}

#[test]
fn no_bytes_of_a_connection_bring_down_the_collector() {
    let running = targets::Running::default();
    run("request", |data| targets::request(&running, data));
}
