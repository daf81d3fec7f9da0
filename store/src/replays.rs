//! Replays that the command line asks a running server for: each on a thread of its own, since one may take minutes, and
//! the thread that looks after the registry has more to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::StoreError;
use crate::jobs::{COMMAND_LINE, Job, ReplayReport, replay_here};
use crate::registry::Registry;
use crate::replay::ReplayCount;
use crate::store::Definitions;
use crate::threads::{Rank, start_behind};
use crate::writer::Write;

/// How often a replay says how far it has come.
const TELL: Duration = Duration::from_secs(1);
/// What the command line hears where the server ended meanwhile.
const CUT_OFF: &str =
    "the server ended meanwhile; replay again, nothing that was stored is stored twice";

/// Those under way. Letting go of it ends them, each after the page of the quarantine that it is at.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    ended: Arc<AtomicBool>,
    running: Vec<JoinHandle<()>>,
}

impl Replays {
    /// Begins one, whose job has this number.
    pub(crate) fn begin(
        &mut self,
        definitions: &Arc<Definitions>,
        writer: &SyncSender<Write>,
        (number, event, as_current): (i64, String, bool),
    ) -> Result<(), StoreError> {
        let mut registry = definitions.another_registry()?;
        registry.change_job(number, &Job::Replaying { seen: 0 })?;
        let (definitions, writer, ended) =
            (definitions.clone(), writer.clone(), self.ended.clone());
        self.running.retain(|thread| !thread.is_finished());
        self.running.push(start_behind("replay", Rank::Last, move || {
            let told = Telling { registry: &mut registry, number, last: Instant::now() };
            let report = run(&definitions, &writer, &event, as_current, &ended, told);
            // What cannot be said now is cut off for who waits.
            if let Err(error) = registry.finish_job(number, &report) {
                tracing::error!(%error, "saying what became of a replay failed");
            }
        }));
        Ok(())
    }
}

impl Drop for Replays {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.running.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Says of those that an earlier server did not finish that they were cut off.
pub(crate) fn cut_off(registry: &mut Registry) -> Result<(), StoreError> {
    for (number, job) in registry.open_jobs()? {
        if matches!(job, Job::Replaying { .. }) {
            registry.finish_job(number, &ReplayReport::broken_off(CUT_OFF.to_owned()))?;
        }
    }
    Ok(())
}

fn run(
    definitions: &Definitions,
    writer: &SyncSender<Write>,
    event: &str,
    as_current: bool,
    ended: &AtomicBool,
    mut telling: Telling,
) -> ReplayReport {
    let replayed = definitions.snapshot().event(event).cloned().and_then(|known| {
        replay_here(definitions, writer, &known, as_current, COMMAND_LINE, |count| {
            telling.tell(count);
            !ended.load(Ordering::Relaxed)
        })
    });
    match replayed {
        Ok(mut report) => {
            if ended.load(Ordering::Relaxed) {
                report.break_off(CUT_OFF.to_owned());
            }
            report
        }
        Err(error) => ReplayReport::broken_off(error.to_string()),
    }
}

/// Says now and then how far a replay has come, so that who waits knows that it is under way.
struct Telling<'a> {
    registry: &'a mut Registry,
    number: i64,
    last: Instant,
}

impl Telling<'_> {
    fn tell(&mut self, count: &ReplayCount) {
        if self.last.elapsed() >= TELL {
            self.last = Instant::now();
            // What cannot be said now is said later.
            let _ = self.registry.change_job(self.number, &Job::Replaying { seen: count.seen() });
        }
    }
}
