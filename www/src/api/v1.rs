//! What is ours beside the known shapes: definitions with all that is known of them, and web tracking.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use beaconry_model::error::Refusal;
use beaconry_model::event::Event;
use beaconry_model::time::Timestamp;
use beaconry_model::tracking::StalePolicy;
use beaconry_store::{Known, Plan, Planned};

use super::call::Call;
use super::caller::Needs;
use super::definitions::{EventItem, Items, event_item};
use super::operation::{Found, Operation, with, with_raw, without};
use super::problem::Problem;

pub(super) const GROUP: &str = "Beaconry";
pub(super) const NO_EVENT: (u16, &str) = (404, "There is no such event.");

/// An event with all that is known of it.
#[derive(Debug, Serialize, JsonSchema)]
struct FullEvent {
    #[serde(flatten)]
    event: EventItem,
    /// The section it belongs to.
    section_discriminator: String,
    /// How long its data is kept: `forever`, or a period like `30d` or `2y`.
    retention: String,
    /// When it was created.
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// Until when its fields cannot be edited; null where they can.
    #[schemars(extend("format" = "date-time"))]
    locked_until: Option<String>,
    /// Its web tracking.
    tracking: TrackingState,
}

/// The state of an event's web tracking.
#[derive(Debug, Serialize, JsonSchema)]
struct TrackingState {
    /// Whether beacons are taken.
    enabled: bool,
    /// The number of the version that is pinned; null where tracking is off.
    pinned: Option<u32>,
    /// The number of the current version.
    current: u32,
    /// Whether a snippet made now would differ from the pasted one.
    outdated: bool,
    /// What happens to beacons of older versions: `reject`, `reject-after:HOURS`, `until-new-seen` or `accept`.
    stale: String,
    /// When a first beacon of the pinned version was stored.
    #[schemars(extend("format" = "date-time"))]
    seen_at: Option<String>,
    /// Whether something waits for the pending version to become current.
    scheduled: bool,
}

/// How to switch tracking on, or move the pin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PinRequest {
    /// Where a version is pending: do it once that is current.
    #[serde(default)]
    when_ready: bool,
    /// What happens to beacons of older versions from now on; as it was, where it is not said.
    #[serde(default)]
    stale: Option<String>,
}

/// An event's code to paste, and the scripts it loads.
#[derive(Debug, Serialize, JsonSchema)]
struct SnippetDoc {
    /// Two lines of HTML: the engine's tag, and that of the event's own script.
    paste: String,
    /// The scripts that a page loads for it, in the order of the code to paste.
    scripts: Vec<SnippetScript>,
}

/// A script as a page loads it.
#[derive(Debug, Serialize, JsonSchema)]
struct SnippetScript {
    /// What it is for.
    name: String,
    /// Its address.
    address: String,
    /// What a browser checks it against.
    integrity: String,
    /// As it is, in bytes.
    bytes: usize,
    /// In Brotli, as browsers get it, in bytes.
    brotli: usize,
}

