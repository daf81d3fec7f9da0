//! The files of a snippet: the same input gives the same bytes, and a page downloads few of them.

mod address;
mod budget;
mod golden;
mod input;
