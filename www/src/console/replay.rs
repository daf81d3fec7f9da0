//! Replaying what is in quarantine: a rehearsal first, which says how many would pass and why the rest would not, then the
//! real thing; both with their progress.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use beaconry_store::{Known, Rank, Replay, ReplayCount, Store, StoreError, Which, start_behind};

use super::draft::{Pairs, ticked, value};
use super::event::find;
use super::quarantine::code_of;
use super::who::Who;
use super::work::{Work, new_id};
use super::{State as Console, failed, problem, words};
use crate::page::{go_to, page};

/// Replays and rehearsals that run at once; the store does them one page after the other anyway.
const AT_ONCE: usize = 4;
/// Beacons that can be ticked by hand: more than a page shows.
const TICKED: usize = 200;

/// What came of a replay, with what was asked, so that a rehearsal can be followed by the real thing.
#[derive(Debug)]
pub(super) struct Replayed {
    order: Order,
    counts: ReplayCount,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The event's discriminator.
    event: String,
    name: String,
    which: Which,
    as_current: bool,
    rehearse: bool,
}

#[derive(Template)]
#[template(path = "console/replay.html")]
struct Page {
    id: String,
    done: u64,
    total: u64,
    ended: Option<Ended>,
    failed: String,
    cancelled: bool,
}

struct Ended {
    event: String,
    name: String,
    rehearsal: bool,
    as_current: bool,
    counts: ReplayCount,
}

impl Ended {
    /// Field errors in words, the most frequent first.
    fn why(&self) -> Vec<(String, u64)> {
        let mut why: Vec<_> = self.counts.why.iter().map(|(why, n)| (in_words(why), *n)).collect();
        why.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        why
    }
}

/// `total: wrong_type` as people read it.
fn in_words(why: &str) -> String {
    match why.rsplit_once(": ") {
        Some((field, code)) if words::of_violation(code) != code => {
            format!("{field}: {}", words::of_violation(code))
        }
        _ => why.to_owned(),
    }
}

/// Begins a rehearsal of what was chosen.
pub(super) async fn rehearse(State(state): State<Console>, Form(pairs): Form<Pairs>) -> Response {
    let as_current = value(&pairs, "as") == "current";
    let chosen = chosen(&pairs);
    let words = match of_which_event(&state, &pairs, &chosen) {
        Ok(words) => words,
        Err(answer) => return *answer,
    };
    match find(&state, &words) {
        Ok(known) => begin(&state, &known, chosen, as_current, None),
        Err(error) => failed(&error),
    }
}

/// What the form says: everything of the filter, or what is ticked.
fn chosen(pairs: &Pairs) -> Which {
    if !ticked(pairs, "all") {
        let numbers = pairs.iter().filter(|(name, _)| name == "number");
        return Which::These(
            numbers.filter_map(|(_, number)| number.parse().ok()).take(TICKED).collect(),
        );
    }
    code_of(value(pairs, "reason")).map_or(Which::All, Which::Code)
}

/// The event that is replayed: the one that is named, or the one that all ticked beacons are of.
fn of_which_event(state: &Console, pairs: &Pairs, chosen: &Which) -> Result<String, Box<Response>> {
    let refuse = |why: &str| Box::new(problem(StatusCode::UNPROCESSABLE_ENTITY, why));
    let named = value(pairs, "event");
    if !named.is_empty() {
        return match chosen {
            Which::These(numbers) if numbers.is_empty() => {
                Err(refuse("Nothing was chosen. Go back, and tick the beacons to replay."))
            }
            _ => Ok(named.to_owned()),
        };
    }
    let Which::These(numbers) = chosen else {
        return Err(refuse("Choose an event first: a replay is of one event at a time."));
    };
    let store = &state.console.store;
    let reader = store.reader().map_err(|error| Box::new(failed(&error)))?;
    let mut events = Vec::new();
    for number in numbers {
        let kept = reader.quarantined(*number).map_err(|error| Box::new(failed(&error)))?;
        events.extend(kept.map(|kept| kept.event));
    }
    events.sort_unstable();
    events.dedup();
    match events.as_slice() {
        [event] => match store.snapshot().by_number(*event) {
            Some(known) => Ok(known.event.discriminator().to_string()),
            None => Err(refuse("There is no such event any more.")),
        },
        [] => Err(refuse(
            "Nothing was chosen that is still in quarantine. Go back, and tick the beacons to replay.",
        )),
        _ => Err(refuse(
            "These beacons are of several events. Choose one event, then tick what to replay.",
        )),
    }
}

