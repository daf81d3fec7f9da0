//! What people look at who look around: the newest profiles, and which events a timeline holds.

use rusqlite::params;

use super::reader::{Profile, ProfileReader};
use super::slots::Slot;
use super::timeline;
use crate::error::StoreError;
use crate::snapshot::{EventNo, Snapshot};

impl ProfileReader {
    /// The profiles that were made last, newest first.
    pub fn newest(&self, limit: usize) -> Result<Vec<Profile>, StoreError> {
        let mut statement =
            self.profiles.prepare_cached("SELECT slot FROM profiles ORDER BY slot DESC LIMIT ?")?;
        let slots = statement
            .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0).map(Slot))?;
        slots.map(|slot| self.profile(slot?)).collect()
    }

    /// The visible events on a profile's timeline, each with how often it is there: counted up to `most`, so that a long
    /// timeline costs no more than a short one. Trials do not count.
    pub fn kinds(
        &self,
        snapshot: &Snapshot,
        profile: &Profile,
        most: u32,
    ) -> Result<Vec<(EventNo, u32)>, StoreError> {
        let mut statement = self.profiles.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM timeline WHERE slot = ? AND event = ? AND test = 0 LIMIT ?)",
        )?;
        let mut kinds = Vec::new();
        for number in timeline::kinds(&self.profiles, profile.slot)? {
            let known = snapshot.by_number(number);
            if known.is_none_or(|known| known.event.hidden_at().is_some()) {
                continue;
            }
            let count =
                statement.query_row(params![profile.slot.0, number.0, most], |row| row.get(0))?;
            if count > 0 {
                kinds.push((number, count));
            }
        }
        Ok(kinds)
    }
}
