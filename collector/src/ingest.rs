//! `POST /c`: bytes to an envelope, each event to a verdict, all of them to disk, and only then an answer.

use std::sync::Arc;
use std::time::Instant;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::ORIGIN;

use beaconry_model::identify::BadToken;
use beaconry_model::judge::{Arrival, Quarantined, Verdict, judge, unknown_event};
use beaconry_model::names::SectionId;
use beaconry_model::wire::{Beacon, Code, Envelope, MAX_BODY, Rejection, Sent};
use beaconry_store::live::{Arrival as Arrived, Outcome};
use beaconry_store::{
    AppendError, Count, Entry, EventNo, Known, ProfileError, Snapshot, quarantine_until,
};

use crate::answer::{Answer, Refused, RejectedEvent, stored};
use crate::server::Collector;

/// Takes a request's events. The answer comes after the commit that holds them.
pub(crate) async fn post(collector: &Collector, request: Request<Incoming>) -> Answer {
    let came = Instant::now();
    let answer = receive(collector, request).await.unwrap_or_else(|refused| refused.answer());
    collector.metrics.took(came);
    answer
}

async fn receive(collector: &Collector, request: Request<Incoming>) -> Result<Answer, Refused> {
    let origin = request
        .headers()
        .get(ORIGIN)
        .map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned());
    let body = read(collector, request.into_body()).await?;
    // Known before anything is read into it, so that what cannot be taken costs next to nothing.
    if collector.store.is_busy() {
        return Err(Refused::Busy);
    }
    let arrival = Arrival { received: collector.store.clock().now(), origin: origin.as_deref() };
    let envelope = Envelope::parse(&body).map_err(Refused::Envelope)?;
    collector.metrics.came(envelope.events.len(), body.len());
    let snapshot = collector.store.snapshot();
    let locked =
        envelope.visitor.as_deref().is_some_and(|id| collector.store.is_locked_visitor(id));
    let judged = if locked {
        refuse_all(&envelope)
    } else {
        judge_all(&snapshot, &envelope, &arrival, collector.store.feed().is_watched())
    };
    for (number, count) in judged.counts() {
        collector.front.events(number, count).map_err(Refused::TooOften)?;
    }
    let joining = if locked { None } else { Joining::asked(&envelope, &judged, &snapshot) };
    let dropped = envelope.dropped;
    // Before the wait: Hyper reads the connection's next request into the same memory only once nothing is left in it.
    drop(envelope);
    drop(body);
    let (accepted, rejected) = keep(collector, judged, &arrival).await?;
    let identified = match joining {
        Some(joining) => joining.join(collector).await?,
        None => None,
    };
    collector.metrics.dropped(dropped);
    Ok(stored(accepted, &rejected, identified.as_ref()))
}

/// A visitor who is to be joined with whom a token names.
struct Joining {
    visitor: String,
    token: String,
    sections: Vec<SectionId>,
}

impl Joining {
    /// What a request asks for, where it does. Only a section of its events can have signed the token.
    fn asked(envelope: &Envelope, judged: &Judged, snapshot: &Snapshot) -> Option<Joining> {
        let (token, visitor) = (envelope.identify.as_deref()?, envelope.visitor.as_deref()?);
        let sections = judged.sections(snapshot);
        let asked = !envelope.test && !sections.is_empty();
        asked.then(|| Joining { visitor: visitor.to_owned(), token: token.to_owned(), sections })
    }

    /// Joins them; otherwise says what is wrong with the token. The events are stored by then: a client that is told to try
    /// again brings them again, and they count once.
    async fn join(self, collector: &Collector) -> Result<Option<BadToken>, Refused> {
        let sections: Vec<&SectionId> = self.sections.iter().collect();
        let outcome = collector.store.identify(&sections, &self.visitor, &self.token).await;
        let bad = outcome.map_err(|error| match error {
            ProfileError::Busy => Refused::Busy,
            error => Refused::NotDurable(error.to_string()),
        })?;
        collector.metrics.identified(bad.as_ref().map_or_else(BadToken::code, |()| "joined"));
        Ok(bad.err())
    }
}

/// What a visitor sends who was erased and locked for good.
fn refuse_all(envelope: &Envelope) -> Judged {
    let detail = "this visitor was erased, and is never to be known here";
    let rejected = (0..envelope.events.len()).map(|index| RejectedEvent {
        index,
        rejection: Rejection::new(Code::ProfileLocked, detail),
    });
    let refused = vec![(None, Code::ProfileLocked); envelope.events.len()];
    Judged { rejected: rejected.collect(), refused, ..Judged::default() }
}

/// The body, bounded in bytes before it is buffered, and in time.
pub(crate) async fn read(collector: &Collector, body: Incoming) -> Result<Bytes, Refused> {
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Refused::BodyTooLarge);
    }
    let collected = Limited::new(body, MAX_BODY).collect();
    match tokio::time::timeout(collector.limits.body, collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refused::BodyTooLarge),
        Ok(Err(_)) => Err(Refused::BodyBroken),
        Err(_) => Err(Refused::BodyTooSlow),
    }
}

/// What becomes of a request's events.
#[derive(Default)]
struct Judged {
    entries: Vec<Entry>,
    rejected: Vec<RejectedEvent>,
    /// What is only counted, each with its event where there is one.
    refused: Vec<(Option<EventNo>, Code)>,
    /// For the console, while somebody watches.
    arrivals: Vec<Arrived>,
}

