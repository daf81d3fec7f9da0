//! `beaconry attribute`: list what sections know of people, define more of it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use beaconry_model::attribute::Attribute;
use beaconry_model::error::Invalid;
use beaconry_model::fields::Limits;
use beaconry_model::names::Name;
use beaconry_model::value::Kind;

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, row};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every attribute of a section, the ones that every section has first.
    List {
        /// The section's name or id; may be left out where there is one.
        #[arg(long)]
        section: Option<String>,
    },
    /// A new attribute.
    Create {
        /// What people call it.
        name: String,
        /// The section it belongs to; may be left out where there is one.
        #[arg(long)]
        section: Option<String>,
        #[command(flatten)]
        value: ValueType,
    },
    /// Change an attribute's type or limits. The new version is current at once.
    Edit {
        /// Its discriminator, or its name.
        attribute: String,
        /// The section it belongs to; may be left out where there is one.
        #[arg(long)]
        section: Option<String>,
        #[command(flatten)]
        value: ValueType,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ValueType {
    /// text, bool, date, timestamp, number or decimal.
    #[arg(long = "type")]
    kind: String,
    /// The longest text, in characters.
    #[arg(long)]
    max_length: Option<u32>,
    /// The lowest number.
    #[arg(long, allow_negative_numbers = true)]
    min: Option<f64>,
    /// The highest number.
    #[arg(long, allow_negative_numbers = true)]
    max: Option<f64>,
    /// A text that is allowed, among others. Can be given several times.
    #[arg(long)]
    allowed: Vec<String>,
}

impl ValueType {
    fn parts(self) -> Result<(Kind, Limits), Invalid> {
        let kind = Kind::from_word(&self.kind).ok_or_else(|| {
            Invalid::new(
                "type",
                "text, bool, date, timestamp, number or decimal",
                self.kind.clone(),
            )
        })?;
        let ValueType { max_length, min, max, allowed, .. } = self;
        Ok((kind, Limits { max_length, min, max, allowed }))
    }
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Command::List { section } => list(context, section.as_deref()),
            Command::Create { name, section, value } => {
                create(context, name, section.as_deref(), value)
            }
            Command::Edit { attribute, section, value } => {
                edit(context, &attribute, section.as_deref(), value)
            }
        }
    }
}

fn list(context: &Context, section: Option<&str>) -> Result<(), CliError> {
    let snapshot = context.registry()?.snapshot()?;
    let section = context.section(&snapshot, section)?;
    let attributes: Vec<&Attribute> =
        snapshot.audience().attributes(&section.id).map(|known| &known.attribute).collect();
    if context.json {
        json_value(
            &attributes.iter().map(|attribute| attribute_json(attribute)).collect::<Vec<_>>(),
        );
    } else {
        columns(&attributes.iter().map(|attribute| text(attribute)).collect::<Vec<_>>());
    }
    Ok(())
}

fn create(
    context: &Context,
    name: String,
    section: Option<&str>,
    value: ValueType,
) -> Result<(), CliError> {
    let mut registry = context.registry()?;
    let section = context.section(&registry.snapshot()?, section)?;
    let (name, value, now) = (Name::try_from(name)?, value.parts()?, context.clock.now());
    let attribute = registry.create_attribute(&section.id, name, value, "command line", now)?;
    show(context, &attribute);
    Ok(())
}

fn edit(
    context: &Context,
    words: &str,
    section: Option<&str>,
    value: ValueType,
) -> Result<(), CliError> {
    let mut registry = context.registry()?;
    let snapshot = registry.snapshot()?;
    let section = context.section(&snapshot, section)?;
    let known = snapshot.audience().attribute(&section.id, words);
    let discriminator = known.map_or(words, |known| &known.attribute.discriminator);
    let (value, now) = (value.parts()?, context.clock.now());
    let changed = registry.edit_attribute(discriminator, value, "command line", now)?;
    show(context, &changed);
    Ok(())
}

fn show(context: &Context, attribute: &Attribute) {
    if context.json { json_value(&attribute_json(attribute)) } else { columns(&[text(attribute)]) }
}

fn attribute_json(attribute: &Attribute) -> Value {
    let versions = attribute.versions.iter().map(|version| {
        json!({
            "id": version.id,
            "number": version.number,
            "type": version.field.kind().word(),
            "deprecated_at": attribute.deprecated_at(version),
        })
    });
    json!({
        "discriminator": attribute.discriminator,
        "name": attribute.name,
        "section": attribute.section,
        "versions": versions.collect::<Vec<_>>(),
    })
}

fn text(attribute: &Attribute) -> Vec<String> {
    let current = attribute.current();
    let version = format!("version {}", current.number);
    let kind = current.field.kind().word();
    row([attribute.name.as_str(), kind, &version, current.id.as_str(), &attribute.discriminator])
}
