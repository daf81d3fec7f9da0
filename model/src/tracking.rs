//! Web tracking of one event: off or on, the pins its snippets carry, and which beacons are stale.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::capture::Capture;
use crate::error::{Invalid, Refusal};
use crate::names::quoted;
use crate::time::{HOUR_MS, Timestamp};
use crate::version::{Version, Versions};

/// One published snippet: the version and the settings it carries. Never changed but for `seen`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pin {
    /// The number of the version that is pinned.
    pub version: u32,
    /// The revision of the tracking settings.
    pub rev: u32,
    /// When the pin was set.
    pub at: Timestamp,
    /// The settings as the snippet carries them.
    pub capture: Capture,
    /// When the first beacon from this snippet was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
}

/// What happens to beacons of a version older than the pinned one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StalePolicy {
    /// They are rejected from the moment of regeneration.
    #[default]
    Reject,
    /// They are rejected this many hours (1 to 8,760) after it.
    RejectAfterHours(u32),
    /// They are rejected once a beacon of a newer snippet has been stored.
    UntilNewSeen,
    /// They are accepted for good.
    Accept,
}

impl TryFrom<String> for StalePolicy {
    type Error = Invalid;

    fn try_from(text: String) -> Result<StalePolicy, Invalid> {
        match text.as_str() {
            "reject" => return Ok(StalePolicy::Reject),
            "until-new-seen" => return Ok(StalePolicy::UntilNewSeen),
            "accept" => return Ok(StalePolicy::Accept),
            _ => {}
        }
        match text.strip_prefix("reject-after:").and_then(|hours| hours.parse().ok()) {
            Some(hours @ 1..=8_760) => Ok(StalePolicy::RejectAfterHours(hours)),
            _ => Err(Invalid::new(
                "stale",
                "reject, reject-after:N (hours, 1 to 8760), until-new-seen or accept",
                quoted(&text),
            )),
        }
    }
}

impl From<StalePolicy> for String {
    fn from(policy: StalePolicy) -> String {
        match policy {
            StalePolicy::Reject => "reject".to_string(),
            StalePolicy::RejectAfterHours(hours) => format!("reject-after:{hours}"),
            StalePolicy::UntilNewSeen => "until-new-seen".to_string(),
            StalePolicy::Accept => "accept".to_string(),
        }
    }
}

/// What is to happen when the pending version becomes current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheduled {
    /// Tracking is switched on.
    Enable,
    /// The pin moves to the new version.
    Regenerate,
}

/// Whether a change took place at once or waits for the pending version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// The pin is set.
    Now,
    /// It will be set at this moment.
    At(Timestamp),
}

/// The state of an event's web tracking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracking {
    enabled: bool,
    /// Every snippet ever published, oldest first; versions and revisions never go down.
    pins: Vec<Pin>,
    stale: StalePolicy,
    capture: Capture,
    rev: u32,
    scheduled: Option<Scheduled>,
}

impl Default for Tracking {
    fn default() -> Tracking {
        Tracking {
            enabled: false,
            pins: Vec::new(),
            stale: StalePolicy::Reject,
            capture: Capture::default(),
            rev: 1,
            scheduled: None,
        }
    }
}

impl Tracking {
    /// Whether beacons are taken.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// The pin that holds, where tracking is on.
    pub fn pin(&self) -> Option<&Pin> {
        self.pins.last().filter(|_| self.enabled)
    }

    /// Every pin ever set, oldest first.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// What happens to beacons of older versions.
    pub fn stale(&self) -> StalePolicy {
        self.stale
    }

    /// The settings the next snippet will carry.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// The revision of these settings.
    pub fn rev(&self) -> u32 {
        self.rev
    }

    /// What waits for the pending version.
    pub fn scheduled(&self) -> Option<Scheduled> {
        self.scheduled
    }

    /// Whether the pasted snippet carries an older version or older settings than a new one would.
    pub fn outdated(&self, versions: &Versions, now: Timestamp) -> bool {
        self.pin()
            .is_some_and(|pin| pin.version != versions.current(now).number || pin.rev != self.rev)
    }

    /// The settings that a snippet of this version and revision carries; without a revision, those of the version's last one.
    pub fn captured_by(&self, version: u32, rev: Option<u32>) -> Option<&Capture> {
        let of_version = || self.pins.iter().rev().filter(move |pin| pin.version == version);
        let exact = rev.and_then(|rev| of_version().find(|pin| pin.rev == rev));
        exact.or_else(|| of_version().next()).map(|pin| &pin.capture)
    }

