//! Values written as JavaScript, in ASCII alone.

use std::fmt::Write;

/// A text. Everything beyond ASCII is escaped, so that a page's own encoding cannot change it, and so is `<`, so that a
/// snippet can also be pasted between script tags.
pub(crate) fn text(text: &str) -> String {
    let mut literal = String::from("\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit).ok().map(char::from) {
            Some(sign @ ('"' | '\\')) => {
                literal.push('\\');
                literal.push(sign);
            }
            Some(plain @ ' '..='~') if plain != '<' => literal.push(plain),
            _ => {
                let _ = write!(literal, "\\u{unit:04x}");
            }
        }
    }
    literal.push('"');
    literal
}

/// A number.
pub(crate) fn number(number: f64) -> String {
    let text = number.to_string();
    // Rust writes out what JavaScript may write with an exponent.
    if text.len() > 21 { format!("{number:e}") } else { text }
}

/// A list; what is missing at its end is left out, what is missing before that is a hole.
pub(crate) fn list(items: &[Option<String>]) -> String {
    let len = items.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let items: Vec<&str> =
        items[..len].iter().map(|item| item.as_deref().unwrap_or_default()).collect();
    format!("[{}]", items.join(","))
}
