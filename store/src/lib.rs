//! Everything durable: registry, event log, quarantine, audit.
