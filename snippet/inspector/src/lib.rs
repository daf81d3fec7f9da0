//! Point and click: the inspector that an owner's own page shows, opened by a link from the console.
//!
//! It highlights what somebody points at, proposes selectors that last, says what a field would get from it by the same
//! rules as every event, and sends what is chosen back to the form. It changes nothing, and saves nothing.

pub mod escape;
mod inspector;
pub mod names;
mod page;
mod panel;
pub mod reading;
pub mod selector;
pub mod sources;
mod state;
mod surface;
mod talk;

use std::collections::BTreeSet;

use beaconry_model::fields::Fields;
use js_sys::Function;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::inspector::Inspector;
use crate::talk::Talk;

/// What the collector answered to the page's link.
#[derive(Debug, Deserialize)]
struct Invitation {
    key: String,
    event: String,
    fields: Fields,
    /// Fields that have a source already.
    mapped: BTreeSet<String>,
}

/// Shows the inspector. Picks go to this address; `end` makes the tab forget that it was opened to pick.
#[wasm_bindgen]
pub fn start(address: String, invitation: JsValue, end: Function) -> Result<(), JsValue> {
    let Invitation { key, event, fields, mapped } = serde_wasm_bindgen::from_value(invitation)?;
    Inspector::show(Talk { address, key }, event, fields, mapped, end);
    Ok(())
}
