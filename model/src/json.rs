//! JSON as it comes from outside, read in one pass straight into types: text borrows where no escape forbids it, and members
//! stay in the order they came. What is no JSON is told apart from JSON of another shape.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// How deep objects and lists can lie in each other.
const MAX_DEPTH: u32 = 128;

/// One member's value. What no field can hold is only named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Member<'a> {
    Text(Cow<'a, str>),
    Bool(bool),
    Num(f64),
    Null,
    List,
    Object,
}

/// The members of an object, in the order they came; a name that comes twice is there twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, Member<'a>)>);

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    why: Why,
    /// The member that it is about, where it is about one that is known.
    member: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// It is no JSON: what was expected after so many bytes.
    Syntax {
        expected: &'static str,
        at: usize,
    },
    /// It is JSON, but something else than what is read there.
    Shape {
        expected: &'static str,
        got: &'static str,
    },
    Missing,
    Twice,
}

impl Wrong {
    fn shape(expected: &'static str, got: &'static str) -> Wrong {
        Wrong { why: Why::Shape { expected, got }, member: None }
    }

    /// Whether it is no JSON at all.
    pub(crate) fn is_syntax(&self) -> bool {
        matches!(self.why, Why::Syntax { .. })
    }
}

/// What came, to be read after "got".
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = self.member.unwrap_or_default();
        match (&self.why, self.member) {
            (Why::Syntax { expected, at }, _) => {
                write!(f, "something else than {expected} after {at} bytes")
            }
            (Why::Shape { expected, got }, None) => write!(f, "{got}, not {expected}"),
            (Why::Shape { expected, got }, Some(_)) => {
                write!(f, "a \"{member}\" that is {got}, not {expected}")
            }
            (Why::Missing, _) => write!(f, "no \"{member}\""),
            (Why::Twice, _) => write!(f, "a second \"{member}\""),
        }
    }
}

/// Reads a whole text as one value.
pub(crate) fn read<'a, T>(
    text: &'a str,
    value: impl FnOnce(&mut Reader<'a>) -> Result<T, Wrong>,
) -> Result<T, Wrong> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = value(&mut reader)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.syntax("the end")),
    }
}

/// A member that is there at most once.
#[derive(Debug)]
pub(crate) struct Once<T> {
    name: &'static str,
    value: Option<T>,
}

impl<T> Once<T> {
    pub(crate) const fn new(name: &'static str) -> Once<T> {
        Once { name, value: None }
    }

    pub(crate) fn read<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        value: impl FnOnce(&mut Reader<'a>) -> Result<T, Wrong>,
    ) -> Result<(), Wrong> {
        let named = |wrong: Wrong| Wrong { member: Some(self.name), ..wrong };
        if self.value.is_some() {
            return Err(named(Wrong { why: Why::Twice, member: None }));
        }
        self.value = Some(value(reader).map_err(named)?);
        Ok(())
    }

    /// Its value, where it came.
    pub(crate) fn value(self) -> Option<T> {
        self.value
    }

    /// Its value, which has to be there.
    pub(crate) fn needed(self) -> Result<T, Wrong> {
        self.value.ok_or(Wrong { why: Why::Missing, member: Some(self.name) })
    }
}

impl<T> Once<Option<T>> {
    /// Its value, where it came and is not null.
    pub(crate) fn some(self) -> Option<T> {
        self.value.flatten()
    }
}

