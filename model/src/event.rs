//! An event: what is set for good at its creation, what can change, and what it takes.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::capture::Capture;
use crate::category::Category;
use crate::error::{Invalid, Refusal};
use crate::fields::Fields;
use crate::names::{Discriminator, EventKey, Name, SectionId, Slug, VersionId, quoted};
use crate::retention::Retention;
use crate::time::Timestamp;
use crate::tracking::{Pinned, StalePolicy, Tracking};
use crate::version::{Version, Versions};

/// What a person decides when they create an event.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// The section it belongs to.
    pub section: SectionId,
    /// Its folder, for good.
    pub category: Category,
    /// What people call it.
    pub name: Name,
    /// What it is for, in a sentence or two.
    pub description: Description,
    /// How long its data is kept, for good.
    pub retention: Retention,
    /// The fields of version 1.
    pub fields: Fields,
}

/// Random bytes that a new event's ids are made from.
#[derive(Clone, Copy, Debug)]
pub struct EventSeed {
    /// For the discriminator.
    pub discriminator: [u8; 10],
    /// For the public key.
    pub key: [u8; 16],
    /// For version 1's id.
    pub version: [u8; 16],
}

/// A custom event with all its versions and its web tracking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    discriminator: Discriminator,
    section: SectionId,
    category: Category,
    retention: Retention,
    key: EventKey,
    created_at: Timestamp,
    name: Name,
    slug: Slug,
    #[serde(default)]
    description: Description,
    allowed: AllowedOperations,
    hidden_at: Option<Timestamp>,
    versions: Versions,
    tracking: Tracking,
}

/// A sentence or two on what an event is for: at most 1,000 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Description(String);

impl Description {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Description {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Description, Invalid> {
        if text.chars().count() > 1_000 {
            return Err(Invalid::new("description", "at most 1,000 characters", quoted(&text)));
        }
        Ok(Description(text))
    }
}

impl From<Description> for String {
    fn from(description: Description) -> String {
        description.0
    }
}

/// What outside systems may do with an event's data through one identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// They may read it.
    pub read: bool,
    /// They may write it.
    pub write: bool,
}

impl Default for Access {
    fn default() -> Access {
        Access { read: true, write: true }
    }
}

/// What outside systems may do, for each identifier. All is allowed at creation. Neither the web snippet nor the console
/// is bound by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedOperations {
    /// Through an email address.
    pub email: Access,
    /// Through a mobile number.
    pub mobile: Access,
    /// Through a CRM id.
    pub crm_id: Access,
}

/// Why a beacon of some version is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The event is hidden, so for the outside there is none.
    Hidden,
    /// Web tracking is off.
    TrackingDisabled,
    /// No snippet of this version was ever published.
    UnknownVersion {
        /// The version that is pinned.
        pinned: u32,
    },
    /// The snippet was regenerated since.
    Stale {
        /// The version that is pinned.
        pinned: u32,
    },
}

impl Event {
    /// A new event with version 1, usable at once; tracking is off.
    pub fn create(new: NewEvent, seed: EventSeed, now: Timestamp) -> Result<Event, Invalid> {
        let slug = Slug::of(&new.name)?;
        Ok(Event {
            discriminator: Discriminator::new(new.category, &slug, seed.discriminator),
            section: new.section,
            category: new.category,
            retention: new.retention,
            key: EventKey::new(seed.key),
            created_at: now,
            name: new.name,
            slug,
            description: new.description,
            allowed: AllowedOperations::default(),
            hidden_at: None,
            versions: Versions::first(VersionId::new(seed.version), new.fields, now),
            tracking: Tracking::default(),
        })
    }

    /// Its address for good.
    pub fn discriminator(&self) -> &Discriminator {
        &self.discriminator
    }

    /// The section it belongs to.
    pub fn section(&self) -> &SectionId {
        &self.section
    }

    /// Its folder.
    pub fn category(&self) -> Category {
        self.category
    }

    /// How long its data is kept.
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// The public key that beacons carry.
    pub fn key(&self) -> &EventKey {
        &self.key
    }

    /// When it was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// What people call it.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What pages call it.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// What it is for.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What outside systems may do.
    pub fn allowed(&self) -> AllowedOperations {
        self.allowed
    }

