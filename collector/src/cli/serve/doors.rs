//! The console's door as a server opens it: who may come in, where, and the link for who comes first.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use beaconry_model::names::Name;
use beaconry_model::section::Origin;
use beaconry_store::{NewPerson, People, Role, Store, Token};
use beaconry_traffic::Networks;
use beaconry_www::access::Site;

use super::super::error::CliError;
use super::super::output::line;
use super::local;

/// What the console of a server is opened with.
pub(super) struct Doors {
    pub(super) listener: TcpListener,
    pub(super) people: Arc<People>,
    pub(super) site: Site,
    pub(super) proxies: Networks,
    /// Makes the first administrator; in a demo, lets everybody in who has it.
    link: Option<Token>,
    demo: bool,
    proxied: bool,
}

impl Doors {
    /// Opens them, and makes the link for the first administrator where there is none yet.
    pub(super) fn open(
        store: &Store,
        listener: TcpListener,
        public: Option<&Origin>,
        proxies: Networks,
    ) -> Result<Doors, CliError> {
        let site = site(local(&listener, "--console")?, public)?;
        let people = Arc::new(People::open(store.folder())?);
        people.set_console_url(&site.url())?;
        let link = people.first_link(store.clock().now())?;
        Ok(Doors { listener, people, site, proxies, link, demo: false, proxied: public.is_some() })
    }

    /// Makes a link that is good for as long as the demo runs: who tries it should need no password.
    pub(super) fn open_to_all(&mut self, store: &Store) -> Result<(), CliError> {
        let visitor = NewPerson {
            email: "visitor@demo.invalid".to_owned(),
            name: Name::try_from("Demo visitor".to_owned())?,
            role: Role::Administrator,
            password: None,
        };
        self.link = Some(self.people.demo_link(&visitor, store.clock().now())?);
        self.demo = true;
        Ok(())
    }

    /// Says where the console is. In a demo the address itself lets in, so that one click does.
    pub(super) fn say(&self) {
        let url = self.site.url();
        if let (true, Ok(address)) = (self.proxied, self.listener.local_addr()) {
            line(&format!("listens    {address}  for the console's reverse proxy"));
        }
        let Some(link) = &self.link else { return line(&format!("console    {url}")) };
        let enter = format!("{url}/enter/{}", link.as_str());
        if self.demo {
            return line(&format!("console    {enter}"));
        }
        line(&format!("first      {enter}"));
        line("           makes the first administrator, once; another start prints another one");
        line(&format!("console    {url}"));
    }
}

/// Where people reach the console, or why they must not.
pub(super) fn site(listens: SocketAddr, public: Option<&Origin>) -> Result<Site, CliError> {
    Site::new(listens, public.cloned()).map_err(|wrong| CliError::Usage(wrong.to_string()))
}
