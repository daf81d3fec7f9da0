//! The panel: what is chosen, what it may become, and what a field would get.

use beaconry_model::pick::Read;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::inspector::{Inspector, Now};
use crate::reading::called;
use crate::state::{Chosen, Filling, Target};
use crate::surface::node;

const HINT: &str = "Point at what you want on the page and click it; or walk with the arrow keys and press Enter. The page \
                    itself does not react. What this tab sends counts nowhere: it is in test mode.";
const PAUSED: &str =
    "The page can be used as usual. Go on pointing when you are where you want to be.";
const NEVER: &str = "Beaconry never reads this: it is, or lies in, a password, a card number, a file, or something that the page \
                     masks with data-beaconry-mask. Choose something else.";
const FRAGILE: &str = "This goes by the order of elements, so a change of the page can break it. Ask for an id or a data- \
                       attribute there.";
const ASTRAY: &str = "This selector leads to another element than the one you pointed at. Choose one that matches fewer.";

impl Inspector {
    /// Shows everything anew; the focus goes where it is asked for, and otherwise to the panel.
    pub(crate) fn render(&self, focus: Option<&str>) {
        let panel = &self.surface.panel;
        let scrolled = panel.scroll_top();
        panel.set_text_content(None);
        let now = self.now.borrow();
        panel.set_class_name(if now.top { "panel top" } else { "panel" });
        add(panel, self.head(&now));
        let said = now
            .said
            .as_ref()
            .map_or(("", ""), |(good, text)| (if *good { "good" } else { "bad" }, text.as_str()));
        let status = node("p", said.0, said.1);
        set(&status, "role", "status");
        add(panel, status);
        match &now.chosen {
            None => {
                add(panel, node("p", "quiet", if now.pointing { HINT } else { PAUSED }));
                let actions = node("div", "actions", "");
                add(&actions, button("page", "Values of the page itself", false));
                add(panel, actions);
            }
            Some(chosen) => self.chosen(panel, chosen),
        }
        drop(now);
        // Who changed something further down goes on there.
        panel.set_scroll_top(if focus == Some("first") { 0 } else { scrolled });
        let control = focus.and_then(|id| match id {
            "first" => panel.query_selector("select, fieldset button").ok().flatten(),
            id => panel.query_selector(&format!("#{id}")).ok().flatten(),
        });
        let control = control.map(JsCast::unchecked_into::<HtmlElement>);
        let _ = control.as_ref().unwrap_or(panel).focus();
    }

    fn head(&self, now: &Now) -> HtmlElement {
        let head = node("header", "", "");
        add(&head, node("strong", "", &format!("Pick for “{}”", self.event)));
        if now.pointing {
            add(&head, button("pause", "Use the page", false));
        } else {
            add(&head, button("point", "Point", true));
        }
        add(&head, button("move", if now.top { "↓" } else { "↑" }, false));
        if let Some(mover) = head.last_element_child() {
            let _ = mover.set_attribute("aria-label", "Move this panel");
        }
        add(&head, button("end", "Done", false));
        head
    }

    fn chosen(&self, panel: &HtmlElement, chosen: &Chosen) {
        if let Some(target) = &chosen.target {
            add(panel, what(target));
        }
        if chosen.masked {
            let never = node("p", "bad", NEVER);
            set(&never, "role", "alert");
            add(panel, never);
        } else {
            let trigger = chosen.actionable.as_ref().map(|_| trigger(chosen));
            let filling = self.filling(chosen);
            let parts =
                if chosen.acted_on { [trigger, Some(filling)] } else { [Some(filling), trigger] };
            parts.into_iter().flatten().for_each(|part| add(panel, part));
        }
        let actions = node("div", "actions", "");
        add(&actions, button("back", "Point at something else", false));
        add(panel, actions);
    }

    fn filling(&self, chosen: &Chosen) -> HtmlElement {
        let group = group("Fill a field");
        let names = self.fields.iter().map(|field| {
            let name = field.name().to_string();
            (name.clone(), format!("{name} ({})", field.kind().label()))
        });
        let pair = node("div", "pair", "");
        add(&pair, choice("field", "Field", names.collect(), &chosen.field));
        let Some(field) = self.field(chosen) else {
            add(&group, pair);
            return group;
        };
        let filling = chosen.filling(field, &self.near());
        let offers = filling.offers.iter().enumerate();
        let offers = offers.map(|(at, offer)| (at.to_string(), offer.label.clone()));
        add(&pair, choice("source", "From", offers.collect(), &chosen.offer.to_string()));
        add(&group, pair);
        let by_selector = filling.offers.get(chosen.offer).is_some_and(|offer| offer.by_selector);
        if let Some(target) = chosen.target.as_ref().filter(|_| by_selector) {
            add(&group, selectors("element", "Element", target));
            warn(&group, target, filling.astray);
        }
        if filling.ways.len() > 1 {
            let ways = filling.ways.iter().enumerate().map(|(at, way)| {
                let value = way.value.as_deref().unwrap_or_default();
                (at.to_string(), format!("{}: {value}", called(way)))
            });
            let ways: Vec<_> = ways.collect();
            add(
                &group,
                choice(
                    "way",
                    "It could mean several things. Which?",
                    ways,
                    &chosen.way.to_string(),
                ),
            );
        }
        add(&group, reads(chosen, &filling));
        let actions = node("div", "actions", "");
        add(&actions, button("fill", &format!("Fill {} from this", field.name()), true));
        add(&group, actions);
        group
    }
}

