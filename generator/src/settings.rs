//! The settings that a snippet carries, as the engine's page side reads them (`snippet/js/engine.js`, `host.js`, `page.js`).

use beaconry_model::capture::{Action, Mapping, Source, Trigger};
use beaconry_model::convert::{DateOrder, Decimals};
use beaconry_model::fields::Field;
use beaconry_model::value::Kind;

use crate::literal::{list, number, text};
use crate::urls::pattern;
use crate::{Input, SETTINGS_FORMAT};

/// `[format, collector's address, key, version, revision, slug, fields, triggers]`.
pub(crate) fn of(input: &Input) -> String {
    let fields =
        input.fields.iter().map(|it| Some(field(it, input.capture.mapping(it.name().as_str()))));
    let triggers = input.capture.triggers.iter().map(|it| Some(trigger(it)));
    list(&[
        Some(SETTINGS_FORMAT.to_string()),
        Some(text(&input.collector.below("c"))),
        Some(text(input.key.as_str())),
        Some(input.version.to_string()),
        Some(input.rev.to_string()),
        Some(text(input.slug.as_str())),
        Some(list(&fields.collect::<Vec<_>>())),
        Some(list(&triggers.collect::<Vec<_>>())),
    ])
}

/// `[name, flags, source, longest text, lowest, highest, allowed texts one a line]`.
fn field(field: &Field, mapping: Option<&Mapping>) -> String {
    let limits = field.limits();
    list(&[
        Some(text(field.name().as_str())),
        Some(flags(field, mapping).to_string()),
        mapping.map(|mapping| source(&mapping.from)),
        limits.max_length.map(|max| max.to_string()),
        limits.min.map(number),
        limits.max.map(number),
        (!limits.allowed.is_empty()).then(|| text(field.allowed_lines())),
    ])
}

/// Kind (bits 0 to 2), required (3), decimal sign (4 and 5), order of dates (6 and 7), each only where it means something.
fn flags(field: &Field, mapping: Option<&Mapping>) -> u8 {
    let kind = field.kind();
    let decimals = match mapping.map_or(Decimals::Auto, |mapping| mapping.decimals) {
        Decimals::Point if matches!(kind, Kind::Number | Kind::Decimal) => 1,
        Decimals::Comma if matches!(kind, Kind::Number | Kind::Decimal) => 2,
        _ => 0,
    };
    let dates = match mapping.map_or(DateOrder::Ymd, |mapping| mapping.dates) {
        DateOrder::Dmy if kind == Kind::Date => 1,
        DateOrder::Mdy if kind == Kind::Date => 2,
        _ => 0,
    };
    kind as u8 | u8::from(field.required()) << 3 | decimals << 4 | dates << 6
}

/// A constant is its text; every other source a list that begins with its number.
fn source(source: &Source) -> String {
    let place = |number: u8, what: &str, attribute: Option<&str>| {
        list(&[Some(number.to_string()), Some(text(what)), attribute.map(text)])
    };
    match source {
        Source::Constant(constant) => text(constant),
        Source::UrlParam(name) => place(0, name, None),
        Source::Text(selector) => place(1, selector, None),
        Source::Value(selector) => place(2, selector, None),
        Source::Attribute { selector, name } => place(3, selector, Some(name)),
        Source::FormInput(name) => place(4, name, None),
    }
}

/// `[action, selector, URL pattern]`.
fn trigger(trigger: &Trigger) -> String {
    let (number, selector) = match &trigger.on {
        Action::PageView => (0, None),
        Action::Click(selector) => (1, Some(text(selector))),
        Action::Submit(selector) => (2, Some(text(selector))),
    };
    let urls = (!trigger.urls.is_empty()).then(|| text(&pattern(&trigger.urls)));
    list(&[Some(number.to_string()), selector, urls])
}
