//! Reading profiles beside the thread that writes them.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::Serialize;

use beaconry_model::names::SectionId;
use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use super::attributes::{self, StoredAttribute};
use super::consents::{self, StoredConsent};
use super::slots::{self, Slot};
use super::timeline::{self, TimelineQuery};
use crate::error::StoreError;
use crate::folder::Folder;
use crate::log::{self, StoredEvent};
use crate::schema::{EVENTS, PROFILES};
use crate::snapshot::Snapshot;

/// Readers kept for the next who ask.
const KEPT: usize = 16;

/// A profile without what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// When it was first seen, or made.
    pub created: Timestamp,
    /// All its keys.
    pub keys: Vec<ProfileKey>,
    #[serde(skip)]
    pub(crate) slot: Slot,
}

/// Reads profiles of one data folder. Works beside a running server, and without one.
#[derive(Debug)]
pub struct ProfileReader {
    pub(crate) profiles: Connection,
    pub(super) events: Connection,
    pub(super) folder: Folder,
}

impl ProfileReader {
    /// Opens the folder's profiles to read them, and makes what is missing.
    pub fn open(folder: &Folder) -> Result<ProfileReader, StoreError> {
        for database in [&PROFILES, &EVENTS] {
            if !folder.file(database.name).exists() {
                database.open(folder)?;
            }
        }
        let profiles = PROFILES.open_to_read(folder)?;
        profiles.set_prepared_statement_cache_capacity(64);
        Ok(ProfileReader { profiles, events: EVENTS.open_to_read(folder)?, folder: folder.clone() })
    }

    /// The profile with this key.
    pub fn find(&self, key: &ProfileKey) -> Result<Option<Profile>, StoreError> {
        slots::by_key(&self.profiles, key)?.map(|slot| self.profile(slot)).transpose()
    }

    /// The profile with this id, its own or one of those that were merged into it.
    pub fn by_id(&self, id: ProfileId) -> Result<Option<Profile>, StoreError> {
        slots::by_id(&self.profiles, id)?.map(|slot| self.profile(slot)).transpose()
    }

    /// The profiles that any keyspace has this key for.
    pub fn search(&self, text: &str) -> Result<Vec<Profile>, StoreError> {
        let mut found: Vec<Profile> = Vec::new();
        for keyspace in beaconry_model::profile::Keyspace::ALL {
            let Ok(key) = ProfileKey::new(keyspace, text) else { continue };
            found.extend(self.find(&key)?.filter(|new| found.iter().all(|old| old.id != new.id)));
        }
        if let Some(id) = ProfileId::parse(text) {
            found.extend(self.by_id(id)?.filter(|new| found.iter().all(|old| old.id != new.id)));
        }
        Ok(found)
    }

    /// Events of a profile, newest first.
    pub fn timeline(
        &self,
        snapshot: &Snapshot,
        profile: &Profile,
        query: &TimelineQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        timeline::read(&self.profiles, &self.events, snapshot, profile.slot, query)
    }

    /// What a section knows of a profile.
    pub fn attributes(
        &self,
        snapshot: &Snapshot,
        profile: &Profile,
        section: &SectionId,
    ) -> Result<Vec<StoredAttribute>, StoreError> {
        let Some(section) = snapshot.section_number(section) else { return Ok(Vec::new()) };
        Ok(attributes::all(&self.profiles, profile.slot, Some(section))?)
    }

    /// What the addresses of a profile said, of every section's topics.
    pub fn consents(&self, profile: &Profile) -> Result<Vec<StoredConsent>, StoreError> {
        Ok(consents::all(&self.profiles, profile.slot)?)
    }

    /// How many events are on a profile's timeline, trials not counted, hidden ones counted.
    pub fn events(&self, profile: &Profile) -> Result<u64, StoreError> {
        let mut statement = self
            .profiles
            .prepare_cached("SELECT count(*) FROM timeline WHERE slot = ? AND test = 0")?;
        Ok(statement.query_row([profile.slot.0], |row| row.get(0))?)
    }

    /// The event at this place of the log, where it is still there.
    pub(super) fn logged(&self, seq: i64) -> Result<Option<StoredEvent>, StoreError> {
        log::find(&self.events, seq)
    }

    /// The keys of whose event it is; none where it is nobody's.
    pub fn keys_of(&self, event: &StoredEvent) -> Result<Vec<ProfileKey>, StoreError> {
        let slot = match (event.profile, &event.visitor) {
            (Some(id), _) => slots::by_id(&self.profiles, id)?,
            (None, Some(visitor)) => match ProfileKey::new(Keyspace::Web, visitor) {
                Ok(key) => slots::by_key(&self.profiles, &key)?,
                Err(_) => None,
            },
            (None, None) => None,
        };
        Ok(slot.map(|slot| slots::keys(&self.profiles, slot)).transpose()?.unwrap_or_default())
    }

    /// How many profiles there are.
    pub fn count(&self) -> Result<u64, StoreError> {
        Ok(self.profiles.query_row("SELECT count(*) FROM profiles", [], |row| row.get(0))?)
    }

    /// How many places of the log linking is behind.
    pub(crate) fn lag(&self) -> Result<i64, StoreError> {
        // Asked first: what is linked meanwhile must not look as if it were ahead of the log.
        let linked = super::link::watermark(&self.profiles)?;
        Ok((log::last_seq(&self.events)? - linked).max(0))
    }

    /// Waits until what the log holds now is linked, or until patience ends: beside a running server that is a matter of
    /// milliseconds, and where none runs, of nothing unless one was killed. Says whether it is.
    pub fn wait_linked(&self, patience: Duration) -> Result<bool, StoreError> {
        let (target, started) = (log::last_seq(&self.events)?, Instant::now());
        while super::link::watermark(&self.profiles)? < target {
            if started.elapsed() > patience {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(true)
    }

    pub(super) fn profile(&self, slot: Slot) -> Result<Profile, StoreError> {
        let created = self
            .profiles
            .prepare_cached("SELECT created FROM profiles WHERE slot = ?")?
            .query_row([slot.0], |row| row.get(0))?;
        Ok(Profile {
            id: slots::id(&self.profiles, slot)?,
            created: Timestamp(created),
            keys: slots::keys(&self.profiles, slot)?,
            slot,
        })
    }
}

/// A reader that goes back to its pool.
#[derive(Debug)]
pub struct Pooled<'a> {
    reader: Option<ProfileReader>,
    pool: &'a Pool,
}

impl Deref for Pooled<'_> {
    type Target = ProfileReader;

    fn deref(&self) -> &ProfileReader {
        match &self.reader {
            Some(reader) => reader,
            None => unreachable!("a reader is taken out only on drop"),
        }
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        let mut readers = self.pool.readers();
        readers.extend(self.reader.take());
        readers.truncate(KEPT);
    }
}

/// Readers that wait for the next who ask.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    readers: Mutex<Vec<ProfileReader>>,
}

impl Pool {
    pub(crate) fn take(&self, folder: &Folder) -> Result<Pooled<'_>, StoreError> {
        let kept = self.readers().pop();
        let reader = kept.map_or_else(|| ProfileReader::open(folder), Ok)?;
        Ok(Pooled { reader: Some(reader), pool: self })
    }

    /// Closes those that nobody has taken.
    pub(crate) fn close(&self) {
        self.readers().clear();
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<ProfileReader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
