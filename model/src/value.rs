//! The values a field can hold, by value and without allocation.

/// A field's type, as the creator of an event chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Any text.
    Text = 0,
    /// True or false.
    Bool = 1,
    /// A day, `YYYY-MM-DD`.
    Date = 2,
    /// A moment, RFC 3339 with offset.
    Timestamp = 3,
    /// An integer that JavaScript can hold exactly.
    Number = 4,
    /// A finite number with decimals.
    Decimal = 5,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Kind; 6] =
        [Kind::Text, Kind::Bool, Kind::Date, Kind::Timestamp, Kind::Number, Kind::Decimal];

    /// The kind with this number, as compact settings carry it.
    pub fn from_number(number: u8) -> Option<Kind> {
        Some(match number {
            0 => Kind::Text,
            1 => Kind::Bool,
            2 => Kind::Date,
            3 => Kind::Timestamp,
            4 => Kind::Number,
            5 => Kind::Decimal,
            _ => return None,
        })
    }
}

/// One value as it arrived, before it is known to be valid. An absent value and `null` are `None` of an `Option`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, as UTF-8.
    Text(&'a [u8]),
    /// True or false.
    Bool(bool),
    /// Any number; the host parsed it.
    Num(f64),
    /// Anything no field can hold: a list, an object.
    Other,
}
