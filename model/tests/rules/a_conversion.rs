//! How the text people write on pages becomes the values fields hold.

use beaconry_model::convert::{Convert, Converted, DateOrder, Decimals, ROOM, convert};
use beaconry_model::value::Kind;
use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use DateOrder::{Dmy, Mdy, Ymd};
use Decimals::{Auto, Comma, Point};

/// The conversion's outcome as text: the value, `absent` or `unreadable`.
fn outcome(kind: Kind, decimals: Decimals, dates: DateOrder, text: &str) -> String {
    let mut buffer = vec![0; text.len() + ROOM];
    buffer[..text.len()].copy_from_slice(text.as_bytes());
    match convert(kind, Convert { decimals, dates }, &mut buffer, text.len()) {
        Converted::Absent => "absent".to_owned(),
        Converted::Unreadable => "unreadable".to_owned(),
        Converted::Bool(truth) => truth.to_string(),
        Converted::Text(start, end) | Converted::Number(start, end) => {
            String::from_utf8(buffer[start..end].to_vec()).unwrap()
        }
    }
}

#[track_caller]
fn number(decimals: Decimals, text: &str, expected: &str) {
    assert_eq!(outcome(Kind::Decimal, decimals, Ymd, text), expected, "{text:?}");
}

#[test]
fn numbers_are_read_as_pages_write_them() {
    for (text, expected) in [
        ("12", "12"),
        (" 12.5 ", "12.5"),
        ("0.125", "0.125"),
        ("0,125", "0.125"),
        ("1 299,50 kr", "1299.50"),
        ("1\u{a0}299,50\u{a0}kr", "1299.50"),
        ("1\u{202f}299,50\u{a0}€", "1299.50"),
        ("$1,299.50", "1299.50"),
        ("US$ 1,299.50", "1299.50"),
        ("1.299,50 €", "1299.50"),
        ("1'299.50 CHF", "1299.50"),
        ("1’299.50 CHF", "1299.50"),
        ("CHF 1299.50", "1299.50"),
        ("kr. 1.299,00", "1299.00"),
        ("1 299,- kr", "1299"),
        ("1299:-", "1299"),
        ("1.299.000 Ft", "1299000"),
        ("₹1,29,999.00", "129999.00"),
        ("12 345 678 zł", "12345678"),
        ("1 299,500", "1299.500"),
        ("1234.567", "1234.567"),
        ("1,2", "1.2"),
        ("-5", "-5"),
        ("−5,5", "-5.5"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("£0.99", "0.99"),
        ("円 1200", "1200"),
        ("  ", "absent"),
    ] {
        number(Auto, text, expected);
    }
}

#[test]
fn a_number_that_could_be_two_is_refused_until_its_sign_is_stated() {
    for (text, point, comma) in [
        ("1,299", "1299", "1.299"),
        ("1.299", "1.299", "1299"),
        ("12,345 kr", "12345", "12.345"),
        ("$999.999", "999.999", "999999"),
    ] {
        number(Auto, text, "unreadable");
        number(Point, text, point);
        number(Comma, text, comma);
    }
    number(Point, "1.299,50", "unreadable");
    number(Comma, "1,299.50", "unreadable");
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "free",
        "-",
        "$",
        ".",
        ".5",
        "5.",
        "5k",
        "5M",
        "2 million",
        "12 %",
        "3 items",
        "#4711",
        "1e5",
        "0x10",
        "1-2",
        "5-",
        "--5",
        "(5)",
        "+46 70 123 45 67",
        "10 x 20",
        "$1,299.50 - $1,399.00",
        "1,2,3",
        "1.2.3",
        "1 29",
        "1 2999",
        "12 34 567",
        "1.299.50",
        "1,299,50",
        "1 299.000,5",
        "1..5",
        "1  299",
        "٣",
        "5万",
        "$.50",
        "1,299.50.1",
        "Total: 5",
        "12:30",
        "2026-11-23",
        "NaN",
        "Infinity",
    ] {
        for decimals in [Auto, Point, Comma] {
            number(decimals, text, "unreadable");
        }
    }
}

