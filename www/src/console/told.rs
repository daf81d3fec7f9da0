//! A sentence in which a moment may stand. Pages show it by the macro `told`, so that the moment is one of the reader's own
//! time zone, as every time is.

use beaconry_model::time::Timestamp;

/// Text, and where it names a moment: that moment, and the text that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) at: Option<Timestamp>,
    pub(super) rest: String,
}

impl Told {
    /// A sentence with a moment in it.
    pub(super) fn at(text: impl Into<String>, at: Timestamp, rest: impl Into<String>) -> Told {
        Told { text: text.into(), at: Some(at), rest: rest.into() }
    }

    /// The same sentence after other words.
    pub(super) fn after(self, words: &str) -> Told {
        Told { text: format!("{words}{}", self.text), ..self }
    }
}

impl<T: Into<String>> From<T> for Told {
    fn from(text: T) -> Told {
        Told { text: text.into(), at: None, rest: String::new() }
    }
}
