//! The members of a segment: page by page, and all of them as CSV, with those identifiers only that may be read.

use std::io::Write;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;

use beaconry_model::profile::Keyspace;
use beaconry_model::segment::Segment;
use beaconry_store::{Profile, Rank, Store, StoreError, remarks, start_behind};

use super::find;
use crate::console::data::csv::defused;
use crate::console::data::export::{AT_ONCE, is_id};
use crate::console::data::sink::Sink;
use crate::console::profiles::Line;
use crate::console::work::{Work, new_id};
use crate::console::{State as Console, failed, problem};
use crate::page::page;

/// Members on a page.
const PAGE: usize = 50;
/// Members read at a time for a download.
const STRIDE: usize = 500;

#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Choice {
    #[serde(default)]
    after: i64,
    /// What names a download, so that its progress can be asked for.
    #[serde(default)]
    work: String,
}

#[derive(Template)]
#[template(path = "console/members.html")]
struct Members {
    address: String,
    name: String,
    broken: String,
    members: Vec<Line>,
    next: Option<i64>,
    first: bool,
    /// The identifiers that an export carries, and those that an event forbids, with its name.
    carried: Vec<&'static str>,
    forbidden: Vec<(&'static str, String)>,
}

pub(in crate::console) async fn show(
    State(state): State<Console>,
    Path(address): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let segment = match find(&state, &address) {
        Ok(segment) => segment,
        Err(error) => return failed(&error),
    };
    let store = state.console.store.clone();
    let made = tokio::task::spawn_blocking(move || make(&store, segment, choice.after)).await;
    match made.unwrap_or(Err(StoreError::Stopped)) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

fn make(store: &Arc<Store>, segment: Segment, after: i64) -> Result<Members, StoreError> {
    let snapshot = store.snapshot();
    let remarks = remarks(&snapshot, &segment.section, &segment.condition);
    let broken = remarks.iter().find(|remark| remark.breaks());
    let broken = broken.map(ToString::to_string).unwrap_or_default();
    let (mut members, mut next) = (Vec::new(), None);
    if broken.is_empty() {
        let (section, condition) = (&segment.section, &segment.condition);
        let now = store.clock().now();
        let reader = store.profiles()?;
        let found = reader.some_members(&snapshot, section, condition, after, PAGE, now)?;
        members = found.members.iter().map(Line::of).collect();
        next = found.next;
    }
    let carried = snapshot.carried(&segment.condition).into_iter().map(Keyspace::label).collect();
    let withheld = snapshot.withheld(&segment.condition).into_iter();
    let forbidden = withheld.map(|(one, known)| (one.label(), known.event.name().to_string()));
    Ok(Members {
        address: segment.discriminator,
        name: segment.name.to_string(),
        broken,
        members,
        next,
        first: after == 0,
        carried,
        forbidden: forbidden.collect(),
    })
}

pub(in crate::console) async fn csv(
    State(state): State<Console>,
    Path(address): Path<String>,
    Query(choice): Query<Choice>,
) -> Response {
    let segment = match find(&state, &address) {
        Ok(segment) => segment,
        Err(error) => return failed(&error),
    };
    let store = state.console.store.clone();
    let snapshot = store.snapshot();
    let remarks = remarks(&snapshot, &segment.section, &segment.condition);
    if let Some(broken) = remarks.iter().find(|remark| remark.breaks()) {
        return problem(StatusCode::CONFLICT, &format!("{broken}."));
    }
    let id = if is_id(&choice.work) { choice.work } else { new_id() };
    let Some(work) = state.exports.begin(&id, AT_ONCE) else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Several downloads are under way. Wait until one has ended, or stop one, then try again.",
        );
    };
    let (watched, stopped) = (work.clone(), state.stopped.clone());
    let (mut sink, mut pieces) = Sink::new(move || !watched.is_cancelled() && !*stopped.borrow());
    let name = file_name(&segment);
    start_behind("export", Rank::Last, move || {
        let written = write(&store, &segment, &work, &mut sink);
        if let Err(why) = &written {
            sink.break_off(why);
        }
        work.end(written);
    });
    let body = Body::from_stream(stream::poll_fn(move |context| pieces.poll_recv(context)));
    let named = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (
            header::CONTENT_DISPOSITION,
            named.unwrap_or(HeaderValue::from_static("attachment; filename=\"segment.csv\"")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

/// The last part of the segment's address: letters, digits and hyphens.
fn file_name(segment: &Segment) -> String {
    let slug = segment.discriminator.rsplit('.').next().unwrap_or("segment");
    format!("{slug}.csv")
}

/// Writes every member; several keys of one keyspace stand in one cell, apart by a semicolon.
fn write(
    store: &Store,
    segment: &Segment,
    work: &Work<()>,
    to: &mut impl Write,
) -> Result<(), String> {
    let said = |error: StoreError| error.to_string();
    let snapshot = store.snapshot();
    let carried = snapshot.carried(&segment.condition);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(to);
    let words = carried.iter().map(|keyspace| keyspace.word());
    let mut put =
        |cells: Vec<String>| writer.write_record(cells).map_err(|error| error.to_string());
    put(["profile"].into_iter().chain(words).chain(["created"]).map(str::to_owned).collect())?;
    let (reader, now) = (store.profiles().map_err(said)?, store.clock().now());
    work.expect(reader.count().map_err(said)?);
    let (mut after, mut done) = (0, 0);
    loop {
        let (section, condition) = (&segment.section, &segment.condition);
        let page = reader.some_members(&snapshot, section, condition, after, STRIDE, now);
        let page = page.map_err(said)?;
        for member in &page.members {
            put(row(member, &carried))?;
        }
        done += page.members.len() as u64;
        if !work.reach(done) {
            return Err("it was stopped".to_owned());
        }
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    writer.flush().map_err(|error| error.to_string())?;
    Ok(())
}

fn row(member: &Profile, carried: &[Keyspace]) -> Vec<String> {
    let mut cells = vec![member.id.to_string()];
    for keyspace in carried {
        let keys = member.keys.iter().filter(|key| key.keyspace() == *keyspace);
        let keys: Vec<&str> = keys.map(|key| key.as_str()).collect();
        cells.push(defused(&keys.join("; ")));
    }
    cells.push(member.created.to_string());
    cells
}
