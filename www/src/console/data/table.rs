//! Stored events as a table: one column a field with one type, whatever the versions made of it, and what came with each.

use serde_json::Value;

use beaconry_model::calendar::parse_date;
use beaconry_model::profile::{Keyspace, ProfileKey};
use beaconry_model::time::Timestamp;
use beaconry_model::value::Kind;
use beaconry_store::{Known, StoredEvent};

/// Where a column's values come from. Those of the event itself begin with an underscore, which no field's name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Id,
    Version,
    Time,
    Received,
    Page,
    Origin,
    Visitor,
    Unchecked,
    /// The keys of whose event it is, in this keyspace.
    Key(Keyspace),
    Field,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    source: Source,
}

/// One value, of its column's type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    None,
    Text(String),
    Bool(bool),
    /// Days since 1970.
    Date(i32),
    /// Milliseconds since 1970, and how it was written.
    Moment(i64, String),
    Whole(i64),
    Decimal(f64),
}

/// The columns of an event.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
}

impl Table {
    /// The table of one version, or of all: the fields of the newest version first, then those that older ones had. A field
    /// that versions gave different types is a number with decimals where all are numbers, else text.
    pub(super) fn of(known: &Known, version: Option<u32>) -> Table {
        let fixed = [
            ("_id", Kind::Text, Source::Id),
            ("_version", Kind::Number, Source::Version),
            ("_time", Kind::Timestamp, Source::Time),
            ("_received", Kind::Timestamp, Source::Received),
            ("_page", Kind::Text, Source::Page),
            ("_origin", Kind::Text, Source::Origin),
            ("_visitor", Kind::Text, Source::Visitor),
            ("_unchecked", Kind::Bool, Source::Unchecked),
        ];
        let mut columns: Vec<Column> = fixed
            .into_iter()
            .map(|(name, kind, source)| Column { name: name.to_owned(), kind, source })
            .collect();
        let versions = known.event.versions().iter().rev();
        for of_version in versions.filter(|v| version.is_none_or(|only| only == v.number)) {
            for field in &of_version.fields {
                let name = field.name().as_str();
                match columns.iter_mut().find(|column| column.name == name) {
                    Some(column) => column.kind = both(column.kind, field.kind()),
                    None => columns.push(Column {
                        name: name.to_owned(),
                        kind: field.kind(),
                        source: Source::Field,
                    }),
                }
            }
        }
        Table { columns }
    }

    /// The same for an outside system that may read these keyspaces: a column for the keys of each, and no other identifier.
    pub(super) fn read_through(self, keyspaces: &[Keyspace]) -> Table {
        let mut columns = self.columns;
        columns.retain(|column| {
            column.source != Source::Visitor || keyspaces.contains(&Keyspace::Web)
        });
        let at = columns.iter().position(|column| column.source == Source::Unchecked);
        let keys = keyspaces.iter().filter(|keyspace| **keyspace != Keyspace::Web);
        let keys = keys.map(|keyspace| Column {
            name: format!("_{}", keyspace.word().replace('-', "_")),
            kind: Kind::Text,
            source: Source::Key(*keyspace),
        });
        let at = at.unwrap_or_default();
        columns.splice(at..at, keys);
        Table { columns }
    }

    /// The names of all fields.
    pub(super) fn fields(&self) -> Vec<String> {
        let fields = self.columns.iter().filter(|column| column.source == Source::Field);
        fields.map(|column| column.name.clone()).collect()
    }

    /// Only the columns of fields.
    pub(super) fn into_fields(self) -> Vec<Column> {
        let fields = self.columns.into_iter().filter(|column| column.source == Source::Field);
        fields.collect()
    }

    /// What an event's fields hold, as people read it, with each one's type; blank where a field has no value.
    pub(super) fn field_texts(&self, event: &StoredEvent) -> Vec<(Kind, String)> {
        let data = read(&event.data);
        let fields = self.columns.iter().filter(|column| column.source == Source::Field);
        fields
            .map(|column| {
                let text = match data.get(&column.name) {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                (column.kind, text)
            })
            .collect()
    }

    /// An event as a row, with the keys of whose it is.
    pub(super) fn row(&self, event: &StoredEvent, keys: &[ProfileKey]) -> Vec<Cell> {
        let data = read(&event.data);
        self.columns.iter().map(|column| column.cell(event, &data, keys)).collect()
    }
}

impl Column {
    fn cell(&self, event: &StoredEvent, data: &Value, keys: &[ProfileKey]) -> Cell {
        let text = |text: &Option<String>| text.clone().map_or(Cell::None, Cell::Text);
        let moment = |at: Timestamp| Cell::Moment(at.0, at.to_string());
        match self.source {
            Source::Id => Cell::Text(event.id.to_string()),
            Source::Version => Cell::Whole(i64::from(event.version)),
            Source::Time => moment(event.time),
            Source::Received => moment(event.received),
            Source::Page => text(&event.url),
            Source::Origin => text(&event.origin),
            Source::Visitor => text(&event.visitor),
            Source::Unchecked => Cell::Bool(event.unchecked),
            Source::Key(keyspace) => {
                let here = keys.iter().filter(|key| key.keyspace() == keyspace);
                let keys: Vec<&str> = here.map(ProfileKey::as_str).collect();
                if keys.is_empty() { Cell::None } else { Cell::Text(keys.join(" ")) }
            }
            Source::Field => data.get(&self.name).map_or(Cell::None, |value| self.typed(value)),
        }
    }

