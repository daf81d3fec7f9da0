//! What a person of the console may do.

use serde::{Deserialize, Serialize};

/// A role; each may all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything but people, keys and settings; changes nothing.
    Viewer,
    /// Changes events, their tracking and the quarantine.
    Marketer,
    /// May do everything.
    Administrator,
}

impl Role {
    /// Every role, the one that may least first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Marketer, Role::Administrator];

    /// Its stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Marketer => "marketer",
            Role::Administrator => "administrator",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Role::Viewer => "Viewer",
            Role::Marketer => "Marketer",
            Role::Administrator => "Administrator",
        }
    }

    /// What it may do, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Role::Viewer => "Sees events, their data and health; changes nothing.",
            Role::Marketer => "Makes and changes events, their tracking and the quarantine.",
            Role::Administrator => "May do everything: also sections, people and settings.",
        }
    }
}
