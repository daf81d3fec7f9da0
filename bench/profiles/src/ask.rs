//! Asks the real program for what is in the folder, over HTTP, and says how long it took.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use beaconry_bench_console::client::{Connection, Server};
use serde_json::{Value, json};

use crate::Random;
use crate::fill::{Filled, KNOWN, address};
use crate::report::{Limit, Report};

/// Requests a second while posting is measured, for how long, and over how many connections.
const POSTS_A_SECOND: u32 = 200;
const POSTING: Duration = Duration::from_secs(10);
const POSTERS: u32 = 8;
/// How often a profile's events are read.
const READS: usize = 1_000;

/// Serves the folder, and measures.
pub(crate) fn ask(
    binary: &Path,
    folder: &Path,
    filled: &Filled,
    report: &mut Report,
) -> Result<(), String> {
    let rates = ["--api-rate", "100000", "--api-profile-rate", "100000"];
    let (server, host) = Server::start_with(binary, folder, &rates)?;
    let mut person = Connection::open(&host)?;
    person.log_in(binary, folder)?;
    let api = Api::new(&host, filled)?;
    pages(&mut person, filled, report)?;
    api.reads(report)?;
    api.segments(report)?;
    api.posts(report)?;
    api.erases(report)?;
    server.stop();
    Ok(())
}

fn pages(person: &mut Connection, filled: &Filled, report: &mut Report) -> Result<(), String> {
    let mut took = Vec::new();
    for id in &filled.ids {
        let started = Instant::now();
        person.get(&format!("/profiles/{id}"))?;
        took.push(started.elapsed());
    }
    median_and_99th(report, "profile page", took);
    Ok(())
}

fn median_and_99th(report: &mut Report, what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let (median, slow) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    report.time(&format!("{what}, median of {}", took.len()), median, Limit::None);
    report.time(&format!("{what}, 99th of a hundred"), slow, Limit::Ms(20));
}

/// A back end, with an access token.
struct Api<'a> {
    host: &'a str,
    filled: &'a Filled,
    token: String,
}

impl Api<'_> {
    fn new<'a>(host: &'a str, filled: &'a Filled) -> Result<Api<'a>, String> {
        let (client, secret) = &filled.key;
        let asked = json!({"grant_type": "client_credentials", "client_id": client, "client_secret": secret});
        let mut connection = Connection::open(host)?;
        let answer = connection.tell("POST", "/oauth/token", &asked.to_string(), 200)?;
        let answer: Value = serde_json::from_slice(&answer.body).map_err(|e| e.to_string())?;
        let token = answer["access_token"].as_str().ok_or("no access token")?.to_owned();
        Ok(Api { host, filled, token })
    }

    fn connection(&self) -> Result<Connection, String> {
        let mut connection = Connection::open(self.host)?;
        connection.bear(&self.token);
        Ok(connection)
    }

    /// Somebody who is known by an address.
    fn somebody(&self, random: &mut Random) -> String {
        let visitor = random.below(self.filled.profiles / KNOWN) * KNOWN;
        format!(
            "/audience/keyspaces/com.apsis1.keyspaces.email/profiles/{}",
            address(visitor).replace('@', "%40")
        )
    }

    fn reads(&self, report: &mut Report) -> Result<(), String> {
        let (mut random, mut connection, mut took) = (Random(17), self.connection()?, Vec::new());
        for _ in 0..READS {
            let path =
                format!("{}/sections/{}/events", self.somebody(&mut random), self.filled.section);
            let started = Instant::now();
            connection.tell("GET", &path, "", 200)?;
            took.push(started.elapsed());
        }
        median_and_99th(report, "events read", took);
        Ok(())
    }

    fn segments(&self, report: &mut Report) -> Result<(), String> {
        let mut connection = Connection::open(self.host)?;
        connection.bear(&self.filled.token);
        let path = format!("/v1/sections/{}/segments/count", self.filled.section);
        for (what, condition) in &self.filled.segments {
            let body = json!({"condition": condition}).to_string();
            let started = Instant::now();
            let answer = connection.tell("POST", &path, &body, 200)?;
            let took = started.elapsed();
            let answer: Value = serde_json::from_slice(&answer.body).map_err(|e| e.to_string())?;
            let what = format!("segment, {what}: {} fit", answer["count"]);
            report.time(&what, took, Limit::Ms(2_000));
        }
        Ok(())
    }

    /// Posts at a steady rate, one event each, to random profiles.
    fn posts(&self, report: &mut Report) -> Result<(), String> {
        let begun = Instant::now();
        let mut took = thread::scope(|scope| {
            let posters: Vec<_> =
                (0..POSTERS).map(|poster| scope.spawn(move || self.post(poster, begun))).collect();
            let mut took = Vec::new();
            for poster in posters {
                took.extend(poster.join().map_err(|_| "a poster panicked")??);
            }
            Ok::<_, String>(took)
        })?;
        took.sort_unstable();
        let what = format!("posting at {POSTS_A_SECOND} requests a second");
        report.time(&format!("{what}, median"), took[took.len() / 2], Limit::Ms(5));
        let slow = took[took.len() * 99 / 100];
        report.time(&format!("{what}, 99th of a hundred"), slow, Limit::None);
        Ok(())
    }

    /// One of several who post in turn.
    fn post(&self, poster: u32, begun: Instant) -> Result<Vec<Duration>, String> {
        let (mut connection, mut random) = (self.connection()?, Random(7 + u64::from(poster)));
        let item = json!({"version_id": self.filled.version, "data": {"source": "ERP", "totalvalue": 1.5}});
        let body = json!({"items": [item]}).to_string();
        let mut took = Vec::new();
        for turn in 0.. {
            let due = Duration::from_secs(1) / POSTS_A_SECOND * (turn * POSTERS + poster);
            if due > POSTING {
                return Ok(took);
            }
            thread::sleep(due.saturating_sub(begun.elapsed()));
            let path =
                format!("{}/sections/{}/events", self.somebody(&mut random), self.filled.section);
            connection.tell("POST", &path, &body, 201)?;
            took.push(begun.elapsed() - due);
        }
        Ok(took)
    }

    fn erases(&self, report: &mut Report) -> Result<(), String> {
        let path = self.somebody(&mut Random(1));
        let (mut connection, started) = (self.connection()?, Instant::now());
        connection.tell("DELETE", &path, "", 204)?;
        report.time("erasing a person from every file", started.elapsed(), Limit::None);
        Ok(())
    }
}
