//! Time zones, by whose calendar days are counted. The database of them is built in: an image of the program alone has none.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use beaconry_model::time::{DAY_MS, Timestamp};

use super::problem::Problem;

/// The zone with this name of IANA's.
pub(super) fn zone_called(name: &str) -> Result<TimeZone, Problem> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| {
        let detail = format!(
            "time_zone: expected a name of IANA's database, like Europe/Stockholm, got \"{name:.80}\""
        );
        Problem::bad_request("invalid", detail)
    })
}

/// The moment so many days of the zone's calendar before another, at the same time of the day; before the calendar's begin,
/// days have 24 hours.
pub(super) fn days_before(zone: &TimeZone, now: Timestamp, days: u32) -> Timestamp {
    let by_calendar = || {
        let now = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned_datetime(zone.clone());
        let span = jiff::Span::new().try_days(i64::from(days)).ok()?;
        Some(Timestamp(now.checked_sub(span).ok()?.timestamp().as_millisecond()))
    };
    by_calendar().unwrap_or_else(|| now.plus(-i64::from(days) * DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::{days_before, zone_called};

    #[test]
    fn a_day_is_one_of_the_zones_calendar() {
        // In between, clocks in Stockholm were put forward, and those in New York three weeks before.
        let now = "2026-03-30T12:00:00Z".parse().unwrap();
        for (zone, days, expected) in [
            ("Europe/Stockholm", 2, "2026-03-28T13:00:00.000Z"),
            ("europe/stockholm", 1, "2026-03-29T12:00:00.000Z"),
            ("America/New_York", 2, "2026-03-28T12:00:00.000Z"),
            ("America/New_York", 30, "2026-02-28T13:00:00.000Z"),
            ("UTC", 2, "2026-03-28T12:00:00.000Z"),
        ] {
            let zone = zone_called(zone).unwrap();
            assert_eq!(days_before(&zone, now, days).to_string(), expected);
        }
        let utc = zone_called("UTC").unwrap();
        assert!(days_before(&utc, now, u32::MAX) < days_before(&utc, now, 10_000));
        for none in ["", "Europe/Atlantis", "+01:00", "../etc/passwd"] {
            assert!(zone_called(none).is_err(), "{none}");
        }
    }
}
