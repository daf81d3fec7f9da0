//! What each server can do at most: all of them in turn, round by round, so that a busier moment of the machine meets all.

use crate::load::Load;
use crate::process;
use crate::servers::{BodyLog, Programs, Server};
use crate::settings::Settings;

/// What is measured in each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hyper,
    Nginx,
    NginxLog,
    NginxBufferedLog,
    Beaconry { connections: usize, batch: usize },
}

impl Kind {
    pub(crate) const ALL: [Kind; 8] = [
        Kind::Hyper,
        Kind::Nginx,
        Kind::NginxLog,
        Kind::NginxBufferedLog,
        Kind::Beaconry { connections: 1, batch: 1 },
        Kind::Beaconry { connections: 64, batch: 1 },
        Kind::SINGLE,
        Kind::BATCHES,
    ];
    /// The two that are looked at further.
    pub(crate) const SINGLE: Kind = Kind::Beaconry { connections: 512, batch: 1 };
    pub(crate) const BATCHES: Kind = Kind::Beaconry { connections: 64, batch: 20 };

    pub(crate) fn name(self) -> String {
        match self {
            Kind::Hyper => "bare Hyper, 204, 512 connections".to_owned(),
            Kind::Nginx => "nginx, 204, 512 connections".to_owned(),
            Kind::NginxLog => "nginx, body to its log, 512 connections".to_owned(),
            Kind::NginxBufferedLog => {
                "nginx, the same through a buffer, 512 connections".to_owned()
            }
            Kind::Beaconry { connections: 1, .. } => "Beaconry, 1 connection".to_owned(),
            Kind::Beaconry { connections, batch: 1 } => {
                format!("Beaconry, {connections} connections")
            }
            Kind::Beaconry { connections, batch } => {
                format!("Beaconry, {connections} connections, batches of {batch}")
            }
        }
    }

    /// What its requests hold, however many connections they come over.
    pub(crate) fn holds(self) -> String {
        match self.batch() {
            1 => "single events".to_owned(),
            batch => format!("batches of {batch}"),
        }
    }

    pub(crate) fn batch(self) -> usize {
        if let Kind::Beaconry { batch, .. } = self { batch } else { 1 }
    }

    fn connections(self) -> usize {
        if let Kind::Beaconry { connections, .. } = self { connections } else { 512 }
    }

    pub(crate) fn start(self, programs: &Programs) -> Result<(Server, String), String> {
        let no_key = |server| (server, "unread".to_owned());
        match self {
            Kind::Hyper => programs.hyper().map(no_key),
            Kind::Nginx => programs.nginx(BodyLog::Off).map(no_key),
            Kind::NginxLog => programs.nginx(BodyLog::Plain).map(no_key),
            Kind::NginxBufferedLog => programs.nginx(BodyLog::Buffered).map(no_key),
            Kind::Beaconry { .. } => programs.beaconry(),
        }
    }

    /// The load for a server of this kind, as fast as it answers.
    pub(crate) fn load(self, server: &Server, key: &str, settings: &Settings) -> Load {
        Load {
            address: server.address,
            key: key.to_owned(),
            connections: self.connections(),
            batch: self.batch(),
            rate: None,
            warm_up: settings.warm_up,
            measured: settings.measured,
        }
    }
}

/// One kind in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// The server's processor seconds a million events.
    pub(crate) cpu: f64,
    pub(crate) peak_bytes: u64,
}

/// Runs a load and looks at the server's process meanwhile.
pub(crate) fn measure(load: &Load, server: &Server) -> Result<Measured, String> {
    let (mut before, mut after) = (None, 0.0);
    let outcome = load.run(|_, _| {
        after = process::cpu_seconds(server.process());
        before.get_or_insert(after);
    })?;
    if outcome.put_off > outcome.answered {
        return Err(format!(
            "{} requests were put off, {} answered",
            outcome.put_off, outcome.answered
        ));
    }
    let events = (outcome.answered * load.batch as u64) as f64;
    Ok(Measured {
        rate: outcome.rate(),
        p50_ms: outcome.latency_ms(0.5),
        p99_ms: outcome.latency_ms(0.99),
        cpu: (after - before.unwrap_or(after)) / events * 1e6,
        peak_bytes: process::peak_bytes(server.process()),
    })
}

/// All kinds, round by round, each on a new server; each round begins with another.
pub(crate) fn rounds(
    programs: &Programs,
    settings: &Settings,
) -> Result<Vec<(Kind, Vec<Measured>)>, String> {
    let mut all: Vec<(Kind, Vec<Measured>)> = Kind::ALL.map(|kind| (kind, Vec::new())).into();
    for round in 0..settings.rounds {
        eprintln!("round {} of {}", round + 1, settings.rounds);
        for turn in 0..all.len() {
            let at = (round + turn) % all.len();
            let (kind, measured) = &mut all[at];
            let (server, key) = kind.start(programs)?;
            let one = measure(&kind.load(&server, &key, settings), &server)
                .map_err(|error| format!("{}: {error}", kind.name()))?;
            eprintln!("  {}: {:.0} requests/s", kind.name(), one.rate);
            measured.push(one);
        }
    }
    Ok(all)
}

/// The median of what is taken of each.
pub(crate) fn median<T>(all: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

/// The median of the rounds' ratios.
pub(crate) fn ratio(one: &[Measured], other: &[Measured]) -> f64 {
    let ratios: Vec<f64> =
        one.iter().zip(other).map(|(one, other)| one.rate / other.rate).collect();
    median(&ratios, |ratio| *ratio)
}
