//! `beaconry snippet`, and how every part of the program makes and publishes snippets.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
#[cfg(feature = "console")]
use std::sync::Arc;
use std::sync::OnceLock;

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;

use beaconry_generator::{CollectorUrl, Engine, File, Input, Snippet as Made, generate as make};
use beaconry_store::{Known, PublishedFile};

use super::Context;
use super::error::CliError;
use super::output::{columns, json_value, line, row};

/// The data folder's setting that holds where browsers reach the collector.
pub(crate) const COLLECTOR_URL: &str = "collector.url";
/// Where they reach it while no server has said otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:4000";

#[derive(Debug, Args)]
pub(crate) struct Snippet {
    /// Its discriminator, or its slug where only one event has it.
    event: String,
    /// The folder to write into; made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Snippet {
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let (registry, known) = context.event(&self.event)?;
        let url = registry.setting(COLLECTOR_URL)?.unwrap_or_else(|| DEFAULT_URL.to_owned());
        let made = generate(&known, &url)?;
        for file in made.files() {
            let path = self.out.join(file.path());
            let failed = CliError::io(path.display().to_string());
            path.parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&path, file.bytes()))
                .map_err(failed)?;
        }
        publish(context, &known)?;
        self.show(context, &made);
        Ok(())
    }

    fn show(&self, context: &Context, made: &Made) {
        if context.json {
            let files = made.files().map(|file| {
                serde_json::json!({
                    "path": self.out.join(file.path()),
                    "bytes": file.bytes().len(),
                    "brotli": file.brotli().len(),
                })
            });
            let files: Vec<serde_json::Value> = files.collect();
            return json_value(
                &serde_json::json!({ "paste": made.paste, "page_bytes": made.page_bytes(), "files": files }),
            );
        }
        let files = made.files().map(|file| {
            let path = self.out.join(file.path()).display().to_string();
            row([
                &path,
                &format!("{} bytes", file.bytes().len()),
                &format!("{} brotli", file.brotli().len()),
            ])
        });
        columns(&files.collect::<Vec<_>>());
        line(&format!(
            "\nA page with this event downloads {} bytes (brotli). Paste this into its head:\n",
            made.page_bytes()
        ));
        line(&made.paste);
    }
}

/// The snippet of an event whose tracking is on, as the engine of this program makes it.
pub(crate) fn generate(known: &Known, url: &str) -> Result<Made, CliError> {
    let url = CollectorUrl::parse(url)?;
    Ok(make(&Input::of(&known.event, &known.section, &url, Engine::embedded())?))
}

/// Publishes an event's snippet, where its tracking is on, from the command line.
pub(crate) fn publish(context: &Context, known: &Known) -> Result<(), CliError> {
    if !known.event.tracking().enabled() {
        return Ok(());
    }
    let mut registry = context.registry()?;
    let url = registry.setting(COLLECTOR_URL)?.unwrap_or_else(|| DEFAULT_URL.to_owned());
    let files = published(&generate(known, &url)?);
    Ok(registry.publish(&files, context.clock.now())?)
}

/// The files that the collector serves for a snippet, in every encoding. Those of the engine are the same for all.
pub(crate) fn published(made: &Made) -> Vec<PublishedFile> {
    static ENGINE: OnceLock<Vec<PublishedFile>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| made.served().skip(1).map(published_file).collect());
    [&[published_file(&made.script)], engine.as_slice()].concat()
}

fn published_file(file: &File) -> PublishedFile {
    let mime = if file.path().ends_with(".wasm") {
        "application/wasm"
    } else {
        "text/javascript; charset=utf-8"
    };
    PublishedFile {
        path: format!("/{}", file.path()),
        mime: mime.to_owned(),
        body: file.bytes().to_vec(),
        brotli: file.brotli().to_vec(),
        gzip: gzip(file.bytes()),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// How the console and the shop get snippets: made anew each time, and published before they are shown.
#[cfg(feature = "console")]
pub(crate) fn maker(store: &Arc<beaconry_store::Store>, url: &str) -> beaconry_www::Snippets {
    let (store, url) = (store.clone(), url.to_owned());
    Arc::new(move |known| {
        let made = generate(known, &url).map_err(|error| error.to_string())?;
        let published = store.registry().publish(&published(&made), store.clock().now());
        published.map_err(|error| error.to_string())?;
        let script = |(name, file): (&str, &File)| beaconry_www::Script {
            name: name.to_owned(),
            address: format!("{url}/{}", file.path()),
            integrity: file.integrity(),
            bytes: file.bytes().len(),
            brotli: file.brotli().len(),
        };
        let names = ["The engine, its Wasm inside", "This event's settings"];
        Ok(beaconry_www::Snippet {
            paste: made.paste.clone(),
            collector: url.clone(),
            scripts: names.into_iter().zip([&made.engine, &made.script]).map(script).collect(),
        })
    })
}
