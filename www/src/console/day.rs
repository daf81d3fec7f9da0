//! An event's last 24 hours, as a sparkline and a few words.

use std::fmt::Write;

use beaconry_model::time::Timestamp;
use beaconry_store::{Count, Counts, Hours};

const HOURS: usize = 24;

/// What arrived in each of the last 24 hours, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Day {
    /// Stored, by the hour.
    stored: Vec<u64>,
    /// All that arrived, whatever became of it.
    arrived: u64,
    stale: u64,
}

impl Default for Day {
    /// A day on which nothing came.
    fn default() -> Day {
        Day { stored: vec![0; HOURS], arrived: 0, stale: 0 }
    }
}

impl Day {
    /// The hours of the day that ends now.
    pub(super) fn hours(now: Timestamp) -> Hours {
        Hours::last(HOURS, now)
    }

    /// Adds what arrived in each of these hours.
    pub(super) fn add(&mut self, hours: &[Counts]) {
        for (stored, counts) in self.stored.iter_mut().zip(hours) {
            *stored += counts.of(Count::Accepted);
            self.arrived += counts.arrived();
            self.stale += counts.of(Count::Stale);
        }
    }

    pub(super) fn stale(&self) -> u64 {
        self.stale
    }

    /// How many were stored, with thin spaces between thousands.
    pub(super) fn total(&self) -> String {
        thousands(self.stored.iter().sum())
    }

    /// Which part of all that arrived was stale, in percent.
    pub(super) fn stale_share(&self) -> String {
        match self.stale * 100 / self.arrived.max(1) {
            0 => "<1%".to_owned(),
            percent => format!("{percent}%"),
        }
    }

    /// A bar an hour, the highest as high as the picture; an hour without an event is a line at the foot.
    pub(super) fn spark(&self) -> String {
        const HEIGHT: u64 = 30;
        let most = self.stored.iter().copied().max().unwrap_or_default();
        let mut bars = String::new();
        for (at, count) in self.stored.iter().enumerate() {
            let high = if *count == 0 { 1 } else { (count * HEIGHT).div_ceil(most).max(2) };
            let class = if *count == 0 { " class=\"none\"" } else { "" };
            let (x, y) = (at * 4, HEIGHT - high);
            let _ =
                write!(bars, "<rect x=\"{x}\" y=\"{y}\" width=\"3\" height=\"{high}\"{class}/>");
        }
        format!(
            "<svg class=\"spark\" viewBox=\"0 0 95 30\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">{bars}</svg>",
            self.words()
        )
    }

    fn words(&self) -> String {
        let most = self.stored.iter().copied().max().unwrap_or_default();
        match most {
            0 => "No event in the last 24 hours".to_owned(),
            most => format!("Events by the hour, at most {most} in one"),
        }
    }
}

/// `1234567` as `1 234 567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hour_is_a_bar_and_an_empty_one_a_line() {
        let mut day = Day { stored: vec![0; 24], arrived: 0, stale: 0 };
        assert_eq!(day.spark().matches("class=\"none\"").count(), 24);
        assert!(day.spark().contains("No event in the last 24 hours"));
        (day.stored[0], day.stored[23], day.arrived, day.stale) = (1, 300, 310, 9);
        let spark = day.spark();
        assert!(spark.contains("<rect x=\"0\" y=\"28\" width=\"3\" height=\"2\"/>"), "{spark}");
        assert!(spark.contains("<rect x=\"92\" y=\"0\" width=\"3\" height=\"30\"/>"), "{spark}");
        assert_eq!((day.total(), day.stale_share()), ("301".to_owned(), "2%".to_owned()));
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1\u{202f}000")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(thousands(12_345_678), "12\u{202f}345\u{202f}678");
    }
}
