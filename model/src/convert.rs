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
    /// Day, month, year: `23/11/2026`.
    Dmy = 1,
    /// Month, day, year: `11/23/2026`.
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
    let (start, end) = trimmed(&buffer[..len]);
    if start == end {
        return Converted::Absent;
    }
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
            if text.len() > 10 && text[10] == b' ' {
                text[10] = b'T';
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

/// Where the text begins and ends without white space and no-break spaces (U+00A0).
fn trimmed(text: &[u8]) -> (usize, usize) {
    let (mut start, mut end) = (0, text.len());
    loop {
        if start < end && text[start] <= b' ' {
            start += 1;
        } else if start + 1 < end && text[start] == 0xC2 && text[start + 1] == 0xA0 {
            start += 2;
        } else {
            break;
        }
    }
    loop {
        if start < end && text[end - 1] <= b' ' {
            end -= 1;
        } else if start + 1 < end && text[end - 2] == 0xC2 && text[end - 1] == 0xA0 {
            end -= 2;
        } else {
            return (start, end);
        }
    }
}

const YES: &[u8] = "true yes y on 1 ja j oui si sí sim tak".as_bytes();
const NO: &[u8] = "false no n off 0 nein nej nee non não nie".as_bytes();

fn truth(text: &mut [u8]) -> Option<bool> {
    text.make_ascii_lowercase();
    if is_word_of(YES, text) {
        Some(true)
    } else if is_word_of(NO, text) {
        Some(false)
    } else {
        None
    }
}

fn is_word_of(words: &[u8], text: &[u8]) -> bool {
    words.split(|byte| *byte == b' ').any(|word| word == text)
}

/// `YYYY-MM-DD` from a year of four digits, a month and a day, in this order, if that is all there is.
fn date(order: DateOrder, text: &[u8]) -> Option<[u8; 10]> {
    // Where each part's last digit goes.
    let ends: [usize; 3] = match order {
        DateOrder::Ymd => [4, 7, 10],
        DateOrder::Dmy => [10, 7, 4],
        DateOrder::Mdy => [7, 10, 4],
    };
    let mut date = *b"0000-00-00";
    let mut at = 0;
    for end in ends {
        let begin = at;
        while at < text.len() && text[at].is_ascii_digit() {
            at += 1;
        }
        let digits = &text[begin..at];
        let fits = if end == 4 { digits.len() == 4 } else { matches!(digits.len(), 1 | 2) };
        if !fits {
            return None;
        }
        for (to, digit) in (0..end).rev().zip(digits.iter().rev()) {
            date[to] = *digit;
        }
        while at < text.len() && matches!(text[at], b'-' | b'/' | b'.' | b' ') {
            at += 1;
        }
    }
    (at == text.len()).then_some(date)
}

/// Writes the many spaces, apostrophes and minus signs of typography as their ASCII kin; the text's new length.
fn plain(text: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    while from < text.len() {
        let (byte, len) = match text[from..] {
            [0xC2, 0xA0, ..] => (b' ', 2),
            [0xE2, 0x80, 0x89 | 0xAF, ..] => (b' ', 3),
            [0xE2, 0x80, 0x99, ..] => (b'\'', 3),
            [0xE2, 0x80, 0x93 | 0x94, ..] | [0xE2, 0x88, 0x92, ..] => (b'-', 3),
            _ => (text[from], 1),
        };
        text[to] = byte;
        from += len;
        to += 1;
    }
    to
}

/// Currencies that pages write otherwise than as three capitals or with `$`.
const CURRENCIES: &[u8] =
    "kr Kr KR € £ ¥ ₹ ₺ ₽ ₴ ₩ ₪ ₫ zł Kč Ft lei Fr R Rs kn din лв руб р 円 元".as_bytes();

/// Reads `[currency] [-] [currency] digits [currency]` and writes the number to the text's start; how many bytes it takes.
fn number(decimals: Decimals, text: &mut [u8]) -> Option<usize> {
    let begin = text.iter().position(u8::is_ascii_digit)?;
    let end = begin + body_len(&text[begin..]);
    let minus = minus_signs(&text[..begin])?;
    // "1 299,-" and "1299:-" are how Nordic shops write round prices.
    let tail = match text[end..] {
        [b',' | b'.' | b':', b'-', ..] => end + 2,
        _ => end,
    };
    if minus > 1 || minus_signs(&text[tail..])? > 0 {
        return None;
    }
    let decimal = grouped(decimal_sign(decimals, &text[begin..end])?, &text[begin..end])?;
    let mut to = minus;
    for at in begin..end {
        let byte = text[at];
        if byte.is_ascii_digit() || at - begin == decimal {
            text[to] = if byte.is_ascii_digit() { byte } else { b'.' };
            to += 1;
        }
    }
    if minus == 1 {
        text[0] = b'-';
    }
    Some(to)
}

/// How far digits go, with single separators between them.
fn body_len(text: &[u8]) -> usize {
    let digit = |at: usize| at < text.len() && text[at].is_ascii_digit();
    let mut at = 0;
    while digit(at) || digit(at + 1) && matches!(text[at], b'.' | b',' | b' ' | b'\'') {
        at += 1;
    }
    at
}

/// How many minus signs stand among currencies and spaces; `None` where anything else does.
fn minus_signs(text: &[u8]) -> Option<usize> {
    let mut signs = 0;
    let mut known = true;
    for word in text.split(|byte| matches!(byte, b' ' | b'-')) {
        known &= word.is_empty() || is_currency(word);
    }
    for byte in text {
        signs += usize::from(*byte == b'-');
    }
    known.then_some(signs)
}

/// Three capitals, `$` after at most three of them, or one of a list; with the point of an abbreviation or without.
fn is_currency(word: &[u8]) -> bool {
    let word = match word {
        [before @ .., letter, b'.'] if letter.is_ascii_alphabetic() => &word[..before.len() + 1],
        _ => word,
    };
    let (capitals, dollar) = match word {
        [capitals @ .., b'$'] => (capitals, true),
        _ => (word, false),
    };
    let upper = capitals.iter().all(u8::is_ascii_uppercase);
    upper && capitals.len() <= 3 && (dollar || capitals.len() == 3) || is_word_of(CURRENCIES, word)
}

/// Which byte parts whole from decimals, 0 where none does; `None` where the text could mean two numbers.
fn decimal_sign(decimals: Decimals, body: &[u8]) -> Option<u8> {
    let (mut points, mut commas, mut last) = (0, 0, 0);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            b'.' => points += 1,
            b',' => commas += 1,
            _ => continue,
        }
        last = at;
    }
    match decimals {
        Decimals::Point => Some(b'.'),
        Decimals::Comma => Some(b','),
        Decimals::Auto if points == 0 && commas == 0 => Some(0),
        Decimals::Auto if points > 0 && commas > 0 => Some(body[last]),
        Decimals::Auto if points + commas > 1 => Some(0),
        // One sign, three digits behind it, a possible group before it: thousands or thousandths.
        Decimals::Auto if body.len() - last == 4 && last <= 3 && body[0] != b'0' => None,
        Decimals::Auto => Some(body[last]),
    }
}

/// Where the decimal sign stands (the end where there is none), if what is before it is grouped as people group: by one
/// sign throughout, in threes, or as in India by commas in twos before the last three.
fn grouped(decimal: u8, body: &[u8]) -> Option<usize> {
    let whole = body.iter().position(|byte| *byte == decimal).unwrap_or(body.len());
    if body.iter().skip(whole + 1).any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    let (mut group, mut digits, mut first) = (0, 0, true);
    for byte in body[..whole].iter().copied() {
        if byte.is_ascii_digit() {
            digits += 1;
            continue;
        }
        let two = byte == b',' && digits == 2;
        let fits = if first { digits <= 3 } else { byte == group && (digits == 3 || two) };
        if !fits {
            return None;
        }
        (group, digits, first) = (byte, 0, false);
    }
    (first || digits == 3).then_some(whole)
}
