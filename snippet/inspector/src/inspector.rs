//! The inspector at work: what pointer and keys do while somebody points, and what the panel's buttons do.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use beaconry_model::fields::{Field, Fields};
use beaconry_model::pick::{Pick, Picked};
use gloo_events::{EventListener, EventListenerOptions, EventListenerPhase};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, Event, HtmlElement, HtmlInputElement, HtmlSelectElement, KeyboardEvent, MouseEvent,
    Node,
};

use crate::page;
use crate::state::{Chosen, short};
use crate::surface::Surface;
use crate::talk::Talk;

/// What the page is not to hear of while somebody points at it.
const POINTER: &[&str] = &[
    "pointermove",
    "pointerdown",
    "pointerup",
    "pointerover",
    "pointerout",
    "mousemove",
    "mousedown",
    "mouseup",
    "mouseover",
    "mouseout",
    "touchstart",
    "touchmove",
    "touchend",
    "click",
    "auxclick",
    "dblclick",
    "contextmenu",
    "dragstart",
    "submit",
];
/// What the page is not to hear of from the panel: many close what is open when something else is clicked or focused.
const OF_PANEL: &[&str] = &[
    "pointerdown",
    "pointerup",
    "mousedown",
    "mouseup",
    "touchstart",
    "touchend",
    "click",
    "focusin",
    "focusout",
    "keydown",
    "keyup",
    "keypress",
    "input",
    "change",
];

/// The inspector on a page.
pub(crate) struct Inspector {
    pub(crate) talk: Talk,
    pub(crate) event: String,
    pub(crate) fields: Fields,
    pub(crate) surface: Surface,
    pub(crate) now: RefCell<Now>,
    end: Function,
    listeners: RefCell<Vec<EventListener>>,
}

/// Where somebody is.
#[derive(Debug, Default)]
pub(crate) struct Now {
    /// Whether the page is pointed at, not used.
    pub(crate) pointing: bool,
    pub(crate) at: Option<Element>,
    pub(crate) chosen: Option<Chosen>,
    /// The element of the trigger that was picked last, which values are near to.
    pub(crate) near: Option<Element>,
    pub(crate) mapped: BTreeSet<String>,
    /// What was said last, and whether it is good.
    pub(crate) said: Option<(bool, String)>,
    pub(crate) top: bool,
}

impl Inspector {
    pub(crate) fn show(
        talk: Talk,
        event: String,
        fields: Fields,
        mapped: BTreeSet<String>,
        end: Function,
    ) {
        let now = Now { pointing: true, mapped, ..Now::default() };
        let inspector = Rc::new(Inspector {
            talk,
            event,
            fields,
            surface: Surface::build(),
            now: RefCell::new(now),
            end,
            listeners: RefCell::default(),
        });
        inspector.listen();
        inspector.surface.point(true);
        inspector.render(None);
    }

    fn listen(self: &Rc<Self>) {
        let window = page::window();
        for kind in POINTER {
            self.on(&window, kind, EventListenerPhase::Capture, |this, event| this.pointer(event));
        }
        self.on(&window, "keydown", EventListenerPhase::Capture, |this, event| {
            this.key(event.unchecked_ref())
        });
        self.on(&window, "focusin", EventListenerPhase::Capture, |this, event| this.focus(event));
        self.on(&window, "scroll", EventListenerPhase::Capture, |this, _| this.draw());
        self.on(&window, "resize", EventListenerPhase::Capture, |this, _| this.draw());
        self.on(&self.surface.panel, "click", EventListenerPhase::Bubble, |this, event| {
            this.press(event)
        });
        self.on(&self.surface.panel, "change", EventListenerPhase::Bubble, |this, event| {
            this.change(event)
        });
        for kind in OF_PANEL {
            self.on(&self.surface.house, kind, EventListenerPhase::Bubble, |_, event| {
                event.stop_propagation()
            });
        }
    }

    fn on(
        self: &Rc<Self>,
        target: &web_sys::EventTarget,
        kind: &'static str,
        phase: EventListenerPhase,
        act: impl Fn(&Rc<Self>, &Event) + 'static,
    ) {
        let this = self.clone();
        let options = EventListenerOptions { phase, passive: false };
        let listener =
            EventListener::new_with_options(target, kind, options, move |event| act(&this, event));
        self.listeners.borrow_mut().push(listener);
    }

