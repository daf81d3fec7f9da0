//! What the collector counts and measures, for Prometheus. Nothing of it says who a visitor is.

use std::time::Instant;

use hyper::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use beaconry_model::wire::Code;
use beaconry_store::Lag;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByStatus {
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByCode {
    code: &'static str,
}

/// The collector's counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<ByStatus, Counter>,
    /// Of `requests`, what nearly all are.
    stored: Counter,
    accepted: Counter,
    rejected: Family<ByCode, Counter>,
    dropped: Counter,
    identified: Family<ByCode, Counter>,
    connections: Gauge,
    answering: Histogram,
    storing: Histogram,
    events: Histogram,
    bytes: Histogram,
    unindexed: Gauge,
    unlinked: Gauge,
}

/// Seconds, from a quarter of a millisecond to eight seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("beaconry");
        let requests = Family::<ByStatus, Counter>::default();
        let stored = requests.get_or_create(&ByStatus { status: 204 }).clone();
        registry.register("requests", "Requests answered, by status", requests.clone());
        let accepted = Counter::default();
        registry.register(
            "events_accepted",
            "Events answered as durable, duplicates included",
            accepted.clone(),
        );
        let rejected = Family::default();
        registry.register("events_rejected", "Events turned away, by code", rejected.clone());
        let dropped = Counter::default();
        registry.register(
            "events_dropped_by_browsers",
            "Events that browsers say they dropped, their queues being full",
            dropped.clone(),
        );
        let identified = Family::default();
        registry.register(
            "tokens_read",
            "Tokens by which visitors were to be identified: joined, or why not",
            identified.clone(),
        );
        let connections = Gauge::default();
        registry.register("connections", "Connections open", connections.clone());
        let (answering, storing) = (seconds(), seconds());
        registry.register_with_unit(
            "beacon_answer",
            "From a request with events to its answer",
            Unit::Seconds,
            answering.clone(),
        );
        registry.register_with_unit(
            "store_wait",
            "From events handed to the store to the commit that holds them",
            Unit::Seconds,
            storing.clone(),
        );
        let events = Histogram::new(exponential_buckets(1.0, 2.0, 8));
        registry.register("request_events", "Events in a request", events.clone());
        let bytes = Histogram::new(exponential_buckets(256.0, 2.0, 9));
        registry.register_with_unit("request_body", "A request's body", Unit::Bytes, bytes.clone());
        let (unindexed, unlinked) = (Gauge::default(), Gauge::default());
        registry.register(
            "events_unindexed",
            "Events in the log that the indexes do not hold yet",
            unindexed.clone(),
        );
        registry.register(
            "events_unlinked",
            "Events in the log that are not on a profile's timeline yet",
            unlinked.clone(),
        );
        Metrics {
            registry,
            requests,
            stored,
            accepted,
            rejected,
            dropped,
            identified,
            connections,
            answering,
            storing,
            events,
            bytes,
            unindexed,
            unlinked,
        }
    }
}

impl Metrics {
    pub(crate) fn answered(&self, status: StatusCode) {
        match status {
            StatusCode::NO_CONTENT => self.stored.inc(),
            _ => self.requests.get_or_create(&ByStatus { status: status.as_u16() }).inc(),
        };
    }

    pub(crate) fn accepted(&self, count: usize) {
        self.accepted.inc_by(count as u64);
    }

    pub(crate) fn rejected(&self, code: Code) {
        self.rejected.get_or_create(&ByCode { code: code.as_str() }).inc();
    }

    pub(crate) fn dropped(&self, count: u64) {
        self.dropped.inc_by(count);
    }

    pub(crate) fn identified(&self, code: &'static str) {
        self.identified.get_or_create(&ByCode { code }).inc();
    }

    /// A request with so many events in so many bytes came.
    pub(crate) fn came(&self, events: usize, bytes: usize) {
        self.events.observe(events as f64);
        self.bytes.observe(bytes as f64);
    }

    /// A request with events that came then is answered now.
    pub(crate) fn took(&self, since: Instant) {
        self.answering.observe(since.elapsed().as_secs_f64());
    }

    /// Events that were handed to the store then are durable now.
    pub(crate) fn waited(&self, since: Instant) {
        self.storing.observe(since.elapsed().as_secs_f64());
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    /// Everything in the OpenMetrics text format, with how far the store is behind its log.
    pub(crate) fn encode(&self, behind: Lag) -> String {
        self.unindexed.set(behind.unindexed as i64);
        self.unlinked.set(behind.unlinked as i64);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_dashboard_is_one_of_these() {
        let metrics = Metrics::default();
        // What is told apart by a label is there once it has one.
        metrics.answered(StatusCode::OK);
        metrics.rejected(Code::StaleVersion);
        metrics.identified("joined");
        let text = metrics.encode(Lag { unindexed: 0, unlinked: 0 });
        let names = include_str!("../../deploy/grafana.json").split("beaconry_").skip(1);
        let names: Vec<&str> = names
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next())
            .collect();
        assert!(names.len() > 15, "{names:?}");
        for name in names {
            assert!(text.contains(&format!("\nbeaconry_{name}")), "{name} is not in\n{text}");
        }
    }
}