/// A place in JSON text. Each function reads one value from there on, and goes behind it.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// An object, member by member: `member` is given each name, and reads the value.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Reader<'a>, Cow<'a, str>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.open(b'{', "an object")?;
        if self.peek() == Some(b'}') {
            return self.close();
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member's name"));
            }
            let name = self.text()?;
            if self.peek() != Some(b':') {
                return Err(self.syntax("a colon"));
            }
            self.at += 1;
            member(self, name)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.close(),
                _ => return Err(self.syntax("a comma or the object's end")),
            }
        }
    }

    /// A list, each value of which `value` reads.
    pub(crate) fn list(
        &mut self,
        mut value: impl FnMut(&mut Reader<'a>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.open(b'[', "a list")?;
        if self.peek() == Some(b']') {
            return self.close();
        }
        loop {
            value(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.close(),
                _ => return Err(self.syntax("a comma or the list's end")),
            }
        }
    }

    /// An object of field values.
    pub(crate) fn members(&mut self) -> Result<Members<'a>, Wrong> {
        let mut members = Vec::with_capacity(8);
        self.object(|reader, name| {
            members.push((name, reader.member()?));
            Ok(())
        })?;
        Ok(Members(members))
    }

    /// Any value, as a field can hold it.
    pub(crate) fn member(&mut self) -> Result<Member<'a>, Wrong> {
        Ok(match self.peek() {
            Some(b'"') => Member::Text(self.text()?),
            Some(b't' | b'f') => Member::Bool(self.truth()?),
            Some(b'-' | b'0'..=b'9') => Member::Num(self.number()?),
            Some(b'n') => self.literal("null").map(|()| Member::Null)?,
            Some(b'[') => self.skip().map(|()| Member::List)?,
            _ => self.skip().map(|()| Member::Object)?,
        })
    }

    /// A value, or null, which is none.
    pub(crate) fn optional<T>(
        &mut self,
        value: impl FnOnce(&mut Reader<'a>) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        if self.peek() == Some(b'n') {
            return self.literal("null").map(|()| None);
        }
        value(self).map(Some)
    }

    /// Text.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Wrong> {
        if self.peek() != Some(b'"') {
            return Err(self.unlike("text"));
        }
        let begin = self.at + 1;
        self.at = plain_end(self.text.as_bytes(), begin);
        let plain = &self.text[begin..self.at];
        match self.byte() {
            Some(b'"') => {
                self.at += 1;
                Ok(Cow::Borrowed(plain))
            }
            _ => self.escaped(plain.into()).map(Cow::Owned),
        }
    }

    /// `true` or `false`.
    pub(crate) fn truth(&mut self) -> Result<bool, Wrong> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => Err(self.unlike("true or false")),
        }
    }

    /// A number; the double next to it.
    pub(crate) fn number(&mut self) -> Result<f64, Wrong> {
        const EXPECTED: &str = "a number that a double can hold";
        let number = self.digits(EXPECTED)?.parse::<f64>().ok();
        number.filter(|number| number.is_finite()).ok_or(Wrong::shape(EXPECTED, "a larger one"))
    }

    /// A number without fraction or exponent.
    pub(crate) fn whole(&mut self) -> Result<u32, Wrong> {
        const EXPECTED: &str = "a whole number from 0 to 4294967295";
        let digits = self.digits(EXPECTED)?;
        digits.parse().map_err(|_| Wrong::shape(EXPECTED, "another number"))
    }

    /// A value, and its text. One of another shape than `value` reads is gone over all the same.
    pub(crate) fn attempt<T>(
        &mut self,
        value: impl FnOnce(&mut Reader<'a>) -> Result<T, Wrong>,
    ) -> Result<(&'a str, Result<T, Wrong>), Wrong> {
        self.peek();
        let (begin, depth) = (self.at, self.depth);
        let value = value(self);
        match &value {
            Ok(_) => {}
            Err(wrong) if wrong.is_syntax() => return Err(wrong.clone()),
            Err(_) => {
                (self.at, self.depth) = (begin, depth);
                self.skip()?;
            }
        }
        Ok((&self.text[begin..self.at], value))
    }

    /// Any value, which nobody wants.
    pub(crate) fn skip(&mut self) -> Result<(), Wrong> {
        match self.peek() {
            Some(b'"') => self.skip_text(),
            Some(b'{') => self.object(|reader, _| reader.skip()),
            Some(b'[') => self.list(Reader::skip),
            Some(b'n') => self.literal("null"),
            Some(b't' | b'f') => self.truth().map(drop),
            Some(b'-' | b'0'..=b'9') => self.digits("a number").map(drop),
            _ => Err(self.syntax("a value")),
        }
    }

    fn skip_text(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        loop {
            self.at = plain_end(self.text.as_bytes(), self.at);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                // Half of a surrogate pair is JSON; only who wants the text has to mind.
                _ => self.escape().map(drop)?,
            }
        }
    }

    /// The rest of a text, after this part of it, up to its end.
    #[cold]
    fn escaped(&mut self, mut text: String) -> Result<String, Wrong> {
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                _ => text.push(self.character()?),
            }
            let begin = self.at;
            self.at = plain_end(self.text.as_bytes(), begin);
            text.push_str(&self.text[begin..self.at]);
        }
    }

    /// What one escape stands for, or two that are the halves of a surrogate pair.
    fn character(&mut self) -> Result<char, Wrong> {
        let half = || Wrong::shape("text", "text with half of a surrogate pair");
        let first = self.escape()?;
        let code = match first {
            0xd800..0xdc00 => match self.escape().map_err(|_| half())? {
                second @ 0xdc00..0xe000 => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => return Err(half()),
            },
            code => code,
        };
        char::from_u32(code).ok_or_else(half)
    }

    /// One escape: the code it stands for.
    fn escape(&mut self) -> Result<u32, Wrong> {
        if self.byte() != Some(b'\\') {
            return Err(self.syntax("a text's end, or an escape"));
        }
        self.at += 1;
        let code = match self.byte() {
            Some(sign @ (b'"' | b'\\' | b'/')) => u32::from(sign),
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => 10,
            Some(b'r') => 13,
            Some(b't') => 9,
            Some(b'u') => {
                let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
                let code = digits.and_then(hexadecimal);
                let code = code.ok_or_else(|| self.syntax("four hexadecimal digits"))?;
                self.at += 4;
                code
            }
            _ => return Err(self.syntax("an escape")),
        };
        self.at += 1;
        Ok(code)
    }

    /// The text of a number.
    fn digits(&mut self, expected: &'static str) -> Result<&'a str, Wrong> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.unlike(expected));
        }
        let begin = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.some_digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.some_digits()?;
        }
        Ok(&self.text[begin..self.at])
    }

    fn some_digits(&mut self) -> Result<(), Wrong> {
        let begin = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == begin { Err(self.syntax("a digit")) } else { Ok(()) }
    }

    fn literal(&mut self, word: &'static str) -> Result<(), Wrong> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax(word));
        }
        self.at += word.len();
        Ok(())
    }

    fn open(&mut self, bracket: u8, expected: &'static str) -> Result<(), Wrong> {
        if self.peek() != Some(bracket) {
            return Err(self.unlike(expected));
        }
        if self.depth == MAX_DEPTH {
            return Err(Wrong::shape("at most 128 objects and lists in each other", "more"));
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes over white space; the byte there.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte,
            }
        }
    }

    #[cold]
    fn syntax(&self, expected: &'static str) -> Wrong {
        Wrong { why: Why::Syntax { expected, at: self.at }, member: None }
    }

    /// Something else is there than what was expected.
    #[cold]
    fn unlike(&self, expected: &'static str) -> Wrong {
        let got = match self.byte() {
            Some(b'"') => "text",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "true or false",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ => return self.syntax("a value"),
        };
        Wrong::shape(expected, got)
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

/// Where text stops to be what it stands for: at a quote, a backslash or a control character. Eight bytes at a time, since
/// most bytes of JSON are text.
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = marked(u64::from_le_bytes(*eight));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
    while bytes.get(at).is_some_and(is_plain) {
        at += 1;
    }
    at
}

