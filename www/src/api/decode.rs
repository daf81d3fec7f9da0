//! Parts of an address as they were meant: percent-encoding undone, strictly.

use super::problem::Problem;

/// The longest part of a path and the longest value of a query, in bytes as they came.
const LONGEST: usize = 2_000;

/// A part of a path: `%40` is `@`, and `+` is a plus.
pub(super) fn part(name: &str, raw: &str) -> Result<String, Problem> {
    decode(name, raw, false)
}

/// The names and values of a query: `%40` is `@`, and `+` is a space, as forms have it.
pub(super) fn query(raw: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode("query", name, true)?, decode(name, value, true)?))
        })
        .collect()
}

fn decode(name: &str, raw: &str, form: bool) -> Result<String, Problem> {
    let wrong = |expected: &str| {
        let detail = format!("{name:.80}: expected {expected}, got {raw:.200}");
        Problem::bad_request("wrong_encoding", detail)
    };
    if raw.len() > LONGEST {
        return Err(wrong("at most 2,000 bytes"));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = (bytes.next().and_then(hex), bytes.next().and_then(hex));
                let (Some(high), Some(low)) = digits else {
                    return Err(wrong("two hexadecimal digits after each %"));
                };
                high << 4 | low
            }
            b'+' if form => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| wrong("UTF-8, percent-encoded"))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_is_read_as_it_was_meant() {
        for (raw, meant) in [
            ("ada%40shop.example", "ada@shop.example"),
            ("ada@shop.example", "ada@shop.example"),
            ("ada+lists%40shop.example", "ada+lists@shop.example"),
            ("ada%2Blists%40shop.example", "ada+lists@shop.example"),
            ("%2B46701234567", "+46701234567"),
            ("j%C3%B6rgen%40sm%C3%B8rrebr%C3%B8d.example", "jörgen@smørrebrød.example"),
            ("%E6%97%A5%E6%9C%AC", "日本"),
            ("a%2Fb", "a/b"),
            ("%25", "%"),
            ("a%20b", "a b"),
            ("", ""),
        ] {
            assert_eq!(part("key", raw).as_deref(), Ok(meant), "{raw}");
        }
    }

    #[test]
    fn what_is_no_encoding_is_refused() {
        for (raw, expected) in [
            ("%", "two hexadecimal digits"),
            ("%4", "two hexadecimal digits"),
            ("%zz", "two hexadecimal digits"),
            ("%+4", "two hexadecimal digits"),
            ("%ff", "UTF-8"),
            ("%C3", "UTF-8"),
            ("%ED%A0%80", "UTF-8"),
        ] {
            let refused = part("key", raw).unwrap_err();
            assert!(refused.detail.starts_with("key: expected "), "{}", refused.detail);
            assert!(refused.detail.contains(expected) && refused.status == 400, "{raw}");
        }
        assert!(part("key", &"a".repeat(2_001)).is_err());
    }

    #[test]
    fn a_query_is_read_as_forms_write_it() {
        let read = query("limit=10&before=&name=a+b%2Bc&flag").unwrap();
        let read: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("limit", "10"), ("before", ""), ("name", "a b+c"), ("flag", "")]);
        assert!(query("a=%").is_err() && query("").unwrap().is_empty());
    }
}
