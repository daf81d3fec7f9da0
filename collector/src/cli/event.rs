//! `beaconry event`: list, show, create, edit and hide.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;

use beaconry_model::category::Category;
use beaconry_model::error::Refusal;
use beaconry_model::event::{AllowedOperations, Description, Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::names::{FieldName, Name};
use beaconry_model::retention::Retention;
use beaconry_model::section::Section;
use beaconry_model::templates::Template;
use beaconry_model::time::Timestamp;
use beaconry_store::{Known, Snapshot, bytes, event_seed};

use super::Context;
use super::error::CliError;
use super::output::{
    columns, event_json, event_text, json_value, line, row, toml_file, tracking_text,
};

/// Whom the audit names for what is done here.
const ACTOR: &str = "command line";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every event that is not hidden.
    List,
    /// One event: its fields, versions and tracking.
    Show {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
    },
    /// A new event. Folder and retention are for good.
    Create(Create),
    /// Change an event. A change of fields makes the next version and locks the event for an hour.
    Edit(Edit),
    /// Hide an event, for good: it leaves every list and takes no more data.
    Hide {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
        /// Yes, it cannot be undone.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The folder.
    #[arg(long)]
    category: Option<CategoryWord>,
    /// What people call it.
    #[arg(long)]
    name: Option<String>,
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
    /// How long its data is kept: forever, or a period like 30d, 12w, 6m or 2y.
    #[arg(long)]
    retention: Option<String>,
    /// The section it belongs to; may be left out where there is one.
    #[arg(long)]
    section: Option<String>,
    /// Start from a template's fields, like order-placed.
    #[arg(long)]
    template: Option<String>,
    /// A field, name:type or name:type:required; types are text, bool, date, timestamp, number and decimal.
    #[arg(long = "field", value_name = "NAME:TYPE[:required]")]
    fields: Vec<String>,
    /// Read the definition from a TOML file; what is given here beside it wins.
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Its discriminator, or its slug where only one event has it.
    event: String,
    /// A field to add, name:type or name:type:required.
    #[arg(long = "add-field", value_name = "NAME:TYPE[:required]")]
    add: Vec<String>,
    /// A field to remove.
    #[arg(long = "remove-field", value_name = "NAME")]
    remove: Vec<String>,
    /// A new name.
    #[arg(long)]
    name: Option<String>,
    /// A new description.
    #[arg(long)]
    description: Option<String>,
    /// Take fields, name, description and allowed operations from a TOML file.
    #[arg(long, conflicts_with_all = ["add", "remove"])]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CategoryWord {
    Transactions,
    Conversions,
    Signals,
}

impl From<CategoryWord> for Category {
    fn from(word: CategoryWord) -> Category {
        match word {
            CategoryWord::Transactions => Category::Transactions,
            CategoryWord::Conversions => Category::Conversions,
            CategoryWord::Signals => Category::Signals,
        }
    }
}

/// A definition in a TOML file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventFile {
    name: Option<Name>,
    category: Option<Category>,
    description: Option<Description>,
    retention: Option<Retention>,
    allowed: Option<AllowedOperations>,
    #[serde(default, rename = "field")]
    fields: Vec<Field>,
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Command::List => list(context),
            Command::Show { event } => {
                show(context, &context.event(&event)?.1);
                Ok(())
            }
            Command::Create(create) => create.run(context),
            Command::Edit(edit) => edit.run(context),
            Command::Hide { event, yes } => hide(context, &event, yes),
        }
    }
}

fn list(context: &Context) -> Result<(), CliError> {
    let (snapshot, now) = (context.registry()?.snapshot()?, context.clock.steady());
    let events: Vec<&Known> = snapshot.visible_events().map(AsRef::as_ref).collect();
    if context.json {
        json_value(&events.iter().map(|known| event_json(known, now)).collect::<Vec<_>>());
    } else if events.is_empty() {
        line(
            "no event yet; make one with: beaconry event create --template order-placed --category transactions \
              --name \"Order placed\" --retention 2y",
        );
    } else {
        columns(&events.iter().map(|known| summary(known, now)).collect::<Vec<_>>());
    }
    Ok(())
}

fn summary(known: &Known, now: Timestamp) -> Vec<String> {
    let event = &known.event;
    let version = format!("version {}", event.versions().current(now).number);
    let tracking = tracking_text(known, now);
    row([
        event.category().word(),
        event.name().as_str(),
        event.slug().as_str(),
        &version,
        &tracking,
    ])
}

fn show(context: &Context, known: &Known) {
    let now = context.clock.steady();
    if context.json { json_value(&event_json(known, now)) } else { event_text(known, now) }
}

impl Create {
    fn run(self, context: &Context) -> Result<(), CliError> {
        let file: EventFile = self.file.as_deref().map(toml_file).transpose()?.unwrap_or_default();
        let mut registry = context.registry()?;
        let now = context.clock.now();
        let section = the_section(&registry.snapshot()?, self.section.as_deref())?;
        let event = self.event(file, &section, now)?;
        let number = registry.add_event(&event, ACTOR, now)?;
        show(context, &Known { number, event, section: section.into() });
        Ok(())
    }

