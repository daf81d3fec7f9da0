//! `beaconry section`: list them, create one, change its web origins.

use clap::Subcommand;

use beaconry_model::error::Invalid;
use beaconry_model::names::{Name, SectionId};
use beaconry_model::section::{Origin, Section};
use beaconry_store::bytes;

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every section with its web origins.
    List,
    /// A new section.
    Create {
        /// What people call it.
        name: String,
        /// A web origin whose pages may send beacons, like https://shop.example. Can be given several times.
        #[arg(long, required = true, value_name = "URL")]
        origin: Vec<String>,
        /// Refuse beacons without an Origin header, which do not come from a browser.
        #[arg(long)]
        origin_required: bool,
    },
    /// Add or remove a section's web origins.
    Origins {
        /// The section's name or id.
        section: String,
        /// A web origin to add.
        #[arg(long, value_name = "URL")]
        add: Vec<String>,
        /// A web origin to remove.
        #[arg(long, value_name = "URL")]
        remove: Vec<String>,
    },
    /// Make a section a new secret, with which its back end signs tokens that say who a visitor is. Shown this once;
    /// earlier ones are taken for another day.
    Secret {
        /// The section's name or id.
        section: String,
        /// Take earlier secrets no longer, from now on.
        #[arg(long)]
        at_once: bool,
    },
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Command::List => list(context),
            Command::Create { name, origin, origin_required } => {
                create(context, name, origin, origin_required)
            }
            Command::Origins { section, add, remove } => {
                change_origins(context, &section, add, remove)
            }
            Command::Secret { section, at_once } => make_secret(context, &section, at_once),
        }
    }
}

fn list(context: &Context) -> Result<(), CliError> {
    let snapshot = context.registry()?.snapshot()?;
    let sections: Vec<&Section> = snapshot.sections().iter().map(AsRef::as_ref).collect();
    if context.json {
        json_value(&sections);
    } else if sections.is_empty() {
        line(
            "no section yet; make one with: beaconry section create \"My shop\" --origin https://shop.example",
        );
    } else {
        columns(&sections.iter().map(|section| text(section)).collect::<Vec<_>>());
    }
    Ok(())
}

fn create(
    context: &Context,
    name: String,
    origins: Vec<String>,
    origin_required: bool,
) -> Result<(), CliError> {
    let name = Name::try_from(name)?;
    let random = bytes().map_err(CliError::io("random bytes"))?;
    let id = SectionId::new(&name, random)?;
    let section = Section { id, name, origins: parse(origins)?, origin_required };
    context.registry()?.add_section(&section, "command line", context.clock.now())?;
    show(context, &section);
    Ok(())
}

fn change_origins(
    context: &Context,
    words: &str,
    add: Vec<String>,
    remove: Vec<String>,
) -> Result<(), CliError> {
    let mut registry = context.registry()?;
    let mut section = registry.snapshot()?.section(words)?.as_ref().clone();
    let remove = parse(remove)?;
    section.origins.retain(|origin| !remove.contains(origin));
    for origin in parse(add)? {
        if !section.origins.contains(&origin) {
            section.origins.push(origin);
        }
    }
    registry.change_section(&section, "command line", context.clock.now())?;
    show(context, &section);
    Ok(())
}

fn make_secret(context: &Context, words: &str, at_once: bool) -> Result<(), CliError> {
    let mut registry = context.registry()?;
    let id = registry.snapshot()?.section(words)?.id.clone();
    let now = context.clock.now();
    let secret = registry.make_section_secret(&id, at_once, "command line", now)?;
    if context.json {
        json_value(&serde_json::json!({ "section": id, "secret": secret }));
    } else {
        line(&secret);
    }
    Ok(())
}

fn parse(origins: Vec<String>) -> Result<Vec<Origin>, Invalid> {
    origins.into_iter().map(Origin::try_from).collect()
}

fn show(context: &Context, section: &Section) {
    if context.json { json_value(section) } else { columns(&[text(section)]) }
}

fn text(section: &Section) -> Vec<String> {
    let origins: Vec<&str> = section.origins.iter().map(Origin::as_str).collect();
    row([section.name.as_str(), section.id.as_str(), &origins.join(" ")])
}
