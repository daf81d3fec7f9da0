//! What the console and the shop ask for to show an event's code to paste.

use std::sync::Arc;

use beaconry_store::Known;

/// An event's snippet, made and published.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snippet {
    /// The code to paste: one line of HTML.
    pub paste: String,
    /// The address of the script that the code to paste loads.
    pub address: String,
    /// What a browser checks that script against.
    pub integrity: String,
    /// Where pages reach the collector.
    pub collector: String,
    /// What a page downloads for it.
    pub files: Vec<FileSize>,
}

impl Snippet {
    /// All bytes a page downloads for this event alone, in Brotli.
    pub fn brotli(&self) -> usize {
        self.files.iter().map(|file| file.brotli).sum()
    }

    /// The collector's host, as settings that name hosts want it.
    pub fn host(&self) -> &str {
        self.collector.split_once("://").map_or(&self.collector, |(_, host)| host)
    }
}

/// One file a page downloads, and how large it is.
#[derive(Clone, Debug, PartialEq)]
pub struct FileSize {
    /// What it is for.
    pub name: String,
    /// As it is, in bytes.
    pub bytes: usize,
    /// In Brotli, as browsers get it, in bytes.
    pub brotli: usize,
}

/// Makes and publishes the snippet of an event whose tracking is on; says why where it cannot.
pub type Snippets = Arc<dyn Fn(&Known) -> Result<Snippet, String> + Send + Sync>;
