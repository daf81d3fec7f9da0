//! A definition as somebody wants it to be, held against what there is: what would change, or why it may not.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::capture::Capture;
use crate::category::Category;
use crate::changes::{Change, changes};
use crate::error::{Invalid, Refusal};
use crate::event::{AllowedOperations, Description, Event, EventSeed, NewEvent};
use crate::fields::{Field, Fields};
use crate::names::{Discriminator, Name, SectionId};
use crate::retention::Retention;
use crate::time::Timestamp;
use crate::tracking::{Pinned, StalePolicy};
use crate::version::LOCK_MS;

/// The most definitions that are held against what there is at a time.
pub const MAX_WANTED: usize = 1_000;

/// An event as a file under version control says it. What is left out stays as it is; an event is never hidden by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The name or id of the section it belongs to; may be left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Which event it is, where its name is to change. Otherwise it is the visible one of its section whose slug the name
    /// gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<Discriminator>,
    /// What people call it.
    pub name: Name,
    /// Its folder, for good.
    pub category: Category,
    /// How long its data is kept, for good.
    pub retention: Retention,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// What outside systems may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<AllowedOperations>,
    /// Its fields; `source` is put first where it is missing.
    #[serde(default, rename = "field")]
    pub fields: Vec<Field>,
    /// Its web tracking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<WantedTracking>,
}

/// Web tracking as a file says it. The pin of a snippet that is pasted already is never moved by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedTracking {
    /// Whether beacons are taken.
    pub enabled: bool,
    /// What happens to beacons of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<StalePolicy>,
    /// Triggers and value sources for the next snippet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
}

/// One thing that would be done, or was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The stable word: `create`, `rename`, `describe`, `allow`, `fields`, `stale`, `capture`, `enable`, `disable`.
    pub what: String,
    /// The same in a sentence.
    pub detail: String,
}

impl Step {
    fn new(what: &str, detail: impl Into<String>) -> Step {
        Step { what: what.to_owned(), detail: detail.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Wanted {
    /// Makes the event anew.
    pub fn create(
        &self,
        section: SectionId,
        seed: EventSeed,
        now: Timestamp,
    ) -> Result<(Event, Vec<Step>), Refusal> {
        let new = NewEvent {
            section,
            category: self.category,
            name: self.name.clone(),
            description: self.description.clone().unwrap_or_default(),
            retention: self.retention,
            fields: Fields::with_source(self.fields.clone())?,
        };
        let mut event = Event::create(new, seed, now)?;
        let detail = format!(
            "create in {}, kept {}, with the fields {}",
            self.category.word(),
            self.retention,
            list(event.versions().last().fields.iter().map(|field| field.name().as_str()))
        );
        let mut steps = vec![Step::new("create", detail)];
        self.allow(&mut event, now, &mut steps)?;
        self.track(&mut event, now, &mut steps)?;
        Ok((event, steps))
    }

    /// Changes the event to what is wanted, by the rules that bind everybody; says what that took, nothing where it was
    /// so already.
    pub fn change(
        &self,
        event: &mut Event,
        random: [u8; 16],
        now: Timestamp,
    ) -> Result<Vec<Step>, Refusal> {
        if event.hidden_at().is_some() {
            return Err(Refusal::Hidden);
        }
        self.is_for_good(event)?;
        let mut steps = Vec::new();
        if self.name != *event.name() {
            steps.push(Step::new(
                "rename",
                format!("rename \"{}\" to \"{}\"", event.name(), self.name),
            ));
            event.rename(self.name.clone(), now)?;
        }
        if let Some(description) = &self.description
            && description != event.description()
        {
            steps.push(Step::new("describe", "change the description"));
            event.describe(description.clone(), now)?;
        }
        self.allow(event, now, &mut steps)?;
        self.edit(event, random, now, &mut steps)?;
        self.track(event, now, &mut steps)?;
        Ok(steps)
    }

    /// Refuses to change what is set for good at creation.
    fn is_for_good(&self, event: &Event) -> Result<(), Invalid> {
        if self.category != event.category() {
            let expected = "the one set at creation, which is for good";
            return Err(Invalid::new("category", expected, self.category.word()));
        }
        if self.retention != event.retention() {
            let expected = "the one set at creation, which is for good";
            return Err(Invalid::new("retention", expected, self.retention.to_string()));
        }
        Ok(())
    }

    fn allow(
        &self,
        event: &mut Event,
        now: Timestamp,
        steps: &mut Vec<Step>,
    ) -> Result<(), Refusal> {
        match self.allowed {
            Some(allowed) if allowed != event.allowed() => {
                steps.push(Step::new("allow", "change what outside systems may do"));
                event.allow(allowed, now)
            }
            _ => Ok(()),
        }
    }

    fn edit(
        &self,
        event: &mut Event,
        random: [u8; 16],
        now: Timestamp,
        steps: &mut Vec<Step>,
    ) -> Result<(), Refusal> {
        let fields = Fields::with_source(self.fields.clone())?;
        let last = event.versions().last();
        if fields == last.fields {
            return Ok(());
        }
        let differences = changes(&last.fields, &fields);
        let (was, next) = (event.versions().current(now).number, last.number + 1);
        event.edit(fields, random, now)?;
        let detail = format!(
            "make version {next}: {}; locked and pending until {}, version {was} stays live until then",
            list(differences.iter().map(in_words)),
            now.plus(LOCK_MS)
        );
        steps.push(Step::new("fields", detail));
        Ok(())
    }

    fn track(
        &self,
        event: &mut Event,
        now: Timestamp,
        steps: &mut Vec<Step>,
    ) -> Result<(), Refusal> {
        let Some(wanted) = &self.tracking else { return Ok(()) };
        if let Some(capture) = &wanted.capture
            && capture != event.tracking().capture()
        {
            steps.push(Step::new(
                "capture",
                "change triggers and value sources, for the next snippet",
            ));
            event.set_capture(capture.clone(), now)?;
        }
        if let Some(stale) = wanted.stale
            && stale != event.tracking().stale()
        {
            let word = String::from(stale);
            steps.push(Step::new("stale", format!("beacons of older versions: {word}")));
            event.set_stale_policy(stale, now)?;
        }
        let tracking = event.tracking();
        let on = tracking.enabled() || tracking.scheduled().is_some();
        match (on, wanted.enabled) {
            (false, true) => {
                let detail = match event.enable_tracking(true, now)? {
                    Pinned::Now => "switch web tracking on".to_string(),
                    Pinned::At(at) => {
                        format!("switch web tracking on at {at}, once the new version is current")
                    }
                };
                steps.push(Step::new("enable", detail));
            }
            (true, false) => {
                steps.push(Step::new("disable", "switch web tracking off: beacons are refused"));
                event.disable_tracking(now)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn in_words(change: &Change) -> String {
    match change {
        Change::Added { field, now } => format!("{field} added ({now})"),
        Change::Removed { field, .. } => format!("{field} removed"),
        Change::Changed { field, was, now } => format!("{field} changed from {was} to {now}"),
        Change::Reordered => "fields in another order".to_string(),
    }
}

fn list<T: AsRef<str>>(words: impl Iterator<Item = T>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(word.as_ref());
    }
    text
}
