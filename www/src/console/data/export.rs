//! Stored events as a file, streamed as it is made: bounded in memory, with its progress to be asked for, to be stopped.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_store::{Known, ProfileReader, Range, Rank, Reader, Store, StoredEvent, start_behind};

use super::condition::Condition;
use super::csv::Csv;
use super::parquet::Parquet;
use super::sink::Sink;
use super::table::Table;
use super::{Choice, find};
use crate::console::work::{Work, Works, new_id};
use crate::console::{State as Console, failed, problem};

/// Downloads at once: each keeps a thread.
pub(in crate::console) const AT_ONCE: usize = 4;
/// Events read at a time. No read lasts longer, so that the log's write-ahead log can be emptied in between.
const STRIDE: usize = 1_000;

/// The file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Rows of commas.
    Csv,
    /// A JSON object a line.
    JsonLines,
    /// Columns with types.
    Parquet,
}

impl Format {
    /// What a browser knows it by.
    pub(crate) const fn mime(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::JsonLines => "application/jsonl",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::JsonLines => "jsonl",
            Format::Parquet => "parquet",
        }
    }
}

/// What is exported.
struct Export {
    /// What it lets go first where there is a rush.
    store: Arc<Store>,
    known: Known,
    range: Range,
    condition: Option<Condition>,
    /// For an outside system: whose keys go with it, and where they are found.
    through: Option<(Vec<Keyspace>, ProfileReader)>,
}

impl Export {
    fn table(&self) -> Table {
        let table = Table::of(&self.known, self.range.version);
        match &self.through {
            Some((keyspaces, _)) => table.read_through(keyspaces),
            None => table,
        }
    }

    /// The keys of whose event it is, as far as they may be told.
    fn keys(&self, event: &StoredEvent) -> Result<Vec<ProfileKey>, String> {
        let Some((_, profiles)) = &self.through else { return Ok(Vec::new()) };
        profiles.keys_of(event).map_err(|error| error.to_string())
    }
}

/// Downloads by outside systems.
#[derive(Debug, Default)]
pub(crate) struct Downloads(Works<()>);

impl Downloads {
    /// Streams events of a kind with the keys of these keyspaces; `None` where several downloads are under way.
    pub(crate) fn begin(
        &self,
        store: &Arc<Store>,
        reader: Reader,
        (known, range): (Known, Range),
        format: Format,
        through: (Vec<Keyspace>, ProfileReader),
    ) -> Option<Response> {
        let work = self.0.begin(&new_id(), AT_ONCE)?;
        let name = file_name(&known, format);
        let (sink, mut pieces) = Sink::new(|| true);
        let store = store.clone();
        let export = Export { store, known, range, condition: None, through: Some(through) };
        start_behind("export", Rank::Last, move || write(&reader, &export, format, &work, sink));
        let body = Body::from_stream(stream::poll_fn(move |context| pieces.poll_recv(context)));
        Some(as_file(body, format, &name))
    }
}

pub(in crate::console) async fn csv(
    state: State<Console>,
    event: Path<String>,
    choice: Query<Choice>,
) -> Response {
    export(state, event, choice, Format::Csv)
}

pub(in crate::console) async fn parquet(
    state: State<Console>,
    event: Path<String>,
    choice: Query<Choice>,
) -> Response {
    export(state, event, choice, Format::Parquet)
}

fn export(
    State(state): State<Console>,
    Path(event): Path<String>,
    Query(choice): Query<Choice>,
    format: Format,
) -> Response {
    let (known, reader) = match find(&state, &event)
        .and_then(|known| state.console.store.reader().map(|reader| (known, reader)))
    {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    let (range, condition) = match choice.read() {
        Ok(read) => read,
        Err(wrong) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &wrong),
    };
    let id = if is_id(&choice.work) { choice.work } else { new_id() };
    let Some(work) = state.exports.begin(&id, AT_ONCE) else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Several downloads are under way. Wait until one has ended, or stop one, then try again.",
        );
    };
    let name = file_name(&known, format);
    let (watched, stopped) = (work.clone(), state.stopped.clone());
    let (sink, mut pieces) = Sink::new(move || !watched.is_cancelled() && !*stopped.borrow());
    let store = state.console.store.clone();
    let export = Export { store, known, range, condition, through: None };
    start_behind("export", Rank::Last, move || write(&reader, &export, format, &work, sink));
    let body = Body::from_stream(stream::poll_fn(move |context| pieces.poll_recv(context)));
    as_file(body, format, &name)
}

