//! The three folders an event can live in.

use serde::{Deserialize, Serialize};

/// An event's folder, set for good at creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Something was bought or booked.
    Transactions,
    /// Somebody moved on to a new state.
    Conversions,
    /// Somebody showed interest.
    Signals,
}

impl Category {
    /// All three, in the order people see them.
    pub const ALL: [Category; 3] =
        [Category::Transactions, Category::Conversions, Category::Signals];

    /// The word in the command line and in documents.
    pub const fn word(self) -> &'static str {
        match self {
            Category::Transactions => "transactions",
            Category::Conversions => "conversions",
            Category::Signals => "signals",
        }
    }

    /// The word in discriminators.
    pub const fn singular(self) -> &'static str {
        match self {
            Category::Transactions => "transaction",
            Category::Conversions => "conversion",
            Category::Signals => "signal",
        }
    }

    /// The folder with this word.
    pub fn from_word(word: &str) -> Option<Category> {
        Category::ALL.into_iter().find(|category| category.word() == word)
    }
}
