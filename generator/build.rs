//! Says what to do where the engine that this crate embeds has not been built.

use std::path::Path;

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../snippet/dist");
    for name in [
        "engine.js",
        "debug.js",
        "loader.js",
        "inspector.js",
        "inspector.js.br",
        "inspector.wasm",
        "inspector.wasm.br",
    ] {
        let file = dist.join(name);
        println!("cargo::rerun-if-changed={}", file.display());
        if !file.is_file() {
            println!("cargo::error=snippet/dist/{name} is not built yet: run `make engine` first");
        }
    }
}
