//! What people see: the console, and a demo shop with snippets pasted in; and beside the console the API for machines.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

pub mod access;
pub mod api;
pub mod console;
mod page;
pub mod shop;
mod snippet;

pub use snippet::{Script, Snippet, Snippets};
