//! Sources as the engine's page side reads them (`snippet/js/page.js`), which snippets carry and the inspector asks by.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use super::source::{JsonLd, Mapping, Source};

/// Where the page side looks for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// Nowhere: it is this text.
    Constant(&'a str),
    /// By one of its readers.
    Read {
        /// The reader's number.
        reader: u8,
        /// What it is to read: a selector, a name, a path.
        what: Option<Cow<'a, str>>,
        /// More about it: an attribute's name, a type.
        more: Option<Cow<'a, str>>,
        /// Whether the first on the page counts, not the nearest to the action.
        anywhere: bool,
    },
}

impl Mapping {
    /// Where the page side looks for the value.
    pub fn place(&self) -> Place<'_> {
        fn place<'a>(
            reader: u8,
            what: Cow<'a, str>,
            more: Option<Cow<'a, str>>,
            anywhere: bool,
        ) -> Place<'a> {
            Place::Read { reader, what: Some(what), more, anywhere }
        }
        let anywhere = self.anywhere;
        match &self.from {
            Source::Constant(constant) => Place::Constant(constant),
            Source::UrlParam(name) => place(0, name.as_str().into(), None, anywhere),
            Source::Text(selector) => place(1, selector.as_str().into(), None, anywhere),
            // A picture can have a title too; the page's own comes first.
            Source::Title => place(1, "title".into(), None, true),
            Source::Value(selector) => place(2, selector.as_str().into(), None, anywhere),
            Source::Attribute { selector, name } => {
                place(3, selector.as_str().into(), Some(name.as_str().into()), anywhere)
            }
            Source::Data(name) => {
                let name = format!("data-{name}");
                place(3, format!("[{name}]").into(), Some(name.into()), anywhere)
            }
            Source::Meta(name) => place(3, meta(name).into(), Some("content".into()), true),
            Source::FormInput(name) => place(4, name.as_str().into(), None, anywhere),
            Source::PathSegment(number) => place(5, format!("{number}").into(), None, false),
            Source::JsonLd(JsonLd { path, kind }) => {
                place(6, path.as_str().into(), kind.as_deref().map(Cow::Borrowed), false)
            }
            Source::DataLayer(path) => place(7, path.as_str().into(), None, anywhere),
            Source::EventDetail(path) => place(8, path.as_str().into(), None, anywhere),
            Source::Url => Place::Read { reader: 9, what: None, more: None, anywhere: false },
            Source::Referrer => Place::Read { reader: 10, what: None, more: None, anywhere: false },
        }
    }
}

/// The selector of the meta tags with this name.
fn meta(name: &str) -> String {
    let name = name.replace('\\', r"\\").replace('"', r#"\""#);
    format!(r#"meta[name="{name}"],meta[property="{name}"]"#)
}
