//! The `beaconry` program: reads its arguments and opens the doors.
#![warn(clippy::unwrap_used, clippy::expect_used)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
