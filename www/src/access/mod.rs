//! Getting in: who may, by what, and what keeps everybody else out.

mod attempts;
mod cookie;
mod guard;
pub mod password;
mod site;

pub(crate) use attempts::Attempts;
pub(crate) use cookie::{cookie, read_cookie, removed_cookie};
pub(crate) use guard::guard;
pub(crate) use password::Passwords;
pub use site::{Site, WrongSite};