    /// Whether beacons of this version, older than the pinned one, are rejected at this moment.
    pub fn is_stale(&self, version: u32, now: Timestamp) -> bool {
        let mut newer = self.pins.iter().filter(|pin| pin.version > version);
        match self.stale {
            StalePolicy::Accept => false,
            StalePolicy::Reject => newer.next().is_some(),
            StalePolicy::RejectAfterHours(hours) => {
                newer.next().is_some_and(|pin| pin.at.plus(i64::from(hours) * HOUR_MS) <= now)
            }
            StalePolicy::UntilNewSeen => newer.any(|pin| pin.seen.is_some()),
        }
    }

    pub(crate) fn enable(
        &mut self,
        versions: &Versions,
        when_ready: bool,
        now: Timestamp,
    ) -> Result<Pinned, Refusal> {
        if let Some(pin) = self.pin() {
            return Err(Refusal::AlreadyOn { pinned: pin.version });
        }
        self.pin_or_schedule(Scheduled::Enable, versions, when_ready, now)
    }

    pub(crate) fn regenerate(
        &mut self,
        versions: &Versions,
        when_ready: bool,
        now: Timestamp,
    ) -> Result<Pinned, Refusal> {
        if !self.enabled {
            return Err(Refusal::TrackingOff);
        }
        self.pin_or_schedule(Scheduled::Regenerate, versions, when_ready, now)
    }

    pub(crate) fn disable(&mut self) -> Result<(), Refusal> {
        if !self.enabled && self.scheduled.is_none() {
            return Err(Refusal::TrackingOff);
        }
        self.switch_off();
        Ok(())
    }

    /// Drops what waits for the pending version, and nothing else.
    pub(crate) fn unschedule(&mut self) -> Result<(), Refusal> {
        self.scheduled.take().map(|_| ()).ok_or(Refusal::NothingScheduled)
    }

    pub(crate) fn switch_off(&mut self) {
        self.enabled = false;
        self.scheduled = None;
    }

    pub(crate) fn set_stale(&mut self, policy: StalePolicy) {
        self.stale = policy;
    }

    /// Takes new settings; a change makes the next revision, which the next snippet carries.
    pub(crate) fn set_capture(
        &mut self,
        capture: Capture,
        versions: &Versions,
    ) -> Result<(), Refusal> {
        capture.check(&versions.last().fields)?;
        if capture != self.capture {
            self.capture = capture;
            self.rev += 1;
        }
        Ok(())
    }

    /// Does what was scheduled, once nothing is pending any more. Says whether anything changed.
    pub(crate) fn settle(&mut self, versions: &Versions, now: Timestamp) -> bool {
        if self.scheduled.is_none() || versions.pending(now).is_some() {
            return false;
        }
        self.set_pin(versions.current(now), now);
        true
    }

    /// Notes the first stored beacon of a pin. Says whether anything changed.
    pub(crate) fn mark_seen(&mut self, version: u32, now: Timestamp) -> bool {
        let unseen = self
            .pins
            .iter_mut()
            .rev()
            .find(|pin| pin.version == version)
            .filter(|pin| pin.seen.is_none());
        unseen.map(|pin| pin.seen = Some(now)).is_some()
    }

    fn pin_or_schedule(
        &mut self,
        what: Scheduled,
        versions: &Versions,
        when_ready: bool,
        now: Timestamp,
    ) -> Result<Pinned, Refusal> {
        match versions.pending(now) {
            None => {
                self.set_pin(versions.current(now), now);
                Ok(Pinned::Now)
            }
            Some(pending) if when_ready => {
                self.scheduled = Some(what);
                Ok(Pinned::At(pending.usable_from()))
            }
            Some(pending) => {
                Err(Refusal::Pending { version: pending.number, until: pending.usable_from() })
            }
        }
    }

    /// Sets the pin, unless the last one says the same already: switching off and on revives a snippet.
    fn set_pin(&mut self, version: &Version, now: Timestamp) {
        self.enabled = true;
        self.scheduled = None;
        let same = |pin: &Pin| pin.version == version.number && pin.rev == self.rev;
        if !self.pins.last().is_some_and(same) {
            let capture = self.capture.for_fields(&version.fields);
            self.pins.push(Pin {
                version: version.number,
                rev: self.rev,
                at: now,
                capture,
                seen: None,
            });
        }
    }
}
