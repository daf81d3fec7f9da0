//! The page, as the inspector asks it: elements as selectors see them, and values as every snippet reads them.

use std::iter::successors;

use beaconry_model::capture::{Mapping, Place};
use beaconry_model::pick::Read;
use beaconry_model::value::Kind;
use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, Node, ShadowRoot, Window};

use crate::selector::Shape;
use crate::sources::Facts;

#[wasm_bindgen(raw_module = "../../js/inspect.js")]
unsafe extern "C" {
    /// How many elements of the page a selector matches.
    pub(crate) safe fn count(selector: &str) -> usize;
    safe fn look(source: &JsValue, near: &Node, kind: u8) -> JsValue;
    /// Whether a selector leads from a node to this element.
    pub(crate) safe fn leads(selector: &str, near: &Node, element: &Element) -> bool;
    /// Whether an element is never read.
    pub(crate) safe fn masked(element: &Element) -> bool;
    #[wasm_bindgen(js_name = pageValues)]
    safe fn page_values() -> JsValue;
    /// The page's address, as beacons carry it.
    #[wasm_bindgen(js_name = pageUrl)]
    pub(crate) safe fn page_url() -> String;
    /// The page's element at a point.
    pub(crate) safe fn under(x: i32, y: i32) -> Option<Element>;
    /// A closed shadow tree with these styles.
    pub(crate) safe fn house(css: &str) -> ShadowRoot;
    /// Puts two houses where they can be used.
    pub(crate) safe fn settle(one: &HtmlElement, other: &HtmlElement);
}

/// The window, which every page has.
pub(crate) fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// The document, which every page has.
pub(crate) fn document() -> Document {
    window().document().unwrap_or_else(|| JsValue::NULL.unchecked_into())
}

/// An element and what it lies in, up to the root of its tree.
pub(crate) fn path(element: &Element) -> Vec<Shape> {
    successors(Some(element.clone()), |element| element.parent_element())
        .map(|element| shape(&element))
        .collect()
}

fn shape(element: &Element) -> Shape {
    let tag = element.local_name();
    let same = |other: &Element| other.local_name() == tag;
    let before = successors(element.previous_element_sibling(), Element::previous_element_sibling);
    let place = before.filter(same).count() + 1;
    let mut behind = successors(element.next_element_sibling(), Element::next_element_sibling);
    let alone = place == 1 && !behind.any(|other| same(&other));
    Shape { attributes: attributes(element), place, alone, tag }
}

fn attributes(element: &Element) -> Vec<(String, String)> {
    let names = element.get_attribute_names();
    let names = names.iter().filter_map(|name| name.as_string());
    names.map(|name| (name.clone(), element.get_attribute(&name).unwrap_or_default())).collect()
}

/// What of an element can be read.
pub(crate) fn facts(element: &Element) -> Facts {
    let tag = element.local_name();
    let input = matches!(tag.as_str(), "input" | "select" | "textarea");
    let in_form = element.closest("form").ok().flatten().is_some() || element.has_attribute("form");
    let name = element.get_attribute("name").filter(|name| input && in_form && !name.is_empty());
    let attributes = attributes(element).into_iter().filter(|(_, value)| !value.trim().is_empty());
    Facts { input, form_input: name, attributes: attributes.map(|(name, _)| name).collect() }
}

/// What the page itself holds: kind, name, and more about it.
pub(crate) fn values() -> Vec<[String; 3]> {
    serde_wasm_bindgen::from_value(page_values()).unwrap_or_default()
}

/// What a mapping would read for a field of this kind, seen from a node.
pub(crate) fn read(mapping: &Mapping, near: &Node, kind: Kind) -> Option<Read> {
    let came = look(&source(mapping), near, kind as u8);
    if let Some(text) = came.dyn_ref::<JsString>() {
        return Some(Read::Text(String::from(text)));
    }
    came.as_f64().map(Read::Number).or_else(|| came.as_bool().map(Read::Bool))
}

/// A mapping's source, as the page side takes it.
fn source(mapping: &Mapping) -> JsValue {
    match mapping.place() {
        Place::Constant(constant) => constant.into(),
        Place::Read { reader, what, more, anywhere } => {
            let text = |text: Option<_>| {
                text.map_or(JsValue::UNDEFINED, |text: std::borrow::Cow<str>| (*text).into())
            };
            Array::of4(&reader.into(), &text(what), &text(more), &anywhere.into()).into()
        }
    }
}

/// The nearest thing around an element, itself included, that visitors act on.
pub(crate) fn actionable(element: &Element) -> Element {
    const ACTIONABLE: &str = "a,button,summary,label,[role=button],[role=link],[role=tab],[role=menuitem],input,select,textarea";
    element.closest(ACTIONABLE).ok().flatten().unwrap_or_else(|| element.clone())
}

/// Whether an element is, or lies in, one that does something when it is clicked.
pub(crate) fn is_acted_on(element: &Element) -> bool {
    const DOES: &str = "a,button,summary,[role=button],[role=link],[role=tab],[role=menuitem],\
                        [type=submit],[type=button],[type=image]";
    element.closest(DOES).ok().flatten().is_some()
}

/// The form that an element lies in.
pub(crate) fn form(element: &Element) -> Option<Element> {
    element.closest("form").ok().flatten()
}

/// An element next to another one in the tree, for who walks by keyboard.
pub(crate) fn step(from: Option<&Element>, key: &str) -> Option<Element> {
    let shown = |element: &Element| {
        !matches!(
            element.local_name().as_str(),
            "script" | "style" | "template" | "link" | "meta" | "head" | "beaconry-inspector"
        )
    };
    let Some(from) = from else { return document().body().map(Into::into) };
    let inside = || {
        from.shadow_root()
            .and_then(|tree| tree.first_element_child())
            .or_else(|| from.first_element_child())
    };
    let around = || {
        let host = || from.get_root_node().dyn_into::<ShadowRoot>().ok().map(|tree| tree.host());
        from.parent_element().or_else(host)
    };
    match key {
        "ArrowUp" => around(),
        "ArrowDown" => successors(inside(), Element::next_element_sibling).find(shown),
        "ArrowRight" => {
            successors(from.next_element_sibling(), Element::next_element_sibling).find(shown)
        }
        "ArrowLeft" => {
            successors(from.previous_element_sibling(), Element::previous_element_sibling)
                .find(shown)
        }
        _ => None,
    }
}