    /// Whether an event is the panel's.
    fn is_panel(&self, event: &Event) -> bool {
        let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        target.is_some_and(|target| target == self.surface.house)
    }

    fn pointer(self: &Rc<Self>, event: &Event) {
        if !self.now.borrow().pointing || self.is_panel(event) {
            return;
        }
        event.stop_immediate_propagation();
        let kind = event.type_();
        if !kind.starts_with("touch") && !kind.starts_with("pointer") {
            // Touches still scroll the page, and turn into clicks.
            event.prevent_default();
        }
        if !matches!(kind.as_str(), "pointermove" | "pointerdown" | "click") {
            return;
        }
        self.surface.settle();
        let place: &MouseEvent = event.unchecked_ref();
        let found = page::under(place.client_x(), place.client_y());
        match found {
            Some(element) if kind == "click" => self.choose(element),
            found => self.point_at(found),
        }
    }

    /// Who goes through the page by Tab points at what has the focus.
    fn focus(self: &Rc<Self>, event: &Event) {
        if self.now.borrow().pointing && !self.is_panel(event) {
            let inner = event.composed_path().get(0).dyn_into::<Element>().ok();
            self.point_at(inner);
        }
    }

    fn key(self: &Rc<Self>, event: &KeyboardEvent) {
        let key = event.key();
        let in_panel = self.surface.tree.active_element();
        let on_control = in_panel.is_some_and(|element| {
            matches!(element.local_name().as_str(), "button" | "select" | "input")
        });
        let (pointing, choosing) = (self.now.borrow().pointing, self.now.borrow().chosen.is_some());
        let take = || {
            event.prevent_default();
            event.stop_immediate_propagation();
        };
        match key.as_str() {
            "Escape" if choosing => {
                take();
                self.act("back");
            }
            "Escape" if pointing => {
                take();
                self.act("pause");
            }
            "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" if pointing && !on_control => {
                take();
                let from = self.now.borrow().at.clone();
                let next = page::step(from.as_ref(), &key);
                if let Some(next) = next {
                    self.point_at(Some(next));
                    self.bring_into_view();
                }
            }
            "Enter" if pointing && !on_control => {
                take();
                let at = self.now.borrow().at.clone();
                if let Some(at) = at {
                    self.choose(at);
                }
            }
            _ => {}
        }
    }

    fn bring_into_view(&self) {
        let at = self.now.borrow().at.clone();
        if let Some(at) = at {
            at.scroll_into_view_with_bool(false);
        }
        self.draw();
    }

    fn point_at(&self, element: Option<Element>) {
        let same = self.now.borrow().at == element;
        if !same {
            self.now.borrow_mut().at = element;
            self.draw();
        }
    }

    fn draw(&self) {
        let now = self.now.borrow();
        if now.pointing {
            let shown = now.at.as_ref();
            self.surface.frame(shown, shown.is_some_and(page::masked));
        }
    }

    fn choose(self: &Rc<Self>, element: Element) {
        self.point_at(Some(element.clone()));
        let mut chosen = Chosen::element(element);
        if !chosen.masked {
            chosen.suggest(&self.fields, &self.now.borrow().mapped, &self.near());
        }
        let mut now = self.now.borrow_mut();
        now.chosen = Some(chosen);
        now.said = None;
        drop(now);
        self.render(Some("first"));
    }

    /// What values are near to: the element of the trigger that was picked last, else the whole page.
    pub(crate) fn near(&self) -> Node {
        let near = self.now.borrow().near.clone().filter(|near| near.is_connected());
        near.map_or_else(|| page::document().into(), Into::into)
    }

    /// The field that is chosen.
    pub(crate) fn field(&self, chosen: &Chosen) -> Option<&Field> {
        self.fields.get(&chosen.field)
    }

