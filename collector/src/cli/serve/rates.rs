//! How often the API may be asked, as `beaconry serve` is told.

use std::sync::Arc;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use beaconry_store::{Keys, People, Store};
use beaconry_www::Snippets;
use beaconry_www::api::{Api, Limits};

use super::super::error::CliError;

#[derive(Debug, Args)]
pub(super) struct Rates {
    /// Requests a second that the API takes with one key. 0 is no bound.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = rate())]
    api_rate: u32,
    /// Requests a second that the API takes for the same profile. 0 is no bound.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = rate())]
    api_profile_rate: u32,
    /// Access tokens a minute that one API key gets. 0 is no bound.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = rate())]
    api_token_rate: u32,
}

fn rate() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(0..=1_000_000)
}

impl Rates {
    /// The API at these rates.
    pub(super) fn api(
        &self,
        store: &Arc<Store>,
        people: &Arc<People>,
        snippets: Snippets,
    ) -> Result<Api, CliError> {
        let limits = Limits {
            requests_per_second: self.api_rate,
            profile_requests_per_second: self.api_profile_rate,
            tokens_per_minute: self.api_token_rate,
        };
        let keys = Arc::new(Keys::open(store.folder())?);
        Ok(Api::new(store.clone(), keys, people.clone(), snippets, limits))
    }
}
