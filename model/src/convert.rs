//! From the text people write on pages to the values fields hold: the one conversion that browser and server share.
//!
//! It works on bytes in place, and writes a number as plain ASCII (`1299.5`) that the host parses: float routines cost
//! the browser's engine more bytes than everything else in it. What could mean two things is refused, never guessed.

#[cfg(feature = "alloc")]
use serde::{Deserialize, Serialize};

use crate::value::Kind;

/// Which sign parts whole from decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize), serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum Decimals {
    /// As the text itself shows; text that could mean two numbers (`1,299`) is refused.
    #[default]
    Auto = 0,
    /// A point: `1,299.50`.
    Point = 1,
    /// A comma: `1.299,50`.
    Comma = 2,
}

/// In which order a date's parts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize), serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum DateOrder {
    /// Year, month, day: `2026-11-23`. Nothing else is read.
    #[default]
    Ymd = 0,
    /// Day, month, year: `23/11/2026`. A year in front (`2026-11-23`) is read all the same.
    Dmy = 1,
    /// Month, day, year: `11/23/2026`. A year in front (`2026-11-23`) is read all the same.
    Mdy = 2,
}

/// How pages write what a mapping reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Convert {
    /// Which sign parts whole from decimals.
    pub decimals: Decimals,
    /// In which order a date's parts are written.
    pub dates: DateOrder,
}

/// What a page's text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converted {
    /// Blank: the field has no value.
    Absent,
    /// Text: these bytes of the buffer.
    Text(usize, usize),
    /// True or false.
    Bool(bool),
    /// A number: these bytes of the buffer, `-?[0-9]+(\.[0-9]+)?`.
    Number(usize, usize),
    /// Nothing that this conversion can read.
    Unreadable,
}

/// The least room a buffer needs beside its text: a date grows from `1/2/2026` to `2026-02-01`.
pub const ROOM: usize = 10;

/// Converts the first `len` bytes of the buffer, UTF-8 as the page has it, to a field's kind, in place. The buffer is to
/// be at least [`ROOM`] bytes longer than the text.
///
/// Text loses the white space at its ends. A number may carry grouping, a currency and the Nordic `,-`; a date may be
/// parted by `-`, `/`, `.` or spaces; truth is a word of a few languages. Whether a date or a number is one that its
/// field takes, [`crate::check::check`] says; it also has the last word on text that stays unreadable.
pub fn convert(kind: Kind, how: Convert, buffer: &mut [u8], len: usize) -> Converted {
    if buffer.len() < len + ROOM {
        return Converted::Unreadable;
    }
    let visible = |byte: &u8| *byte > b' ';
    let text = &buffer[..len];
    let Some(start) = text.iter().position(visible) else { return Converted::Absent };
    let end = text.iter().rposition(visible).map_or(len, |last| last + 1);
    let text = &mut buffer[start..end];
    match kind {
        Kind::Text => Converted::Text(start, end),
        Kind::Bool => truth(text).map_or(Converted::Unreadable, Converted::Bool),
        Kind::Date => match date(how.dates, text) {
            Some(date) => {
                buffer[..10].copy_from_slice(&date);
                Converted::Text(0, 10)
            }
            None => Converted::Unreadable,
        },
        Kind::Timestamp => {
            // Many templates write a space where RFC 3339 has its `T`.
            if let Some(between @ b' ') = text.get_mut(10) {
                *between = b'T';
            }
            Converted::Text(start, end)
        }
        Kind::Number | Kind::Decimal => {
            let len = plain(text);
            let number = number(how.decimals, &mut text[..len]);
            number.map_or(Converted::Unreadable, |len| Converted::Number(start, start + len))
        }
    }
}

const YES: &[u8] = "true yes y on 1 ja j oui si sí sim tak".as_bytes();
const NO: &[u8] = "false no n off 0 nein nej nee non não nie".as_bytes();

fn truth(text: &mut [u8]) -> Option<bool> {
    text.make_ascii_lowercase();
    let yes = is_word_of(YES, text);
    (yes || is_word_of(NO, text)).then_some(yes)
}

fn is_word_of(words: &[u8], text: &[u8]) -> bool {
    words.split(|byte| *byte == b' ').any(|word| word == text)
}

/// `YYYY-MM-DD` from a year of four digits, a month and a day, in this order, if that is all there is.
fn date(order: DateOrder, text: &[u8]) -> Option<[u8; 10]> {
    const YEAR_FIRST: u32 = 0x00_08_10;
    // The date as binary-coded decimals, `0xYYYYMMDD`; and where in it each part goes, the first part last.
    let mut coded: u32 = 0;
    let mut places: u32 = match order {
        DateOrder::Ymd => YEAR_FIRST,
        DateOrder::Dmy => 0x10_08_00,
        DateOrder::Mdy => 0x10_00_08,
    };
    let (mut part, mut digits, mut parts) = (0, 0, 0);
    for byte in text.iter().chain(b"-") {
        match byte {
            b'0'..=b'9' => {
                part = part << 4 | u32::from(byte & 15);
                digits += 1;
            }
            b'-' | b'/' | b'.' | b' ' if digits == 0 && parts > 0 => {}
            b'-' | b'/' | b'.' | b' ' => {
                if parts == 0 && digits == 4 {
                    // A year of four digits in front leaves one order, and date inputs write no other.
                    places = YEAR_FIRST;
                }
                let place = places & 0xFF;
                let fits = if place == 16 { digits == 4 } else { digits == 1 || digits == 2 };
                if !fits || parts == 3 {
                    return None;
                }
                coded |= part << place;
                places >>= 8;
                (part, digits, parts) = (0, 0, parts + 1);
            }
            _ => return None,
        }
    }
    let mut date = *b"0000-00-00";
    for byte in date.iter_mut().rev().filter(|byte| **byte == b'0') {
        *byte |= coded as u8 & 15;
        coded >>= 4;
    }
    (parts == 3).then_some(date)
}