    fn typed(&self, value: &Value) -> Cell {
        let typed = match (self.kind, value) {
            (_, Value::Null) => None,
            (Kind::Bool, value) => value.as_bool().map(Cell::Bool),
            // A number that is whole may be written with a point.
            (Kind::Number, value) => {
                value.as_i64().or_else(|| value.as_f64().map(|n| n as i64)).map(Cell::Whole)
            }
            (Kind::Decimal, value) => value.as_f64().map(Cell::Decimal),
            (Kind::Date, Value::String(text)) => parse_date(text.as_bytes()).map(Cell::Date),
            (Kind::Timestamp, Value::String(text)) => {
                text.parse().ok().map(|Timestamp(ms)| Cell::Moment(ms, text.clone()))
            }
            (Kind::Text, Value::String(text)) => Some(Cell::Text(text.clone())),
            (Kind::Text, other) => Some(Cell::Text(other.to_string())),
            _ => None,
        };
        typed.unwrap_or(Cell::None)
    }
}

fn read(data: &str) -> Value {
    serde_json::from_str(data).unwrap_or_default()
}

/// The type that holds the values of both.
fn both(one: Kind, other: Kind) -> Kind {
    match (one, other) {
        (one, other) if one == other => one,
        (Kind::Number | Kind::Decimal, Kind::Number | Kind::Decimal) => Kind::Decimal,
        _ => Kind::Text,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use beaconry_model::category::Category;
    use beaconry_model::event::{Description, Event, EventSeed, NewEvent};
    use beaconry_model::event_id::EventId;
    use beaconry_model::fields::{Field, Fields};
    use beaconry_model::names::{Name, SectionId};
    use beaconry_model::retention::Retention;
    use beaconry_model::section::Section;
    use beaconry_store::EventNo;

    use super::*;

    /// The table of an event whose versions have these fields.
    pub(in super::super) fn table(versions: &[&[&str]]) -> Table {
        let name = Name::try_from("Order placed".to_owned()).unwrap();
        let id = SectionId::new(&name, [1; 10]).unwrap();
        let fields = |fields: &[&str]| {
            let fields = fields.iter().map(|field| Field::parse(field).unwrap());
            Fields::with_source(fields.collect()).unwrap()
        };
        let new = NewEvent {
            section: id.clone(),
            category: Category::Signals,
            name: name.clone(),
            description: Description::default(),
            retention: Retention::Forever,
            fields: fields(versions[0]),
        };
        let seed = EventSeed { discriminator: [1; 10], key: [2; 16], version: [3; 16] };
        let mut event = Event::create(new, seed, Timestamp(0)).unwrap();
        for (at, version) in versions.iter().enumerate().skip(1) {
            event.edit(fields(version), [at as u8; 16], Timestamp(at as i64 * 86_400_000)).unwrap();
        }
        let section = Section { id, name, origins: vec![], origin_required: false };
        Table::of(&Known { number: EventNo(1), event, section: Arc::new(section) }, None)
    }

    /// A stored event with this data.
    pub(in super::super) fn event(data: &str) -> StoredEvent {
        StoredEvent {
            id: EventId([7; 16]),
            version: 1,
            time: Timestamp(0),
            received: Timestamp(1),
            data: data.to_owned(),
            visitor: None,
            profile: None,
            url: None,
            origin: None,
            rev: None,
            test: false,
            unchecked: false,
            seq: 1,
            event: EventNo(1),
        }
    }

    #[test]
    fn a_field_that_versions_typed_differently_is_a_number_or_text() {
        let table = table(&[
            &["a:number", "b:number", "c:date", "gone:bool"],
            &["a:decimal", "b:text", "c:date", "new:text"],
        ]);
        let kinds: Vec<_> = table
            .columns
            .iter()
            .filter(|column| column.source == Source::Field)
            .map(|column| (column.name.as_str(), column.kind))
            .collect();
        let expected = [
            ("source", Kind::Text),
            ("a", Kind::Decimal),
            ("b", Kind::Text),
            ("c", Kind::Date),
            ("new", Kind::Text),
            ("gone", Kind::Bool),
        ];
        assert_eq!(kinds, expected);
        let row = table.row(&event(r#"{"source":"Website","a":1,"b":2,"c":"2026-03-01"}"#), &[]);
        let of_fields = &row[row.len() - 6..];
        let text = |text: &str| Cell::Text(text.to_owned());
        let expected = [
            text("Website"),
            Cell::Decimal(1.0),
            text("2"),
            Cell::Date(20_513),
            Cell::None,
            Cell::None,
        ];
        assert_eq!(of_fields, expected);
    }
}