/// What was pointed at, in short.
fn what(target: &Target) -> HtmlElement {
    let element = &target.element;
    let text: String = element.text_content().unwrap_or_default();
    let text: String =
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
    let line = node("p", "", "");
    add(&line, node("code", "", &format!("<{}>", element.local_name())));
    if !text.is_empty() {
        let _ = line.append_with_str_1(&format!(" {text}"));
    }
    line
}

fn trigger(chosen: &Chosen) -> HtmlElement {
    let group = group("Make an event of it");
    let actions = node("div", "actions", "");
    if let Some(target) = &chosen.actionable {
        add(&group, selectors("on-click", "Clicked element", target));
        warn(&group, target, false);
        add(&actions, button("click", "When it is clicked", true));
    }
    if let Some(form) = &chosen.form {
        add(&group, selectors("on-submit", "Its form", form));
        add(&actions, button("submit", "When its form is submitted", true));
    }
    add(&actions, button("seen", "When it is seen", false));
    let here = node("label", "", "");
    let tick = node("input", "", "");
    for (name, value) in [("type", "checkbox"), ("id", "here")] {
        set(&tick, name, value);
    }
    if chosen.here {
        set(&tick, "checked", "");
    }
    add(&here, tick);
    let path = crate::page::window().location().pathname().unwrap_or_default();
    let _ = here.append_with_str_1(&format!(" Only on pages whose address begins with {path}"));
    add(&group, here);
    add(&group, actions);
    group
}

fn reads(chosen: &Chosen, filling: &Filling) -> HtmlElement {
    let read = match &filling.read {
        None => "Nothing is there now".to_owned(),
        Some(Read::Text(text)) => {
            format!("Reads “{}”", text.trim().chars().take(80).collect::<String>())
        }
        Some(Read::Number(number)) => format!("Reads the number {number}"),
        Some(Read::Bool(truth)) => format!("Reads {truth}"),
    };
    let (class, worth) = match filling.ways.get(chosen.way).map(|way| &way.value) {
        None => ("quiet", String::new()),
        Some(Ok(value)) if value.is_empty() => ("quiet", ": the field gets no value.".to_owned()),
        Some(Ok(value)) => ("good", format!(": the field gets {value}")),
        Some(Err(why)) => ("bad", format!(": {why}.")),
    };
    let line = node("p", class, &(read + &worth));
    set(&line, "id", "reads");
    set(&line, "aria-live", "polite");
    line
}

fn warn(group: &HtmlElement, target: &Target, astray: bool) {
    if astray {
        add(group, node("p", "bad", ASTRAY));
    } else if target.proposal().is_some_and(|proposal| proposal.fragile) {
        add(group, node("p", "bad", FRAGILE));
    }
}

/// A list of the selectors proposed for an element, each with how many elements it matches.
fn selectors(id: &str, label: &str, target: &Target) -> HtmlElement {
    let matches = |count: usize| match count {
        1 => "this one alone".to_owned(),
        many => format!("{many} on this page"),
    };
    let options = target.proposals.iter().enumerate();
    let options = options
        .map(|(at, one)| (at.to_string(), format!("{} ({})", one.selector, matches(one.count))));
    choice(id, label, options.collect(), &target.at.to_string())
}

fn choice(id: &str, label: &str, options: Vec<(String, String)>, chosen: &str) -> HtmlElement {
    let (labelled, select) = (node("label", "", label), node("select", "", ""));
    set(&select, "id", id);
    for (value, text) in options {
        let option = node("option", "", &text);
        set(&option, "value", &value);
        if value == chosen {
            set(&option, "selected", "");
        }
        add(&select, option);
    }
    add(&labelled, select);
    labelled
}

fn group(legend: &str) -> HtmlElement {
    let group = node("fieldset", "", "");
    add(&group, node("legend", "", legend));
    group
}

fn button(word: &str, label: &str, main: bool) -> HtmlElement {
    let button = node("button", if main { "do" } else { "" }, label);
    set(&button, "type", "button");
    set(&button, "data-do", word);
    button
}

fn add(to: &HtmlElement, what: HtmlElement) {
    let _ = to.append_child(&what);
}

fn set(on: &HtmlElement, name: &str, value: &str) {
    let _ = on.set_attribute(name, value);
}
