//! Whether what is stored already, and who reads it, slow down what arrives.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use beaconry_bench_console::client::Connection;
use beaconry_bench_console::fill;

use crate::peak::{Kind, Measured, measure};
use crate::servers::{Programs, Server};
use crate::settings::Settings;
use beaconry_bench_collector::define;

/// How long what a round left behind may take to be worked off.
const LONGEST_REST: Duration = Duration::from_secs(240);
/// Pages asked for in a second while events arrive.
const PAGES: u32 = 10;

/// Rounds at a folder with much in it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) stored: u64,
    pub(crate) empty: Vec<Measured>,
    pub(crate) full: Vec<Measured>,
    /// The same while somebody reads: pages, and megabytes exported, a second in each round.
    pub(crate) read: Vec<(Measured, f64, f64)>,
}

/// Fills the folder where it is not filled yet, then measures an empty one, this one, and this one while it is read.
pub(crate) fn stored(
    folder: &Path,
    programs: &Programs,
    settings: &Settings,
) -> Result<Stored, String> {
    eprintln!(
        "filling {} with {} events, where it is not filled yet",
        folder.display(),
        settings.stored
    );
    let filled = fill::fill(folder, settings.stored)?;
    let key = define::define(folder)?;
    let kind = Kind::SINGLE;
    let mut stored =
        Stored { stored: filled.stored, empty: Vec::new(), full: Vec::new(), read: Vec::new() };
    let (mut console, server) = open(folder, programs)?;
    server.rest(LONGEST_REST)?;
    for round in 0..settings.rounds {
        eprintln!("stored: round {} of {}", round + 1, settings.rounds);
        let (empty, its_key) = kind.start(programs)?;
        stored.empty.push(measure(&kind.load(&empty, &its_key, settings), &empty)?);
        drop(empty);
        let load = kind.load(&server, &key, settings);
        stored.full.push(measure(&load, &server)?);
        server.rest(LONGEST_REST)?;
        let read = while_read(&mut console, &filled.largest.0, || measure(&load, &server))?;
        let [empty, full] = [&stored.empty, &stored.full].map(|all| all[round].rate);
        eprintln!(
            "stored: {empty:.0} a second at an empty store, {full:.0} at this one, {:.0} while it is read",
            read.0.rate
        );
        stored.read.push(read);
        server.rest(LONGEST_REST)?;
    }
    Ok(stored)
}

/// The server on a folder that stays, and a client of its console.
fn open(folder: &Path, programs: &Programs) -> Result<(Connection, Server), String> {
    let server = programs.beaconry_on(folder)?;
    let mut connection = Connection::open(&server.console)?;
    connection.log_in(&programs.beaconry, folder)?;
    Ok((connection, server))
}

/// Measures while one thread asks for pages of the event with the most data, and another exports it.
fn while_read(
    console: &mut Connection,
    event: &str,
    measure: impl FnOnce() -> Result<Measured, String>,
) -> Result<(Measured, f64, f64), String> {
    let (ended, pages, bytes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let exporter = console.again();
    thread::scope(|scope| {
        let exporting = scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                exporter.download(&format!("/events/{event}/data/csv"), |read| {
                    bytes.fetch_add(read as u64, Ordering::Relaxed);
                    !ended.load(Ordering::Relaxed)
                })?;
            }
            Ok::<_, String>(())
        });
        let asking = scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                console.get(&format!("/events/{event}/data"))?;
                pages.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_secs(1) / PAGES);
            }
            Ok::<_, String>(())
        });
        let begun = Instant::now();
        let measured = measure();
        let took = begun.elapsed();
        ended.store(true, Ordering::Relaxed);
        let joined = |error| format!("a thread that reads panicked: {error:?}");
        exporting.join().map_err(joined)??;
        asking.join().map_err(joined)??;
        let a_second =
            |count: &AtomicU64| count.load(Ordering::Relaxed) as f64 / took.as_secs_f64();
        Ok((measured?, a_second(&pages), a_second(&bytes) / 1e6))
    })
}
