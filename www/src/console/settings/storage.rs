//! What is stored, what it takes, and what retention deletes next.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use beaconry_model::retention::Retention;
use beaconry_store::{DatabaseSize, Due, Known, Many, Reader, Storage, StoreError};

use super::super::{State as Console, failed};
use crate::page::page;

/// Rows that one page counts at the most: 400,000 took 49 ms with 200 events in ten million rows. Each kind gets its share.
const COUNTED: usize = 100_000;
/// The least and the most that are counted of one kind.
const SHARES: (usize, usize) = (200, 20_000);

#[derive(Template)]
#[template(path = "console/storage.html")]
struct Page {
    databases: Vec<DatabaseSize>,
    events: Vec<Row>,
    quarantine: Option<Due>,
    trials: Vec<Row>,
}

struct Row {
    name: String,
    to: Option<String>,
    retention: String,
    stored: u64,
    bytes: u64,
    due: Option<Due>,
}

impl Page {
    fn total(&self) -> u64 {
        self.databases.iter().map(|database| database.bytes).sum()
    }

    /// What each database holds.
    fn holds(&self, name: &&'static str) -> &'static str {
        match *name {
            "events.db" => "Events and the quarantine, and what was counted of them",
            "index.db" => "Ids and indexes; made anew from events.db if it is lost",
            "registry.db" => "Definitions, published snippets, and the audit of definitions",
            "profiles.db" => "Profiles, and the events of each; linked behind the log",
            "hooks.db" => "What waits for webhooks, and who is in the segments they watch",
            "keys.db" => "API keys, personal tokens, and the audit of them",
            _ => "People, sessions, links, and the audit of people",
        }
    }
}

pub(in super::super) async fn show(State(state): State<Console>) -> Response {
    match made(&state) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

fn made(state: &Console) -> Result<Page, StoreError> {
    let store = &state.console.store;
    let (storage, reader) = (Storage::open(store.folder())?, store.reader()?);
    let (snapshot, now) = (store.snapshot(), store.clock().steady());
    let share = COUNTED / 2 / snapshot.all_events().len().max(1);
    let most = u32::try_from(share.clamp(SHARES.0, SHARES.1)).unwrap_or(u32::MAX);
    let mut page = Page {
        databases: storage.databases(),
        events: Vec::new(),
        quarantine: storage.quarantine_due(now, most)?,
        trials: Vec::new(),
    };
    for known in snapshot.all_events() {
        let retention = known.event.retention();
        let due = storage.due(known.number, retention, now, most)?;
        let row = row(known, &storage, &reader, due)?;
        // A hidden event is listed for as long as something of it is stored.
        if known.event.hidden_at().is_none() || row.stored > 0 {
            page.events.push(row);
        }
        if let Some(due) = storage.trials_due(known.number, now, most)? {
            page.trials.push(Row { due: Some(due), ..named(known) });
        }
    }
    page.events.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    Ok(page)
}

fn row(
    known: &Known,
    storage: &Storage,
    reader: &Reader,
    due: Option<Due>,
) -> Result<Row, StoreError> {
    let stored = reader.count(known.number)?;
    let bytes = (storage.bytes_each(known.number)? * stored as f64) as u64;
    Ok(Row { stored, bytes, due, ..named(known) })
}

fn named(known: &Known) -> Row {
    let hidden = known.event.hidden_at().is_some();
    Row {
        name: format!("{}{}", known.event.name(), if hidden { " (hidden)" } else { "" }),
        to: (!hidden).then(|| format!("/events/{}", known.event.discriminator())),
        retention: match known.event.retention() {
            Retention::Forever => "until deleted".to_owned(),
            Retention::Days(days) if days % 365 == 0 => plural(u64::from(days / 365), "year"),
            Retention::Days(days) => plural(u64::from(days), "day"),
        },
        stored: 0,
        bytes: 0,
        due: None,
    }
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A number as people read it: 12 345 678.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join("\u{a0}")
}

fn many(many: &Many) -> String {
    let about = if many.exact { "" } else { "about " };
    format!("{about}{}", number(many.count))
}

fn bytes(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes}\u{a0}bytes");
    }
    let (mut size, mut unit) = (bytes as f64 / 1_000.0, 0);
    while size >= 999.5 && unit + 1 < units.len() {
        (size, unit) = (size / 1_000.0, unit + 1);
    }
    let digits = usize::from(size < 9.95);
    format!("{size:.digits$}\u{a0}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_numbers_read_easily() {
        let sizes = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (12_345, "12 kB"),
            (999_600, "1.0 MB"),
            (3_456_789_012, "3.5 GB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (size, expected) in sizes {
            assert_eq!(bytes(size).replace('\u{a0}', " "), expected);
        }
        for (count, expected) in
            [(0, "0"), (999, "999"), (1_000, "1 000"), (12_345_678, "12 345 678")]
        {
            assert_eq!(number(count).replace('\u{a0}', " "), expected);
        }
    }
}