    /// When it was hidden; `None` where it is visible.
    pub fn hidden_at(&self) -> Option<Timestamp> {
        self.hidden_at
    }

    /// Its versions.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Its web tracking.
    pub fn tracking(&self) -> &Tracking {
        &self.tracking
    }

    /// Until when its fields cannot be edited; `None` where they can.
    pub fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.versions.locked_until(now)
    }

    /// Whether a newly generated snippet would differ from the pasted one.
    pub fn outdated(&self, now: Timestamp) -> bool {
        self.tracking.outdated(&self.versions, now)
    }

    /// Saves changed fields as the next version, which is pending for an hour and locks the event as long.
    pub fn edit(
        &mut self,
        fields: Fields,
        random: [u8; 16],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.visible(now)?;
        self.versions.save(VersionId::new(random), fields, now)
    }

    /// Gives it another name, and with it another slug. Neither makes a version nor locks.
    pub fn rename(&mut self, name: Name, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.slug = Slug::of(&name)?;
        self.name = name;
        Ok(())
    }

    /// Says anew what it is for.
    pub fn describe(&mut self, description: Description, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.description = description;
        Ok(())
    }

    /// Sets what outside systems may do.
    pub fn allow(&mut self, allowed: AllowedOperations, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.allowed = allowed;
        Ok(())
    }

    /// Hides it, for good: it leaves every list and takes no more data.
    pub fn hide(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.tracking.switch_off();
        self.hidden_at = Some(now);
        Ok(())
    }

    /// Switches web tracking on, pinned to the current version.
    pub fn enable_tracking(&mut self, when_ready: bool, now: Timestamp) -> Result<Pinned, Refusal> {
        self.visible(now)?;
        self.tracking.enable(&self.versions, when_ready, now)
    }

    /// Moves the pin to the current version and the newest settings.
    pub fn regenerate_snippet(
        &mut self,
        when_ready: bool,
        now: Timestamp,
    ) -> Result<Pinned, Refusal> {
        self.visible(now)?;
        self.tracking.regenerate(&self.versions, when_ready, now)
    }

    /// Switches web tracking off, and drops what was scheduled.
    pub fn disable_tracking(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.tracking.disable()
    }

    /// Drops what was scheduled for the pending version; tracking stays as it is.
    pub fn unschedule(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.tracking.unschedule()
    }

    /// Chooses what happens to beacons of older versions.
    pub fn set_stale_policy(&mut self, policy: StalePolicy, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.tracking.set_stale(policy);
        Ok(())
    }

    /// Sets triggers and value sources for the next snippet.
    pub fn set_capture(&mut self, capture: Capture, now: Timestamp) -> Result<(), Refusal> {
        self.visible(now)?;
        self.tracking.set_capture(capture, &self.versions)
    }

    /// Does what was scheduled for the moment the pending version became current. Says whether anything changed.
    pub fn settle(&mut self, now: Timestamp) -> bool {
        self.hidden_at.is_none() && self.tracking.settle(&self.versions, now)
    }

    /// Notes that a beacon of this version was stored. Says whether anything changed.
    pub fn mark_seen(&mut self, version: u32, now: Timestamp) -> bool {
        self.hidden_at.is_none() && self.tracking.mark_seen(version, now)
    }

    /// Whether a beacon of this version may come in at this moment, and what it is checked against.
    pub fn admit(&self, version: u32, now: Timestamp) -> Result<&Version, Turned> {
        if self.hidden_at.is_some() {
            return Err(Turned::Hidden);
        }
        let pinned = self.tracking.pin().ok_or(Turned::TrackingDisabled)?.version;
        let known = self.versions.get(version).filter(|version| version.number <= pinned);
        let known = known.ok_or(Turned::UnknownVersion { pinned })?;
        if version < pinned && self.tracking.is_stale(version, now) {
            return Err(Turned::Stale { pinned });
        }
        Ok(known)
    }

    /// Settles what is due, then refuses every change to a hidden event.
    fn visible(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.settle(now);
        if self.hidden_at.is_some() { Err(Refusal::Hidden) } else { Ok(()) }
    }
}
