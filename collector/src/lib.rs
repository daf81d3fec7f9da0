//! The data plane: bytes from the socket, checked, on disk, answered.
//!
//! [`server::run`] takes a listener, the store and a shutdown signal, so that tests start the real thing.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

pub mod answer;
mod assets;
pub mod connection;
mod files;
pub mod front;
mod ingest;
pub mod limits;
pub mod metrics;
mod pick;
mod routes;
pub mod server;
pub mod tls;
