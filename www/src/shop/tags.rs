//! The tags pasted into the shop: what its owner pasted last, which is not always the newest.

use serde::{Deserialize, Serialize};

use super::Shop;

/// Where the pasted tags are kept in the data folder.
const SETTING: &str = "shop.pasted";

/// One pasted tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tag {
    /// The event's name.
    pub(super) event: String,
    /// The version its snippet is pinned to.
    pub(super) version: u32,
    /// The code, as the console gave it.
    pub(super) code: String,
}

/// What is pasted.
pub(super) fn pasted(shop: &Shop) -> Result<Vec<Tag>, String> {
    let setting = shop.store.registry().setting(SETTING).map_err(|error| error.to_string())?;
    Ok(setting.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
}

/// Pastes the current code of every event whose tracking is on, in place of what was pasted before.
pub(super) fn paste_all(shop: &Shop) -> Result<(), String> {
    let mut tags = Vec::new();
    for known in shop.store.snapshot().visible_events() {
        let Some(pin) = known.event.tracking().pin() else { continue };
        let code = (shop.snippets)(known)?.paste;
        tags.push(Tag { event: known.event.name().to_string(), version: pin.version, code });
    }
    let json = serde_json::to_string(&tags).map_err(|error| error.to_string())?;
    shop.store.registry().set_setting(SETTING, &json).map_err(|error| error.to_string())
}
