//! `beaconry consent-list`: list what people can agree to, and define more of it.

use clap::Subcommand;

use beaconry_model::consent::ConsentList;
use beaconry_model::error::Invalid;
use beaconry_model::names::Name;

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every consent list of a section with its topics.
    List {
        /// The section's name or id; may be left out where there is one.
        #[arg(long)]
        section: Option<String>,
    },
    /// A new consent list.
    Create {
        /// What people call it.
        name: String,
        /// A topic of it. Can be given several times.
        #[arg(long, value_name = "NAME")]
        topic: Vec<String>,
        /// The section it belongs to; may be left out where there is one.
        #[arg(long)]
        section: Option<String>,
    },
    /// Add topics to a consent list.
    Add {
        /// Its discriminator, or its name.
        list: String,
        /// A topic to add. Can be given several times.
        #[arg(long, value_name = "NAME", required = true)]
        topic: Vec<String>,
        /// The section it belongs to; may be left out where there is one.
        #[arg(long)]
        section: Option<String>,
    },
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Command::List { section } => list(context, section.as_deref()),
            Command::Create { name, topic, section } => {
                create(context, name, topic, section.as_deref())
            }
            Command::Add { list, topic, section } => add(context, &list, topic, section.as_deref()),
        }
    }
}

fn list(context: &Context, section: Option<&str>) -> Result<(), CliError> {
    let snapshot = context.registry()?.snapshot()?;
    let section = context.section(&snapshot, section)?;
    let lists: Vec<&ConsentList> = snapshot.audience().consent_lists(&section.id).collect();
    if context.json {
        json_value(&lists);
    } else if lists.is_empty() {
        line(
            "no consent list yet; make one with: beaconry consent-list create \"Newsletters\" --topic \"Weekly\"",
        );
    } else {
        columns(&lists.iter().flat_map(|list| text(list)).collect::<Vec<_>>());
    }
    Ok(())
}

fn create(
    context: &Context,
    name: String,
    topics: Vec<String>,
    section: Option<&str>,
) -> Result<(), CliError> {
    let mut registry = context.registry()?;
    let section = context.section(&registry.snapshot()?, section)?;
    let (name, topics, now) = (Name::try_from(name)?, named(topics)?, context.clock.now());
    let list = registry.create_consent_list(&section.id, name, topics, "command line", now)?;
    show(context, &list);
    Ok(())
}

fn add(
    context: &Context,
    words: &str,
    topics: Vec<String>,
    section: Option<&str>,
) -> Result<(), CliError> {
    let mut registry = context.registry()?;
    let snapshot = registry.snapshot()?;
    let section = context.section(&snapshot, section)?;
    let known = snapshot.audience().consent_list(&section.id, words);
    let discriminator = known.map_or(words, |list| &list.discriminator);
    let (topics, now) = (named(topics)?, context.clock.now());
    let changed = registry.add_topics(discriminator, topics, "command line", now)?;
    show(context, &changed);
    Ok(())
}

fn named(topics: Vec<String>) -> Result<Vec<Name>, Invalid> {
    topics.into_iter().map(Name::try_from).collect()
}

fn show(context: &Context, list: &ConsentList) {
    if context.json { json_value(list) } else { columns(&text(list)) }
}

fn text(list: &ConsentList) -> Vec<Vec<String>> {
    let mut rows = vec![row([list.name.as_str(), &list.discriminator])];
    let topics = list.topics.iter();
    rows.extend(topics.map(|topic| row([&format!("  {}", topic.name), &topic.discriminator])));
    rows
}
