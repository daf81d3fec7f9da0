//! Definitions as code: what files ask for, held against what there is, and made in one transaction.

use std::collections::{HashMap, HashSet};

use rusqlite::{TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use beaconry_model::error::{Invalid, Refusal};
use beaconry_model::event::Event;
use beaconry_model::names::Slug;
use beaconry_model::plan::{MAX_WANTED, Step, Wanted};
use beaconry_model::section::Section;
use beaconry_model::time::Timestamp;

use super::{Registry, json, slug_taken};
use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::random::{bytes, event_seed};
use crate::snapshot::{EventNo, Snapshot};

/// What would be done, or was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// One for each definition that was asked for, in that order.
    pub events: Vec<Planned>,
    /// Visible events of the sections that were named, which no definition asks for. They stay as they are.
    pub unlisted: Vec<String>,
}

/// What becomes of one definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// What people call it.
    pub name: String,
    /// Its address; `None` where it is to be made.
    pub discriminator: Option<String>,
    /// What is to be done; nothing where it is so already.
    pub steps: Vec<Step>,
    /// Why nothing can be done.
    pub refused: Option<String>,
}

impl Plan {
    /// Whether some definition is refused. Then none is made.
    pub fn refused(&self) -> bool {
        self.events.iter().any(|planned| planned.refused.is_some())
    }

    /// Whether everything is as it is wanted.
    pub fn is_empty(&self) -> bool {
        self.events.iter().all(|planned| planned.steps.is_empty() && planned.refused.is_none())
    }
}

/// One event as it is to be.
struct Outcome {
    /// Its number, and how it was; `None` where it is to be made.
    before: Option<(EventNo, Event)>,
    after: Event,
    steps: Vec<Step>,
}

impl Registry {
    /// What making these definitions would change, and what would be refused.
    pub fn plan(&self, wanted: &[Wanted], now: Timestamp) -> Result<Plan, StoreError> {
        Ok(hold(&self.snapshot()?, wanted, now)?.0)
    }

    /// Makes these definitions, all or none: where one is refused, nothing is changed.
    pub fn apply(
        &mut self,
        wanted: &[Wanted],
        actor: &str,
        now: Timestamp,
    ) -> Result<Plan, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut plan, outcomes) = hold(&Snapshot::load(&transaction)?, wanted, now)?;
        if plan.refused() {
            return Ok(plan);
        }
        for (outcome, planned) in outcomes.iter().zip(&mut plan.events) {
            planned.discriminator = Some(outcome.after.discriminator().to_string());
            save(&transaction, outcome, actor, now)?;
        }
        transaction.commit()?;
        Ok(plan)
    }
}

fn save(
    connection: &rusqlite::Connection,
    outcome: &Outcome,
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = &outcome.after;
    let doc = json(event);
    let before = outcome.before.as_ref().map(|(number, before)| (number, json(before)));
    let saved = match &before {
        Some((_, before)) if *before == doc => return Ok(()),
        Some((number, _)) => connection.execute(
            "UPDATE events SET slug = ?, doc = ? WHERE number = ?",
            params![event.slug().as_str(), doc, number.0],
        ),
        None => connection.execute(
            "INSERT INTO events (discriminator, key, section, slug, hidden, doc) VALUES (?, ?, ?, ?, 0, ?)",
            params![
                event.discriminator().as_str(),
                event.key().as_str(),
                event.section().as_str(),
                event.slug().as_str(),
                doc
            ],
        ),
    };
    saved.map_err(|error| slug_taken(error, event))?;
    let action = if before.is_some() { "event.apply" } else { "event.create" };
    audit::record(
        connection,
        &AuditEntry {
            at: now,
            actor: actor.to_owned(),
            action: action.to_owned(),
            thing: event.discriminator().to_string(),
            before: before.map(|(_, before)| before),
            after: Some(doc),
        },
    )
}

