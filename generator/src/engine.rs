//! The built engine: its script (with the Wasm in it), its debug file, and the loader that begins every snippet.

use std::sync::OnceLock;

use crate::file::{File, short_hash};
use crate::literal::text;

/// The engine that snippets load. A clone shares its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    hash: String,
    script: File,
    debug: File,
    loader: String,
}

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
        })
    }

    /// An engine from its parts. The loader names what [`crate::generate`] fills in: `ENGINE_URL`, `SCRIPT_INTEGRITY`
    /// and, last, `SETTINGS`.
    pub fn from_parts(script: &[u8], debug: &[u8], loader: &str) -> Engine {
        // The script holds the debug file's own hash.
        let hash = short_hash(script);
        let script = File::new(format!("engine/{hash}.js"), script.to_vec());
        let debug = File::new(format!("engine/{hash}.debug.js"), debug.to_vec());
        Engine { hash, script, debug, loader: loader.trim_end().to_owned() }
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

    /// The loader, filled in with the address of the folder that holds the engine, and with settings.
    pub(crate) fn loader_with(&self, folder: &str, settings: &str) -> String {
        // The settings' place is the last, so that nothing that was filled in before is taken for it.
        let (head, tail) = self.loader.rsplit_once("SETTINGS").unwrap_or((&self.loader, ""));
        let head = head
            .replace("SCRIPT_INTEGRITY", &text(&self.script.integrity()))
            .replace("ENGINE_URL", &text(&format!("{folder}{}", self.hash)));
        [&head, settings, tail].concat()
    }
}
