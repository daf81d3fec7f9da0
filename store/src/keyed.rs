//! Hashes with a secret of the data folder: what comes again is recognised by them, and nobody without the folder can find
//! out by trying what they were made of.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use beaconry_model::event_id::EventId;
use beaconry_model::profile::{ProfileId, ProfileKey};

/// A keyed hash.
pub(crate) type Hash = [u8; 32];

/// What a hash is of, as its first byte: so that the same bytes never mean two things. Keys of profiles begin with the number
/// of their keyspace instead, which is below these.
#[derive(Clone, Copy)]
enum Of {
    /// What a back end posted, made from what makes a second try known as one.
    Post = 252,
    /// An event of somebody who was erased.
    Event = 253,
    /// A visitor whose beacons were taken out of the quarantine.
    Quarantined = 254,
    /// The id of a profile.
    Profile = 255,
}

/// The secret, ready to hash with.
#[derive(Clone, Debug)]
pub(crate) struct Keyed(Hmac<Sha256>);

impl Keyed {
    pub(crate) fn new(secret: &[u8]) -> Keyed {
        match Hmac::<Sha256>::new_from_slice(secret) {
            Ok(mac) => Keyed(mac),
            Err(_) => unreachable!("HMAC takes keys of any length"),
        }
    }

    /// A key of a profile.
    pub(crate) fn of_key(&self, key: &ProfileKey) -> Hash {
        self.hash(&[&[key.keyspace().number()], key.as_str().as_bytes()])
    }

    /// Ids are hashed apart from keys, since erasing without locking notes these alone.
    pub(crate) fn of_profile(&self, id: ProfileId) -> Hash {
        self.hash(&[&[Of::Profile as u8], &id.0])
    }

    /// A visitor, by the hash of their key, apart from what locks them.
    pub(crate) fn of_quarantined(&self, visitor: &Hash) -> Hash {
        self.hash(&[&[Of::Quarantined as u8], visitor])
    }

    /// What stands for the id of an event.
    pub(crate) fn of_event(&self, id: EventId) -> EventId {
        let mut hash = [0; 16];
        hash.copy_from_slice(&self.hash(&[&[Of::Event as u8], &id.0])[..16]);
        EventId(hash)
    }

    /// Begins the hash of what a back end posted.
    pub(crate) fn post(&self) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&[Of::Post as u8]);
        mac
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}
