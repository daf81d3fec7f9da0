//! URL conditions as one regular expression: the place that says what each condition means on a page.
//!
//! The engine tests it against the page's URL without fragment. It never backtracks into text it has passed (JavaScript
//! has no atomic groups, so a lookahead with a reference to it stands in), so no pattern can keep a page busy.

use beaconry_model::capture::UrlCondition;

/// What comes before path and query.
const ORIGIN: &str = "^[^/]*//[^/]*";

/// Any of the conditions, as a regular expression of JavaScript.
pub(crate) fn pattern(conditions: &[UrlCondition]) -> String {
    let mut groups = 0;
    let patterns: Vec<String> =
        conditions.iter().map(|condition| one(condition, &mut groups)).collect();
    patterns.join("|")
}

fn one(condition: &UrlCondition, groups: &mut u32) -> String {
    let literal = condition.pattern();
    // A pattern that begins with a slash is held against path and query, any other against the whole URL.
    let start = if literal.starts_with('/') { ORIGIN } else { "^" };
    match condition {
        UrlCondition::Exact(_) => format!("{start}{}$", escaped(literal)),
        UrlCondition::Prefix(_) => format!("{start}{}", escaped(literal)),
        UrlCondition::Contains(_) if start == "^" => escaped(literal),
        UrlCondition::Contains(_) => format!("{start}.*{}", escaped(literal)),
        UrlCondition::Wildcard(_) => format!("{start}{}", wildcard(literal, groups)),
    }
}

/// The first place where each part fits is as good as any later one, so each is taken for good; only the last part is
/// bound to the end, where `.*` has one place to stop.
fn wildcard(literal: &str, groups: &mut u32) -> String {
    let mut parts = literal.split('*');
    let mut pattern = escaped(parts.next().unwrap_or_default());
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            continue;
        } else if parts.peek().is_some() {
            *groups += 1;
            pattern.push_str(&format!("(?=(.*?{}))\\{groups}", escaped(part)));
        } else {
            pattern.push_str(&format!(".*{}", escaped(part)));
        }
    }
    if !literal.ends_with('*') {
        pattern.push('$');
    }
    pattern
}

/// The literal as a browser's URL holds it, beyond ASCII in percent-encoded UTF-8 (WHATWG URL), as a regular expression.
fn escaped(literal: &str) -> String {
    let mut pattern = String::new();
    for byte in literal.bytes() {
        match char::from(byte) {
            sign @ '!'..='~' => {
                if r"\^$.|?*+()[]{}".contains(sign) {
                    pattern.push('\\');
                }
                pattern.push(sign);
            }
            _ => pattern.push_str(&format!("%{byte:02X}")),
        }
    }
    pattern
}
