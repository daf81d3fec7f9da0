//! `beaconry tracking`: switch it on and off, regenerate the snippet, and set what it captures.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use beaconry_model::capture::Capture;
use beaconry_model::error::Refusal;
use beaconry_model::event::Event;
use beaconry_model::time::Timestamp;
use beaconry_model::tracking::{Pinned, StalePolicy};
use beaconry_store::Known;

use super::Context;
use super::error::CliError;
use super::output::{json_value, line, toml_file, tracking_json, tracking_text};
use super::snippet::publish;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Switch it on, pinned to the current version.
    Enable(Pin),
    /// Switch it off: beacons are refused, and their content is not kept.
    Disable {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
    },
    /// Move the pin to the current version and the newest settings.
    Regenerate(Pin),
    /// Drop what is scheduled for when the pending version is current; tracking stays as it is.
    Unschedule {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
    },
    /// Whether it is on, to which version it is pinned, and whether the pasted snippet is out of date.
    Status {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
    },
    /// Set triggers and value sources from a TOML file, for the next snippet.
    Set {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
        /// The settings.
        #[arg(long)]
        file: PathBuf,
    },
    /// The triggers and value sources that the next snippet will carry.
    Show {
        /// Its discriminator, or its slug where only one event has it.
        event: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Pin {
    /// Its discriminator, or its slug where only one event has it.
    event: String,
    /// Where a version is pending: do it once that is current.
    #[arg(long)]
    when_ready: bool,
    /// What happens to beacons of older versions: reject, reject-after:HOURS, until-new-seen or accept.
    #[arg(long, value_name = "POLICY")]
    stale: Option<String>,
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Command::Enable(pin) => pin.set(context, "tracking.enable", Event::enable_tracking),
            Command::Regenerate(pin) => {
                pin.set(context, "tracking.regenerate", Event::regenerate_snippet)
            }
            Command::Disable { event } => {
                change(context, &event, "tracking.disable", Event::disable_tracking).map(|_| ())
            }
            Command::Unschedule { event } => {
                change(context, &event, "tracking.unschedule", Event::unschedule).map(|_| ())
            }
            Command::Status { event } => {
                status(context, &context.event(&event)?.1);
                Ok(())
            }
            Command::Set { event, file } => {
                let capture: Capture = toml_file(&file)?;
                change(context, &event, "tracking.set", |event, now| {
                    event.set_capture(capture, now)
                })
                .map(|_| ())
            }
            Command::Show { event } => {
                show(context, context.event(&event)?.1.event.tracking().capture());
                Ok(())
            }
        }
    }
}

impl Pin {
    fn set(
        self,
        context: &Context,
        action: &str,
        set: impl FnOnce(&mut Event, bool, Timestamp) -> Result<Pinned, Refusal>,
    ) -> Result<(), CliError> {
        let policy = self.stale.map(StalePolicy::try_from).transpose()?;
        let known = change(context, &self.event, action, |event, now| {
            if let Some(policy) = policy {
                event.set_stale_policy(policy, now)?;
            }
            set(event, self.when_ready, now)
        })?;
        publish(context, &known)
    }
}

fn change<T>(
    context: &Context,
    words: &str,
    action: &str,
    change: impl FnOnce(&mut Event, Timestamp) -> Result<T, Refusal>,
) -> Result<Known, CliError> {
    let (mut registry, known) = context.event(words)?;
    let now = context.clock.now();
    let (event, _) = registry
        .change_event(known.number, "command line", action, now, |event| change(event, now))?;
    let known = Known { event, ..known };
    status(context, &known);
    Ok(known)
}

fn status(context: &Context, known: &Known) {
    let now = context.clock.steady();
    if context.json {
        json_value(&tracking_json(known, now));
    } else {
        line(&format!("{}: tracking {}", known.event.slug(), tracking_text(known, now)));
    }
}

fn show(context: &Context, capture: &Capture) {
    if context.json {
        return json_value(capture);
    }
    match toml::to_string(capture) {
        Ok(text) if !text.is_empty() => line(text.trim_end()),
        _ => line("# no triggers and no value sources: only beaconry.track() makes an event"),
    }
}