    fn press(self: &Rc<Self>, event: &Event) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let button = target.and_then(|target| target.closest("[data-do]").ok().flatten());
        if let Some(word) = button.and_then(|button| button.get_attribute("data-do")) {
            self.act(&word);
        }
    }

    /// Does what a button says.
    fn act(self: &Rc<Self>, word: &str) {
        match word {
            "click" | "submit" | "seen" => return self.send_trigger(word),
            "fill" => return self.send_field(),
            "end" => return self.finish(),
            "page" => {
                let mut chosen = Chosen::page();
                chosen.suggest(&self.fields, &self.now.borrow().mapped, &self.near());
                self.now.borrow_mut().chosen = Some(chosen);
                return self.render(Some("first"));
            }
            "point" => self.now.borrow_mut().pointing = true,
            "pause" => {
                let mut now = self.now.borrow_mut();
                now.pointing = false;
                now.chosen = None;
            }
            "move" => {
                let mut now = self.now.borrow_mut();
                now.top = !now.top;
            }
            _ => self.now.borrow_mut().chosen = None,
        }
        let pointing = self.now.borrow().pointing;
        self.surface.point(pointing);
        self.draw();
        self.render(None);
    }

    /// Takes what was chosen from a list.
    fn change(self: &Rc<Self>, event: &Event) {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok())
        else {
            return;
        };
        let (id, near) = (target.id(), self.near());
        let picked =
            target.dyn_ref::<HtmlSelectElement>().map(HtmlSelectElement::value).unwrap_or_default();
        let at = picked.parse().unwrap_or_default();
        let mut now = self.now.borrow_mut();
        let Some(chosen) = now.chosen.as_mut() else { return };
        match id.as_str() {
            "element" => chosen.target.iter_mut().for_each(|target| target.at = at),
            "on-click" => chosen.actionable.iter_mut().for_each(|target| target.at = at),
            "on-submit" => chosen.form.iter_mut().for_each(|target| target.at = at),
            "here" => {
                chosen.here =
                    target.dyn_ref::<HtmlInputElement>().is_some_and(HtmlInputElement::checked)
            }
            "field" => {
                chosen.field = picked;
                chosen.way = 0;
                let fitting =
                    self.fields.get(&chosen.field).and_then(|field| chosen.fitting(field, &near));
                chosen.offer = fitting.unwrap_or_default();
            }
            "source" => (chosen.offer, chosen.way) = (at, 0),
            "way" => chosen.way = at,
            _ => {}
        }
        drop(now);
        self.render(Some(&id));
    }

    fn send_trigger(self: &Rc<Self>, word: &str) {
        let made = self.now.borrow().chosen.as_ref().and_then(|chosen| chosen.trigger(word));
        let Some((trigger, element)) = made else { return };
        let pick = Pick { page: page::page_url(), what: Picked::Trigger(trigger), read: None };
        self.send(pick, "The trigger is in the form.".to_owned(), move |now| {
            now.near = Some(element)
        });
    }

    fn send_field(self: &Rc<Self>) {
        let near = self.near();
        let chosen = self.now.borrow().chosen.clone();
        let Some((chosen, field)) =
            chosen.as_ref().and_then(|chosen| Some((chosen, self.field(chosen)?)))
        else {
            return;
        };
        let filling = chosen.filling(field, &near);
        let Some(way) = filling.ways.get(chosen.way) else { return };
        let pick = Pick {
            page: page::page_url(),
            what: Picked::Field(way.mapping.clone()),
            read: filling.read.map(short),
        };
        let name = field.name().to_string();
        self.send(pick, format!("Where {name} comes from is in the form."), move |now| {
            now.mapped.insert(name);
        });
    }

    /// Sends a pick, and says how that went.
    fn send(self: &Rc<Self>, pick: Pick, done: String, then: impl FnOnce(&mut Now) + 'static) {
        let this = self.clone();
        spawn_local(async move {
            let sent = this.talk.send(&pick).await;
            let mut now = this.now.borrow_mut();
            now.said = Some(match &sent {
                Ok(()) => (true, format!("{done} Save it there, or point at the next thing.")),
                Err(why) => (false, why.clone()),
            });
            if sent.is_ok() {
                now.chosen = None;
                then(&mut now);
            }
            drop(now);
            this.render(None);
        });
    }

    /// Leaves the page as it was.
    fn finish(&self) {
        let _ = self.end.call0(&JsValue::NULL);
        self.surface.remove();
        // The one that is running is let go of once it has run.
        let listeners = self.listeners.take();
        spawn_local(async move { drop(listeners) });
    }
}