impl Judged {
    /// How many events of each are to be kept.
    fn counts(&self) -> Vec<(EventNo, u32)> {
        let mut counts: Vec<(EventNo, u32)> = Vec::new();
        for number in self.entries.iter().map(Entry::event) {
            match counts.iter_mut().find(|(counted, _)| *counted == number) {
                Some((_, count)) => *count += 1,
                None => counts.push((number, 1)),
            }
        }
        counts
    }

    /// The sections whose events these are, each once. Of what was refused no section is meant.
    fn sections(&self, snapshot: &Snapshot) -> Vec<SectionId> {
        let mut sections = Vec::new();
        for (number, _) in self.counts() {
            let known = snapshot.by_number(number);
            sections.extend(known.map(|known| known.section.id.clone()));
        }
        sections.sort_unstable();
        sections.dedup();
        sections
    }
}

fn judge_all(snapshot: &Snapshot, envelope: &Envelope, arrival: &Arrival, watched: bool) -> Judged {
    let mut judged =
        Judged { entries: Vec::with_capacity(envelope.events.len()), ..Judged::default() };
    for (index, sent) in envelope.events.iter().enumerate() {
        let (known, verdict) = judge_one(snapshot, envelope, sent, arrival);
        if watched {
            judged.arrivals.push(describe(known.as_deref(), &verdict, envelope, arrival));
        }
        if let Verdict::Quarantined(Quarantined { rejection, .. }) | Verdict::Refused(rejection) =
            &verdict
        {
            judged.rejected.push(RejectedEvent { index, rejection: rejection.clone() });
        }
        if let (Verdict::Refused(rejection), false) = (&verdict, envelope.test) {
            judged.refused.push((known.as_ref().map(|known| known.number), rejection.code));
        }
        match (verdict, known) {
            (Verdict::Accepted(accepted), Some(known)) => {
                judged.entries.push(Entry::Accepted(known.number, accepted))
            }
            (Verdict::Quarantined(kept), Some(known)) => {
                let until = quarantine_until(known.event.retention(), arrival.received);
                judged.entries.push(Entry::Quarantined(known.number, kept, until));
            }
            _ => {}
        }
    }
    judged
}

fn judge_one(
    snapshot: &Snapshot,
    envelope: &Envelope,
    sent: &Sent,
    arrival: &Arrival,
) -> (Option<Arc<Known>>, Verdict) {
    let beacon = match &sent.beacon {
        Ok(beacon) => beacon,
        Err(rejection) => {
            // Whose it would have been, so that the event's owner hears of it.
            let known = Beacon::key_of(sent.raw).and_then(|key| snapshot.by_key(&key).cloned());
            return (known, Verdict::Refused(rejection.clone()));
        }
    };
    match snapshot.by_key(&beacon.key) {
        None => (None, Verdict::Refused(unknown_event(&beacon.key))),
        Some(known) => {
            (Some(known.clone()), judge(beacon, envelope, &known.section, &known.event, arrival))
        }
    }
}

/// Waits until everything is durable; only then anybody hears of it. Says how many were accepted, and what was not.
async fn keep(
    collector: &Collector,
    judged: Judged,
    arrival: &Arrival<'_>,
) -> Result<(usize, Vec<RejectedEvent>), Refused> {
    let Judged { entries, rejected, refused, arrivals } = judged;
    let accepted = entries.iter().filter(|entry| matches!(entry, Entry::Accepted(..))).count();
    if !entries.is_empty() {
        let handed = Instant::now();
        collector.store.append(entries).await.map_err(|error| match error {
            AppendError::Busy => Refused::Busy,
            AppendError::Full | AppendError::Broken(_) => Refused::NotDurable(error.to_string()),
        })?;
        collector.metrics.waited(handed);
    }
    // Only now: a request that could not be kept comes again as a whole.
    for (event, code) in refused {
        let count = Count::of_code(code, event.is_some());
        collector.store.count_refused(event, count, arrival.origin, arrival.received);
    }
    collector.metrics.accepted(accepted);
    rejected.iter().for_each(|rejected| collector.metrics.rejected(rejected.rejection.code));
    arrivals.into_iter().for_each(|arrival| collector.store.feed().tell(arrival));
    Ok((accepted, rejected))
}

/// One beacon as the console shows it. Of what was refused, no content is kept, not even there.
fn describe(
    known: Option<&Known>,
    verdict: &Verdict,
    envelope: &Envelope,
    arrival: &Arrival,
) -> Arrived {
    let (outcome, facts, rejection, data) = match verdict {
        Verdict::Accepted(accepted) => {
            (Outcome::Accepted, Some(accepted.facts()), None, Some(accepted.data().to_owned()))
        }
        Verdict::Quarantined(kept) => (
            Outcome::Quarantined,
            Some(&kept.facts),
            Some(kept.rejection.clone()),
            Some(kept.raw.clone()),
        ),
        Verdict::Refused(rejection) => (Outcome::Refused, None, Some(rejection.clone()), None),
    };
    let visible = known.filter(|known| known.event.hidden_at().is_none());
    Arrived {
        received: arrival.received,
        event: visible.map(|known| known.event.discriminator().to_string()),
        name: visible.map(|known| known.event.name().to_string()),
        ver: facts.map(|facts| facts.ver),
        rev: facts.and_then(|facts| facts.rev),
        origin: arrival.origin.map(str::to_owned),
        outcome,
        rejection,
        url: facts.and_then(|facts| facts.url.clone()),
        data,
        test: envelope.test,
        unchecked: envelope.unchecked,
    }
}
