//! The beacon on the wire: bytes to an envelope, and each of its events to a typed beacon.

use alloc::borrow::Cow;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::data::FieldError;
use crate::event_id::EventId;
use crate::json::{Member, Members, Once, Reader, Wrong, read};
use crate::time::{DAY_MS, Timestamp};

/// The most bytes a request can have.
pub const MAX_BODY: usize = 64 * 1024;
/// The most events a request can have.
pub const MAX_EVENTS: usize = 100;
/// The most bytes one event can have.
pub const MAX_EVENT: usize = 16 * 1024;
/// How old an event can be when it arrives, in milliseconds: 30 days.
pub const MAX_AGE_MS: i64 = 30 * DAY_MS;
/// A visitor's clock that differs by no more than this is taken as right, in milliseconds: longer than a slow request
/// takes, short enough that nobody minds.
pub const CLOCK_TOLERANCE_MS: i64 = 30_000;
/// The longest URL that is kept, in bytes; a longer one is cut.
pub const MAX_URL: usize = 2_048;
/// The most dropped events that one request is believed to report.
const MOST_DROPPED: f64 = 1_000_000.0;
/// The longest visitor id, in bytes.
pub const MAX_VISITOR: usize = 64;

/// Why one event of a request was not stored, as answers and quarantine say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The data does not fit the fields of its version.
    InvalidFields,
    /// The snippet was regenerated since.
    StaleVersion,
    /// No snippet of this version was ever published.
    UnknownVersion,
    /// Web tracking is off.
    TrackingDisabled,
    /// There is no such event.
    UnknownEvent,
    /// The page's web origin is not one of the section's.
    OriginNotAllowed,
    /// It happened more than 30 days before it arrived.
    TooOld,
    /// It has more than 16 KiB.
    TooLarge,
    /// It is not of an event's shape.
    MalformedEvent,
    /// The visitor is one who was erased and locked for good.
    ProfileLocked,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 10] = [
        Code::InvalidFields,
        Code::StaleVersion,
        Code::UnknownVersion,
        Code::TrackingDisabled,
        Code::UnknownEvent,
        Code::OriginNotAllowed,
        Code::TooOld,
        Code::TooLarge,
        Code::MalformedEvent,
        Code::ProfileLocked,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::InvalidFields => "invalid_fields",
            Code::StaleVersion => "stale_version",
            Code::UnknownVersion => "unknown_version",
            Code::TrackingDisabled => "tracking_disabled",
            Code::UnknownEvent => "unknown_event",
            Code::OriginNotAllowed => "origin_not_allowed",
            Code::TooOld => "too_old",
            Code::TooLarge => "too_large",
            Code::MalformedEvent => "malformed_event",
            Code::ProfileLocked => "profile_locked",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why one event was not stored: the code, a sentence that says what to do, and the fields that are wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The stable code.
    pub code: Code,
    /// The sentence.
    pub detail: String,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Rejection {
    /// A rejection that is not about fields.
    pub fn new(code: Code, detail: impl Into<String>) -> Rejection {
        Rejection { code, detail: detail.into(), errors: Vec::new() }
    }
}

/// Why a whole request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadEnvelope {
    /// The body is not JSON.
    NotJson(String),
    /// It is JSON, but not of this shape.
    WrongShape(String),
    /// It has more than 100 events.
    TooManyEvents(usize),
}

impl BadEnvelope {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            BadEnvelope::NotJson(_) => "not_json",
            BadEnvelope::WrongShape(_) => "wrong_shape",
            BadEnvelope::TooManyEvents(_) => "too_many_events",
        }
    }
}

impl fmt::Display for BadEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadEnvelope::NotJson(why) => {
                write!(f, "body: expected JSON in UTF-8, got {why}")
            }
            BadEnvelope::WrongShape(why) => {
                write!(
                    f,
                    "body: expected {{\"v\":1,\"sent\":…,\"visitor\":…,\"events\":[…]}}, got {why}"
                )
            }
            BadEnvelope::TooManyEvents(count) => {
                write!(
                    f,
                    "events: expected at most {MAX_EVENTS}, got {count}; send the rest in further requests"
                )
            }
        }
    }
}

impl core::error::Error for BadEnvelope {}

/// One request of the ingest protocol.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// When the sender's clock says it was sent.
    pub sent: Option<Timestamp>,
    /// The visitor's id.
    pub visitor: Option<Cow<'a, str>>,
    /// A token of the site's back end that says who the visitor is.
    pub identify: Option<Cow<'a, str>>,
    /// Whether the browser could not check.
    pub unchecked: bool,
    /// Whether this is a trial that counts nowhere.
    pub test: bool,
    /// How many events the browser dropped since it last said so, because its queue was full.
    pub dropped: u64,
    /// The events.
    pub events: Vec<Sent<'a>>,
}

