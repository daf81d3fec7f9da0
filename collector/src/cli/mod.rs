//! The command line: what can be said, and where each command lives.

mod apply;
mod attribute;
mod consent_list;
mod data;
mod error;
mod event;
mod key;
mod log;
mod output;
mod profile;
mod remote;
mod section;
mod segment;
mod serve;
mod snippet;
mod tracking;
mod upkeep;
#[cfg(feature = "console")]
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use beaconry_model::section::Section;
use beaconry_store::{Clock, Folder, Known, Registry, Snapshot};

use error::CliError;

/// Typed, versioned custom events, from a visitor's browser to a profile's timeline.
#[derive(Debug, Parser)]
#[command(name = "beaconry", version, max_term_width = 100)]
struct Arguments {
    /// The folder that holds everything durable.
    #[arg(
        long,
        global = true,
        env = "BEACONRY_DATA",
        default_value = "beaconry-data",
        value_name = "DIR"
    )]
    data: PathBuf,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// What a server says of itself goes to its standard error: as text, or as JSON, one object a line.
    #[arg(
        long,
        global = true,
        env = "BEACONRY_LOG",
        value_name = "FORMAT",
        default_value = "text"
    )]
    log: log::Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the collector, and the console.
    Serve(serve::Serve),
    /// Run everything with two ready events and a demo shop that has their snippets pasted in.
    #[cfg(feature = "console")]
    Demo(serve::demo::Demo),
    /// Sections: parts of the account with their own events and web origins.
    #[command(subcommand)]
    Section(section::Command),
    /// Events: define, edit, show and hide them.
    #[command(subcommand)]
    Event(event::Command),
    /// Web tracking: switch it on and off, and set what the snippet captures.
    #[command(subcommand)]
    Tracking(tracking::Command),
    /// Write an event's snippet, and the code to paste, into a folder.
    Snippet(snippet::Snippet),
    /// Stored events of one kind, newest first.
    Events(data::Events),
    /// Beacons that were turned away and kept: list them, replay them.
    #[command(subcommand)]
    Quarantine(data::Quarantine),
    /// Who may use the console: list them, let somebody in, help who is locked out.
    #[cfg(feature = "console")]
    #[command(subcommand)]
    User(user::Command),
    /// Show what making a folder of definitions would change.
    Plan(apply::Apply),
    /// Make a folder of definitions: all of them, or none.
    Apply(apply::Apply),
    /// API keys of outside systems.
    #[command(subcommand)]
    Key(key::Command),
    /// Personal tokens of administrators.
    #[command(subcommand)]
    Token(key::Token),
    /// Profiles: show, export and erase a person.
    #[command(subcommand)]
    Profile(profile::Command),
    /// Segments: conditions that profiles fit or do not.
    #[command(subcommand)]
    Segment(segment::Command),
    /// Attributes: what sections know of people.
    #[command(subcommand)]
    Attribute(attribute::Command),
    /// Consent lists: what people can agree to.
    #[command(subcommand)]
    ConsentList(consent_list::Command),
    /// Who changed which definition, newest first.
    Audit(upkeep::Audit),
    /// Check every page, checksum, index and definition of the data folder.
    Verify,
    /// What the data folder holds, in numbers.
    Stats,
    /// Copy the data folder to a new one, also while a server runs, and check the copy.
    Backup(upkeep::Backup),
    /// Fill a data folder that has nothing in it yet from a backup.
    Restore(upkeep::Restore),
}

/// What every command works on.
#[derive(Debug)]
struct Context {
    data: PathBuf,
    json: bool,
    clock: Clock,
}

impl Context {
    fn folder(&self) -> Result<Folder, CliError> {
        Ok(Folder::open(&self.data)?)
    }

    fn registry(&self) -> Result<Registry, CliError> {
        Ok(Registry::open(&self.folder()?)?)
    }

    /// The section that these words name; the only one where nothing is said.
    fn section(&self, snapshot: &Snapshot, words: Option<&str>) -> Result<Arc<Section>, CliError> {
        match (words, snapshot.sections()) {
            (Some(words), _) => Ok(snapshot.section(words)?.clone()),
            (None, [only]) => Ok(only.clone()),
            (None, sections) => Err(CliError::Usage(format!(
                "expected one section, there are {}; name one with --section",
                sections.len()
            ))),
        }
    }

    /// The registry, and the event that these words name.
    fn event(&self, words: &str) -> Result<(Registry, Known), CliError> {
        let registry = self.registry()?;
        let known = registry.snapshot()?.event(words)?.as_ref().clone();
        Ok((registry, known))
    }
}

/// Runs the program. Exit codes: 0 done, 1 refused with the reason, 2 wrong usage.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log::start(arguments.log);
    let context = Context { data: arguments.data, json: arguments.json, clock: Clock::default() };
    let outcome = match arguments.command {
        Command::Serve(command) => command.run(context),
        #[cfg(feature = "console")]
        Command::Demo(command) => command.run(context),
        Command::Section(command) => command.run(&context),
        Command::Event(command) => command.run(&context),
        Command::Tracking(command) => command.run(&context),
        Command::Snippet(command) => command.run(&context),
        Command::Events(command) => command.run(&context),
        Command::Quarantine(command) => command.run(&context),
        #[cfg(feature = "console")]
        Command::User(command) => command.run(&context),
        Command::Plan(command) => command.plan(&context),
        Command::Apply(command) => command.apply(&context),
        Command::Key(command) => command.run(&context),
        Command::Token(command) => command.run(&context),
        Command::Profile(command) => command.run(&context),
        Command::Segment(command) => command.run(&context),
        Command::Attribute(command) => command.run(&context),
        Command::ConsentList(command) => command.run(&context),
        Command::Audit(command) => command.run(&context),
        Command::Verify => upkeep::verify(&context),
        Command::Stats => upkeep::stats(&context),
        Command::Backup(command) => command.run(&context),
        Command::Restore(command) => command.run(&context),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("beaconry: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
