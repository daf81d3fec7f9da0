//! Dates and moments as text: which are valid, and where they lie on the time line.

const MS_PER_DAY: i64 = 86_400_000;

/// Whether this is a day written `YYYY-MM-DD` (RFC 3339 `full-date`).
pub fn is_date(text: &[u8]) -> bool {
    text.len() == 10 && begins_with_date(text)
}

/// Whether this is a moment written as RFC 3339 `date-time`: an offset is required, `T` and `Z` are in upper or lower
/// case, and a leap second (`:60`) can end any minute.
pub fn is_timestamp(text: &[u8]) -> bool {
    if !begins_with_date(text) || !has_shape(text, b"0000-00-00T00:00:00") {
        return false;
    }
    if pair(text, 11) > 23 || pair(text, 14) > 59 || pair(text, 17) > 60 {
        return false;
    }
    let mut at = 19;
    if text.get(at) == Some(&b'.') {
        at += 1;
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if at == 20 {
            return false;
        }
    }
    match text.get(at..) {
        Some([b'Z' | b'z']) => true,
        Some([b'+' | b'-', offset @ ..]) => {
            offset.len() == 5
                && has_shape(offset, b"00:00")
                && pair(offset, 0) < 24
                && pair(offset, 3) < 60
        }
        _ => false,
    }
}

fn begins_with_date(text: &[u8]) -> bool {
    if !has_shape(text, b"0000-00-00") {
        return false;
    }
    let (month, day) = (pair(text, 5), pair(text, 8));
    let century = pair(text, 2) == 0;
    let leap = pair(text, if century { 0 } else { 2 }).is_multiple_of(4);
    let days = match month {
        2 => 28 + u8::from(leap),
        _ => 30 + (month + month / 8) % 2,
    };
    month != 0 && month <= 12 && day != 0 && day <= days
}

/// Whether the text begins with digits where the shape has `0`, and with the shape's own signs elsewhere.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    text.len() >= shape.len()
        && text.iter().zip(shape).all(|(byte, sign)| match sign {
            b'0' => byte.is_ascii_digit(),
            b'T' => byte | 32 == b't',
            _ => byte == sign,
        })
}

/// The two digits from this place on.
fn pair(text: &[u8], at: usize) -> u8 {
    let digit = |at: usize| text.get(at).map_or(0, |byte| byte & 15);
    digit(at) * 10 + digit(at + 1)
}

/// Days since 1970-01-01 of a day written `YYYY-MM-DD`, or `None` where it is no such day.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    is_date(text).then(|| days(text))
}

/// Milliseconds since 1970-01-01T00:00Z of a moment written as RFC 3339 `date-time`, or `None` where it is no such moment.
/// Fractions beyond a millisecond are cut. A leap second is read as the first moment of the minute that follows.
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    if !is_timestamp(text) {
        return None;
    }
    let number = |at| i64::from(pair(text, at));
    let fraction = text[19..].iter().skip(1).take_while(|byte| byte.is_ascii_digit());
    let (mut ms, mut unit) = (0, 100);
    for digit in fraction.filter(|_| text[19] == b'.') {
        ms += i64::from(digit & 15) * unit;
        unit /= 10;
    }
    let offset = match text[text.len() - 6] {
        sign @ (b'+' | b'-') if text.len() > 24 => {
            let minutes = number(text.len() - 5) * 60 + number(text.len() - 2);
            if sign == b'+' { minutes } else { -minutes }
        }
        _ => 0,
    };
    let seconds = number(11) * 3600 + (number(14) - offset) * 60 + number(17);
    Some(i64::from(days(text)) * MS_PER_DAY + seconds * 1000 + ms)
}

/// Days since 1970-01-01 of text that begins with a date.
fn days(text: &[u8]) -> i32 {
    let number = |at| i32::from(pair(text, at));
    days_from_civil(number(0) * 100 + number(2), number(5), number(8))
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