/// Holds each definition against what there is. Outcomes are complete only where nothing is refused.
fn hold(
    snapshot: &Snapshot,
    wanted: &[Wanted],
    now: Timestamp,
) -> Result<(Plan, Vec<Outcome>), StoreError> {
    if wanted.len() > MAX_WANTED {
        let got = wanted.len().to_string();
        return Err(Invalid::new("events", "at most 1,000 at a time", got).into());
    }
    let (mut events, mut outcomes) = (Vec::new(), Vec::new());
    let mut taken = Taken::new(snapshot);
    // An event that one definition names by its discriminator is not another's by its old name.
    let named: HashSet<&str> = wanted
        .iter()
        .filter_map(|wanted| wanted.discriminator.as_ref().map(|named| named.as_str()))
        .collect();
    for wanted in wanted {
        let mut planned = Planned {
            name: wanted.name.to_string(),
            discriminator: None,
            steps: Vec::new(),
            refused: None,
        };
        match outcome(snapshot, wanted, &named, now).and_then(|outcome| taken.take(outcome)) {
            Ok(outcome) => {
                let before = outcome.before.as_ref();
                planned.discriminator =
                    before.map(|(_, before)| before.discriminator().to_string());
                planned.steps.clone_from(&outcome.steps);
                outcomes.push(outcome);
            }
            Err(error @ (StoreError::Refused(_) | StoreError::NotFound { .. })) => {
                planned.refused = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
        events.push(planned);
    }
    let unlisted = taken.unlisted(snapshot);
    Ok((Plan { events, unlisted }, outcomes))
}

fn outcome(
    snapshot: &Snapshot,
    wanted: &Wanted,
    named: &HashSet<&str>,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let failed = |error| StoreError::Folder { path: "random bytes".into(), error };
    let section = section(snapshot, wanted.section.as_deref())?;
    let slug = Slug::of(&wanted.name)?;
    let found = match &wanted.discriminator {
        Some(discriminator) => Some(snapshot.event(discriminator.as_str())?),
        None => snapshot.visible_events().find(|known| {
            *known.event.section() == section.id
                && *known.event.slug() == slug
                && !named.contains(known.event.discriminator().as_str())
        }),
    };
    let Some(known) = found else {
        let seed = event_seed().map_err(failed)?;
        let (after, steps) = wanted.create(section.id.clone(), seed, now)?;
        return Ok(Outcome { before: None, after, steps });
    };
    if *known.event.section() != section.id {
        let expected = "the one set at creation, which is for good";
        return Err(Invalid::new("section", expected, section.id.as_str()).into());
    }
    let mut after = known.event.clone();
    let steps = wanted.change(&mut after, bytes().map_err(failed)?, now)?;
    if steps.is_empty() {
        // Settling what is due is not what was asked for.
        after = known.event.clone();
    }
    Ok(Outcome { before: Some((known.number, known.event.clone())), after, steps })
}

fn section<'a>(snapshot: &'a Snapshot, words: Option<&str>) -> Result<&'a Section, StoreError> {
    match (words, snapshot.sections()) {
        (Some(words), _) => Ok(snapshot.section(words)?),
        (None, [only]) => Ok(only),
        (None, sections) => {
            let got = format!("none, and there are {} sections", sections.len());
            Err(Invalid::new("section", "the name or id of one", got).into())
        }
    }
}

/// Which slugs are in use, section by section, while definitions are gone through; and which events were named.
struct Taken {
    /// The event that has the slug; `None` for one that is to be made.
    slugs: HashMap<(String, String), Option<EventNo>>,
    named: HashSet<EventNo>,
    sections: HashSet<String>,
}

impl Taken {
    fn new(snapshot: &Snapshot) -> Taken {
        let slug = |event: &Event| (event.section().to_string(), event.slug().to_string());
        let slugs = snapshot.visible_events().map(|known| (slug(&known.event), Some(known.number)));
        Taken { slugs: slugs.collect(), named: HashSet::new(), sections: HashSet::new() }
    }

    /// Takes the outcome's slug, unless another event has it or it was asked for twice.
    fn take(&mut self, outcome: Outcome) -> Result<Outcome, StoreError> {
        let after = &outcome.after;
        let section = after.section().to_string();
        let number = outcome.before.as_ref().map(|(number, _)| *number);
        if let Some((number, before)) = &outcome.before {
            if !self.named.insert(*number) {
                let expected = "one definition of each event";
                return Err(Invalid::new(
                    "events",
                    expected,
                    format!("a second one of \"{}\"", before.slug()),
                )
                .into());
            }
            self.slugs.remove(&(section.clone(), before.slug().to_string()));
        }
        self.sections.insert(section.clone());
        let slug = (section, after.slug().to_string());
        if self.slugs.contains_key(&slug) {
            return Err(Refusal::SlugTaken { slug: slug.1 }.into());
        }
        self.slugs.insert(slug, number);
        Ok(outcome)
    }

    fn unlisted(&self, snapshot: &Snapshot) -> Vec<String> {
        let unlisted = snapshot.visible_events().filter(|known| {
            self.sections.contains(known.event.section().as_str())
                && !self.named.contains(&known.number)
        });
        unlisted.map(|known| known.event.discriminator().to_string()).collect()
    }
}
