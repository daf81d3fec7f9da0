//! People who were erased and are never to be known again: kept as keyed hashes of their keys, and nothing else.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, params};
use sha2::Sha256;

use beaconry_model::profile::{ProfileId, ProfileKey};
use beaconry_model::time::Timestamp;

/// A keyed hash of one key.
pub(crate) type Hash = [u8; 32];

/// The keyed hashes of everybody who is locked, in memory.
#[derive(Debug)]
pub(crate) struct Locks {
    mac: Hmac<Sha256>,
    hashes: RwLock<HashSet<Hash>>,
}

impl Locks {
    /// Reads what is locked. `secret` keys the hashes.
    pub(crate) fn load(connection: &Connection, secret: &[u8]) -> Result<Locks, rusqlite::Error> {
        let mut statement = connection.prepare("SELECT hash FROM locks")?;
        let hashes = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Locks { mac: mac(secret), hashes: RwLock::new(hashes) })
    }

    /// Whether nobody is locked.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether this key's person is locked.
    pub(crate) fn holds(&self, key: &ProfileKey) -> bool {
        !self.is_empty() && self.holds_hash(&self.of_key(key))
    }

    /// Whether the profile with this id was erased. A post that was on its way then must not stay.
    pub(crate) fn erased(&self, id: ProfileId) -> bool {
        !self.is_empty() && self.holds_hash(&self.of_id(id))
    }

    pub(crate) fn of_key(&self, key: &ProfileKey) -> Hash {
        self.hash(&[&[key.keyspace().number()], key.as_str().as_bytes()])
    }

    /// Ids are hashed apart from keys, since erasing without locking notes these alone.
    pub(crate) fn of_id(&self, id: ProfileId) -> Hash {
        self.hash(&[&[u8::MAX], &id.0])
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
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

fn mac(secret: &[u8]) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}
