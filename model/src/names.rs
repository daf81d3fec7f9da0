//! Names and ids of the domain, each a type that holds only what is valid.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::error::Invalid;

/// Declares a text type that is checked when it is made, and again when it is read back.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }
    };
}

checked_text! {
    /// What people call an event or a section: 1 to 100 characters, no control characters, no space at the ends.
    Name
}

checked_text! {
    /// The short name pages use, made from the event's name: `track('order-placed')`. ASCII lower-case letters, digits
    /// and single hyphens between them.
    Slug
}

checked_text! {
    /// A field's name: a lower-case letter, then ASCII letters and digits, at most 64 in all.
    FieldName
}

checked_text! {
    /// An event's address for good: `com.beaconry.events.<folder>.custom-<slug>-<10 of a-z0-9>`.
    Discriminator
}

checked_text! {
    /// A section's address for good: `com.beaconry.sections.<slug>-<10 of a-z0-9>`.
    SectionId
}

checked_text! {
    /// The public key that beacons carry to name their event: 16 of a-z0-9.
    EventKey
}

checked_text! {
    /// A version's opaque id, a UUID.
    VersionId
}

impl TryFrom<String> for Name {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Name, Invalid> {
        let text = text.trim();
        let long = text.chars().count() > 100;
        if text.is_empty() || long || text.chars().any(char::is_control) {
            return Err(Invalid::new(
                "name",
                "1 to 100 characters without control characters",
                quoted(text),
            ));
        }
        Ok(Name(text.to_owned()))
    }
}

impl TryFrom<String> for Slug {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Slug, Invalid> {
        if text.split('-').all(|part| !part.is_empty() && part.bytes().all(is_lower_or_digit)) {
            return Ok(Slug(text));
        }
        Err(Invalid::new(
            "slug",
            "lower-case letters, digits and single hyphens between them",
            quoted(&text),
        ))
    }
}

impl Slug {
    /// The slug of a name: letters and digits kept (Latin letters without their accents), everything else a hyphen.
    pub fn of(name: &Name) -> Result<Slug, Invalid> {
        let mut slug = String::new();
        for letter in name.as_str().chars().flat_map(char::to_lowercase) {
            match plain_latin(letter) {
                Some(plain) => slug.push_str(plain),
                None if letter.is_ascii_alphanumeric() => slug.push(letter),
                None if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
                None => {}
            }
        }
        let slug = slug.trim_end_matches('-');
        if slug.is_empty() {
            return Err(Invalid::new(
                "name",
                "at least one Latin letter or digit, for the slug",
                quoted(name.as_str()),
            ));
        }
        Ok(Slug(slug.to_owned()))
    }
}

/// The plain letters of the accented Latin letters that names in Europe use.
fn plain_latin(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ī' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' => "s",
        'ß' => "ss",
        'ť' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'þ' => "th",
        _ => return None,
    })
}

impl TryFrom<String> for FieldName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<FieldName, Invalid> {
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if starts && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(FieldName(text));
        }
        Err(Invalid::new(
            "field name",
            "a lower-case letter, then ASCII letters and digits, at most 64 in all",
            quoted(&text),
        ))
    }
}

impl Discriminator {
    /// The discriminator of a new event; `random` makes it unique.
    pub fn new(category: Category, slug: &Slug, random: [u8; 10]) -> Discriminator {
        Discriminator(format!(
            "com.beaconry.events.{}.custom-{slug}-{}",
            category.singular(),
            letters(&random)
        ))
    }
}

impl TryFrom<String> for Discriminator {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Discriminator, Invalid> {
        let valid = Category::ALL.iter().any(|category| {
            let start = format!("com.beaconry.events.{}.custom-", category.singular());
            text.strip_prefix(&start).is_some_and(is_slug_and_random)
        });
        if valid {
            return Ok(Discriminator(text));
        }
        Err(Invalid::new(
            "discriminator",
            "com.beaconry.events.<transaction|conversion|signal>.custom-<slug>-<10 of a-z0-9>",
            quoted(&text),
        ))
    }
}

impl SectionId {
    /// The address of a new section; `random` makes it unique.
    pub fn new(name: &Name, random: [u8; 10]) -> Result<SectionId, Invalid> {
        Ok(SectionId(format!("com.beaconry.sections.{}-{}", Slug::of(name)?, letters(&random))))
    }
}

impl TryFrom<String> for SectionId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<SectionId, Invalid> {
        if text.strip_prefix("com.beaconry.sections.").is_some_and(is_slug_and_random) {
            return Ok(SectionId(text));
        }
        Err(Invalid::new("section", "com.beaconry.sections.<slug>-<10 of a-z0-9>", quoted(&text)))
    }
}

impl EventKey {
    /// A new key from random bytes.
    pub fn new(random: [u8; 16]) -> EventKey {
        EventKey(letters(&random))
    }
}

impl TryFrom<String> for EventKey {
    type Error = Invalid;

    fn try_from(text: String) -> Result<EventKey, Invalid> {
        if text.len() == 16 && text.bytes().all(is_lower_or_digit) {
            return Ok(EventKey(text));
        }
        Err(Invalid::new("key", "16 of a-z0-9", quoted(&text)))
    }
}

impl VersionId {
    /// A new id from random bytes: a UUID of version 4.
    pub fn new(mut random: [u8; 16]) -> VersionId {
        random[6] = random[6] & 0x0f | 0x40;
        random[8] = random[8] & 0x3f | 0x80;
        VersionId(crate::event_id::EventId(random).to_string())
    }
}

impl TryFrom<String> for VersionId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<VersionId, Invalid> {
        match crate::event_id::parse_uuid(text.as_bytes()) {
            Some(_) => Ok(VersionId(text)),
            None => Err(Invalid::new("version id", "a UUID", quoted(&text))),
        }
    }
}

fn is_slug_and_random(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(slug, random)| {
        Slug::try_from(slug.to_owned()).is_ok()
            && random.len() == 10
            && random.bytes().all(is_lower_or_digit)
    })
}

fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Random bytes as letters and digits. 256 is no multiple of 36, so a few letters come slightly more often, which
/// uniqueness can bear.
pub(crate) fn letters(random: &[u8]) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 36)])).collect()
}

/// Text as an error shows it: in quotes, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start:?}… ({} characters)", text.chars().count())
}
