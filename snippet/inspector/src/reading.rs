//! What a field would make of what a source holds, in each way that pages may have written it.

use beaconry_model::capture::{Mapping, Source};
use beaconry_model::convert::{DateOrder, Decimals};
use beaconry_model::fields::Field;
use beaconry_model::pick::{Read, shown, worth};
use beaconry_model::value::Kind;

/// One way to read a source, and what comes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The settings that read it so.
    pub mapping: Mapping,
    /// The value as people read it, blank where there is none; or what was expected instead.
    pub value: Result<String, String>,
}

/// The ways in which a source can be read. One where there is no doubt; several where the text could mean several things, and
/// somebody has to say which. The first is the one that is sure, or fails as a snippet would.
pub fn ways(field: &Field, source: &Source, anywhere: bool, read: Option<&Read>) -> Vec<Way> {
    let plain = Mapping { anywhere, ..Mapping::new(field.name().clone(), source.clone()) };
    let sure = way(field, plain.clone(), read);
    if sure.value.is_ok() {
        return vec![sure];
    }
    let others = match field.kind() {
        Kind::Number | Kind::Decimal => {
            [Decimals::Point, Decimals::Comma].map(|decimals| Mapping { decimals, ..plain.clone() })
        }
        Kind::Date => {
            [DateOrder::Dmy, DateOrder::Mdy].map(|dates| Mapping { dates, ..plain.clone() })
        }
        _ => return vec![sure],
    };
    let mut ways: Vec<Way> = Vec::new();
    for mapping in others {
        let another = way(field, mapping, read);
        if another.value.is_ok() && ways.iter().all(|one| one.value != another.value) {
            ways.push(another);
        }
    }
    if ways.is_empty() { vec![sure] } else { ways }
}

fn way(field: &Field, mapping: Mapping, read: Option<&Read>) -> Way {
    let value = match worth(field, &mapping, read) {
        Ok(value) => Ok(value.as_ref().map(shown).unwrap_or_default()),
        Err(error) => Err(format!("expected {}, got {}", error.expected, error.got)),
    };
    Way { mapping, value }
}

/// How a way of reading is called.
pub fn called(way: &Way) -> &'static str {
    match (way.mapping.decimals, way.mapping.dates) {
        (Decimals::Point, _) => "decimals behind a point",
        (Decimals::Comma, _) => "decimals behind a comma",
        (_, DateOrder::Dmy) => "day first",
        (_, DateOrder::Mdy) => "month first",
        _ => "as it stands",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str, text: &str) -> Vec<String> {
        let field = Field::parse(field).unwrap();
        let source = Source::Text("#x".to_owned());
        let ways = ways(&field, &source, false, Some(&Read::Text(text.to_owned())));
        let said = |way: &Way| match &way.value {
            Ok(value) => format!("{}: {value}", called(way)),
            Err(why) => format!("{}: {why}", called(way)),
        };
        ways.iter().map(said).collect()
    }

    #[test]
    fn what_is_clear_is_read_in_one_way_and_what_is_not_in_each() {
        let table: &[(&str, &str, &[&str])] = &[
            ("n:decimal", "1 299,50 kr", &["as it stands: 1299.5"]),
            (
                "n:decimal",
                "1,299",
                &["decimals behind a point: 1299.0", "decimals behind a comma: 1.299"],
            ),
            ("n:number", "1,299", &["decimals behind a point: 1299"]),
            (
                "n:decimal",
                "ask us",
                &["as it stands: expected a finite number, got the text \"ask us\""],
            ),
            ("d:date", "2026-11-23", &["as it stands: 2026-11-23"]),
            ("d:date", "03/04/2026", &["day first: 2026-04-03", "month first: 2026-03-04"]),
            ("d:date", "23/11/2026", &["day first: 2026-11-23"]),
            ("d:date", "11/23/2026", &["month first: 2026-11-23"]),
            ("d:date", "04/04/2026", &["day first: 2026-04-04"]),
            ("t:text", "1,299", &["as it stands: 1,299"]),
            ("b:bool", "maybe", &["as it stands: expected true or false, got the text \"maybe\""]),
        ];
        for (field, text, expected) in table {
            assert_eq!(read(field, text), *expected, "{field} {text}");
        }
    }

    #[test]
    fn a_number_is_never_read_as_text() {
        let field = Field::parse("n:decimal").unwrap();
        let source = Source::DataLayer("value".to_owned());
        let ways = ways(&field, &source, false, Some(&Read::Number(1.299)));
        assert_eq!(ways[0].value, Ok("1.299".to_owned()));
    }
}