#[test]
fn dates_are_read_in_the_stated_order_only() {
    for (dates, text, expected) in [
        (Ymd, "2026-11-23", "2026-11-23"),
        (Ymd, " 2026/1/2 ", "2026-01-02"),
        (Ymd, "2026. 11. 23.", "2026-11-23"),
        (Ymd, "23/11/2026", "unreadable"),
        (Dmy, "23/11/2026", "2026-11-23"),
        (Dmy, "1/2/2026", "2026-02-01"),
        (Dmy, "23.11.2026", "2026-11-23"),
        (Dmy, "2026-11-23", "2026-11-23"),
        (Dmy, "23/11/26", "unreadable"),
        (Mdy, "1/2/2026", "2026-01-02"),
        (Mdy, "11-23-2026", "2026-11-23"),
        (Mdy, "November 23, 2026", "unreadable"),
        (Ymd, "2026-11", "unreadable"),
        (Ymd, "2026-11-23T10:00", "unreadable"),
        (Ymd, "20261123", "unreadable"),
        (Ymd, "-2026-11-23", "unreadable"),
        (Ymd, "2026-11-23-1", "unreadable"),
        (Dmy, "/11/2026", "unreadable"),
        (Ymd, "2026-111-23", "unreadable"),
        (Ymd, "", "absent"),
    ] {
        assert_eq!(outcome(Kind::Date, Auto, dates, text), expected, "{dates:?} {text:?}");
    }
}

#[test]
fn truth_is_a_word() {
    for (text, expected) in [
        ("true", "true"),
        ("Yes", "true"),
        ("JA", "true"),
        ("on", "true"),
        ("1", "true"),
        ("false", "false"),
        ("nein", "false"),
        ("off", "false"),
        ("0", "false"),
        (" no ", "false"),
        ("maybe", "unreadable"),
        ("yes no", "unreadable"),
        ("2", "unreadable"),
        (" ", "absent"),
    ] {
        assert_eq!(outcome(Kind::Bool, Auto, Ymd, text), expected, "{text:?}");
    }
}

#[test]
fn text_and_time_stamps_lose_only_the_space_around_them() {
    assert_eq!(outcome(Kind::Text, Auto, Ymd, " a  b\r\n"), "a  b");
    assert_eq!(outcome(Kind::Text, Auto, Ymd, "\t\n "), "absent");
    let moment = "2026-11-23T10:00:00+01:00";
    assert_eq!(outcome(Kind::Timestamp, Auto, Ymd, " 2026-11-23 10:00:00+01:00"), moment);
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "\\PC*", kind in 0_u8..6, signs in "[0-9., '$k€\u{a0}r-]*") {
        for text in [text, signs] {
            for (decimals, dates) in [(Auto, Ymd), (Point, Dmy), (Comma, Mdy)] {
                outcome(Kind::from_number(kind).unwrap(), decimals, dates, &text);
            }
        }
    }

    #[test]
    fn what_it_calls_a_number_every_host_can_parse(text in "[0-9., '$-]{1,20}") {
        let read = outcome(Kind::Decimal, Auto, Ymd, &text);
        if read != "unreadable" && read != "absent" {
            let digits = read.strip_prefix('-').unwrap_or(&read);
            prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
            prop_assert!(digits.parse::<f64>().is_ok_and(f64::is_finite), "{read}");
        }
    }

    #[test]
    fn a_number_written_with_groups_comes_back(number in -999_999_999_i64..999_999_999, cents in 0..100) {
        let whole = number.unsigned_abs().to_string();
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at) % 3 == 0 {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        let sign = if number < 0 { "-" } else { "" };
        let read = outcome(Kind::Decimal, Auto, Ymd, &format!("{sign}{grouped},{cents:02} kr"));
        prop_assert_eq!(read, format!("{sign}{whole}.{cents:02}"));
    }
}
