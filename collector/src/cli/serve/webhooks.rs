//! How webhooks are posted to, as `beaconry serve` is told.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use beaconry_hooks::Sending;
use beaconry_store::{Backoff, Store};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Webhooks {
    /// Let webhooks post to this machine and to private networks, and without encryption.
    #[arg(long)]
    webhooks_to_private_addresses: bool,
    /// How often a post to a webhook is tried before it is given up.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = RangedU64ValueParser::<u32>::new().range(1..=100))]
    webhook_tries: u32,
    /// The wait after the first try, in milliseconds. Each further one is twice as long, up to an hour.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = RangedU64ValueParser::<u64>::new().range(1..=3_600_000))]
    webhook_wait: u64,
    /// How long a receiver may take to answer, in seconds.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = RangedU64ValueParser::<u64>::new().range(1..=60))]
    webhook_patience: u64,
}

impl Webhooks {
    /// Posts on threads of its own until the channel says so.
    pub(super) fn start(
        self,
        store: &Arc<Store>,
        stopped: &watch::Receiver<bool>,
    ) -> JoinHandle<()> {
        if self.webhooks_to_private_addresses {
            store.allow_private_webhooks();
        }
        let sending = Sending {
            backoff: Backoff {
                first: Duration::from_millis(self.webhook_wait),
                tries: self.webhook_tries,
            },
            patience: Duration::from_secs(self.webhook_patience),
            ..Sending::default()
        };
        let (store, stopped) = (store.clone(), stopped.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = beaconry_hooks::run(&store, sending, || *stopped.borrow()) {
                tracing::error!(%error, "nothing is posted to webhooks any more; restart Beaconry");
            }
        })
    }
}
