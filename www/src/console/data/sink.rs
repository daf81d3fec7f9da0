//! Bytes on their way to a slow reader: written by a thread that may wait, read by the one that answers.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Bytes in a piece, and pieces on their way at the most.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 8;
/// How long a reader may take nothing before it is given up, and how often it is looked at meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// What a sink gives: pieces, or why there are no more.
pub(in crate::console) type Pieces = Receiver<Result<Bytes, io::Error>>;

/// Collects what is written into pieces, and waits while the reader is behind.
pub(in crate::console) struct Sink<F> {
    filling: Vec<u8>,
    pieces: Sender<Result<Bytes, io::Error>>,
    /// Whether to go on: asked while it waits, too.
    go_on: F,
}

impl<F: Fn() -> bool> Sink<F> {
    pub(in crate::console) fn new(go_on: F) -> (Sink<F>, Pieces) {
        let (pieces, read) = channel(PIECES);
        (Sink { filling: Vec::with_capacity(PIECE), pieces, go_on }, read)
    }

    /// Tells the reader that what it has is not all of it, so that a browser does not keep it as if it were.
    pub(in crate::console) fn break_off(self, why: &str) {
        let _ = self.pieces.blocking_send(Err(io::Error::other(why.to_owned())));
    }

    fn send(&mut self) -> io::Result<()> {
        let mut piece = Ok(Bytes::from(std::mem::take(&mut self.filling)));
        let since = Instant::now();
        loop {
            if !(self.go_on)() {
                return Err(io::Error::other("it was stopped"));
            }
            piece = match self.pieces.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => {
                    return Err(io::Error::other("who downloaded it has gone"));
                }
                Err(TrySendError::Full(piece)) => piece,
            };
            if since.elapsed() >= PATIENCE {
                return Err(io::Error::other("who downloads it has taken nothing for a minute"));
            }
            thread::sleep(LOOK);
        }
    }
}

impl<F: Fn() -> bool> Write for Sink<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.filling.extend_from_slice(bytes);
        if self.filling.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.filling.is_empty() { Ok(()) } else { self.send() }
    }
}
