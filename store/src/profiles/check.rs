//! Whether the timelines hold just what the log has of each profile.

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::time::Timestamp;

use super::locks::Locks;
use super::reader::ProfileReader;
use super::slots::{self, Slot};
use super::timeline::slot_of;
use crate::error::StoreError;
use crate::keyed::Keyed;
use crate::log::POSTED;
use crate::snapshot::EventNo;

/// The most faults that are told one by one.
const TOLD: usize = 20;

/// What tells when retention takes a row of the log away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Logged {
    pub(crate) event: EventNo,
    pub(crate) test: bool,
    pub(crate) received: Timestamp,
}

impl ProfileReader {
    /// Adds what is wrong to these faults. What has expired may be gone from timelines while it is still in the log.
    pub(crate) fn check(
        &self,
        expired: &dyn Fn(Logged) -> bool,
        faults: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        // One moment of both: first of what is behind, so that it never seems to be ahead.
        let (profiles, events) = (&self.profiles, &self.events);
        let (_of_profiles, _of_events) =
            (profiles.unchecked_transaction()?, events.unchecked_transaction()?);
        let watermark = super::link::watermark(profiles)?;
        let on_timelines = self.check_rows(watermark, expired, faults)?;
        let all: i64 = profiles.query_row("SELECT count(*) FROM timeline", [], |row| row.get(0))?;
        if all != on_timelines {
            faults.push(format!(
                "profiles.db: the log has {on_timelines} events of profiles, and their timelines {all}"
            ));
        }
        self.check_slots(faults)
    }

    /// Whether everything hangs on a profile, and each profile has a name by which it is known.
    fn check_slots(&self, faults: &mut Vec<String>) -> Result<(), StoreError> {
        let count = |sql: &str| self.profiles.query_row(sql, [], |row| row.get::<_, i64>(0));
        for table in ["ids", "keys", "attributes", "consents", "timeline"] {
            let lost = count(&format!(
                "SELECT count(*) FROM (SELECT DISTINCT slot FROM {table}) WHERE slot NOT IN (SELECT slot FROM profiles)"
            ))?;
            if lost > 0 {
                faults.push(format!("profiles.db: {table} of {lost} profiles that are not there"));
            }
        }
        let nameless = count(
            "SELECT count(*) FROM profiles WHERE NOT EXISTS (SELECT 1 FROM ids WHERE ids.slot = profiles.slot)",
        )?;
        if nameless > 0 {
            faults.push(format!("profiles.db: {nameless} profiles have no id"));
        }
        Ok(())
    }

    /// Whether somebody is there who was locked for good.
    pub(crate) fn check_locks(
        &self,
        keyed: Keyed,
        faults: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let locks = Locks::load(&self.profiles, keyed)?;
        if locks.is_empty() {
            return Ok(());
        }
        let mut statement = self.profiles.prepare("SELECT DISTINCT slot FROM keys")?;
        let mut rows = statement.query([])?;
        let mut back = 0;
        while let Some(row) = rows.next()? {
            let keys = slots::keys(&self.profiles, Slot(row.get(0)?))?;
            back += u64::from(keys.iter().any(|key| locks.holds(key)));
        }
        if back > 0 {
            faults.push(format!("profiles.db: {back} people who were locked for good are there"));
        }
        Ok(())
    }

    /// Says how many rows of the log up to the watermark are on the timeline they belong to.
    fn check_rows(
        &self,
        watermark: i64,
        expired: &dyn Fn(Logged) -> bool,
        faults: &mut Vec<String>,
    ) -> Result<i64, StoreError> {
        let mut statement = self.events.prepare(
            "SELECT seq, event, time, flags, visitor, data, received FROM events WHERE seq <= ? AND visitor IS NOT NULL",
        )?;
        let mut rows = statement.query([watermark])?;
        let (mut found, mut told) = (0, 0);
        let mut tell = |fault: String| {
            told += 1;
            if told <= TOLD {
                faults.push(fault);
            }
        };
        while let Some(row) = rows.next()? {
            let (seq, event, time): (i64, u32, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (flags, subject): (u32, String) = (row.get(3)?, row.get(4)?);
            let Some(slot) = slot_of(&self.profiles, flags, &subject)? else {
                // On its way out, or of nobody.
                let nobody =
                    flags & POSTED != 0 || ProfileKey::new(Keyspace::Web, &subject).is_err();
                if !nobody && !doomed(&self.profiles, seq)? {
                    tell(format!(
                        "profiles.db: row {seq} of the log has a visitor who is no profile"
                    ));
                }
                continue;
            };
            match data(&self.profiles, slot, (event, time, seq))? {
                Some(data) => {
                    found += 1;
                    if data != row.get::<_, String>(5)? {
                        tell(format!(
                            "profiles.db: row {seq} of the log differs from its profile's timeline"
                        ));
                    }
                }
                None if expired(Logged {
                    event: EventNo(event),
                    test: flags & 1 != 0,
                    received: Timestamp(row.get(6)?),
                }) => {}
                None => tell(format!(
                    "profiles.db: row {seq} of the log is not on its profile's timeline"
                )),
            }
        }
        Ok(found)
    }
}

fn data(
    profiles: &Connection,
    slot: Slot,
    (event, time, seq): (u32, i64, i64),
) -> Result<Option<String>, rusqlite::Error> {
    profiles
        .prepare_cached(
            "SELECT data FROM timeline WHERE slot = ? AND event = ? AND time = ? AND seq = ?",
        )?
        .query_row(params![slot.0, event, time, seq], |row| row.get(0))
        .optional()
}

fn doomed(profiles: &Connection, seq: i64) -> Result<bool, rusqlite::Error> {
    profiles.prepare_cached("SELECT 1 FROM doomed WHERE seq = ?")?.exists([seq])
}
