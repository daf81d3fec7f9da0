//! *Why don't I see my event?*: everything that can keep one from being stored, looked at in order, each with what is and
//! what to do.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use beaconry_model::event::{Access, Event};
use beaconry_model::time::Timestamp;
use beaconry_model::tracking::StalePolicy;
use beaconry_store::{Count, Counts, Hours, Known, Reader, Reason, Role, StoreError};

use super::told::Told;
use super::who::may;
use super::{State as Console, failed};
use crate::page::page;

/// How much of the past is looked at, in hours.
const HOURS: usize = 24;

#[derive(Template)]
#[template(path = "console/why.html")]
struct Why {
    name: String,
    to: String,
    hidden: bool,
    verdict: Told,
    good: bool,
    checks: Vec<Check>,
}

/// One thing that was looked at.
struct Check {
    thing: &'static str,
    stands: Stands,
    is: Told,
    todo: String,
    link: Option<Link>,
}

/// Where to do it: address and words, and who may come in there.
struct Link {
    to: String,
    label: &'static str,
    needs: Role,
}

impl Link {
    /// A page that everybody may see.
    fn new(to: String, label: &'static str) -> Link {
        Link { to, label, needs: Role::Viewer }
    }

    /// A page of those who may at least this.
    fn of(needs: Role, to: String, label: &'static str) -> Link {
        Link { to, label, needs }
    }

    /// Whether the person who asks may go there.
    fn may(&self) -> bool {
        may(self.needs)
    }

    /// Who is to be asked by somebody who may not go there.
    fn ask(&self) -> &'static str {
        match self.needs {
            Role::Administrator => "Ask an administrator to do it.",
            _ => "Ask a marketer or an administrator to do it.",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// Nothing that keeps an event out.
    Fine,
    /// Keeps some out, or might.
    Mind,
    /// Keeps all of them out.
    Stops,
}

impl Check {
    fn fine(thing: &'static str, is: impl Into<Told>) -> Check {
        Check { thing, stands: Stands::Fine, is: is.into(), todo: String::new(), link: None }
    }

    fn mind(thing: &'static str, is: impl Into<Told>, todo: &str, link: Link) -> Check {
        let (is, todo) = (is.into(), todo.to_owned());
        Check { thing, stands: Stands::Mind, is, todo, link: Some(link) }
    }

    fn stops(self) -> Check {
        Check { stands: Stands::Stops, ..self }
    }

    fn class(&self) -> &'static str {
        match self.stands {
            Stands::Fine => "fine",
            Stands::Mind => "mind",
            Stands::Stops => "stops",
        }
    }

    /// The sign, and what it says to who does not see it.
    fn sign(&self) -> (&'static str, &'static str) {
        match self.stands {
            Stands::Fine => ("✓", "Fine"),
            Stands::Mind => ("!", "Look at this"),
            Stands::Stops => ("✕", "This keeps every event out"),
        }
    }
}

pub(super) async fn show(State(state): State<Console>, Path(event): Path<String>) -> Response {
    // Not as other pages: this one answers for a hidden event too.
    let snapshot = state.console.store.snapshot();
    match snapshot.event(&event).and_then(|known| make(&state, known)) {
        Ok(made) => page(&made),
        Err(error) => failed(&error),
    }
}

/// What the checks look at.
struct Facts<'a> {
    known: &'a Known,
    to: String,
    now: Timestamp,
    day: Counts,
    reasons: Vec<Reason>,
    reader: Reader,
}

fn make(state: &Console, known: &Known) -> Result<Why, StoreError> {
    let store = &state.console.store;
    let (reader, hours) = (store.reader()?, Hours::last(HOURS, store.clock().now()));
    let mut day = Counts::default();
    for counts in reader.arrivals_of(known.number, hours)?.values() {
        counts.iter().for_each(|hour| day.add(hour));
    }
    let facts = Facts {
        known,
        to: format!("/events/{}", known.event.discriminator()),
        now: store.clock().steady(),
        day,
        reasons: reader.reasons(known.number, hours)?,
        reader,
    };
    let hidden = known.event.hidden_at().is_some();
    let checks = vec![
        section(&facts),
        saved(&facts),
        pending(&facts),
        tracking(&facts),
        origin(&facts),
        stale(&facts),
        invalid(&facts),
        quarantine(&facts)?,
        allowed(&facts),
        hiding(&facts),
    ];
    let (good, verdict) = verdict(&facts, &checks)?;
    Ok(Why {
        name: known.event.name().to_string(),
        to: facts.to.clone(),
        hidden,
        verdict,
        good,
        checks,
    })
}

