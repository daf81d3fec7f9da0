//! The thread that looks after the registry while a server runs: notices what others changed, does what the command line
//! asks for, notes snippets seen, and sweeps what has expired.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::StoreError;
use crate::jobs;
use crate::profiles::{self, Profiler};
use crate::registry::Registry;
use crate::replays::{Replays, cut_off};
use crate::retention::Sweep;
use crate::schema::INDEX;
use crate::snapshot::EventNo;
use crate::store::Definitions;
use crate::writer::Write;

/// How often the registry is asked whether somebody changed it.
const TICK: Duration = Duration::from_millis(200);
/// How often expired events are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// How long after erasing has failed it is tried again: it reads every page of the databases.
const ERASE_AGAIN: Duration = Duration::from_secs(50);

/// The first beacon of a pin was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    pub(crate) event: EventNo,
    pub(crate) version: u32,
}

/// Works until the store is gone.
pub(crate) fn run(
    definitions: &Arc<Definitions>,
    writer: &SyncSender<Write>,
    profiler: &Profiler,
    mut registry: Registry,
    seen: &Receiver<Seen>,
) {
    let (mut noted, mut replays) = (HashSet::new(), Replays::default());
    report("ending replays that were cut off", cut_off(&mut registry));
    let mut known_version = None;
    let (mut last_sweep, mut erasing_failed): (Option<Instant>, Option<Instant>) = (None, None);
    let mut warned = false;
    loop {
        // Not `recv_timeout`: its deadline is absolute, and never comes where a process runs under a shifted clock.
        thread::sleep(TICK);
        let mut news = HashSet::new();
        loop {
            match seen.try_recv() {
                Ok(first) => {
                    news.insert(first);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        // A full queue has the writer busy enough to merge by itself.
        let _ = writer.try_send(Write::Tick);
        profiler.nudge();
        if let Some(warning) = definitions.clock.warning() {
            if !std::mem::replace(&mut warned, true) {
                tracing::warn!("{warning}");
            }
        } else if std::mem::take(&mut warned) {
            tracing::info!("the system clock is right again; locks and retention go on");
        }
        for first in news {
            report("noting that a snippet was seen", note_seen(definitions, first, &mut noted));
        }
        report(
            "watching registry.db",
            notice(definitions, writer, profiler, &mut registry, &mut replays, &mut known_version),
        );
        if !warned && last_sweep.is_none_or(|last| last.elapsed() >= SWEEP) {
            last_sweep = Some(Instant::now());
            report("deleting what has expired", sweep(definitions, writer, profiler));
        }
        if profiler.shared.doomed.load(Ordering::Acquire)
            && erasing_failed.is_none_or(|failed| failed.elapsed() >= ERASE_AGAIN)
        {
            let now = definitions.clock.now();
            let finished = profiles::finish_erasing(&definitions.folder, profiler, writer, now);
            erasing_failed = finished.err().map(|error| {
                tracing::error!(%error, "deleting what was erased failed; it is tried again");
                Instant::now()
            });
        }
    }
}

fn note_seen(
    definitions: &Definitions,
    seen: Seen,
    noted: &mut HashSet<Seen>,
) -> Result<(), StoreError> {
    if noted.contains(&seen) {
        return Ok(());
    }
    let now = definitions.clock.steady();
    definitions.change_event(seen.event, "collector", "tracking.seen", |event| {
        Ok(event.mark_seen(seen.version, now))
    })?;
    // Not before: what a full disk refused is noted by a later beacon.
    noted.insert(seen);
    Ok(())
}

fn notice(
    definitions: &Arc<Definitions>,
    writer: &SyncSender<Write>,
    profiler: &Profiler,
    registry: &mut Registry,
    replays: &mut Replays,
    known: &mut Option<i64>,
) -> Result<(), StoreError> {
    let version = registry.data_version()?;
    if *known != Some(version) {
        definitions.reload()?;
        jobs::do_open(definitions, writer, profiler, registry, replays)?;
        *known = Some(version);
    }
    Ok(())
}

fn sweep(
    definitions: &Definitions,
    writer: &SyncSender<Write>,
    profiler: &Profiler,
) -> Result<(), StoreError> {
    let index = INDEX.open_to_read(&definitions.folder)?;
    let sweep = Sweep { folder: &definitions.folder, index: &index, writer, profiler };
    sweep.run(&definitions.snapshot(), definitions.clock.steady())
}

fn report(what: &str, outcome: Result<(), StoreError>) {
    if let Err(error) = outcome
        && !matches!(error, StoreError::Stopped)
    {
        tracing::error!(%error, "{what} failed; it is tried again");
    }
}
