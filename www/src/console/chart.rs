//! Small charts of what arrived: bars as SVG, each part a class, with the same in words and as a table.

use std::fmt::Write;

use beaconry_model::time::Timestamp;
use beaconry_store::{Count, Counts, Hours};

/// Hours that one bar stands for, and how many hours are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// What people read.
    pub(super) name: &'static str,
    /// What the address says.
    pub(super) word: &'static str,
    pub(super) hours: usize,
    pub(super) per_bar: usize,
}

/// The spans one can choose.
pub(super) const SPANS: [Span; 3] = [
    Span { name: "24 hours", word: "day", hours: 24, per_bar: 1 },
    Span { name: "7 days", word: "week", hours: 168, per_bar: 6 },
    Span { name: "30 days", word: "month", hours: 720, per_bar: 24 },
];

impl Span {
    /// The span an address names; a day where it names none.
    pub(super) fn of(word: &str) -> Span {
        SPANS.into_iter().find(|span| span.word == word).unwrap_or(SPANS[0])
    }

    pub(super) fn last(self, now: Timestamp) -> Hours {
        Hours::last(self.hours, now)
    }

    /// What a bar stands for.
    pub(super) fn bar(self) -> &'static str {
        match self.per_bar {
            1 => "hour",
            24 => "24 hours",
            _ => "6 hours",
        }
    }
}

/// What arrived in each stretch of time, oldest first.
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    span: Span,
}

pub(super) struct Bar {
    pub(super) from: Timestamp,
    pub(super) counts: Counts,
}

/// The parts of a bar from its foot up: class, word, how many.
fn parts(counts: &Counts) -> [(&'static str, &'static str, u64); 5] {
    let others = counts.of(Count::UnknownVersion) + counts.of(Count::TooOld);
    [
        ("accepted", "accepted", counts.of(Count::Accepted)),
        ("stale", "stale", counts.of(Count::Stale)),
        ("invalid", "invalid", counts.of(Count::Invalid)),
        ("others", "otherwise in quarantine", others),
        ("refused", "refused", counts.refused()),
    ]
}

impl Chart {
    pub(super) fn new(span: Span, hours: Hours, counts: &[Counts]) -> Chart {
        let starts: Vec<_> = hours.starts().collect();
        let bar = |(at, counts): (usize, &[Counts])| {
            let mut sum = Counts::default();
            counts.iter().for_each(|hour| sum.add(hour));
            Bar { from: starts[at * span.per_bar], counts: sum }
        };
        Chart { bars: counts.chunks(span.per_bar).enumerate().map(bar).collect(), span }
    }

    pub(super) fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        self.bars.iter().for_each(|bar| sum.add(&bar.counts));
        sum
    }

    /// Bars in which anything arrived, newest first, for the table.
    pub(super) fn filled(&self) -> impl Iterator<Item = &Bar> {
        self.bars.iter().rev().filter(|bar| bar.counts != Counts::default())
    }

    /// The picture. Numbers only, so there is nothing to escape.
    pub(super) fn svg(&self) -> String {
        const HEIGHT: u64 = 60;
        let most = self.bars.iter().map(|bar| bar.counts.arrived()).max().unwrap_or_default();
        let mut drawn = String::new();
        for (at, bar) in self.bars.iter().enumerate() {
            let (mut foot, x) = (HEIGHT, at * 8);
            // How high a part is; one that is there shows.
            let high = |count: u64| (count * HEIGHT / most.max(1)).max(1);
            for (class, _, count) in parts(&bar.counts).into_iter().filter(|part| part.2 > 0) {
                let high = high(count).min(foot);
                foot -= high;
                let _ = write!(
                    drawn,
                    r#"<rect class="{class}" x="{x}" y="{foot}" width="7" height="{high}"/>"#
                );
            }
            // Not a part of its own: a stripe over the parts that it is of.
            let unchecked = bar.counts.of(Count::Unchecked);
            if unchecked > 0 {
                let (high, y) = (high(unchecked), HEIGHT - high(unchecked));
                let _ = write!(
                    drawn,
                    r#"<rect class="unchecked" x="{x}" y="{y}" width="2" height="{high}"/>"#
                );
            }
        }
        format!(
            r#"<svg class="chart" viewBox="0 0 {} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{}">{drawn}</svg>"#,
            self.bars.len() * 8,
            self.words(most)
        )
    }

    /// What the picture shows, for who does not see it.
    fn words(&self, most: u64) -> String {
        if most == 0 {
            return format!("Nothing arrived in {}", self.span.name);
        }
        let said = parts(&self.sum()).into_iter().filter(|part| part.2 > 0);
        let said: Vec<_> = said.map(|(_, word, count)| format!("{count} {word}")).collect();
        let (bar, name) = (self.span.bar(), self.span.name);
        let unchecked = match self.sum().of(Count::Unchecked) {
            0 => String::new(),
            unchecked => format!(" ({unchecked} of them unchecked)"),
        };
        format!(
            "Arrivals in {name}: {}{unchecked}; at most {most} in one bar of {bar}",
            said.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_add_up_hours_and_say_so_in_words() {
        let now = Timestamp(1_000 * 3_600_000);
        let span = Span::of("week");
        let hours = span.last(now);
        let chart = Chart::new(span, hours, &vec![Counts::default(); span.hours]);
        assert_eq!(chart.bars.len(), 28);
        assert_eq!(chart.bars[27].from, Timestamp(995 * 3_600_000));
        assert!(chart.svg().contains("aria-label=\"Nothing arrived in 7 days\""));
        assert_eq!(chart.filled().count(), 0);
        assert_eq!(Span::of("nonsense").hours, 24);
    }
}