/// Begins the real thing after a rehearsal.
pub(super) async fn replay(
    State(state): State<Console>,
    Path(id): Path<String>,
    who: Who,
) -> Response {
    let work = state.replays.find(&id);
    let rehearsed = work.as_ref().and_then(|work| work.outcome()?.as_ref().ok());
    let Some(rehearsed) = rehearsed.filter(|rehearsed| rehearsed.order.rehearse) else {
        return problem(
            StatusCode::NOT_FOUND,
            "This rehearsal is not there any more. Choose in the quarantine what to replay, and rehearse it again.",
        );
    };
    let order = rehearsed.order.clone();
    match find(&state, &order.event) {
        Ok(known) => begin(&state, &known, order.which, order.as_current, Some(who)),
        Err(error) => failed(&error),
    }
}

/// Begins a replay by somebody, or a rehearsal.
fn begin(
    state: &Console,
    known: &Known,
    which: Which,
    as_current: bool,
    who: Option<Who>,
) -> Response {
    let store = state.console.store.clone();
    let order = Order {
        event: known.event.discriminator().to_string(),
        name: known.event.name().to_string(),
        which,
        as_current,
        rehearse: who.is_none(),
    };
    let Some(work) = state.replays.begin(&new_id(), AT_ONCE) else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Several replays are under way. Wait until one has ended, then begin this one again.",
        );
    };
    let to = format!("/quarantine/replays/{}", work.id);
    let (known, stopped) = (known.clone(), state.stopped.clone());
    start_behind("replay", Rank::Last, move || {
        let by = who.map(|who| who.name().to_owned());
        let outcome = run(&store, known, &order, by, &work, || *stopped.borrow());
        let replayed = outcome.map(|counts| Replayed { order, counts });
        work.end(replayed.map_err(|error| error.to_string()));
    });
    go_to(&to)
}

fn run(
    store: &Store,
    known: Known,
    order: &Order,
    by: Option<String>,
    work: &Work<Replayed>,
    stopped: impl Fn() -> bool,
) -> Result<ReplayCount, StoreError> {
    let held = store.reader()?.quarantine_by_code(known.number)?;
    work.expect(match &order.which {
        Which::These(numbers) => numbers.len() as u64,
        Which::All => held.iter().map(|(_, count)| count).sum(),
        Which::Code(of) => held.iter().filter(|(code, _)| code == of).map(|(_, n)| n).sum(),
    });
    let replay = Replay { known, which: order.which.clone(), as_current: order.as_current, by };
    store.replay_some(&replay, |counts| work.reach(counts.seen()) && !stopped())
}

pub(super) async fn show(State(state): State<Console>, Path(id): Path<String>) -> Response {
    match state.replays.find(&id) {
        Some(work) => page(&page_of(&work)),
        None => gone(),
    }
}

pub(super) async fn cancel(State(state): State<Console>, Path(id): Path<String>) -> Response {
    match state.replays.find(&id) {
        Some(work) => {
            work.cancel();
            go_to(&format!("/quarantine/replays/{}", work.id))
        }
        None => gone(),
    }
}

fn gone() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "This replay is not remembered any more. The quarantine and the event's data say how things stand.",
    )
}

fn page_of(work: &Arc<Work<Replayed>>) -> Page {
    let (done, total) = work.progress();
    let (mut ended, mut failed) = (None, String::new());
    match work.outcome() {
        None => {}
        Some(Err(why)) => failed = why.clone(),
        Some(Ok(Replayed { order, counts })) => {
            ended = Some(Ended {
                event: order.event.clone(),
                name: order.name.clone(),
                rehearsal: order.rehearse,
                as_current: order.as_current,
                counts: counts.clone(),
            });
        }
    }
    Page { id: work.id.clone(), done, total, ended, failed, cancelled: work.is_cancelled() }
}