/// Writes the many spaces, apostrophes and minus signs of typography as their ASCII kin; the text's new length.
// A call of its own: inlined, it makes the engine larger.
#[inline(never)]
fn plain(text: &mut [u8]) -> usize {
    let (mut to, mut last) = (0, 0);
    for from in 0..text.len() {
        last = (last << 8 | u32::from(text[from])) & 0xFF_FFFF;
        let (byte, len) = match last {
            0xE2_80_89 | 0xE2_80_AF => (b' ', 3),
            0xE2_80_99 => (b'\'', 3),
            0xE2_80_93 | 0xE2_80_94 | 0xE2_88_92 => (b'-', 3),
            _ if last & 0xFFFF == 0xC2_A0 => (b' ', 2),
            _ => (text[from], 1),
        };
        to = to + 1 - len;
        text[to] = byte;
        to += 1;
    }
    to
}

/// Currencies that pages write otherwise than as three capitals; also none at all, before the first space.
const CURRENCIES: &[u8] =
    " $ US$ CA$ A$ R$ € £ ¥ kr kr. Kr Kr. KR ₹ ₺ ₽ ₴ ₩ ₪ ₫ zł Kč Ft lei Fr Fr. R Rs Rs. kn din лв руб руб. 円 元".as_bytes();

/// Reads `[currency] [-] [currency] digits [currency]` and writes the number to the text's start; how many bytes it takes.
fn number(decimals: Decimals, text: &mut [u8]) -> Option<usize> {
    let begin = text.iter().position(u8::is_ascii_digit)?;
    let minus = minus_signs(text.get(..begin)?)?;
    let mut end = begin;
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    while is_digit(end) || is_digit(end + 1) && matches!(text[end], b'.' | b',' | b' ' | b'\'') {
        end += 1;
    }
    // "1 299,-" and "1299:-" are how Nordic shops write round prices.
    let round = matches!(text.get(end..), Some([b',' | b'.' | b':', b'-', ..]));
    if minus > 1 || minus_signs(text.get(if round { end + 2 } else { end }..)?)? > 0 {
        return None;
    }
    let decimal = decimal_sign(decimals, text.get(begin..end)?)?;
    if minus == 1 {
        text[0] = b'-';
    }
    write_plain(decimal, text, minus, begin, end)
}

/// Writes the digits between two places to an earlier one, grouping left out; where that ends. `None` where they are not
/// grouped as people group: by one sign throughout, in threes, or as in India by commas in twos before the last three.
fn write_plain(
    decimal: u8,
    text: &mut [u8],
    mut to: usize,
    begin: usize,
    end: usize,
) -> Option<usize> {
    let (mut group, mut run, mut whole) = (0, 0, None);
    for at in begin..end {
        let byte = text[at];
        if byte.is_ascii_digit() {
            run += 1;
            text[to] = byte;
            to += 1;
            continue;
        }
        if whole.is_some() {
            return None;
        }
        if byte == decimal {
            whole = Some(run);
            text[to] = b'.';
            to += 1;
        } else {
            let threes = byte == group && (run == 3 || run == 2 && byte == b',');
            if !(threes || group == 0 && run <= 3) {
                return None;
            }
            group = byte;
        }
        run = 0;
    }
    (group == 0 || whole.unwrap_or(run) == 3).then_some(to)
}

/// How many minus signs there are among currencies and spaces; `None` where there is anything else.
fn minus_signs(text: &[u8]) -> Option<usize> {
    let mut signs = 0;
    for part in text.split(|byte| *byte == b'-') {
        signs += 1;
        for word in part.split(|byte| *byte == b' ') {
            let capitals = word.len() == 3 && word.iter().all(u8::is_ascii_uppercase);
            if !capitals && !is_word_of(CURRENCIES, word) {
                return None;
            }
        }
    }
    Some(signs - 1)
}

/// Which byte parts whole from decimals, 0 where none does; `None` where the text could mean two numbers.
fn decimal_sign(decimals: Decimals, body: &[u8]) -> Option<u8> {
    match decimals {
        Decimals::Point => return Some(b'.'),
        Decimals::Comma => return Some(b','),
        Decimals::Auto => {}
    }
    let (mut sign, mut place, mut count, mut both) = (0, 0, 0, false);
    for (at, byte) in body.iter().copied().enumerate() {
        if matches!(byte, b'.' | b',') {
            both |= sign != 0 && sign != byte;
            (sign, place, count) = (byte, at, count + 1);
        }
    }
    if both || count == 0 {
        Some(sign)
    } else if count > 1 {
        Some(0)
    } else if place <= 3 && body.len() - place == 4 && body[0] != b'0' {
        // Three digits behind the one sign, a possible group before it: thousands or thousandths.
        None
    } else {
        Some(sign)
    }
}