/// The envelope's members by name; those unknown are ignored.
struct EnvelopeDoc<'a> {
    v: u32,
    sent: Option<Cow<'a, str>>,
    visitor: Option<Cow<'a, str>>,
    identify: Option<Member<'a>>,
    unchecked: Option<bool>,
    test: Option<bool>,
    dropped: Option<f64>,
    events: Vec<Sent<'a>>,
    /// How many events came.
    count: usize,
}

impl<'a> EnvelopeDoc<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<EnvelopeDoc<'a>, Wrong> {
        let (mut v, mut events) = (Once::new("v"), Once::new("events"));
        let (mut sent, mut visitor) = (Once::new("sent"), Once::new("visitor"));
        let (mut unchecked, mut test) = (Once::new("unchecked"), Once::new("test"));
        let (mut identify, mut dropped) = (Once::new("identify"), Once::new("dropped"));
        reader.object(|reader, name| match &*name {
            "v" => v.read(reader, Reader::whole),
            "sent" => sent.read(reader, |reader| reader.optional(Reader::text)),
            "visitor" => visitor.read(reader, |reader| reader.optional(Reader::text)),
            // Anything will do: nobody's events are lost because of a token that is none.
            "identify" => identify.read(reader, Reader::member),
            "unchecked" => unchecked.read(reader, Reader::truth),
            "test" => test.read(reader, Reader::truth),
            // Any number will do: nobody's events are lost because of a count.
            "dropped" => dropped.read(reader, Reader::number),
            "events" => events.read(reader, events_of),
            _ => reader.skip(),
        })?;
        let (events, count) = events.needed()?;
        Ok(EnvelopeDoc {
            v: v.needed()?,
            sent: sent.some(),
            visitor: visitor.some(),
            identify: identify.value(),
            unchecked: unchecked.value(),
            test: test.value(),
            dropped: dropped.value(),
            events,
            count,
        })
    }
}

/// The events of a list, and how many there are; more than may come are only counted.
fn events_of<'a>(reader: &mut Reader<'a>) -> Result<(Vec<Sent<'a>>, usize), Wrong> {
    let (mut events, mut count) = (Vec::new(), 0);
    reader.list(|reader| {
        count += 1;
        if count > MAX_EVENTS {
            return reader.skip();
        }
        let (raw, doc) = reader.attempt(BeaconDoc::read)?;
        events.push(Sent { raw, beacon: Beacon::of(raw, doc) });
        Ok(())
    })?;
    Ok((events, count))
}

impl<'a> Envelope<'a> {
    /// Reads a request's body.
    pub fn parse(body: &'a [u8]) -> Result<Envelope<'a>, BadEnvelope> {
        let text =
            core::str::from_utf8(body).map_err(|error| BadEnvelope::NotJson(error.to_string()))?;
        let doc = read(text, EnvelopeDoc::read).map_err(|wrong| bad_envelope(&wrong))?;
        if doc.v != 1 {
            return Err(BadEnvelope::WrongShape(format!(
                "\"v\":{}, which this collector does not know",
                doc.v
            )));
        }
        if doc.count > MAX_EVENTS {
            return Err(BadEnvelope::TooManyEvents(doc.count));
        }
        if doc.events.is_empty() {
            return Err(BadEnvelope::WrongShape("no events".to_owned()));
        }
        let sent = doc.sent.map(|sent| sent.parse()).transpose();
        let sent = sent.map_err(|error| {
            BadEnvelope::WrongShape(format!("a \"sent\" that is none: {error}"))
        })?;
        let visitor = doc.visitor;
        if visitor.as_ref().is_some_and(|visitor| visitor.is_empty() || visitor.len() > MAX_VISITOR)
        {
            return Err(BadEnvelope::WrongShape(format!(
                "a \"visitor\" that is not 1 to {MAX_VISITOR} bytes"
            )));
        }
        Ok(Envelope {
            sent,
            visitor,
            identify: doc.identify.and_then(token),
            unchecked: doc.unchecked.unwrap_or_default(),
            test: doc.test.unwrap_or_default(),
            dropped: doc.dropped.unwrap_or_default().clamp(0.0, MOST_DROPPED) as u64,
            events: doc.events,
        })
    }

    /// How far the sender's clock is behind the time of arrival, in milliseconds; 0 where it is right, or not said.
    pub fn clock_behind(&self, received: Timestamp) -> i64 {
        let behind = self.sent.map_or(0, |sent| received.0.saturating_sub(sent.0));
        if behind.abs() <= CLOCK_TOLERANCE_MS { 0 } else { behind }
    }
}

/// A visitor who was forgotten has an empty token, which says nothing. What is no text is no token, and is told so.
fn token(member: Member) -> Option<Cow<str>> {
    match member {
        Member::Null => None,
        Member::Text(token) => Some(token).filter(|token| !token.is_empty()),
        _ => Some(Cow::Borrowed("not text")),
    }
}

fn bad_envelope(wrong: &Wrong) -> BadEnvelope {
    if wrong.is_syntax() {
        BadEnvelope::NotJson(wrong.to_string())
    } else {
        BadEnvelope::WrongShape(wrong.to_string())
    }
}

/// One event of a request.
#[derive(Debug)]
pub struct Sent<'a> {
    /// It as it came: any JSON.
    pub raw: &'a str,
    /// What it says, or why it says nothing.
    pub beacon: Result<Beacon<'a>, Rejection>,
}

