//! Everything of one person as one document, for whoever has to show or hand it over.

use serde::Serialize;
use serde_json::{Value, json};

use beaconry_model::profile::ProfileKey;
use beaconry_model::time::Timestamp;

use super::attributes::{self, StoredAttribute};
use super::reader::{Profile, ProfileReader};
use super::segments::remarks;
use super::timeline::{self, TimelineQuery};
use crate::error::StoreError;
use crate::log::StoredEvent;
use crate::quarantine;
use crate::snapshot::{EventNo, Snapshot};

impl ProfileReader {
    /// Everything that is kept of a person, as JSON: keys, attributes and consents by section, segments, every event, and what
    /// lies in quarantine of their browsers. Events that are hidden from people are there too, since they are still kept;
    /// trials are not.
    pub fn export(
        &self,
        snapshot: &Snapshot,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Value, StoreError> {
        let all = TimelineQuery { limit: usize::MAX, ..TimelineQuery::default() };
        let events = timeline::read_all(&self.profiles, &self.events, profile.slot, &all)?;
        Ok(json!({
            "id": profile.id,
            "created": profile.created,
            "keys": profile.keys,
            "attributes": self.attributes_json(snapshot, profile)?,
            "consents": self.consents_json(profile)?,
            "segments": self.segments_of(snapshot, profile, now)?,
            "events": events.iter().map(|event| event_json(snapshot, event)).collect::<Vec<_>>(),
            "quarantined": self.quarantined_json(snapshot, profile)?,
        }))
    }

    /// What came from a profile's browsers, was turned away, and is kept for a while; newest first.
    fn quarantined_json(
        &self,
        snapshot: &Snapshot,
        profile: &Profile,
    ) -> Result<Vec<Value>, StoreError> {
        let theirs = |visitor: &ProfileKey, _| profile.keys.contains(visitor);
        let numbers = quarantine::of_visitors(&self.events, theirs)?;
        let mut all = Vec::with_capacity(numbers.len());
        for number in numbers.into_iter().rev() {
            // It may have been replayed or have expired since.
            let kept = quarantine::find(&self.events, number)?;
            let kept = kept.filter(|kept| !kept.kept.facts.test);
            all.extend(kept.map(|kept| with_names(snapshot, kept.event, &kept)));
        }
        Ok(all)
    }

    /// The attributes of a profile in every section, as JSON.
    fn attributes_json(
        &self,
        snapshot: &Snapshot,
        profile: &Profile,
    ) -> Result<Vec<Value>, StoreError> {
        let all = attributes::all(&self.profiles, profile.slot, None)?;
        Ok(all.iter().map(|attribute| attribute_json(snapshot, attribute)).collect())
    }

    fn consents_json(&self, profile: &Profile) -> Result<Vec<Value>, StoreError> {
        let consents = self.consents(profile)?;
        let json = consents.iter().map(|consent| {
            json!({
                "channel": consent.channel,
                "address": consent.address,
                "list": consent.list,
                "topic": consent.topic,
                "type": consent.said,
                "at": consent.at,
            })
        });
        Ok(json.collect())
    }

    /// The discriminators of the segments that a profile is in. Broken ones are left out.
    pub fn segments_of(
        &self,
        snapshot: &Snapshot,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let mut of = Vec::new();
        for segment in snapshot.audience().segments() {
            let remarks = remarks(snapshot, &segment.section, &segment.condition);
            if !remarks.iter().any(|remark| remark.breaks())
                && self.fits(snapshot, &segment.section, &segment.condition, profile, now)?
            {
                of.push(segment.discriminator.clone());
            }
        }
        Ok(of)
    }
}

fn attribute_json(snapshot: &Snapshot, stored: &StoredAttribute) -> Value {
    let all = snapshot.audience().all_attributes();
    let known = all.iter().find(|known| known.number == stored.attribute);
    let value: Value = serde_json::from_str(&stored.value).unwrap_or_default();
    json!({
        "section": snapshot.section_by_number(stored.section).map(|section| section.id.clone()),
        "discriminator": known.map(|known| &known.attribute.discriminator),
        "name": known.map(|known| &known.attribute.name),
        "version": stored.version,
        "at": stored.at,
        "value": value,
    })
}

fn event_json(snapshot: &Snapshot, event: &StoredEvent) -> Value {
    let known = snapshot.by_number(event.event);
    let mut json = with_names(snapshot, event.event, event);
    json["hidden"] = json!(known.is_some_and(|known| known.event.hidden_at().is_some()));
    json
}

/// What is kept of one event, with what its definition is called.
fn with_names(snapshot: &Snapshot, event: EventNo, kept: &impl Serialize) -> Value {
    let known = snapshot.by_number(event);
    let mut json = serde_json::to_value(kept).unwrap_or_default();
    json["event"] = json!(known.map(|known| known.event.discriminator()));
    json["name"] = json!(known.map(|known| known.event.name()));
    json["section"] = json!(known.map(|known| known.event.section()));
    json
}
