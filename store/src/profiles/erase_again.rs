//! After a restore: whoever was erased since the backup was made is erased again. The folder that is replaced knows them by
//! keyed hashes alone, which is enough to recognise them in the backup.

use std::collections::HashSet;

use rusqlite::Connection;

use beaconry_model::profile::ProfileId;

use super::erase::{Person, erase_here};
use super::error::ProfileError;
use super::locks::{KEEP, Locks};
use super::slots::{self, Slot};
use crate::error::StoreError;
use crate::folder::Folder;
use crate::keyed::Hash;
use crate::registry::Registry;
use crate::schema::{PROFILES, REGISTRY};
use crate::store::Store;

/// Who was erased from a data folder.
#[derive(Debug)]
pub(crate) struct Erased {
    /// The key of the hashes; `None` where nobody was ever looked up.
    lock_key: Option<String>,
    hashes: Vec<(Hash, i64)>,
}

impl Erased {
    /// Reads what a folder knows of them.
    pub(crate) fn read(folder: &Folder) -> Result<Erased, StoreError> {
        let lock_key = Registry::known_lock_key(&REGISTRY.open_to_read(folder)?)?;
        if !folder.file(PROFILES.name).exists() {
            return Ok(Erased { lock_key, hashes: Vec::new() });
        }
        let profiles = PROFILES.open_to_read(folder)?;
        let mut statement = profiles.prepare("SELECT hash, at FROM locks")?;
        let hashes = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let hashes = hashes.collect::<Result<_, _>>()?;
        Ok(Erased { lock_key, hashes })
    }

    /// Whether another folder's hashes are made with the same key, so that they can be compared.
    pub(crate) fn is_of(&self, folder: &Folder) -> Result<bool, StoreError> {
        let theirs = Registry::known_lock_key(&REGISTRY.open_to_read(folder)?)?;
        Ok(self.hashes.is_empty() || theirs.is_none() || theirs == self.lock_key)
    }

    /// Has a folder that no server runs on know them, before anything is linked there.
    pub(crate) fn note(&self, folder: &Folder) -> Result<(), StoreError> {
        if let Some(key) = &self.lock_key {
            Registry::open(folder)?.keep_lock_key(key)?;
        }
        let mut profiles = PROFILES.open(folder)?;
        let transaction = profiles.transaction()?;
        {
            let mut insert = transaction.prepare(KEEP)?;
            for (hash, at) in &self.hashes {
                insert.execute(rusqlite::params![hash, at])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// Erases everybody whom the store knows to have been erased, and says how many there were. Blocks until no file holds
/// anything of them.
pub(crate) fn erase_again(store: &Store) -> Result<u64, ProfileError> {
    let (folder, now) = (store.folder(), store.clock().now());
    // What lies above the watermark is linked, or doomed, by what is known now.
    super::erase::catch_up(&store.profiler)?;
    let locks = &store.profiler.shared.locks;
    let people = known(&PROFILES.open_to_read(folder)?, locks)?;
    let erased = people.len() as u64;
    for id in people {
        store.registry().note_erased(false, "restore", now)?;
        let person = Person { id: Some(id), ..Person::default() };
        erase_here(folder, &store.profiler, &store.writer, person, now)?;
    }
    // Of visitors without a profile there may be something in quarantine.
    super::erase::finish(folder, &store.profiler, &store.writer, now)?;
    Ok(erased)
}

/// The profiles of which an id or a key is among the hashes.
fn known(profiles: &Connection, locks: &Locks) -> Result<HashSet<ProfileId>, ProfileError> {
    let mut slots = HashSet::new();
    let mut statement = profiles.prepare("SELECT id, slot FROM ids")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if locks.erased(ProfileId(row.get(0)?)) {
            slots.insert(Slot(row.get(1)?));
        }
    }
    let mut statement = profiles.prepare("SELECT DISTINCT slot FROM keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let slot = Slot(row.get(0)?);
        if slots::keys(profiles, slot)?.iter().any(|key| locks.holds(key)) {
            slots.insert(slot);
        }
    }
    slots.into_iter().map(|slot| Ok(slots::id(profiles, slot)?)).collect()
}