/// One event of a request, in types, not yet held against its definition.
#[derive(Debug)]
pub struct Beacon<'a> {
    /// The event's id.
    pub id: EventId,
    /// The public key of the event it says it is.
    pub key: Cow<'a, str>,
    /// The version its snippet is pinned to.
    pub ver: u32,
    /// The revision of the tracking settings its snippet carries.
    pub rev: Option<u32>,
    /// When it happened, by the sender's clock.
    pub time: Timestamp,
    /// The page it happened on.
    pub url: Option<Cow<'a, str>>,
    /// Its data, unchecked.
    pub data: Members<'a>,
    /// The event as it came.
    pub raw: &'a str,
}

/// The event's members by name; those unknown are ignored.
struct BeaconDoc<'a> {
    id: Cow<'a, str>,
    key: Cow<'a, str>,
    ver: u32,
    rev: Option<u32>,
    time: Cow<'a, str>,
    url: Option<Cow<'a, str>>,
    data: Members<'a>,
}

impl<'a> BeaconDoc<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<BeaconDoc<'a>, Wrong> {
        let (mut id, mut key, mut time) = (Once::new("id"), Once::new("key"), Once::new("time"));
        let (mut ver, mut rev) = (Once::new("ver"), Once::new("rev"));
        let (mut url, mut data) = (Once::new("url"), Once::new("data"));
        reader.object(|reader, name| match &*name {
            "id" => id.read(reader, Reader::text),
            "key" => key.read(reader, Reader::text),
            "ver" => ver.read(reader, Reader::whole),
            "rev" => rev.read(reader, |reader| reader.optional(Reader::whole)),
            "time" => time.read(reader, Reader::text),
            "url" => url.read(reader, |reader| reader.optional(Reader::text)),
            "data" => data.read(reader, Reader::members),
            _ => reader.skip(),
        })?;
        Ok(BeaconDoc {
            id: id.needed()?,
            key: key.needed()?,
            ver: ver.needed()?,
            rev: rev.some(),
            time: time.needed()?,
            url: url.some(),
            data: data.value().unwrap_or_default(),
        })
    }
}

impl<'a> Beacon<'a> {
    /// The key of an event that is too large, or otherwise not of an event's shape, where it says one.
    pub fn key_of(raw: &'a str) -> Option<Cow<'a, str>> {
        let mut key = Once::new("key");
        let doc = read(raw, |reader| {
            reader.object(|reader, name| match &*name {
                "key" => key.read(reader, Reader::text),
                _ => reader.skip(),
            })
        });
        doc.ok().and(key.value())
    }

    /// Reads one event of a request.
    pub fn parse(raw: &'a str) -> Result<Beacon<'a>, Rejection> {
        Beacon::of(raw, read(raw, BeaconDoc::read))
    }

    fn of(raw: &'a str, doc: Result<BeaconDoc<'a>, Wrong>) -> Result<Beacon<'a>, Rejection> {
        if raw.len() > MAX_EVENT {
            let detail = format!("event: expected at most {MAX_EVENT} bytes, got {}", raw.len());
            return Err(Rejection::new(Code::TooLarge, detail));
        }
        let doc = doc.map_err(|wrong| {
            let shape = r#"{"id":…,"key":…,"ver":…,"time":…,"data":{…}}"#;
            malformed("event", &format!("expected {shape}, got {wrong}"))
        })?;
        let id = EventId::parse(doc.id.as_bytes()).ok_or_else(|| {
            malformed("id", &format!("expected a UUID of version 7, got {:.80}", doc.id))
        })?;
        let time = doc
            .time
            .parse()
            .map_err(|error| malformed("time", &format!("{error}, got {:.80}", doc.time)))?;
        let url = doc.url.map(|url| cut(url, MAX_URL));
        Ok(Beacon { id, key: doc.key, ver: doc.ver, rev: doc.rev, time, url, data: doc.data, raw })
    }
}

fn malformed(thing: &str, why: &str) -> Rejection {
    Rejection::new(Code::MalformedEvent, format!("{thing}: {why}"))
}

/// The text, cut to at most this many bytes at the end of a character.
fn cut(text: Cow<'_, str>, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return text;
    }
    let end = text.floor_char_boundary(bytes);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(text) => Cow::Owned(text[..end].to_owned()),
    }
}
