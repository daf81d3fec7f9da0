//! From a beacon to what is stored: whether the event takes it, and whether its data fits.

use alloc::format;
use alloc::string::String;
use alloc::string::ToString;

use crate::capture::Capture;
use crate::data::{CheckedData, check_data};
use crate::event::{Event, Turned};
use crate::event_id::EventId;
use crate::json::Members;
use crate::profile::ProfileId;
use crate::section::Section;
use crate::time::Timestamp;
use crate::version::Version;
use crate::wire::{Beacon, Code, Envelope, MAX_AGE_MS, Rejection};

/// Where and when a request arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The time of arrival.
    pub received: Timestamp,
    /// The `Origin` header, where there is one.
    pub origin: Option<&'a str>,
}

/// What came with an event besides its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The event's id.
    pub id: EventId,
    /// The version it was made under.
    pub ver: u32,
    /// The revision of the tracking settings.
    pub rev: Option<u32>,
    /// When it happened, corrected where the sender's clock was wrong.
    pub time: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    /// The visitor's id.
    pub visitor: Option<String>,
    /// The profile that a back end posted it to.
    pub profile: Option<ProfileId>,
    /// The page it happened on.
    pub url: Option<String>,
    /// The page's web origin.
    pub origin: Option<String>,
    /// Whether it is a trial that counts nowhere.
    pub test: bool,
    /// Whether the browser could not check it.
    pub unchecked: bool,
}

/// An event that may be stored. Only [`judge`], [`replay`] and [`crate::post::judge_post`] make one.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    pub(crate) facts: Facts,
    pub(crate) data: CheckedData,
}

impl Accepted {
    /// What came with it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its data, written anew.
    pub fn data(&self) -> &str {
        self.data.as_str()
    }
}

/// An event that goes to quarantine, with all that a replay needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantined {
    /// What came with it.
    pub facts: Facts,
    /// Why.
    pub rejection: Rejection,
    /// The event's JSON as it came.
    pub raw: String,
}

/// What becomes of one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is stored.
    Accepted(Accepted),
    /// It is kept aside with its reason.
    Quarantined(Quarantined),
    /// It is counted, and its content is not kept.
    Refused(Rejection),
}

/// Decides what becomes of a beacon of this event.
pub fn judge(
    beacon: &Beacon,
    envelope: &Envelope,
    section: &Section,
    event: &Event,
    arrival: &Arrival,
) -> Verdict {
    if event.hidden_at().is_some() {
        return Verdict::Refused(unknown_event(&beacon.key));
    }
    if !section.admits(arrival.origin) {
        return Verdict::Refused(origin_not_allowed(section, arrival.origin));
    }
    let facts = facts(beacon, envelope, arrival);
    let rejection = match event.admit(beacon.ver, arrival.received) {
        Err(turned @ (Turned::Hidden | Turned::TrackingDisabled)) => {
            return Verdict::Refused(turned_away(event, beacon.ver, turned));
        }
        Err(turned) => turned_away(event, beacon.ver, turned),
        Ok(_) if facts.time < arrival.received.plus(-MAX_AGE_MS) => too_old(&facts),
        Ok(version) => match fit(event, version, &beacon.data, &facts) {
            Ok(data) => return Verdict::Accepted(Accepted { facts, data }),
            Err(rejection) => rejection,
        },
    };
    Verdict::Quarantined(Quarantined { facts, rejection, raw: beacon.raw.to_string() })
}

/// The answer to a beacon whose key names no event that can be seen.
pub fn unknown_event(key: &str) -> Rejection {
    let detail = format!(
        "there is no event with the key \"{key:.40}\"; remove this snippet, or paste a new one"
    );
    Rejection::new(Code::UnknownEvent, detail)
}

/// Checks a quarantined event again, as a version of the event, so that it can be stored after all. Its age and its
/// being stale are not held against it any more: somebody decided to have it.
pub fn replay(kept: &Quarantined, event: &Event, version: u32) -> Result<Accepted, Rejection> {
    let beacon = Beacon::parse(&kept.raw)?;
    let version = event.versions().get(version).ok_or_else(|| {
        let last = event.versions().last().number;
        Rejection::new(
            Code::UnknownVersion,
            format!("expected a version from 1 to {last}, got {version}"),
        )
    })?;
    let data = fit(event, version, &beacon.data, &kept.facts)?;
    let facts = Facts { ver: version.number, ..kept.facts.clone() };
    Ok(Accepted { facts, data })
}

fn facts(beacon: &Beacon, envelope: &Envelope, arrival: &Arrival) -> Facts {
    let time = beacon.time.plus(envelope.clock_behind(arrival.received)).min(arrival.received);
    Facts {
        id: beacon.id,
        ver: beacon.ver,
        rev: beacon.rev,
        time,
        received: arrival.received,
        visitor: envelope.visitor.as_deref().map(String::from),
        profile: None,
        url: beacon.url.as_deref().map(String::from),
        origin: arrival.origin.map(String::from),
        test: envelope.test,
        unchecked: envelope.unchecked,
    }
}

/// Holds the data against the version; what a browser could not check is converted by the settings of its snippet first.
fn fit(
    event: &Event,
    version: &Version,
    data: &Members,
    facts: &Facts,
) -> Result<CheckedData, Rejection> {
    let capture = event.tracking().captured_by(facts.ver, facts.rev);
    let capture: Option<&Capture> = capture.filter(|_| facts.unchecked);
    check_data(&version.fields, data, capture).map_err(|errors| {
        let named: alloc::vec::Vec<&str> =
            errors.iter().map(|error| error.field.as_str()).collect();
        Rejection {
            code: Code::InvalidFields,
            detail: format!(
                "the data does not fit version {} of \"{}\": see {}",
                version.number,
                event.slug(),
                named.join(", ")
            ),
            errors,
        }
    })
}

fn turned_away(event: &Event, ver: u32, turned: Turned) -> Rejection {
    let slug = event.slug();
    match turned {
        Turned::Hidden => unknown_event(event.key().as_str()),
        Turned::TrackingDisabled => Rejection::new(
            Code::TrackingDisabled,
            format!(
                "web tracking of \"{slug}\" is off; enable it, or remove the snippet from the page"
            ),
        ),
        Turned::UnknownVersion { pinned } => Rejection::new(
            Code::UnknownVersion,
            format!(
                "no snippet of \"{slug}\" was published with version {ver}; the current one is version {pinned}"
            ),
        ),
        Turned::Stale { pinned } => Rejection::new(
            Code::StaleVersion,
            format!(
                "version {ver} of \"{slug}\" is stale; the current one is version {pinned}: paste its snippet"
            ),
        ),
    }
}

fn origin_not_allowed(section: &Section, origin: Option<&str>) -> Rejection {
    let allowed: alloc::vec::Vec<&str> =
        section.origins.iter().map(|origin| origin.as_str()).collect();
    let allowed = if allowed.is_empty() { "none".to_string() } else { allowed.join(", ") };
    let detail = format!(
        "origin: expected one of the section's ({allowed}), got {:.200}; allow it in the section's settings",
        origin.unwrap_or("none"),
    );
    Rejection::new(Code::OriginNotAllowed, detail)
}

fn too_old(facts: &Facts) -> Rejection {
    let detail = format!(
        "time: expected at most 30 days before arrival ({}), got {}",
        facts.received, facts.time
    );
    Rejection::new(Code::TooOld, detail)
}
