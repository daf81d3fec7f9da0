//! The settings that a snippet carries, as the engine's page side reads them (`snippet/js/engine.js`, `host.js`, `page.js`).

use beaconry_model::capture::{Action, Consent, Mapping, Place, Success, Trigger};
use beaconry_model::convert::{DateOrder, Decimals};
use beaconry_model::fields::Field;
use beaconry_model::value::Kind;

use crate::literal::{list, number, text};
use crate::urls::pattern;
use crate::{Input, SETTINGS_FORMAT};

/// `[format, collector's address, key, version, revision, slug, fields, triggers, consent, test]`.
pub(crate) fn of(input: &Input) -> String {
    let capture = input.capture;
    let fields = input.fields.iter().map(|it| Some(field(it, capture.mapping(it.name().as_str()))));
    let triggers = capture.triggers.iter().map(|it| Some(trigger(it)));
    let consent = match capture.consent {
        Consent::NotRequired => None,
        Consent::Hold => Some("1".to_owned()),
        Consent::Drop => Some("2".to_owned()),
    };
    list(&[
        Some(SETTINGS_FORMAT.to_string()),
        Some(text(&input.collector.below("c"))),
        Some(text(input.key.as_str())),
        Some(input.version.to_string()),
        Some(input.rev.to_string()),
        Some(text(input.slug.as_str())),
        Some(list(&fields.collect::<Vec<_>>())),
        Some(list(&triggers.collect::<Vec<_>>())),
        consent,
        capture.test.then(|| "1".to_owned()),
    ])
}

/// `[name, flags, source, longest text, lowest, highest, allowed texts one a line]`.
fn field(field: &Field, mapping: Option<&Mapping>) -> String {
    let limits = field.limits();
    list(&[
        Some(text(field.name().as_str())),
        Some(flags(field, mapping).to_string()),
        mapping.map(source),
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

/// A constant is its text; every other source `[reader, what, more about it, whether the first on the page]`.
fn source(mapping: &Mapping) -> String {
    match mapping.place() {
        Place::Constant(constant) => text(constant),
        Place::Read { reader, what, more, anywhere } => {
            // A part of the path is counted.
            let written = |what: &str| if reader == 5 { what.to_owned() } else { text(what) };
            let anywhere = anywhere.then(|| "1".to_owned());
            list(&[
                Some(reader.to_string()),
                what.as_deref().map(written),
                more.as_deref().map(text),
                anywhere,
            ])
        }
    }
}

/// `[action, its selector, name or number, URL pattern, further settings]`.
fn trigger(trigger: &Trigger) -> String {
    let urls = (!trigger.urls.is_empty()).then(|| text(&pattern(&trigger.urls)));
    let (action, what, more) = match &trigger.on {
        Action::PageView => (0, None, [None, None]),
        Action::Click(selector) => (1, Some(text(selector)), [None, None]),
        Action::Submit(form) => (2, Some(text(form)), success(trigger.success.as_ref())),
        Action::ElementSeen(seen) => {
            let share = number(f64::from(seen.share) / 100.0);
            (3, Some(text(&seen.selector)), [Some(share), Some(seen.seconds.to_string())])
        }
        Action::ScrollDepth(percent) => (4, Some(percent.to_string()), [None, None]),
        Action::TimeOnPage(seconds) => (5, Some(seconds.to_string()), [None, None]),
        Action::DataLayer(name) => (6, Some(text(name)), [None, None]),
        Action::CustomEvent(name) => (7, Some(text(name)), [None, None]),
    };
    let [third, fourth] = more;
    list(&[Some(action.to_string()), what, urls, third, fourth])
}

/// An element's selector, or a URL pattern.
fn success(success: Option<&Success>) -> [Option<String>; 2] {
    match success {
        None => [None, None],
        Some(Success::Element(selector)) => [Some(text(selector)), None],
        Some(Success::Url(condition)) => {
            [None, Some(text(&pattern(std::slice::from_ref(condition))))]
        }
    }
}
