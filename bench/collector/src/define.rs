//! The event that is sent, in a data folder that has it or gets it.

use std::path::Path;

use beaconry_model::category::Category;
use beaconry_model::event::{Description, Event, NewEvent};
use beaconry_model::fields::{Field, Fields};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::retention::Retention;
use beaconry_model::section::{Origin, Section};
use beaconry_model::time::DAY_MS;
use beaconry_store::{Clock, Store, bytes, event_seed};

use crate::beacon::ORIGIN;

/// What people call it.
const NAME: &str = "Order placed, measured";

/// Makes the event where the folder has none, with web tracking enabled; says its key.
pub fn define(folder: &Path) -> Result<String, String> {
    defined(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn defined(folder: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let store = Store::open(folder, Clock::default())?;
    let has = |event: &Event| event.name().as_str() == NAME;
    if let Some(known) = store.snapshot().all_events().iter().find(|known| has(&known.event)) {
        return Ok(known.event.key().to_string());
    }
    // Yesterday, so that its version is current.
    let now = store.clock().now().plus(-DAY_MS);
    let name = Name::try_from("Measured".to_owned())?;
    let id = SectionId::new(&name, bytes()?)?;
    let origins = vec![Origin::try_from(ORIGIN.to_owned())?];
    let section = Section { id: id.clone(), name, origins, origin_required: false };
    store.registry().add_section(&section, "bench", now)?;
    let fields = [
        "orderid:text:required",
        "totalvalue:decimal:required",
        "currency:text",
        "productcategories:text",
    ];
    let fields = fields.into_iter().map(Field::parse).collect::<Result<_, _>>()?;
    let new = NewEvent {
        section: id,
        category: Category::ALL[0],
        name: Name::try_from(NAME.to_owned())?,
        description: Description::default(),
        retention: Retention::Forever,
        fields: Fields::with_source(fields)?,
    };
    let event = Event::create(new, event_seed()?, now)?;
    let number = store.registry().add_event(&event, "bench", now)?;
    store.change_event(number, "bench", "event.edit", |event| event.enable_tracking(false, now))?;
    Ok(event.key().to_string())
}
