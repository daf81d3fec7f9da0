//! What the command is told, and how long each measurement takes.

use std::path::PathBuf;
use std::time::Duration;

use crate::servers::Programs;

const USAGE: &str = "beaconry-bench-collector --binary FILE --hyper FILE --work FOLDER [--rounds N] [--stored N] \
                     [--only PART[,PART]] [--lean] [--quick] [--write]; parts: peak, steady, held, one, stored, profile";

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) programs: Programs,
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    /// How long latency is looked at, and how long the peak is held.
    pub(crate) steady: Duration,
    pub(crate) held: Duration,
    /// Events in the folder that has much stored.
    pub(crate) stored: u64,
    /// Only these parts, where any are named.
    only: Vec<String>,
    pub(crate) write: bool,
}

impl Settings {
    /// Reads the program's arguments.
    pub(crate) fn read() -> Result<Settings, String> {
        let mut settings = Settings::default();
        let mut given = std::env::args().skip(1);
        while let Some(name) = given.next() {
            let mut value = || given.next().ok_or(format!("{name}: expected a value; {USAGE}"));
            let number = |text: String| {
                text.parse().map_err(|_| format!("{name}: expected a number, got {text}"))
            };
            match name.as_str() {
                "--binary" => settings.programs.beaconry = PathBuf::from(value()?),
                "--hyper" => settings.programs.hyper = PathBuf::from(value()?),
                "--work" => settings.programs.work = PathBuf::from(value()?),
                "--rounds" => settings.rounds = number(value()?)? as usize,
                "--stored" => settings.stored = number(value()?)?,
                "--only" => settings.only = value()?.split(',').map(str::to_owned).collect(),
                "--lean" => settings.programs.lean = true,
                "--quick" => settings.quick(),
                "--write" => settings.write = true,
                _ => return Err(format!("{name} is not known; {USAGE}")),
            }
        }
        let Programs { beaconry, hyper, work, .. } = &settings.programs;
        let missing = [beaconry, hyper, work].iter().any(|path| path.as_os_str().is_empty());
        if missing || settings.rounds == 0 { Err(USAGE.to_owned()) } else { Ok(settings) }
    }

    /// For trying: everything once and short. Says nothing about speed.
    fn quick(&mut self) {
        self.rounds = 1;
        self.warm_up = Duration::from_millis(500);
        self.measured = Duration::from_millis(1_500);
        self.steady = Duration::from_secs(4);
        self.held = Duration::from_secs(10);
        self.stored = 200_000;
    }

    /// Whether this part is asked for.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            programs: Programs::default(),
            rounds: 5,
            warm_up: Duration::from_millis(700),
            measured: Duration::from_millis(2_500),
            steady: Duration::from_secs(15),
            held: Duration::from_secs(60),
            stored: 10_000_000,
            only: Vec::new(),
            write: false,
        }
    }
}
