//! `beaconry profile`: show a person, hand out everything that is kept of them, or erase them.

use std::time::Duration;

use clap::Subcommand;

use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_store::{
    Profile, ProfileError, ProfileReader, Snapshot, StoredEvent, TimelineQuery, erase,
};

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

/// How long a command waits for what was stored last to come onto timelines.
pub(super) const LINKING: Duration = Duration::from_secs(2);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A person's keys, attributes, consents, segments and newest events.
    Show {
        /// Any key: an email address, a mobile number, a CRM id, a visitor's id, or the profile's id. A keyspace may stand
        /// in front: crm-id:4711.
        key: String,
        /// How many events at the most.
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Everything that is kept of a person, as JSON.
    Export {
        /// Any key, as for show.
        key: String,
    },
    /// Erase a person from every file of the data folder. Backups are outside of it.
    Erase {
        /// Any key, as for show. A visitor who has no profile, but beacons in quarantine, needs web: in front.
        key: String,
        /// Never take this person again. Only keyed hashes of their keys are kept. Then the key needs its keyspace in
        /// front, like email:ada@shop.example, where the person is not known here.
        #[arg(long)]
        lock: bool,
        /// Yes, it cannot be undone.
        #[arg(long)]
        yes: bool,
    },
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Command::Show { key, limit } => show(context, &key, limit),
            Command::Export { key } => export(context, &key),
            Command::Erase { key, lock, yes } => erase_one(context, &key, lock, yes),
        }
    }
}

fn show(context: &Context, words: &str, limit: usize) -> Result<(), CliError> {
    let (snapshot, reader) = open(context)?;
    let profile = find(&reader, words)?;
    let mut document = reader.export(&snapshot, &profile, context.clock.now())?;
    let query = TimelineQuery { limit, ..TimelineQuery::default() };
    let events = reader.timeline(&snapshot, &profile, &query)?;
    if context.json {
        document["events"] = serde_json::to_value(&events).unwrap_or_default();
        json_value(&document);
        return Ok(());
    }
    line(&format!("profile {}, since {}", profile.id, profile.created));
    columns(&profile.keys.iter().map(key_row).collect::<Vec<_>>());
    for (title, list, cells) in [
        ("attributes", &document["attributes"], ["name", "value", "at"]),
        ("consents", &document["consents"], ["address", "type", "topic"]),
    ] {
        let rows: Vec<_> = list.as_array().into_iter().flatten().collect();
        if !rows.is_empty() {
            line(&format!("\n{title}"));
            let cell = |row: &serde_json::Value, name| match &row[name] {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            columns(
                &rows
                    .iter()
                    .map(|row| cells.map(|name| cell(row, name)).to_vec())
                    .collect::<Vec<_>>(),
            );
        }
    }
    let segments: Vec<_> = document["segments"].as_array().into_iter().flatten().collect();
    if !segments.is_empty() {
        line("\nsegments");
        segments.iter().for_each(|segment| line(segment.as_str().unwrap_or_default()));
    }
    line("\nevents, newest first");
    columns(&events.iter().map(|event| event_row(&snapshot, event)).collect::<Vec<_>>());
    Ok(())
}

fn export(context: &Context, words: &str) -> Result<(), CliError> {
    let (snapshot, reader) = open(context)?;
    let profile = find(&reader, words)?;
    json_value(&reader.export(&snapshot, &profile, context.clock.now())?);
    Ok(())
}

fn erase_one(context: &Context, words: &str, lock: bool, yes: bool) -> Result<(), CliError> {
    if !yes {
        return Err(CliError::Usage(
            "profile erase: everything of this person would be gone, for good; say --yes if that is meant".to_owned(),
        ));
    }
    let key = {
        let reader = ProfileReader::open(&context.folder()?)?;
        match (find(&reader, words), prefixed(words)) {
            (Ok(profile), _) => profile.keys.first().cloned().ok_or(ProfileError::NotFound)?,
            // Without a profile: for what is in quarantine, or to be locked.
            (Err(_), Some(key)) => key?,
            (Err(error), None) => return Err(error),
        }
    };
    erase(&context.data, &key, lock)?;
    line(if lock { "erased, and locked for good" } else { "erased" });
    Ok(())
}

fn open(context: &Context) -> Result<(Snapshot, ProfileReader), CliError> {
    let snapshot = context.registry()?.snapshot()?;
    let reader = ProfileReader::open(&context.folder()?)?;
    if !reader.wait_linked(LINKING)? {
        eprintln!("beaconry: the newest events are not on timelines yet");
    }
    Ok((snapshot, reader))
}

/// The one profile that these words name.
fn find(reader: &ProfileReader, words: &str) -> Result<Profile, CliError> {
    if let Some(key) = prefixed(words) {
        return Ok(reader.find(&key?)?.ok_or(ProfileError::NotFound)?);
    }
    let found = reader.search(words)?;
    match found.as_slice() {
        [profile] => Ok(profile.clone()),
        [] => Err(ProfileError::NotFound.into()),
        several => Err(CliError::Usage(format!(
            "profile: {} have the key {words}; put its keyspace in front, like crm-id:{words}",
            several.len()
        ))),
    }
}

/// A key with its keyspace in front.
fn prefixed(words: &str) -> Option<Result<ProfileKey, CliError>> {
    let (keyspace, key) = words.split_once(':')?;
    let keyspace = Keyspace::ALL.into_iter().find(|known| known.word() == keyspace)?;
    Some(ProfileKey::new(keyspace, key).map_err(CliError::from))
}

fn key_row(key: &ProfileKey) -> Vec<String> {
    row([key.keyspace().label(), key.as_str()])
}

/// A profile's id and keys in a row.
pub(super) fn keys_text(profile: &Profile) -> Vec<String> {
    let keys: Vec<String> =
        profile.keys.iter().map(|key| format!("{}:{}", key.keyspace(), key.as_str())).collect();
    row([&profile.id.to_string(), &keys.join("  ")])
}

fn event_row(snapshot: &Snapshot, event: &StoredEvent) -> Vec<String> {
    let name = snapshot.by_number(event.event).map(|known| known.event.name().to_string());
    let from =
        if event.profile.is_some() { "back end" } else { event.url.as_deref().unwrap_or("web") };
    row([
        &event.time.to_string(),
        &name.unwrap_or_default(),
        &format!("version {}", event.version),
        &event.data,
        from,
    ])
}