/// Of eight bytes, the first of which is the lowest, marks those that end plain text in their highest bits. What lies above
/// the first mark may be marked wrongly, because a byte borrows from the next.
const fn marked(eight: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    const fn zeros(eight: u64) -> u64 {
        eight.wrapping_sub(EACH) & !eight
    }
    let controls = eight.wrapping_sub(0x20 * EACH) & !eight;
    let quotes = zeros(eight ^ (b'"' as u64 * EACH));
    let backslashes = zeros(eight ^ (b'\\' as u64 * EACH));
    (controls | quotes | backslashes) & HIGH
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::{Member, Members, Once, Reader, plain_end, read};

    fn value(member: &Member) -> Value {
        match member {
            Member::Text(text) => Value::from(text.as_ref()),
            Member::Bool(truth) => Value::from(*truth),
            Member::Num(number) => Value::from(*number),
            Member::Null => Value::Null,
            Member::List => Value::Array(Vec::new()),
            Member::Object => Value::Object(serde_json::Map::new()),
        }
    }

    /// What a library of others reads, where a field can hold it; numbers as doubles.
    fn by_serde(text: &str) -> Option<Value> {
        Some(match serde_json::from_str(text).ok()? {
            Value::Number(number) => Value::from(number.as_f64()?),
            Value::Array(_) => Value::Array(Vec::new()),
            Value::Object(_) => Value::Object(serde_json::Map::new()),
            value => value,
        })
    }

    #[track_caller]
    fn agrees(text: &str) {
        let ours = read(text, Reader::member);
        assert_eq!(ours.as_ref().ok().map(value), by_serde(text), "{text:?}: {ours:?}");
        // Who skips a value minds neither what its text stands for nor how large its numbers are.
        let skipped = read(text, Reader::skip);
        let ignored = serde_json::from_str::<serde::de::IgnoredAny>(text);
        assert_eq!(skipped.is_ok(), ignored.is_ok(), "{text:?}: {skipped:?}");
        if let Err(wrong) = ours {
            assert!(!wrong.is_syntax() || ignored.is_err(), "{text:?}: {wrong:?}");
        }
    }

    #[test]
    fn reads_what_is_json_and_nothing_else() {
        for text in [
            "",
            " ",
            "null",
            "nul",
            "nulls",
            "true",
            "false",
            "tru",
            "0",
            "-0",
            "01",
            "-",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1E+05",
            "1e",
            "1e+",
            "+1",
            "1e999",
            "-1e-999",
            "0.1",
            "\"\"",
            "\"a\"",
            "\"a",
            "\"\\\"",
            "\"\\\\\"",
            "\"\\/\\b\\f\\n\\r\\t\"",
            "\"\\x\"",
            "\"\\u00e5\"",
            "\"\\u00E\"",
            "\"\\u00zz\"",
            "\"\\ud83d\\ude00 and more\"",
            "\"\\ud83d\"",
            "\"\\ud83d\\n\"",
            "\"\\ude00\"",
            "\"\\ud83d\\ud83d\"",
            "\"a\u{1}b\"",
            "\"long enough to be looked at in eights\\n, then on\"",
            "\"å, 漢字 and 😀\"",
            "[]",
            "[1,2]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[",
            "{}",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{\"a\":}",
            "{a:1}",
            "{1:1}",
            "{\"a\":{\"b\":[null,true]}}",
            "{\"a\":1} x",
            " \t\r\n[ { } , \"x\" ] \n",
            "\u{feff}1",
            "\u{a0}1",
            "[1}",
            "{\"a\":1]",
        ] {
            agrees(text);
        }
    }

    #[test]
    fn members_stay_in_their_order_and_twice() {
        let members = read(r#"{"b":1,"a":"x","b":null}"#, Reader::members).unwrap();
        let expected =
            [("b", Member::Num(1.0)), ("a", Member::Text("x".into())), ("b", Member::Null)];
        assert_eq!(members, Members(expected.map(|(name, value)| (name.into(), value)).into()));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_member() {
        let why = |text: &str| {
            let mut ver = Once::new("ver");
            let wrong = read(text, |reader| {
                reader.object(|reader, name| match &*name {
                    "ver" => ver.read(reader, Reader::whole),
                    _ => reader.skip(),
                })
            });
            wrong.and_then(|()| ver.needed().map(|_| ())).unwrap_err().to_string()
        };
        for (text, said) in [
            ("[]", "a list, not an object"),
            ("{}", "no \"ver\""),
            (r#"{"ver":1,"ver":1}"#, "a second \"ver\""),
            (r#"{"ver":"1"}"#, "a \"ver\" that is text, not a whole number from 0 to 4294967295"),
            (
                r#"{"ver":1.5}"#,
                "a \"ver\" that is another number, not a whole number from 0 to 4294967295",
            ),
            (r#"{"ver":1"#, "something else than a comma or the object's end after 8 bytes"),
        ] {
            assert_eq!(why(text), said, "{text}");
        }
    }

    #[test]
    fn nothing_lies_deeper_than_it_may() {
        let deep = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert!(read(&deep(128), Reader::skip).is_ok());
        assert!(!read(&deep(129), Reader::skip).unwrap_err().is_syntax());
        assert!(!read(&deep(100_000), Reader::member).unwrap_err().is_syntax());
    }

    proptest! {
        #[test]
        fn plain_text_ends_where_it_does(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let ends = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
            let end = bytes.iter().position(ends).unwrap_or(bytes.len());
            prop_assert_eq!(plain_end(&bytes, 0), end);
        }

        #[test]
        fn agrees_with_a_library_on_any_number(number in any::<f64>(), whole in any::<i64>()) {
            for text in [number.to_string(), whole.to_string()] {
                let exact = text.parse::<f64>().unwrap();
                prop_assert_eq!(read(&text, Reader::member).ok(), exact.is_finite().then_some(Member::Num(exact)));
            }
        }

        #[test]
        fn agrees_with_a_library_on_what_looks_like_json(text in r#"([\[\]{},:"\\ntu0-9eE.+ -]|true|null|"a"|\\u00e5|\\ud83d){0,12}"#) {
            let ours = read(&text, Reader::skip);
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
            // A name is read even where nobody wants it, with what its escapes stand for.
            prop_assert!(ours.is_ok() == theirs.is_ok() || !ours.unwrap_err().is_syntax());
        }
    }
}
