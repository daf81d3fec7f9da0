//! What an API key may do: for which sections, through which keyspaces, reading or writing.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::names::SectionId;
use crate::profile::Keyspace;

/// What somebody wants to do with what a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Look at it.
    Read,
    /// Change it.
    Write,
}

impl Use {
    /// The word in messages and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Use::Read => "read",
            Use::Write => "write",
        }
    }
}

/// The sections a key is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SectionsDoc", into = "SectionsDoc")]
pub enum Sections {
    /// All there are, and all that come.
    All,
    /// These alone.
    Some(Vec<SectionId>),
}

/// How sections are written: `"all"`, or a list of ids.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SectionsDoc {
    Word(String),
    List(Vec<SectionId>),
}

impl TryFrom<SectionsDoc> for Sections {
    type Error = Invalid;

    fn try_from(doc: SectionsDoc) -> Result<Sections, Invalid> {
        match doc {
            SectionsDoc::Word(word) if word == "all" => Ok(Sections::All),
            SectionsDoc::Word(word) => {
                Err(Invalid::new("sections", "\"all\" or a list of ids", word))
            }
            SectionsDoc::List(list) => Ok(Sections::Some(list)),
        }
    }
}

impl From<Sections> for SectionsDoc {
    fn from(sections: Sections) -> SectionsDoc {
        match sections {
            Sections::All => SectionsDoc::Word("all".to_owned()),
            Sections::Some(list) => SectionsDoc::List(list),
        }
    }
}

/// What an API key may do. At least one section, one keyspace, and one of reading and writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "GrantDoc", into = "GrantDoc")]
pub struct Grant {
    sections: Sections,
    keyspaces: Vec<Keyspace>,
    read: bool,
    write: bool,
}

#[derive(Serialize, Deserialize)]
struct GrantDoc {
    sections: Sections,
    keyspaces: Vec<Keyspace>,
    read: bool,
    write: bool,
}

impl Grant {
    /// A grant. The keyspace of web visitors is in it only where it is named: nothing that means "all" means it too.
    pub fn new(
        sections: Sections,
        mut keyspaces: Vec<Keyspace>,
        read: bool,
        write: bool,
    ) -> Result<Grant, Invalid> {
        keyspaces.sort_unstable();
        keyspaces.dedup();
        if sections == Sections::Some(Vec::new()) {
            return Err(Invalid::new("sections", "at least one, or all", "none"));
        }
        if keyspaces.is_empty() {
            return Err(Invalid::new("keyspaces", "at least one", "none"));
        }
        if !read && !write {
            return Err(Invalid::new("permissions", "read, write or both", "none"));
        }
        Ok(Grant { sections, keyspaces, read, write })
    }

    /// The sections it is for.
    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    /// The keyspaces it is for, in the order of their numbers.
    pub fn keyspaces(&self) -> &[Keyspace] {
        &self.keyspaces
    }

    /// Whether it allows this use at all.
    pub fn allows(&self, what: Use) -> bool {
        match what {
            Use::Read => self.read,
            Use::Write => self.write,
        }
    }

    /// Whether it is for this section.
    pub fn covers(&self, section: &SectionId) -> bool {
        match &self.sections {
            Sections::All => true,
            Sections::Some(list) => list.contains(section),
        }
    }

    /// Whether it is for this keyspace.
    pub fn reaches(&self, keyspace: Keyspace) -> bool {
        self.keyspaces.contains(&keyspace)
    }
}

impl TryFrom<GrantDoc> for Grant {
    type Error = Invalid;

    fn try_from(doc: GrantDoc) -> Result<Grant, Invalid> {
        Grant::new(doc.sections, doc.keyspaces, doc.read, doc.write)
    }
}

impl From<Grant> for GrantDoc {
    fn from(grant: Grant) -> GrantDoc {
        let Grant { sections, keyspaces, read, write } = grant;
        GrantDoc { sections, keyspaces, read, write }
    }
}
