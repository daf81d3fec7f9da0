//! Times the pages of the real program on that folder, over one connection of this machine.

use std::path::Path;
use std::time::{Duration, Instant};

use beaconry_bench_console::client::{Connection, Server};
use beaconry_bench_console::fill::Filled;

/// Requests for a page that are timed, after some that are not.
const ROUNDS: usize = 60;
const WARM_UP: usize = 3;

/// How long a page took.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) bytes: usize,
    pub(crate) first_ms: f64,
    pub(crate) median_ms: f64,
    pub(crate) p95_ms: f64,
    /// Whether the limit is for it. A search for a value is bounded otherwise.
    pub(crate) bounded: bool,
}

/// Starts the program on the folder and times each page.
pub(crate) fn measure(binary: &Path, data: &Path, filled: &Filled) -> Result<Vec<Page>, String> {
    let (server, console) = Server::start(binary, data)?;
    let mut connection = Connection::open(&console)?;
    connection.log_in(binary, data)?;
    let to = format!("/events/{}", filled.largest.0);
    let section = format!("/sections/{}", filled.section);
    // A place in the middle of the largest event's data, found as a reader finds it: by time.
    let middle = days_ago(45);
    let deep = connection.get(&format!("{to}/data?to={middle}"))?.older()?;
    let kept = connection.get("/quarantine")?.between("href=\"/quarantine/", "\"")?;
    let pages = [
        ("Data model", "/".to_owned(), true),
        ("Data model, searched", "/?q=number+17".to_owned(), true),
        ("Event", to.clone(), true),
        ("Edit", format!("{to}/edit"), true),
        ("Web tracking", format!("{to}/tracking"), true),
        ("Triggers and values", format!("{to}/capture"), true),
        ("Versions", format!("{to}/versions"), true),
        ("Health, 24 hours", format!("{to}/health"), true),
        ("Health, 30 days", format!("{to}/health?span=month"), true),
        ("Health of the section", format!("{section}/health"), true),
        ("Why don't I see my event?", format!("{to}/why"), true),
        ("Live", "/live".to_owned(), true),
        ("Quarantine", "/quarantine".to_owned(), true),
        (
            "Quarantine, one event and reason",
            format!("/quarantine?event={}&reason=invalid_fields", filled.largest.0),
            true,
        ),
        ("Quarantine, one opened", format!("/quarantine/{kept}"), true),
        ("Data", format!("{to}/data"), true),
        ("Data, a page in the middle", deep, true),
        ("Data, by version", format!("{to}/data?version=1"), true),
        ("Data, by time", format!("{to}/data?from={}&to={middle}", days_ago(46)), true),
        (
            "Data, by version and time",
            format!("{to}/data?version=2&from={}&to={middle}", days_ago(46)),
            true,
        ),
        (
            "Data, one step of a search for a value",
            format!("{to}/data?field=orderid&op=is&value=O-17"),
            false,
        ),
        ("Section settings", section.clone(), true),
        ("Profiles", "/profiles".to_owned(), true),
        ("Segments", "/segments".to_owned(), true),
        ("Settings", "/settings".to_owned(), true),
        ("API keys", "/settings/keys".to_owned(), true),
        ("Webhooks", "/settings/webhooks".to_owned(), true),
        ("Audit log", "/settings/audit".to_owned(), true),
        ("Storage", "/settings/storage".to_owned(), true),
    ];
    let measured = pages
        .into_iter()
        .map(|(name, path, bounded)| time(&mut connection, name, &path, bounded))
        .collect();
    server.stop();
    measured
}

fn days_ago(days: u64) -> String {
    let ago = std::time::SystemTime::now() - Duration::from_secs(days * 24 * 3_600);
    let ms = ago.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    beaconry_model::time::Timestamp(ms).to_string().chars().take(16).collect()
}

fn time(
    connection: &mut Connection,
    name: &'static str,
    path: &str,
    bounded: bool,
) -> Result<Page, String> {
    let mut ask = || {
        let asked = Instant::now();
        let answer = connection.get(path)?;
        Ok::<_, String>((asked.elapsed().as_secs_f64() * 1_000.0, answer.body.len()))
    };
    let (first_ms, bytes) = ask()?;
    for _ in 0..WARM_UP {
        ask()?;
    }
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        times.push(ask()?.0);
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    Ok(Page { name, bytes, first_ms, median_ms: at(0.5), p95_ms: at(0.95), bounded })
}
