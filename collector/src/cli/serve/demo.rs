//! `beaconry demo`: everything at once, with two ready events and a shop that has their snippets pasted in.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;

use beaconry_model::capture::Capture;
use beaconry_model::error::Invalid;
use beaconry_model::event::{Description, Event, NewEvent};
use beaconry_model::fields::Fields;
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::{Origin, Section};
use beaconry_model::templates::Template;
use beaconry_store::{Store, bytes, event_seed};
use beaconry_www::shop::{self, Shop};

use super::super::Context;
use super::super::error::CliError;
use super::super::output::line;
use super::super::snippet;
use super::{Serve, Server, bind, local, run_until_told};

/// Whom the audit names for what is made here.
const ACTOR: &str = "demo";

#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    serve: Serve,
    /// Where the shop listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4002")]
    shop: SocketAddr,
}

impl Demo {
    pub(crate) fn run(self, context: Context) -> Result<(), CliError> {
        run_until_told(async move {
            let listener = bind("--shop", self.shop, Ok(None)).await?;
            let address = local(&listener, "--shop")?;
            let mut server = Server::open(&self.serve, context).await?;
            seed(&server.store, address)?;
            let shop = Shop {
                store: server.store.clone(),
                snippets: snippet::maker(&server.store, &server.url),
            };
            shop::paste_at_first(&shop).map_err(CliError::Demo)?;
            server.console.open_to_all(&server.store)?;
            line(&format!("shop       http://{address}"));
            server.say();
            server.shop = Some((listener, shop));
            server.run().await
        })
    }
}

/// Makes the demo's section and events where there are none yet. What is there stays as it is, but for the shop's origin.
fn seed(store: &Arc<Store>, shop: SocketAddr) -> Result<(), CliError> {
    let origins = [format!("http://{shop}"), format!("http://localhost:{}", shop.port())];
    let origins = origins.into_iter().map(Origin::try_from).collect::<Result<Vec<_>, _>>()?;
    let section = match store.snapshot().sections().first() {
        None => make_section(store, origins)?,
        Some(section) => admit(store, section.as_ref().clone(), origins)?,
    };
    store.reload()?;
    if store.snapshot().all_events().is_empty() {
        make_event(
            store,
            &section,
            "order-placed",
            "A visitor placed an order in the shop.",
            shop::order_placed,
        )?;
        let about = "A visitor signed up for the letter at the foot of the page.";
        make_event(store, &section, "newsletter-signed-up", about, shop::newsletter_signed_up)?;
    }
    Ok(())
}

fn make_section(store: &Store, origins: Vec<Origin>) -> Result<Section, CliError> {
    let name = Name::try_from("Lumen & Lee".to_owned())?;
    let id = SectionId::new(&name, bytes().map_err(CliError::io("random bytes"))?)?;
    let section = Section { id, name, origins, origin_required: false };
    store.registry().add_section(&section, ACTOR, store.clock().now())?;
    Ok(section)
}

fn admit(store: &Store, mut section: Section, origins: Vec<Origin>) -> Result<Section, CliError> {
    let before = section.origins.len();
    for origin in origins {
        if !section.origins.contains(&origin) {
            section.origins.push(origin);
        }
    }
    if section.origins.len() > before {
        store.registry().change_section(&section, ACTOR, store.clock().now())?;
    }
    Ok(section)
}

/// An event from a template, its tracking on.
fn make_event(
    store: &Store,
    section: &Section,
    template: &str,
    description: &str,
    capture: fn() -> Result<Capture, Invalid>,
) -> Result<(), CliError> {
    let (template, now) = (Template::find(template)?, store.clock().now());
    let new = NewEvent {
        section: section.id.clone(),
        category: template.category,
        name: Name::try_from(template.name.to_owned())?,
        description: Description::try_from(description.to_owned())?,
        retention: Retention::Days(730),
        fields: Fields::try_from(template.fields())?,
    };
    let mut event = Event::create(new, event_seed().map_err(CliError::io("random bytes"))?, now)?;
    event.set_capture(capture()?, now)?;
    event.enable_tracking(false, now)?;
    store.registry().add_event(&event, ACTOR, now)?;
    store.reload()?;
    Ok(())
}
