//! Which values a field takes.

use beaconry_model::calendar::{parse_date, parse_timestamp};
use beaconry_model::check::{Rule, check};
use beaconry_model::time::Timestamp;
use beaconry_model::value::{Kind, Value};
use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn rule(kind: Kind) -> Rule<'static> {
    Rule { kind, required: false, max_chars: None, low: None, high: None, allowed: None }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.as_bytes())
}

#[track_caller]
fn takes(rule: &Rule, value: Value, code: &str) {
    let verdict = check(rule, Some(value)).map_or_else(|violation| violation.code(), |()| "");
    assert_eq!(verdict, code, "{rule:?} {value:?}");
}

#[test]
fn each_type_takes_its_own_values_and_no_others() {
    use Kind::*;
    let table: &[(Kind, Value, &str)] = &[
        (Text, text(""), ""),
        (Text, text("12"), ""),
        (Text, Value::Num(12.0), "wrong_type"),
        (Text, Value::Bool(true), "wrong_type"),
        (Text, Value::Other, "wrong_type"),
        (Bool, Value::Bool(false), ""),
        (Bool, text("true"), "wrong_type"),
        (Bool, Value::Num(1.0), "wrong_type"),
        (Number, Value::Num(12.0), ""),
        (Number, Value::Num(-0.0), ""),
        (Number, Value::Num(12.5), "wrong_type"),
        (Number, text("12"), "wrong_type"),
        (Number, Value::Num(9_007_199_254_740_991.0), ""),
        (Number, Value::Num(-9_007_199_254_740_991.0), ""),
        (Number, Value::Num(9_007_199_254_740_992.0), "wrong_type"),
        (Number, Value::Num(f64::NAN), "wrong_type"),
        (Decimal, Value::Num(12.5), ""),
        (Decimal, Value::Num(1e300), ""),
        (Decimal, Value::Num(f64::NAN), "wrong_type"),
        (Decimal, Value::Num(f64::INFINITY), "wrong_type"),
        (Decimal, text("12.5"), "wrong_type"),
        (Date, text("2026-02-28"), ""),
        (Date, text("2024-02-29"), ""),
        (Date, text("2026-02-29"), "wrong_type"),
        (Date, text("2026-13-01"), "wrong_type"),
        (Date, text("26-01-01"), "wrong_type"),
        (Date, text("2026-01-01T00:00:00Z"), "wrong_type"),
        (Date, Value::Num(20260101.0), "wrong_type"),
        (Timestamp, text("2026-03-01T12:00:00Z"), ""),
        (Timestamp, text("2026-03-01t12:00:00.123456z"), ""),
        (Timestamp, text("2026-03-01T12:00:00+05:30"), ""),
        (Timestamp, text("2026-03-01T12:00:00"), "wrong_type"),
        (Timestamp, text("2026-03-01 12:00:00Z"), "wrong_type"),
        (Timestamp, text("2026-03-01T24:00:00Z"), "wrong_type"),
        (Timestamp, text("2026-03-01T12:00:00.Z"), "wrong_type"),
        (Timestamp, text("2026-03-01T12:00:00+0530"), "wrong_type"),
        (Timestamp, text("2026-03-01"), "wrong_type"),
    ];
    for (kind, value, code) in table {
        takes(&rule(*kind), *value, code);
    }
}

#[test]
fn an_absent_value_is_missed_only_where_it_is_required() {
    assert!(check(&rule(Kind::Text), None).is_ok());
    let required = Rule { required: true, ..rule(Kind::Text) };
    assert_eq!(check(&required, None).unwrap_err().code(), "missing_field");
}

#[test]
fn limits_bind_beyond_the_type() {
    let short = Rule { max_chars: Some(3), ..rule(Kind::Text) };
    takes(&short, text("åäö"), "");
    takes(&short, text("👍👍👍"), "");
    takes(&short, text("abcd"), "too_long");
    let chosen = Rule { allowed: Some(b"gold\nsilver"), ..rule(Kind::Text) };
    takes(&chosen, text("silver"), "");
    takes(&chosen, text("silve"), "not_allowed");
    takes(&chosen, text("gold\nsilver"), "not_allowed");
    let score = Rule { low: Some(0.0), high: Some(10.0), ..rule(Kind::Number) };
    takes(&score, Value::Num(0.0), "");
    takes(&score, Value::Num(10.0), "");
    takes(&score, Value::Num(-1.0), "out_of_range");
    takes(&score, Value::Num(11.0), "out_of_range");
}

#[test]
fn moments_lie_where_the_calendar_says() {
    let table = [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("2026-11-23T12:00:00Z", 1_795_435_200_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
    ];
    for (text, ms) in table {
        assert_eq!(parse_timestamp(text.as_bytes()), Some(ms), "{text}");
    }
}

proptest! {
    #[test]
    fn every_moment_reads_back_as_it_was_written(ms in -62_000_000_000_000_i64..250_000_000_000_000) {
        let written = Timestamp(ms).to_string();
        prop_assert_eq!(parse_timestamp(written.as_bytes()), Some(ms), "{}", written);
    }

    #[test]
    fn every_day_is_one_after_the_day_before(days in -700_000_i64..2_900_000) {
        let day = |days: i64| Timestamp(days * 86_400_000).to_string()[..10].to_string();
        prop_assert_eq!(parse_date(day(days).as_bytes()), i32::try_from(days).ok());
    }

    #[test]
    fn no_text_makes_the_calendar_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = (parse_date(&bytes), parse_timestamp(&bytes));
    }

    #[test]
    fn an_integer_is_a_number_and_a_decimal_alike(number in -9_007_199_254_740_991_i64..=9_007_199_254_740_991) {
        takes(&rule(Kind::Number), Value::Num(number as f64), "");
        takes(&rule(Kind::Decimal), Value::Num(number as f64), "");
    }

    #[test]
    fn a_number_that_is_taken_is_within_its_range(low in -100.0..100.0_f64, width in 0.0..100.0_f64, number: f64) {
        let rule = Rule { low: Some(low), high: Some(low + width), ..rule(Kind::Decimal) };
        let taken = check(&rule, Some(Value::Num(number))).is_ok();
        prop_assert_eq!(taken, number >= low && number <= low + width);
    }
}
