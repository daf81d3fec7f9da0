//! What the collector counts, for Prometheus.

use hyper::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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
    unindexed: Gauge,
    unlinked: Gauge,
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
