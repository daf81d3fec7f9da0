//! The whole of Beaconry as people use it: the real binary, real files, a real browser.

mod accessible;
mod bad_input;
mod capture;
mod command_line;
mod console;
mod console_editor;
mod console_tracking;
mod essential;
mod first_event;
mod hostile;
mod in_the_browser;
mod kill;
mod life_cycle;
mod markup;
mod modes;
mod pick;
mod policies;
mod privacy;
mod queue;
mod real_pages;
mod setting;
mod upgrade;
