//! People who were erased, and those who are never to be known again: kept as keyed hashes, and nothing else.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use rusqlite::{Connection, params};

use beaconry_model::profile::{ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use crate::keyed::{Hash, Keyed};

/// Keeps one hash, since the last time it was noted.
pub(super) const KEEP: &str =
    "INSERT INTO locks VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";

/// The keyed hashes of everybody who is locked or was erased, in memory, each since when.
#[derive(Debug)]
pub(crate) struct Locks {
    pub(crate) keyed: Keyed,
    hashes: RwLock<HashMap<Hash, Timestamp>>,
}

impl Locks {
    /// Reads what is locked.
    pub(crate) fn load(connection: &Connection, keyed: Keyed) -> Result<Locks, rusqlite::Error> {
        let mut statement = connection.prepare("SELECT hash, at FROM locks")?;
        let hashes = statement.query_map([], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?;
        let hashes = hashes.collect::<Result<_, _>>()?;
        Ok(Locks { keyed, hashes: RwLock::new(hashes) })
    }

    /// Whether nobody is locked.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether this key's person is locked.
    pub(crate) fn holds(&self, key: &ProfileKey) -> bool {
        !self.is_empty() && self.since(&self.keyed.of_key(key)).is_some()
    }

    /// Whether the profile with this id was erased. A post that was on its way then must not stay.
    pub(crate) fn erased(&self, id: ProfileId) -> bool {
        !self.is_empty() && self.since(&self.keyed.of_profile(id)).is_some()
    }

    /// Whether what came from this visitor at this moment is to leave the quarantine: they are locked, or were erased since.
    pub(crate) fn erased_since(&self, visitor: &ProfileKey, received: Timestamp) -> bool {
        if self.is_empty() {
            return false;
        }
        let key = self.keyed.of_key(visitor);
        self.since(&key).is_some()
            || self.since(&self.keyed.of_quarantined(&key)).is_some_and(|at| at >= received)
    }

    fn since(&self, hash: &Hash) -> Option<Timestamp> {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).get(hash).copied()
    }

    /// Keeps hashes on disk, within the caller's transaction, and in memory from this moment: refusing too early, where the
    /// commit then fails, is put right by trying again.
    pub(crate) fn add(
        &self,
        connection: &Connection,
        hashes: &[Hash],
        now: Timestamp,
    ) -> Result<(), rusqlite::Error> {
        for hash in hashes {
            connection.prepare_cached(KEEP)?.execute(params![hash, now.0])?;
        }
        let noted = hashes.iter().map(|hash| (*hash, now));
        self.hashes.write().unwrap_or_else(PoisonError::into_inner).extend(noted);
        Ok(())
    }
}
