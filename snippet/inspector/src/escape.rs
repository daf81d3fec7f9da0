//! Names and texts written into selectors, as `CSS.escape` and the serialisation of strings say (CSSOM, "serialize an
//! identifier" and "serialize a string").

use std::fmt::Write;

/// A name as an identifier: what follows `#` or `.`.
pub fn identifier(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    let dashed = name.starts_with('-');
    for (at, letter) in name.chars().enumerate() {
        match letter {
            '\0' => escaped.push('\u{FFFD}'),
            '\u{1}'..='\u{1F}' | '\u{7F}' => code_point(&mut escaped, letter),
            '0'..='9' if at == 0 || at == 1 && dashed => code_point(&mut escaped, letter),
            '-' if name.len() == 1 => escaped.push_str("\\-"),
            '-' | '_' | '0'..='9' | 'A'..='Z' | 'a'..='z' | '\u{80}'.. => escaped.push(letter),
            _ => {
                escaped.push('\\');
                escaped.push(letter);
            }
        }
    }
    escaped
}

/// A text in quotes: what stands behind `=`.
pub fn string(text: &str) -> String {
    let mut escaped = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\0' => escaped.push('\u{FFFD}'),
            '\u{1}'..='\u{1F}' | '\u{7F}' => code_point(&mut escaped, letter),
            '"' | '\\' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
    }
    escaped.push('"');
    escaped
}

fn code_point(escaped: &mut String, letter: char) {
    let _ = write!(escaped, "\\{:x} ", u32::from(letter));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_as_css_escape_writes_them() {
        let table = [
            ("buy", "buy"),
            ("add-to-cart", "add-to-cart"),
            ("1st", "\\31 st"),
            ("-1", "-\\31 "),
            ("-", "\\-"),
            ("--x", "--x"),
            ("a.b", "a\\.b"),
            ("w-1/2", "w-1\\/2"),
            ("md:flex", "md\\:flex"),
            ("größe", "größe"),
            ("a b", "a\\ b"),
            ("\0", "\u{FFFD}"),
            ("a\n", "a\\a "),
            ("[x]", "\\[x\\]"),
            ("a1", "a1"),
            ("é", "é"),
            ("", ""),
        ];
        for (name, expected) in table {
            assert_eq!(identifier(name), expected, "{name:?}");
        }
    }

    #[test]
    fn strings_keep_their_quotes_inside() {
        let table = [
            ("buy", "\"buy\""),
            ("a\"]b", "\"a\\\"]b\""),
            ("a\\", "\"a\\\\\""),
            ("a\nb", "\"a\\a b\""),
        ];
        for (text, expected) in table {
            assert_eq!(string(text), expected);
        }
    }
}
