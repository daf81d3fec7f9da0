//! Samples of what a webhook would post, from what is stored.

use serde_json::Value;

use beaconry_model::event_id::EventId;
use beaconry_model::names::{Name, SectionId};
use beaconry_model::profile::Keyspace;
use beaconry_model::time::Timestamp;
use beaconry_model::webhook::{HookUrl, NewWebhook, Topic, Webhook};

use super::payload::{self, Sources, Told};
use crate::error::StoreError;
use crate::profiles::ProfileReader;
use crate::quarantine;
use crate::reader::Reader;
use crate::snapshot::Snapshot;
use crate::store::Store;

/// How many of each topic, and in all.
const MOST: usize = 3;
/// How many of the quarantine are looked at for one that fits.
const LOOKED_AT: u32 = 100;

/// Samples.
impl Store {
    /// Up to three of the newest things that these topics name, as they would be posted.
    pub fn webhook_samples(
        &self,
        section: &SectionId,
        topics: &[Topic],
        keyspaces: &[Keyspace],
    ) -> Result<Vec<Value>, StoreError> {
        let (snapshot, reader, profiles) = (self.snapshot(), self.reader()?, self.profiles()?);
        let now = self.clock().now();
        let hook = Webhook::create(
            NewWebhook {
                section: section.clone(),
                name: Name::try_from("Sample".to_owned())?,
                url: HookUrl::try_from("https://sample.example/".to_owned())?,
                topics: topics.to_vec(),
                keyspaces: keyspaces.to_vec(),
                made_with: None,
            },
            [0; 10],
            now,
        )?;
        let sampling = Sampling { snapshot: &snapshot, reader: &reader, profiles: &profiles, now };
        let mut told = Vec::new();
        for topic in topics {
            told.extend(sampling.of(&hook, topic)?);
        }
        told.truncate(MOST);
        let body = |told| {
            let id = EventId(crate::random::bytes()?).to_string();
            Ok(payload::whole(&id, now, &hook, told))
        };
        told.into_iter().map(body).collect()
    }
}

struct Sampling<'a> {
    snapshot: &'a Snapshot,
    reader: &'a Reader,
    profiles: &'a ProfileReader,
    now: Timestamp,
}

impl Sampling<'_> {
    fn of(&self, hook: &Webhook, topic: &Topic) -> Result<Vec<Told>, StoreError> {
        let sources = Sources {
            snapshot: self.snapshot,
            events: self.reader.events(),
            profiles: &self.profiles.profiles,
            queue: None,
        };
        let mut told = Vec::new();
        match topic {
            Topic::Event { event, versions } => {
                let Ok(known) = self.snapshot.event(event.as_str()) else { return Ok(told) };
                let newest = self.reader.newest(known.number, false, LOOKED_AT as usize)?;
                let chosen = newest
                    .iter()
                    .filter(|stored| versions.is_empty() || versions.contains(&stored.version));
                for stored in chosen.take(MOST) {
                    told.extend(payload::event(&sources, hook, stored.seq)?);
                }
            }
            Topic::Rejected { event } => {
                let known =
                    event.as_ref().and_then(|named| self.snapshot.event(named.as_str()).ok());
                let number = known.map(|known| known.number);
                let newest =
                    quarantine::list(self.reader.events(), number, None, i64::MAX, LOOKED_AT)?;
                for kept in newest.iter().filter(|kept| !kept.kept.facts.test) {
                    if told.len() == MOST {
                        break;
                    }
                    told.extend(payload::rejected(&sources, hook, kept.number)?);
                }
            }
            Topic::Entered { segment } | Topic::Left { segment } => {
                let Some(segment) = self.snapshot.segment_of(&hook.section, segment) else {
                    return Ok(told);
                };
                let (section, condition) = (&segment.section, &segment.condition);
                let members =
                    self.profiles.count_segment(self.snapshot, section, condition, self.now);
                let members = match members {
                    Err(StoreError::Broken { .. }) => return Ok(told),
                    members => members?,
                };
                for member in members.sample.iter().take(MOST) {
                    let moved = (topic.word(), self.now);
                    told.extend(payload::moved(&sources, hook, segment, member.slot, moved)?);
                }
            }
        }
        Ok(told)
    }
}
