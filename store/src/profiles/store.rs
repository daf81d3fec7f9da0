//! What a server does with profiles. Every change is ready only after the commit that holds it.

use beaconry_model::consent::{Channel, ConsentType};
use beaconry_model::identify::BadToken;
use beaconry_model::names::SectionId;
use beaconry_model::profile::{Keyspace, ProfileId, ProfileKey};
use rusqlite::Connection;

use super::changes;
use super::erase::{Person, catch_up, erase_here};
use super::error::ProfileError;
use super::identify;
use super::post::{self, Posted, Posting};
use super::reader::Pooled;
use super::slots;
use crate::error::StoreError;
use crate::store::Store;

/// Profiles.
impl Store {
    /// A reader of profiles, which goes back to the store's pool when it is dropped.
    pub fn profiles(&self) -> Result<Pooled<'_>, StoreError> {
        self.pool.take(self.folder())
    }

    /// Ready once everything that was stored before the call is on its profile's timeline, or after `patience`: linking is
    /// behind the log, by milliseconds where the server is not busy. For who reads what they have just written.
    pub async fn linked(&self, patience: std::time::Duration) {
        let mut linked = self.profiler.shared.linked.subscribe();
        let target = self.profiler.committed();
        let _ = tokio::time::timeout(patience, linked.wait_for(|linked| *linked >= target)).await;
    }

    /// Whether this key's person was erased and locked for good.
    pub fn is_locked(&self, key: &ProfileKey) -> bool {
        self.profiler.shared.locks.holds(key)
    }

    /// Whether this visitor was erased and locked for good. Costs nothing while nobody is.
    pub fn is_locked_visitor(&self, visitor: &str) -> bool {
        let locks = &self.profiler.shared.locks;
        !locks.is_empty()
            && ProfileKey::new(Keyspace::Web, visitor).is_ok_and(|key| locks.holds(&key))
    }

    /// Posts events to a profile that must be there: all items of the request, or none. Ready when they are on disk.
    pub async fn post_events(&self, posting: Posting<'_>) -> Result<Posted, ProfileError> {
        if self.is_locked(posting.key) {
            return Err(ProfileError::Locked);
        }
        let profile = self.profiles()?.find(posting.key)?.ok_or(ProfileError::NotFound)?.id;
        let (snapshot, now) = (self.snapshot(), self.clock().now());
        let keyed = &self.profiler.shared.locks.keyed;
        let entries = post::entries(&snapshot, keyed, &posting, profile, now)?;
        let written = self.append(entries).await?;
        Ok(Posted { profile, stored: written.stored, duplicates: written.duplicates })
    }

    /// Sets attributes of a profile, which is made where it is missing: a JSON Merge Patch by the ids of attributes'
    /// current versions, all of it or nothing. Null takes a value away, by the id of any version.
    pub async fn set_attributes(
        &self,
        key: &ProfileKey,
        section: &SectionId,
        patch: &[u8],
    ) -> Result<ProfileId, ProfileError> {
        let values = changes::patch(&self.snapshot(), section, patch)?;
        let (key, now, shared) = (key.clone(), self.clock().now(), self.profiler.shared.clone());
        self.change(move |profiles| {
            let slot = changes::set(profiles, &shared.locks, &key, &values, now)?;
            shared.hooks.touching(slot);
            Ok(slots::id(profiles, slot)?)
        })
        .await
    }

    /// Takes an attribute away, named by the id of any of its versions.
    pub async fn delete_attribute(
        &self,
        key: &ProfileKey,
        section: &SectionId,
        version_id: &str,
    ) -> Result<(), ProfileError> {
        let gone = changes::absent(&self.snapshot(), section, version_id)?;
        let (key, now, shared) = (key.clone(), self.clock().now(), self.profiler.shared.clone());
        self.change(move |profiles| {
            let slot = changes::take_away(profiles, &key, &gone, now)?;
            shared.hooks.touching(slot);
            Ok(())
        })
        .await
    }

    /// Makes one profile of all that have one of these keys; a key that nobody has is given to it.
    pub async fn merge_profiles(&self, keys: Vec<ProfileKey>) -> Result<ProfileId, ProfileError> {
        changes::check_merge(&keys)?;
        let (now, shared) = (self.clock().now(), self.profiler.shared.clone());
        self.change(move |profiles| {
            let slot = changes::merge(profiles, &shared.locks, &keys, now)?;
            shared.hooks.touching(slot);
            Ok(slots::id(profiles, slot)?)
        })
        .await
    }

    /// Notes what an address said of a topic. A profile must have the address.
    pub async fn add_consent(
        &self,
        section: &SectionId,
        address: (Channel, &str),
        topic: (&str, &str),
        said: ConsentType,
    ) -> Result<(), ProfileError> {
        let topic = changes::topic(&self.snapshot(), section, topic)?;
        self.say(address, vec![topic], said).await
    }

    /// Notes that an address opts out of all topics of a list, or, where none is named, of the section. A profile must have the
    /// address.
    pub async fn opt_out(
        &self,
        section: &SectionId,
        address: (Channel, &str),
        list: Option<&str>,
    ) -> Result<(), ProfileError> {
        let topics = changes::topics(&self.snapshot(), section, list)?;
        self.say(address, topics, ConsentType::OptOut).await
    }

    async fn say(
        &self,
        address: (Channel, &str),
        topics: Vec<(String, String)>,
        said: ConsentType,
    ) -> Result<(), ProfileError> {
        let (key, said) = changes::consents(address, topics, (said, self.clock().now()))?;
        if self.is_locked(&key) {
            return Err(ProfileError::Locked);
        }
        let shared = self.profiler.shared.clone();
        self.change(move |profiles| {
            let slot = changes::say(profiles, &key, &said)?;
            shared.hooks.touching(slot);
            Ok(())
        })
        .await
    }

    /// Joins a visitor with the person that a token names, where one of these sections signed it. Ready when that is on
    /// disk; tokens that say nothing new cost no write.
    pub async fn identify(
        &self,
        sections: &[&SectionId],
        visitor: &str,
        token: &str,
    ) -> Result<Result<(), BadToken>, ProfileError> {
        let now = self.clock().now();
        let mut keys = match identify::read(&self.snapshot(), sections, visitor, token, now) {
            Ok(keys) => keys,
            Err(bad) => return Ok(Err(bad)),
        };
        keys.push(ProfileKey::new(Keyspace::Web, visitor)?);
        let lately = &self.profiler.shared.lately;
        if lately.holds(&keys) {
            return Ok(Ok(()));
        }
        match self.merge_profiles(keys.clone()).await {
            Ok(_) => lately.note(&keys),
            Err(ProfileError::Locked) => return Ok(Err(BadToken::Locked)),
            Err(error) => return Err(error),
        }
        Ok(Ok(()))
    }

    /// Erases the profile with this key: when it returns, no file of the data folder holds anything of it. With `lock` the
    /// person is refused for ever, known by keyed hashes alone; then no profile need be there. A visitor may have no profile but
    /// beacons in quarantine. Blocks: call it where blocking is allowed (`spawn_blocking`).
    pub fn erase(&self, key: &ProfileKey, lock: bool, actor: &str) -> Result<(), ProfileError> {
        // A visitor's profile comes with their first event, which may have been stored just now.
        catch_up(&self.profiler)?;
        let id = self.profiles()?.find(key)?.map(|profile| profile.id);
        let keyed = &self.profiler.shared.locks.keyed;
        let person = Person::find(self.folder(), keyed, (id, key), lock)?;
        let now = self.clock().now();
        // Before, since erasing truncates the registry's write-ahead log too, and one that is cut off counts as well.
        self.registry().note_erased(lock, actor, now)?;
        erase_here(self.folder(), &self.profiler, &self.writer, person, now)?;
        Ok(())
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, ProfileError> + Send + 'static,
    ) -> Result<T, ProfileError> {
        self.profiler.ask(change).await.map_err(|_| StoreError::Stopped)?
    }
}
