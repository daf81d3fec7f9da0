//! What the inspector puts on the page: a shield that takes what the pointer does, a frame around what is pointed at, and the
//! panel.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, ShadowRoot};

use crate::page;

const CSS: &str = include_str!("panel.css");

/// Everything that is shown, each in a closed shadow tree. The shield has a house of its own, so that the page's events tell
/// it from the panel.
#[derive(Debug)]
pub(crate) struct Surface {
    pub(crate) shield: HtmlElement,
    pub(crate) house: HtmlElement,
    /// The panel's tree.
    pub(crate) tree: ShadowRoot,
    pub(crate) panel: HtmlElement,
    veil: HtmlElement,
    frame: HtmlElement,
}

impl Surface {
    pub(crate) fn build() -> Surface {
        let (behind, tree) = (page::house(CSS), page::house(CSS));
        let (veil, frame, panel) =
            (node("div", "shield", ""), node("div", "frame", ""), node("div", "panel", ""));
        for (name, value) in
            [("role", "dialog"), ("aria-label", "Beaconry: pick on this page"), ("tabindex", "-1")]
        {
            let _ = panel.set_attribute(name, value);
        }
        let _ = behind.append_child(&veil);
        let _ = behind.append_child(&frame);
        let _ = tree.append_child(&panel);
        let house = |tree: &ShadowRoot| tree.host().unchecked_into::<HtmlElement>();
        let surface =
            Surface { shield: house(&behind), house: house(&tree), tree, panel, veil, frame };
        surface.settle();
        surface
    }

    /// Moves into the dialog that is open, where one is.
    pub(crate) fn settle(&self) {
        page::settle(&self.shield, &self.house);
    }

    /// Lets the page be pointed at, or used.
    pub(crate) fn point(&self, pointing: bool) {
        self.veil.set_hidden(!pointing);
        show(&self.veil, pointing);
        if !pointing {
            show(&self.frame, false);
        }
    }

    /// Draws the frame around an element.
    pub(crate) fn frame(&self, element: Option<&Element>, never: bool) {
        let Some(element) = element else { return show(&self.frame, false) };
        let place = element.get_bounding_client_rect();
        let style = self.frame.style();
        for (side, length) in [
            ("left", place.left()),
            ("top", place.top()),
            ("width", place.width()),
            ("height", place.height()),
        ] {
            let _ = style.set_property(side, &format!("{length}px"));
        }
        self.frame.set_class_name(if never { "frame never" } else { "frame" });
        show(&self.frame, true);
    }

    pub(crate) fn remove(&self) {
        self.shield.remove();
        self.house.remove();
    }
}

fn show(element: &HtmlElement, shown: bool) {
    let _ = element.style().set_property("display", if shown { "block" } else { "none" });
}

/// An element of the inspector's own.
pub(crate) fn node(tag: &str, class: &str, text: &str) -> HtmlElement {
    // It fails for names that are none, and for nothing else.
    let made = page::document().create_element(tag).unwrap_or_else(|error| error.unchecked_into());
    let made: HtmlElement = made.unchecked_into();
    if !class.is_empty() {
        made.set_class_name(class);
    }
    if !text.is_empty() {
        made.set_text_content(Some(text));
    }
    made
}