/// The short answer: what stops everything, else what was turned away, else when the last one came, else that none came.
fn verdict(facts: &Facts, checks: &[Check]) -> Result<(bool, Told), StoreError> {
    let stops = |check: &&Check| check.stands == Stands::Stops;
    // Hiding comes last of the checks, and is for good: nothing that stands before it can be mended.
    let stop = checks.last().filter(stops).or_else(|| checks.iter().find(stops));
    if let Some(stop) = stop {
        return Ok((false, stop.is.clone().after(&format!("{}: ", stop.thing))));
    }
    let turned_away = facts.day.arrived() - facts.day.of(Count::Accepted);
    if facts.day.of(Count::TooLarge) + facts.day.of(Count::Malformed) > 0 {
        let is = format!(
            "{} beacons of the last 24 hours were larger than 16 KiB, and {} were not of an event's shape: send shorter texts, and use beaconry.track().",
            facts.day.of(Count::TooLarge),
            facts.day.of(Count::Malformed)
        );
        return Ok((false, is.into()));
    }
    if turned_away > 0 {
        let is = format!(
            "In the last 24 hours {} were stored and {turned_away} turned away; what is marked below says why.",
            facts.day.of(Count::Accepted)
        );
        return Ok((false, is.into()));
    }
    let newest = facts.reader.newest(facts.known.number, true, 1)?;
    Ok(match newest.first() {
        Some(event) if event.test => (
            true,
            "Only trials arrive: they show in Live, are kept a day, and count nowhere. Switch test mode off where it is meant."
                .into(),
        ),
        Some(event) => (
            true,
            Told::at(
                "Events arrive: the last one at ",
                event.received,
                ". If one is missing, open its page with ?beaconry-debug and look into the browser's console.",
            ),
        ),
        None => (
            false,
            "No beacon has reached the collector. Open the page with ?beaconry-debug and do what is to be captured: the browser's console says what happens. Usually the code is not pasted, consent was not given, or a blocker or Content-Security-Policy holds it back.".into(),
        ),
    })
}

/// How many beacons were something.
fn were(count: u64) -> String {
    match count {
        0 => "no beacon was".to_owned(),
        1 => "1 beacon was".to_owned(),
        count => format!("{count} beacons were"),
    }
}

fn section(facts: &Facts) -> Check {
    let section = &facts.known.section;
    let to = format!("/sections/{}", section.id);
    if section.origins.is_empty() {
        return Check::mind(
            "Section",
            format!(
                "The event is in “{}”, which names no web site whose pages may send.",
                section.name
            ),
            "Name the web sites in the section's settings.",
            Link::of(Role::Administrator, to, "Section settings"),
        )
        .stops();
    }
    let origins: Vec<_> = section.origins.iter().map(|origin| origin.as_str()).collect();
    Check::fine(
        "Section",
        format!(
            "The event is in “{}”. Look for it there; pages of {} may send it.",
            section.name,
            origins.join(", ")
        ),
    )
}

fn saved(facts: &Facts) -> Check {
    let event = &facts.known.event;
    Check::fine(
        "Saved",
        format!(
            "It is saved, with version {} as the current one. Pages call it “{}”.",
            event.versions().current(facts.now).number,
            event.slug()
        ),
    )
}

fn pending(facts: &Facts) -> Check {
    let versions = facts.known.event.versions();
    match versions.pending(facts.now) {
        None => Check::fine("Pending", "No version is pending."),
        Some(version) => Check::mind(
            "Pending",
            Told::at(
                format!("Version {} is pending until ", version.number),
                version.usable_from(),
                format!(
                    " and takes nothing before; version {} stays live.",
                    versions.current(facts.now).number
                ),
            ),
            "Wait until its hour has passed, or schedule the new snippet for it.",
            Link::new(format!("{}/tracking", facts.to), "Web tracking"),
        ),
    }
}

fn tracking(facts: &Facts) -> Check {
    let event = &facts.known.event;
    let to = Link::new(format!("{}/tracking", facts.to), "Web tracking");
    let Some(pin) = event.tracking().pin() else {
        let waits = match event.tracking().scheduled() {
            Some(_) => " It is scheduled for when the pending version is ready.",
            None => "",
        };
        let refused = facts.day.of(Count::Disabled);
        return Check::mind(
            "Tracking",
            format!(
                "Web tracking is off; {} refused for it in the last 24 hours.{waits}",
                were(refused)
            ),
            "Enable web tracking, and paste the code.",
            to,
        )
        .stops();
    };
    let on = format!("Web tracking is on, pinned to version {}.", pin.version);
    if event.outdated(facts.now) {
        let is = format!("{on} The pasted snippet is outdated, and still works.");
        return Check::mind("Tracking", is, "Regenerate the snippet, and paste the new code.", to);
    }
    if pin.seen.is_none() {
        let is = format!("{on} No beacon of that snippet has been stored yet.");
        return Check::mind(
            "Tracking",
            is,
            "Paste the code into the page, then do what it captures.",
            to,
        );
    }
    Check::fine("Tracking", on)
}

