//! Dates and moments as text: which are valid, and where they lie on the time line.

const MS_PER_DAY: i64 = 86_400_000;

/// Days since 1970-01-01 of a day written `YYYY-MM-DD` (RFC 3339 `full-date`), or `None` where it is no such day.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = digits(&text[..4])?;
    let month = digits(&text[5..7])?;
    let day = digits(&text[8..])?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

/// Milliseconds since 1970-01-01T00:00Z of a moment written as RFC 3339 `date-time` (an offset is required, `T` and `Z`
/// in upper or lower case, fractions beyond a millisecond are cut), or `None` where it is no such moment.
///
/// A leap second (`:60`) is read as the first moment of the minute that follows.
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    if text.len() < 20 || text[10] | 32 != b't' || text[13] != b':' || text[16] != b':' {
        return None;
    }
    let days = parse_date(&text[..10])?;
    let (hour, minute, second) =
        (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (ms, rest) = fraction(&text[19..])?;
    let offset = offset_minutes(rest)?;
    let seconds = hour * 3600 + (minute - offset) * 60 + second;
    Some(i64::from(days) * MS_PER_DAY + i64::from(seconds) * 1000 + i64::from(ms))
}

/// The fraction of a second in milliseconds, and what follows it.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    if text[0] != b'.' {
        return Some((0, text));
    }
    let (mut at, mut ms, mut unit) = (1, 0, 100);
    while at < text.len() && text[at].is_ascii_digit() {
        ms += i32::from(text[at] - b'0') * unit;
        unit /= 10;
        at += 1;
    }
    if at == 1 { None } else { Some((ms, &text[at..])) }
}

/// `Z` or `+hh:mm`, in minutes east of Greenwich.
fn offset_minutes(text: &[u8]) -> Option<i32> {
    if text.len() == 1 && text[0] | 32 == b'z' {
        return Some(0);
    }
    if text.len() != 6 || text[3] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&text[1..3])?, digits(&text[4..])?);
    if hour > 23 || minute > 59 {
        return None;
    }
    match text[0] {
        b'+' => Some(hour * 60 + minute),
        b'-' => Some(-(hour * 60 + minute)),
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<i32> {
    let mut number = 0;
    for &byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i32::from(byte - b'0');
    }
    Some(number)
}

fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year eras that begin in March, so that the
/// leap day is the last of its year.
fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month > 2 { year } else { year - 1 };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day that lie this many days after 1970-01-01: the inverse of [`parse_date`].
#[cfg(feature = "alloc")]
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}
