//! Makes the snippet of one pinned version, a pure function: the same input gives the same files, byte for byte.
//!
//! In comes what is pinned (the fields of a version and the tracking settings), the collector's address and the built
//! engine; out come the script that a page loads, the tags to paste, TypeScript types, the engine's files and a manifest.

mod address;
mod engine;
mod error;
mod file;
mod literal;
mod manifest;
mod settings;
mod types;
mod urls;

use beaconry_model::capture::Capture;
use beaconry_model::event::Event;
use beaconry_model::fields::Fields;
use beaconry_model::names::{EventKey, Name, Slug};
use beaconry_model::section::Section;

pub use crate::address::CollectorUrl;
pub use crate::engine::{Compressed, Engine};
pub use crate::error::Error;
pub use crate::file::File;

/// The format of the settings that snippets made here carry. An engine takes its own and every older one; of several on a
/// page, each pasted along with a snippet, one is at work for each format that no other takes.
pub const SETTINGS_FORMAT: u32 = 1;

/// What a snippet is made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What people call the section.
    pub section: &'a Name,
    /// What people call the event.
    pub event: &'a Name,
    /// What pages call the event.
    pub slug: &'a Slug,
    /// The public key that its beacons carry.
    pub key: &'a EventKey,
    /// The version that is pinned.
    pub version: u32,
    /// The revision of the tracking settings that is pinned.
    pub rev: u32,
    /// The fields of that version.
    pub fields: &'a Fields,
    /// Triggers and value sources, as pinned.
    pub capture: &'a Capture,
    /// Where pages reach the collector.
    pub collector: &'a CollectorUrl,
    /// The engine that is pasted along.
    pub engine: &'a Engine,
}

impl<'a> Input<'a> {
    /// What the snippet of an event is made from, where its web tracking is on.
    pub fn of(
        event: &'a Event,
        section: &'a Section,
        collector: &'a CollectorUrl,
        engine: &'a Engine,
    ) -> Result<Input<'a>, Error> {
        let off = || Error::TrackingOff { event: event.slug().to_string() };
        let pin = event.tracking().pin().ok_or_else(off)?;
        let version = event.versions().get(pin.version).ok_or_else(off)?;
        Ok(Input {
            section: &section.name,
            event: event.name(),
            slug: event.slug(),
            key: event.key(),
            version: pin.version,
            rev: pin.rev,
            fields: &version.fields,
            capture: &pin.capture,
            collector,
            engine,
        })
    }
}

/// Everything that makes one snippet. The paths of what is served (`script` and `engine`) are those below the collector's
/// address, and name what the file holds: served once, they never change.
#[derive(Clone, Debug)]
pub struct Snippet {
    /// The script with this event's settings, which one of the pasted tags loads.
    pub script: File,
    /// The engine's script, shared by all snippets published with this engine.
    pub engine: File,
    /// The engine's debug file, which only those download who ask for it.
    pub debug: File,
    /// The inspector's files, which only those download who point at their own page.
    pub inspector: Vec<File>,
    /// The tags to paste, in two lines: the engine's and the script's.
    pub paste: String,
    /// The page with the tags to paste, TypeScript types, and the manifest with sizes and hashes.
    pub papers: [File; 3],
}

impl Snippet {
    /// Every file, as `beaconry snippet EVENT --out DIR` writes them.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.served().chain(&self.papers)
    }

    /// The files that the collector serves.
    pub fn served(&self) -> impl Iterator<Item = &File> {
        [&self.script, &self.engine, &self.debug].into_iter().chain(&self.inspector)
    }

    /// What a page with this one event downloads, in bytes after brotli.
    pub fn page_bytes(&self) -> usize {
        self.script.brotli().len() + self.engine.brotli().len()
    }
}

/// Makes a snippet.
pub fn generate(input: &Input) -> Snippet {
    let code = input.engine.loader_with(&settings::of(input));
    let name = format!("{}-v{}-{}", input.slug, input.version, file::short_hash(code.as_bytes()));
    let script = File::new(format!("s/{name}.js"), code.into_bytes());
    let engine = input.engine.script().clone();
    let debug = input.engine.debug().clone();
    let inspector = input.engine.inspector().to_vec();
    // Side by side, so that they are fetched at once: the larger first.
    let paste = [&engine, &script].map(|file| tag(input.collector, file)).join("\n");
    let page = File::new(format!("{}.html", input.slug), format!("{paste}\n").into_bytes());
    let types = File::new(format!("{}.d.ts", input.slug), types::of(input).into_bytes());
    let manifest = manifest::of(input, &paste, &[&script, &engine]);
    let manifest = File::new(format!("{}.manifest.json", input.slug), manifest.into_bytes());
    Snippet { script, engine, debug, inspector, paste, papers: [page, types, manifest] }
}

fn tag(collector: &CollectorUrl, file: &File) -> String {
    let (src, integrity) = (collector.below(file.path()), file.integrity());
    format!(
        r#"<script async src="{src}" integrity="{integrity}" crossorigin="anonymous"></script>"#
    )
}
