//! What may be told of who is in a segment: that somebody is in it says of every event it names what they did.

use beaconry_model::profile::Keyspace;
use beaconry_model::segment::{Condition, Leaf};

use super::reader::Profile;
use crate::snapshot::{Known, Snapshot};

/// The identifiers that a list of people can carry. Web visitors' ids are nobody's business outside.
const IDENTIFIERS: [Keyspace; 3] = [Keyspace::Email, Keyspace::Mobile, Keyspace::CrmId];

impl Snapshot {
    /// An event that the condition names and that may not be read through this keyspace. Where there is none, who fits the
    /// condition may be told by their keys in it.
    pub fn forbids(&self, condition: &Condition, through: Keyspace) -> Option<&Known> {
        condition.leaves().iter().find_map(|leaf| match leaf {
            Leaf::Event(named) => {
                let known = self.event(named.event.as_str()).ok()?;
                (!known.event.allowed().through(through).read).then_some(known.as_ref())
            }
            Leaf::Attribute(_) | Leaf::Consent(_) => None,
        })
    }

    /// The identifiers that a list of those who fit the condition carries.
    pub fn carried(&self, condition: &Condition) -> Vec<Keyspace> {
        let mut carried = IDENTIFIERS.to_vec();
        carried.retain(|one| self.forbids(condition, *one).is_none());
        carried
    }

    /// The identifiers that it does not carry, each with an event that forbids it.
    pub fn withheld(&self, condition: &Condition) -> Vec<(Keyspace, &Known)> {
        let by = |one| Some((one, self.forbids(condition, one)?));
        IDENTIFIERS.into_iter().filter_map(by).collect()
    }
}

impl Profile {
    /// The same with its keys in these keyspaces alone.
    #[must_use]
    pub fn carrying(mut self, keyspaces: &[Keyspace]) -> Profile {
        self.keys.retain(|key| keyspaces.contains(&key.keyspace()));
        self
    }
}