fn origin(facts: &Facts) -> Check {
    let count = facts.day.of(Count::Origin);
    if count == 0 {
        return Check::fine(
            "Origin",
            "No beacon was refused for its web origin in the last 24 hours.",
        );
    }
    let from: Vec<_> = facts
        .reasons
        .iter()
        .filter(|reason| reason.why == Count::Origin.as_str())
        .take(3)
        .map(|reason| reason.thing.as_str())
        .collect();
    Check::mind(
        "Origin",
        format!("{} refused, because the section does not allow {}.", were(count), from.join(", ")),
        "If the site is yours, allow its origin.",
        Link::new(format!("{}/health#origins", facts.to), "Refused origins"),
    )
}

fn stale(facts: &Facts) -> Check {
    let (count, event) = (facts.day.of(Count::Stale), &facts.known.event);
    let policy = match event.tracking().stale() {
        StalePolicy::Reject => "Older versions are rejected at once.",
        StalePolicy::RejectAfterHours(_) => {
            "Older versions are rejected some hours after regenerating."
        }
        StalePolicy::UntilNewSeen => {
            "Older versions are rejected once the new snippet has been seen."
        }
        StalePolicy::Accept => "Older versions are accepted.",
    };
    if count == 0 {
        return Check::fine("Stale", format!("No beacon was stale in the last 24 hours. {policy}"));
    }
    Check::mind(
        "Stale",
        format!(
            "{} sent by an older snippet than the live one, and kept in quarantine. {policy}",
            were(count)
        ),
        "Paste the new code into the pages that still carry the old one, then replay what was kept.",
        Link::new(format!("{}/health#old-pages", facts.to), "Pages with an old snippet"),
    )
}

fn invalid(facts: &Facts) -> Check {
    let count = facts.day.of(Count::Invalid);
    if count == 0 {
        return Check::fine(
            "Invalid",
            "No beacon had data that does not fit in the last 24 hours.",
        );
    }
    let reasons = facts.reasons.iter().filter(|reason| reason.why != Count::Origin.as_str());
    let named: Vec<_> = reasons
        .take(3)
        .map(|reason| format!("{} ({})", reason.thing, super::words::of_violation(&reason.why)))
        .collect();
    Check::mind(
        "Invalid",
        format!(
            "{} turned away, because the data does not fit: {}.",
            were(count),
            named.join(", ")
        ),
        "Correct where these values come from, or the fields; then replay what was kept.",
        Link::new(format!("{}/health#invalid", facts.to), "By field and reason"),
    )
}

fn quarantine(facts: &Facts) -> Result<Check, StoreError> {
    let held = facts.reader.quarantine_count(facts.known.number)?;
    if held == 0 {
        return Ok(Check::fine("Quarantine", "Nothing of this event is in quarantine."));
    }
    Ok(Check::mind(
        "Quarantine",
        format!("{} put into quarantine: kept, and not stored as events.", were(held)),
        "Look at why, mend it, and replay them before they expire.",
        Link::new(
            format!("/quarantine?event={}", facts.known.event.discriminator()),
            "Open the quarantine",
        ),
    ))
}

fn allowed(facts: &Facts) -> Check {
    let allowed = facts.known.event.allowed();
    let by = [("email", allowed.email), ("mobile", allowed.mobile), ("CRM id", allowed.crm_id)];
    let forbidden: Vec<_> = by.iter().filter_map(|(name, access)| forbids(name, *access)).collect();
    if forbidden.is_empty() {
        return Check::fine(
            "Allowed operations",
            "Outside systems may read and write it by every identifier. The web snippet is not bound by this.",
        );
    }
    Check::mind(
        "Allowed operations",
        format!(
            "Outside systems may not {}. The web snippet is not bound by this.",
            forbidden.join(", nor ")
        ),
        "If a back end or an integration is to send or see it, allow that.",
        Link::of(Role::Marketer, format!("{}/edit", facts.to), "Edit the event"),
    )
}

fn forbids(name: &str, access: Access) -> Option<String> {
    match (access.read, access.write) {
        (true, true) => None,
        (false, false) => Some(format!("read or write it by {name}")),
        (false, true) => Some(format!("read it by {name}")),
        (true, false) => Some(format!("write it by {name}")),
    }
}

fn hiding(facts: &Facts) -> Check {
    let event: &Event = &facts.known.event;
    match event.hidden_at() {
        None => Check::fine("Hidden", "It is not hidden."),
        Some(at) => Check::mind(
            "Hidden",
            Told::at(
                "It was hidden at ",
                at,
                format!(
                    ", which cannot be undone. It takes no more data; {} refused for it in the last 24 hours.",
                    were(facts.day.of(Count::Hidden))
                ),
            ),
            "Create a new event, and paste its code in place of the old one.",
            Link::of(Role::Marketer, format!("/sections/{}/new", event.section()), "New event"),
        )
        .stops(),
    }
}
