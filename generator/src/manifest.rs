//! The manifest: which files make a snippet, how large they are, and their hashes.

use serde::Serialize;

use crate::Input;
use crate::file::File;

#[derive(Serialize)]
struct Manifest<'a> {
    section: &'a str,
    event: &'a str,
    slug: &'a str,
    key: &'a str,
    version: u32,
    rev: u32,
    collector: &'a str,
    engine: &'a str,
    paste: &'a str,
    /// What a page with this one event downloads.
    page: Bytes,
    files: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Bytes {
    bytes: usize,
    brotli: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    bytes: usize,
    brotli: usize,
    sha256: String,
    integrity: String,
}

/// The manifest's text, with the files that the collector serves.
pub(crate) fn of(input: &Input, paste: &str, files: &[&File]) -> String {
    let manifest = Manifest {
        section: input.section.as_str(),
        event: input.event.as_str(),
        slug: input.slug.as_str(),
        key: input.key.as_str(),
        version: input.version,
        rev: input.rev,
        collector: input.collector.as_str(),
        engine: input.engine.hash(),
        paste,
        page: Bytes {
            bytes: files.iter().map(|file| file.bytes().len()).sum(),
            brotli: files.iter().map(|file| file.brotli().len()).sum(),
        },
        files: files.iter().map(|file| entry(file)).collect(),
    };
    // Texts and numbers always can be written as JSON.
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    text
}

fn entry(file: &File) -> Entry<'_> {
    Entry {
        path: file.path(),
        bytes: file.bytes().len(),
        brotli: file.brotli().len(),
        sha256: file.sha256(),
        integrity: file.integrity(),
    }
}
