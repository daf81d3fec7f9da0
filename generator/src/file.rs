//! A file that the generator makes, with its hash and what is left of it after brotli.

use std::io::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// One file of a snippet. A clone shares its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    path: String,
    bytes: Arc<[u8]>,
    brotli: Arc<[u8]>,
}

impl File {
    pub(crate) fn new(path: String, bytes: Vec<u8>) -> File {
        let brotli = compressed(&bytes).into();
        File { path, bytes: bytes.into(), brotli }
    }

    /// A file that was compressed before.
    pub(crate) fn with_brotli(path: String, bytes: &[u8], brotli: &[u8]) -> File {
        File { path, bytes: bytes.into(), brotli: brotli.into() }
    }

    /// Where it lies below the collector's address, or below the folder it is written to.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same in brotli at its highest quality.
    pub fn brotli(&self) -> &[u8] {
        &self.brotli
    }

    /// The SHA-256 of its bytes as `integrity` writes it (W3C Subresource Integrity).
    pub fn integrity(&self) -> String {
        format!("sha256-{}", STANDARD.encode(Sha256::digest(&self.bytes)))
    }

    /// The SHA-256 of its bytes in hexadecimal.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.bytes))
    }
}

/// The first 8 bytes of a SHA-256 in hexadecimal: enough to tell any two published files apart, short enough for a URL.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    const BUFFER: usize = 16 * 1024;
    const QUALITY: u32 = 11;
    const LOG_WINDOW: u32 = 22;
    let mut brotli = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut brotli, BUFFER, QUALITY, LOG_WINDOW);
    // Writing to memory does not fail; what is compressed is handed over when the writer goes.
    let _ = writer.write_all(bytes);
    drop(writer);
    brotli
}
