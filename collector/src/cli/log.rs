//! The log: what a running server says of itself, on standard error. It never holds what visitors sent, nor who they are.

use std::io;

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

/// How a line is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object a line: timestamp (RFC 3339, UTC), level, target, and the fields with the message among them.
    Json,
}

/// Everything from here on that is worth a line goes to standard error.
pub(super) fn start(format: Format) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_ansi(false)
        .with_writer(io::stderr);
    match format {
        Format::Text => lines.init(),
        Format::Json => lines.json().flatten_event(true).with_current_span(false).init(),
    }
}