/// Definitions as they are to be.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it says of what form the body is, which the model reads")]
struct Definitions {
    /// Each as a file says it: `section` (where there are several), `discriminator` (to rename), `name`, `category`,
    /// `retention`, `description`, `allowed`, `field` (a list) and `tracking`.
    events: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionsDoc {
    events: Vec<beaconry_model::plan::Wanted>,
}

/// What would be done, or was done.
#[derive(Debug, Serialize, JsonSchema)]
struct PlanDoc {
    /// One for each definition, in that order.
    events: Vec<PlannedDoc>,
    /// Visible events of the same sections that no definition asks for. They stay as they are.
    unlisted: Vec<String>,
}

/// What becomes of one definition.
#[derive(Debug, Serialize, JsonSchema)]
struct PlannedDoc {
    /// What people call it.
    name: String,
    /// Its address; null where it is to be made.
    discriminator: Option<String>,
    /// What is to be done; nothing where it is so already.
    steps: Vec<StepDoc>,
    /// Why nothing can be done.
    refused: Option<String>,
}

/// One thing to do.
#[derive(Debug, Serialize, JsonSchema)]
struct StepDoc {
    /// `create`, `rename`, `describe`, `allow`, `fields`, `stale`, `capture`, `enable` or `disable`.
    what: String,
    /// The same in a sentence.
    detail: String,
}

/// The most bytes of definitions: 2 MB, which is a thousand events with some twenty fields each.
const MAX_DEFINITIONS: usize = 2_000_000;

pub(super) fn operations() -> Vec<Operation> {
    const NO: &[(u16, &str)] =
        &[NO_EVENT, (409, "Several events have this slug; name one by its discriminator.")];
    const PIN: &[(u16, &str)] = &[
        NO_EVENT,
        (
            409,
            "It cannot be done as things stand: a version is pending, tracking is on or off already, nothing is scheduled, or several events have this slug.",
        ),
    ];
    let people =
        |operation: Operation| Operation { group: GROUP, needs: Needs::Person, ..operation };
    let both =
        |operation: Operation| Operation { group: GROUP, needs: Needs::KeyOrPerson, ..operation };
    vec![
        both(Operation {
            summary: "Every event",
            about: "The events of all sections that the caller sees, with their tracking.",
            ..without(Method::GET, "/v1/events", "listAllEvents", list)
        }),
        both(Operation {
            summary: "One event",
            about: "An event with all that is known of it.",
            refuses: NO,
            ..without(Method::GET, "/v1/events/{event}", "getEvent", get)
        }),
        people(Operation {
            summary: "Plan definitions",
            about: "Says what making these definitions would change, and what would be refused. Nothing is changed.",
            max_body: MAX_DEFINITIONS,
            example: r#"{"events":[{"name":"Order placed","category":"transactions","retention":"2y","field":[{"name":"orderid","type":"text","required":true}]}]}"#,
            ..with_raw::<Definitions, Found<PlanDoc>>(
                Method::POST,
                "/v1/definitions/plan",
                "planDefinitions",
                plan,
            )
        }),
        people(Operation {
            summary: "Apply definitions",
            about: "Makes these definitions, all or none: where one is `refused`, nothing was changed. Every rule of the domain \
                    holds: a change of fields makes a version and locks the event for an hour, and no event is hidden by it.",
            max_body: MAX_DEFINITIONS,
            refuses: &[(409, "Somebody else changed the same at the same time; try again.")],
            ..with_raw::<Definitions, Found<PlanDoc>>(
                Method::POST,
                "/v1/definitions/apply",
                "applyDefinitions",
                apply,
            )
        }),
        people(Operation {
            summary: "Switch web tracking on",
            about: "Pins the current version and publishes its snippet.",
            example: r#"{"when_ready":true}"#,
            refuses: PIN,
            ..with(Method::POST, "/v1/events/{event}/tracking/enable", "enableTracking", enable)
        }),
        people(Operation {
            summary: "Regenerate the snippet",
            about: "Moves the pin to the current version and the newest settings. What is pasted must be pasted anew.",
            example: r#"{"stale":"reject-after:48"}"#,
            refuses: PIN,
            ..with(
                Method::POST,
                "/v1/events/{event}/tracking/regenerate",
                "regenerateSnippet",
                regenerate,
            )
        }),
        people(Operation {
            summary: "Switch web tracking off",
            about: "Beacons are refused from now on, and their content is not kept.",
            refuses: PIN,
            ..without(
                Method::POST,
                "/v1/events/{event}/tracking/disable",
                "disableTracking",
                disable,
            )
        }),
        people(Operation {
            summary: "Drop what is scheduled",
            about: "What waits for the pending version to become current is not done. Tracking stays as it is.",
            refuses: PIN,
            ..without(
                Method::POST,
                "/v1/events/{event}/tracking/unschedule",
                "unscheduleTracking",
                unschedule,
            )
        }),
        people(Operation {
            summary: "The code to paste",
            about: "The snippet of an event whose tracking is on.",
            refuses: &[NO_EVENT, (409, "Web tracking is off, or several events have this slug.")],
            ..without(Method::GET, "/v1/events/{event}/snippet", "getSnippet", snippet)
        }),
    ]
}

/// The event of the path, where the caller sees it.
pub(super) fn event_called(call: &Call) -> Result<Known, Problem> {
    let snapshot = call.snapshot();
    let words = call.part("event");
    let known = snapshot.event(words)?;
    if known.event.hidden_at().is_some() || !call.caller.covers(known.event.section()) {
        return Err(Problem::not_found(format!("event: there is none called \"{words:.200}\"")));
    }
    Ok(known.as_ref().clone())
}

fn list(call: &Call) -> Result<Found<Items<FullEvent>>, Problem> {
    let snapshot = call.snapshot();
    let covered =
        snapshot.visible_events().filter(|known| call.caller.covers(known.event.section()));
    Ok(Found(Items { items: covered.map(|known| full(&known.event, call.now)).collect() }))
}

fn get(call: &Call) -> Result<Found<FullEvent>, Problem> {
    Ok(Found(full(&event_called(call)?.event, call.now)))
}

fn full(event: &Event, now: Timestamp) -> FullEvent {
    FullEvent {
        event: event_item(event, now),
        section_discriminator: event.section().to_string(),
        retention: event.retention().to_string(),
        created_at: event.created_at().to_string(),
        locked_until: event.locked_until(now).map(|at| at.to_string()),
        tracking: tracking(event, now),
    }
}

fn tracking(event: &Event, now: Timestamp) -> TrackingState {
    let tracking = event.tracking();
    TrackingState {
        enabled: tracking.enabled(),
        pinned: tracking.pin().map(|pin| pin.version),
        current: event.versions().current(now).number,
        outdated: event.outdated(now),
        stale: String::from(tracking.stale()),
        seen_at: tracking.pin().and_then(|pin| pin.seen).map(|at| at.to_string()),
        scheduled: tracking.scheduled().is_some(),
    }
}

fn plan(call: &Call) -> Result<Found<PlanDoc>, Problem> {
    let definitions: DefinitionsDoc = call.json()?;
    let plan = call.api.store.registry().plan(&definitions.events, call.now)?;
    Ok(Found(plan_doc(plan)))
}

fn apply(call: &Call) -> Result<Found<PlanDoc>, Problem> {
    let definitions: DefinitionsDoc = call.json()?;
    let store = &call.api.store;
    let plan = store.registry().apply(&definitions.events, &call.caller.actor(), call.now)?;
    store.reload()?;
    let snapshot = store.snapshot();
    for planned in plan.events.iter().filter(|planned| !planned.steps.is_empty()) {
        if let Some(discriminator) = &planned.discriminator {
            publish(call, snapshot.event(discriminator)?);
        }
    }
    Ok(Found(plan_doc(plan)))
}

fn plan_doc(plan: Plan) -> PlanDoc {
    let one = |planned: Planned| PlannedDoc {
        name: planned.name,
        discriminator: planned.discriminator,
        steps: planned
            .steps
            .into_iter()
            .map(|step| StepDoc { what: step.what, detail: step.detail })
            .collect(),
        refused: planned.refused,
    };
    PlanDoc { events: plan.events.into_iter().map(one).collect(), unlisted: plan.unlisted }
}

fn enable(call: &Call, request: PinRequest) -> Result<Found<TrackingState>, Problem> {
    change(call, "tracking.enable", |event, now| {
        request.set_stale(event, now)?;
        event.enable_tracking(request.when_ready, now).map(|_| ())
    })
}

fn regenerate(call: &Call, request: PinRequest) -> Result<Found<TrackingState>, Problem> {
    change(call, "tracking.regenerate", |event, now| {
        request.set_stale(event, now)?;
        event.regenerate_snippet(request.when_ready, now).map(|_| ())
    })
}

fn disable(call: &Call) -> Result<Found<TrackingState>, Problem> {
    change(call, "tracking.disable", Event::disable_tracking)
}

fn unschedule(call: &Call) -> Result<Found<TrackingState>, Problem> {
    change(call, "tracking.unschedule", Event::unschedule)
}

impl PinRequest {
    fn set_stale(&self, event: &mut Event, now: Timestamp) -> Result<(), Refusal> {
        match &self.stale {
            None => Ok(()),
            Some(word) => event.set_stale_policy(StalePolicy::try_from(word.clone())?, now),
        }
    }
}

fn change(
    call: &Call,
    action: &str,
    change: impl FnOnce(&mut Event, Timestamp) -> Result<(), Refusal>,
) -> Result<Found<TrackingState>, Problem> {
    let known = event_called(call)?;
    let (store, now) = (&call.api.store, call.now);
    let actor = call.caller.actor();
    let (event, ()) =
        store.change_event(known.number, &actor, action, |event| change(event, now))?;
    let state = tracking(&event, now);
    publish(call, &Known { event, ..known });
    Ok(Found(state))
}

/// Publishes the snippet of an event whose tracking is on. Asking for the snippet says what keeps it from being made.
fn publish(call: &Call, known: &Known) {
    if known.event.tracking().enabled()
        && let Err(why) = (call.api.snippets)(known)
    {
        let event = known.event.discriminator();
        tracing::error!(%event, error = %why, "a snippet could not be published");
    }
}

fn snippet(call: &Call) -> Result<Found<SnippetDoc>, Problem> {
    let known = event_called(call)?;
    if !known.event.tracking().enabled() {
        return Err(Problem::from(beaconry_store::StoreError::from(Refusal::TrackingOff)));
    }
    let made = (call.api.snippets)(&known).map_err(|why| {
        Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "failed", why)
    })?;
    let scripts = made.scripts.into_iter().map(|script| SnippetScript {
        name: script.name,
        address: script.address,
        integrity: script.integrity,
        bytes: script.bytes,
        brotli: script.brotli,
    });
    Ok(Found(SnippetDoc { paste: made.paste, scripts: scripts.collect() }))
}