/// What a browser may call its download: what it makes up itself, within bounds.
pub(in crate::console) fn is_id(text: &str) -> bool {
    (16..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn file_name(known: &Known, format: Format) -> String {
    format!("{}.{}", known.event.slug(), format.ending())
}

/// A slug is of letters, digits and hyphens, so it can be quoted as it is.
fn as_file(body: Body, format: Format, name: &str) -> Response {
    let named = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.mime())),
        (header::CONTENT_DISPOSITION, named.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

/// Writes the whole file, and breaks it off where that fails.
fn write<F: Fn() -> bool + Send>(
    reader: &Reader,
    export: &Export,
    format: Format,
    work: &Work<()>,
    mut sink: Sink<F>,
) {
    let table = export.table();
    let written = match format {
        Format::Csv => Csv::begin(&mut sink, &table).and_then(|mut csv| {
            each(reader, export, work, |event| csv.row(&table.row(&event, &export.keys(&event)?)))?;
            csv.end()
        }),
        Format::JsonLines => each(reader, export, work, |event| {
            let line = line(export, &event, &export.keys(&event)?);
            sink.write_all(line.as_bytes()).map_err(|error| error.to_string())
        })
        .and_then(|()| sink.flush().map_err(|error| error.to_string())),
        Format::Parquet => Parquet::begin(&mut sink, &table).and_then(|mut parquet| {
            each(reader, export, work, |event| {
                parquet.row(table.row(&event, &export.keys(&event)?))
            })?;
            parquet.end()
        }),
    };
    if let Err(why) = &written {
        sink.break_off(why);
    }
    work.end(written);
}

/// An event as a line of JSON.
fn line(export: &Export, event: &StoredEvent, keys: &[ProfileKey]) -> String {
    let may = |keyspace| {
        export.through.as_ref().is_none_or(|(keyspaces, _)| keyspaces.contains(&keyspace))
    };
    let told = keys.iter().filter(|key| may(key.keyspace())).map(|key| {
        json!({
            "keyspace_discriminator": key.keyspace().discriminator(),
            "profile_key": key.as_str(),
        })
    });
    let version = export.known.event.versions().get(event.version);
    let line = json!({
        "id": event.id.to_string(),
        "event_time": event.time,
        "received_at": event.received,
        "version_id": version.map(|version| &version.id),
        "version": event.version,
        "url": event.url,
        "profile": { "keys": told.collect::<Vec<_>>() },
        "data": serde_json::from_str::<serde_json::Value>(&event.data).unwrap_or_default(),
    });
    format!("{line}\n")
}

/// Every event of an export, newest first.
fn each(
    reader: &Reader,
    export: &Export,
    work: &Work<()>,
    mut row: impl FnMut(StoredEvent) -> Result<(), String>,
) -> Result<(), String> {
    let Export { store, known, range, condition, .. } = export;
    work.expect(reader.count_in(known.number, *range).map_err(|error| error.to_string())?);
    let mut pages = reader.pages(known.number, *range, None).map_err(|error| error.to_string())?;
    let (mut done, mut begun) = (0, Instant::now());
    while let Some(page) = pages.next(STRIDE).map_err(|error| error.to_string())? {
        done += page.len() as u64;
        for event in page {
            if condition.as_ref().is_none_or(|condition| condition.fits(&event.data)) {
                row(event)?;
            }
        }
        if !work.reach(done) {
            return Err("it was stopped".to_owned());
        }
        store.make_way(begun.elapsed());
        begun = Instant::now();
    }
    Ok(())
}

/// How far a download has come, as JSON.
pub(in crate::console) async fn progress(
    State(state): State<Console>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let Some(work) = state.exports.find(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (done, total) = work.progress();
    let ended = work.outcome();
    let failed = ended.and_then(|outcome| outcome.as_ref().err());
    axum::Json(json!({ "done": done, "total": total, "ended": ended.is_some(), "failed": failed }))
        .into_response()
}

pub(in crate::console) async fn cancel(
    State(state): State<Console>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    match state.exports.find(&id) {
        Some(work) => {
            work.cancel();
            StatusCode::NO_CONTENT.into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
