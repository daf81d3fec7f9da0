//! What stands before the collector, as `beaconry serve` is told: rates, trusted proxies, and TLS.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use beaconry_collector::front::Rates;
use beaconry_collector::tls::Tls;
use beaconry_traffic::IpNet;
#[cfg(feature = "console")]
use beaconry_traffic::Networks;

use super::super::error::CliError;

#[derive(Debug, Args)]
pub(super) struct Guard {
    /// The collector's certificate in PEM, those that vouch for it after it: it then speaks HTTPS, with HTTP/2. A renewed
    /// one is taken within seconds, without a restart.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// A network whose proxies say for whom they ask, by Forwarded or X-Forwarded-For; may be said several times. This
    /// machine always is one; private networks are where none is said.
    #[arg(long, value_name = "NET")]
    trusted_proxy: Vec<IpNet>,
    /// Requests a second that the collector takes from one network (/24 of IPv4, /56 of IPv6); 0 for any number.
    #[arg(long, value_name = "N", default_value_t = Rates::default().requests_per_network)]
    network_rate: u32,
    /// Events a second that the collector takes for one event's key; 0 for any number.
    #[arg(long, value_name = "N", default_value_t = Rates::default().events_per_key)]
    key_rate: u32,
}

impl Guard {
    pub(super) fn rates(&self) -> Rates {
        Rates {
            requests_per_network: self.network_rate,
            events_per_key: self.key_rate,
            trusted_proxies: self.trusted_proxy.clone(),
        }
    }

    /// Who may say for whom it asks.
    #[cfg(feature = "console")]
    pub(super) fn proxies(&self) -> Networks {
        match self.trusted_proxy.as_slice() {
            [] => Networks::local(),
            these => Networks::only(these),
        }
    }

    pub(super) fn tls(&self) -> Result<Option<Arc<Tls>>, CliError> {
        let files = self.tls_certificate.as_deref().zip(self.tls_key.as_deref());
        let opened = files.map(|(certificate, key)| Tls::open(certificate, key)).transpose();
        Ok(opened.map_err(|error| CliError::Usage(error.to_string()))?.map(Arc::new))
    }
}