    fn event(self, file: EventFile, section: &Section, now: Timestamp) -> Result<Event, CliError> {
        let template = self.template.as_deref().map(Template::find).transpose()?;
        let mut fields = template.map(Template::fields).unwrap_or_default();
        fields.extend(file.fields);
        for field in &self.fields {
            fields.push(Field::parse(field)?);
        }
        let category = self.category.map(Category::from).or(file.category);
        let category = category.or(template.map(|template| template.category));
        let name = self.name.map(Name::try_from).transpose()?.or(file.name);
        let retention = self.retention.map(Retention::try_from).transpose()?.or(file.retention);
        let description =
            self.description.map(Description::try_from).transpose()?.or(file.description);
        let new = NewEvent {
            section: section.id.clone(),
            category: category
                .ok_or_else(|| missing("--category transactions|conversions|signals"))?,
            name: name.ok_or_else(|| missing("--name"))?,
            description: description.unwrap_or_default(),
            retention: retention.ok_or_else(|| {
                missing("--retention (forever, or a period like 2y; it is for good)")
            })?,
            fields: Fields::with_source(fields)?,
        };
        let mut event =
            Event::create(new, event_seed().map_err(CliError::io("random bytes"))?, now)?;
        if let Some(allowed) = file.allowed {
            event.allow(allowed, now)?;
        }
        Ok(event)
    }
}

fn missing(option: &str) -> CliError {
    CliError::Usage(format!("event create: expected {option}, on the command line or in --file"))
}

fn the_section(snapshot: &Snapshot, words: Option<&str>) -> Result<Section, CliError> {
    let section = match (words, snapshot.sections()) {
        (Some(words), _) => snapshot.section(words)?,
        (None, [only]) => only,
        (None, []) => {
            let how = "beaconry section create \"My shop\" --origin https://shop.example";
            return Err(CliError::Usage(format!(
                "event create: there is no section yet; make one with: {how}"
            )));
        }
        (None, _) => {
            return Err(CliError::Usage(
                "event create: there are several sections; name one with --section".to_owned(),
            ));
        }
    };
    Ok(section.as_ref().clone())
}

impl Edit {
    fn run(self, context: &Context) -> Result<(), CliError> {
        let (mut registry, known) = context.event(&self.event)?;
        let file: Option<EventFile> = self.file.as_deref().map(toml_file).transpose()?;
        let random = bytes().map_err(CliError::io("random bytes"))?;
        let now = context.clock.now();
        let changed = registry.change_event(known.number, ACTOR, "event.edit", now, |event| {
            let others = self.change_others(event, file.as_ref(), now)?;
            match self.fields(event, file)? {
                None if others => Ok(()),
                // A file may say the same fields again beside what it changes.
                Some(fields) if others && fields == event.versions().last().fields => Ok(()),
                fields => event.edit(
                    fields.unwrap_or(event.versions().last().fields.clone()),
                    random,
                    now,
                ),
            }
        })?;
        show(context, &Known { event: changed.0, ..known });
        Ok(())
    }

    /// Changes what makes no version. Says whether anything was asked for.
    fn change_others(
        &self,
        event: &mut Event,
        file: Option<&EventFile>,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let before = event.clone();
        if let Some(file) = file {
            for_good("category", file.category, event.category(), Category::word)?;
            for_good("retention", file.retention, event.retention(), |_| "another one")?;
            file.name.clone().map_or(Ok(()), |name| event.rename(name, now))?;
            file.description
                .clone()
                .map_or(Ok(()), |description| event.describe(description, now))?;
            file.allowed.map_or(Ok(()), |allowed| event.allow(allowed, now))?;
        }
        if let Some(name) = &self.name {
            event.rename(Name::try_from(name.clone())?, now)?;
        }
        if let Some(description) = &self.description {
            event.describe(Description::try_from(description.clone())?, now)?;
        }
        Ok(*event != before || self.name.is_some() || self.description.is_some())
    }

    /// The fields as they are to be; `None` where nothing is said of them.
    fn fields(&self, event: &Event, file: Option<EventFile>) -> Result<Option<Fields>, Refusal> {
        if let Some(file) = file.filter(|file| !file.fields.is_empty()) {
            return Ok(Some(Fields::with_source(file.fields)?));
        }
        if self.add.is_empty() && self.remove.is_empty() {
            return Ok(None);
        }
        let remove = self
            .remove
            .iter()
            .map(|name| FieldName::try_from(name.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let add = self.add.iter().map(|text| Field::parse(text)).collect::<Result<_, _>>()?;
        Ok(Some(event.versions().last().fields.edited(&remove, add)?))
    }
}

/// Refuses a file that would change what is set for good.
fn for_good<T: PartialEq + Copy>(
    thing: &str,
    asked: Option<T>,
    is: T,
    word: impl Fn(T) -> &'static str,
) -> Result<(), Refusal> {
    match asked {
        Some(asked) if asked != is => {
            let expected = "the one set at creation, which is for good";
            Err(beaconry_model::error::Invalid::new(thing, expected, word(asked)).into())
        }
        _ => Ok(()),
    }
}

fn hide(context: &Context, words: &str, yes: bool) -> Result<(), CliError> {
    let (mut registry, known) = context.event(words)?;
    if !yes {
        let snapshot = registry.snapshot()?;
        let segments = snapshot.audience().segments_naming(known.event.discriminator());
        let names: Vec<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
        let broken = match names.as_slice() {
            [] => String::new(),
            names => format!(" It would break the segments that name it: {}.", names.join(", ")),
        };
        return Err(CliError::Usage(format!(
            "event hide: \"{}\" would leave every list and take no more data, for good; say --yes if that is meant.{broken}",
            known.event.name()
        )));
    }
    let now = context.clock.now();
    let changed =
        registry.change_event(known.number, ACTOR, "event.hide", now, |event| event.hide(now))?;
    show(context, &Known { event: changed.0, ..known });
    Ok(())
}
