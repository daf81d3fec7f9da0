//! Everything of one person as one document, for whoever has to show or hand it over.

use serde_json::{Value, json};

use beaconry_model::time::Timestamp;

use super::attributes::{self, StoredAttribute};
use super::reader::{Profile, ProfileReader};
use super::segments::remarks;
use super::timeline::{self, TimelineQuery};
use crate::error::StoreError;
use crate::log::StoredEvent;
use crate::snapshot::Snapshot;

impl ProfileReader {
    /// Everything that is kept of a person, as JSON: keys, attributes and consents by section, segments, and every event.
    /// Events that are hidden from people are there too, since they are still kept; trials are not.
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
        }))
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
    let mut json = serde_json::to_value(event).unwrap_or_default();
    json["event"] = json!(known.map(|known| known.event.discriminator()));
    json["name"] = json!(known.map(|known| known.event.name()));
    json["section"] = json!(known.map(|known| known.event.section()));
    json["hidden"] = json!(known.is_some_and(|known| known.event.hidden_at().is_some()));
    json
}
