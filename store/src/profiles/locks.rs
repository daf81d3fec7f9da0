//! People who were erased and are never to be known again: kept as keyed hashes of their keys, and nothing else.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use rusqlite::{Connection, params};

use beaconry_model::profile::{ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

use crate::keyed::{Hash, Keyed};

/// The keyed hashes of everybody who is locked, in memory.
#[derive(Debug)]
pub(crate) struct Locks {
    pub(crate) keyed: Keyed,
    hashes: RwLock<HashSet<Hash>>,
}

impl Locks {
    /// Reads what is locked.
    pub(crate) fn load(connection: &Connection, keyed: Keyed) -> Result<Locks, rusqlite::Error> {
        let mut statement = connection.prepare("SELECT hash FROM locks")?;
        let hashes = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Locks { keyed, hashes: RwLock::new(hashes) })
    }

    /// Whether nobody is locked.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether this key's person is locked.
    pub(crate) fn holds(&self, key: &ProfileKey) -> bool {
        !self.is_empty() && self.holds_hash(&self.keyed.of_key(key))
    }

    /// Whether the profile with this id was erased. A post that was on its way then must not stay.
    pub(crate) fn erased(&self, id: ProfileId) -> bool {
        !self.is_empty() && self.holds_hash(&self.keyed.of_profile(id))
    }

    fn holds_hash(&self, hash: &Hash) -> bool {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).contains(hash)
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
            connection
                .prepare_cached("INSERT INTO locks VALUES (?, ?) ON CONFLICT DO NOTHING")?
                .execute(params![hash, now.0])?;
        }
        self.hashes.write().unwrap_or_else(PoisonError::into_inner).extend(hashes);
        Ok(())
    }
}
