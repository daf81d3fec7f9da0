//! The whole of Beaconry as people use it: the real binary, real files, a real browser.

mod bad_input;
mod capture;
mod command_line;
mod console;
mod essential;
mod hostile;
mod in_the_browser;
mod life_cycle;
mod modes;
mod policies;
mod privacy;
mod queue;
mod real_pages;
mod setting;
mod upgrade;
