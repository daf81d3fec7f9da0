//! The built engine: its script (with the Wasm in it), its debug file, the inspector, and the loader that every snippet
//! is.

use std::sync::OnceLock;

use crate::file::{File, short_hash};

/// The engine that snippets load. A clone shares its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    hash: String,
    script: File,
    debug: File,
    inspector: Vec<File>,
    loader: String,
}

/// A file with what is left of it after brotli.
pub type Compressed<'a> = (&'a [u8], &'a [u8]);

impl Engine {
    /// The engine this binary was built with.
    pub fn embedded() -> &'static Engine {
        static EMBEDDED: OnceLock<Engine> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            Engine::from_parts(
                include_bytes!("../../snippet/dist/engine.js"),
                include_bytes!("../../snippet/dist/debug.js"),
                include_str!("../../snippet/dist/loader.js"),
            )
            .with_inspector(
                (
                    include_bytes!("../../snippet/dist/inspector.js"),
                    include_bytes!("../../snippet/dist/inspector.js.br"),
                ),
                (
                    include_bytes!("../../snippet/dist/inspector.wasm"),
                    include_bytes!("../../snippet/dist/inspector.wasm.br"),
                ),
            )
        })
    }

    /// An engine from its parts. The loader names what [`crate::generate`] fills in: `SETTINGS`, last of all in it.
    pub fn from_parts(script: &[u8], debug: &[u8], loader: &str) -> Engine {
        // The script holds the debug file's own hash.
        let hash = short_hash(script);
        let script = File::new(format!("engine/{hash}.js"), script.to_vec());
        let debug = File::new(format!("engine/{hash}.debug.js"), debug.to_vec());
        let loader = loader.trim_end().to_owned();
        Engine { hash, script, debug, inspector: Vec::new(), loader }
    }

    /// The same engine with an inspector: a script and its Wasm. The debug file, which asks for them, holds the script's hash.
    pub fn with_inspector(mut self, script: Compressed, wasm: Compressed) -> Engine {
        let file = |kind: &str, (bytes, brotli): Compressed| {
            File::with_brotli(format!("engine/{}.inspector.{kind}", self.hash), bytes, brotli)
        };
        self.inspector = vec![file("js", script), file("wasm", wasm)];
        self
    }

    /// The hash that names its files.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The script, which every visitor downloads.
    pub fn script(&self) -> &File {
        &self.script
    }

    /// The debug file, which only those download who ask for it.
    pub fn debug(&self) -> &File {
        &self.debug
    }

    /// The inspector's files, which only those download who point at their own page by a link from the console.
    pub fn inspector(&self) -> &[File] {
        &self.inspector
    }

    /// The loader, filled in with settings.
    pub(crate) fn loader_with(&self, settings: &str) -> String {
        let (head, tail) = self.loader.rsplit_once("SETTINGS").unwrap_or((&self.loader, ""));
        [head, settings, tail].concat()
    }
}
