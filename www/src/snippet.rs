//! What the console and the shop ask for to show an event's code to paste.

use std::sync::Arc;

use beaconry_store::Known;

/// An event's snippet, made and published.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snippet {
    /// The code to paste: two lines of HTML.
    pub paste: String,
    /// Where pages reach the collector.
    pub collector: String,
    /// The scripts that a page loads for it, in the order of the code to paste.
    pub scripts: Vec<Script>,
}

impl Snippet {
    /// All bytes a page downloads for this event alone, in Brotli.
    pub fn brotli(&self) -> usize {
        self.scripts.iter().map(|script| script.brotli).sum()
    }

    /// The collector's host, as settings that name hosts want it.
    pub fn host(&self) -> &str {
        self.collector.split_once("://").map_or(&self.collector, |(_, host)| host)
    }
}

/// A script as a page loads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// What it is for.
    pub name: String,
    /// Its address.
    pub address: String,
    /// What a browser checks it against.
    pub integrity: String,
    /// As it is, in bytes.
    pub bytes: usize,
    /// In Brotli, as browsers get it, in bytes.
    pub brotli: usize,
}

/// Makes and publishes the snippet of an event whose tracking is on; says why where it cannot.
pub type Snippets = Arc<dyn Fn(&Known) -> Result<Snippet, String> + Send + Sync>;
