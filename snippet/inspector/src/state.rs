//! What somebody has chosen so far: an element or the page, what it may become, and which field it would fill.

use std::collections::BTreeSet;

use beaconry_model::capture::{Action, Mapping, Seen, Trigger, UrlCondition};
use beaconry_model::fields::{Field, Fields, SOURCE};
use beaconry_model::pick::{MAX_READ, Read};
use beaconry_model::value::Kind;
use web_sys::{Element, Node};

use crate::page;
use crate::reading::{Way, ways};
use crate::selector::{Proposal, propose};
use crate::sources::{Offer, of_element, of_page};

/// The share of an element, and the seconds it must be seen, where nobody says otherwise: the model's own.
const SEEN: (u8, u32) = (50, 1);

/// An element with the selectors that are proposed for it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) element: Element,
    pub(crate) proposals: Vec<Proposal>,
    /// Which proposal is taken.
    pub(crate) at: usize,
}

impl Target {
    pub(crate) fn new(element: Element) -> Target {
        let proposals = propose(&page::path(&element), page::count);
        Target { element, proposals, at: 0 }
    }

    pub(crate) fn proposal(&self) -> Option<&Proposal> {
        self.proposals.get(self.at)
    }

    pub(crate) fn selector(&self) -> &str {
        self.proposal().map_or("", |proposal| &proposal.selector)
    }
}

/// What is chosen.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// The element to read; none where it is the page itself.
    pub(crate) target: Option<Target>,
    /// The element that visitors act on, and the form it lies in.
    pub(crate) actionable: Option<Target>,
    pub(crate) form: Option<Target>,
    /// Whether it is more likely to be acted on than to be read.
    pub(crate) acted_on: bool,
    /// Whether it is never read.
    pub(crate) masked: bool,
    /// Whether a trigger is to count on this page alone.
    pub(crate) here: bool,
    pub(crate) field: String,
    pub(crate) offer: usize,
    pub(crate) way: usize,
}

/// What a field would get.
#[derive(Clone, Debug)]
pub(crate) struct Filling {
    pub(crate) offers: Vec<Offer>,
    pub(crate) read: Option<Read>,
    pub(crate) ways: Vec<Way>,
    /// Whether the selector leads to another element than the one that was pointed at.
    pub(crate) astray: bool,
}

impl Chosen {
    /// What was pointed at.
    pub(crate) fn element(element: Element) -> Chosen {
        let masked = page::masked(&element);
        let of = |element: Element| (!masked).then(|| Target::new(element));
        Chosen {
            actionable: of(page::actionable(&element)),
            form: page::form(&element).and_then(of),
            acted_on: page::is_acted_on(&element),
            target: of(element),
            masked,
            ..Chosen::page()
        }
    }

    /// The page itself.
    pub(crate) fn page() -> Chosen {
        Chosen {
            target: None,
            actionable: None,
            form: None,
            acted_on: false,
            masked: false,
            here: false,
            field: String::new(),
            offer: 0,
            way: 0,
        }
    }

    /// Takes the field that most likely wants this, and the source of it that fits: one that has no source yet before one
    /// that has, and a number, a date or a truth before a text, which nearly everything fits.
    pub(crate) fn suggest(&mut self, fields: &Fields, mapped: &BTreeSet<String>, near: &Node) {
        let mut wanting: Vec<&Field> =
            fields.iter().filter(|field| field.name().as_str() != SOURCE).collect();
        wanting.sort_by_key(|field| {
            (mapped.contains(field.name().as_str()), field.kind() == Kind::Text)
        });
        let fit = wanting.iter().find_map(|field| Some((*field, self.fitting(field, near)?)));
        let any = wanting.first().copied().or_else(|| fields.iter().next());
        let Some((field, offer)) = fit.or_else(|| Some((any?, 0))) else { return };
        (self.field, self.offer) = (field.name().to_string(), offer);
    }

    /// The first source of the element that holds something the field takes.
    pub(crate) fn fitting(&self, field: &Field, near: &Node) -> Option<usize> {
        let target = self.target.as_ref()?;
        let offers = of_element(&page::facts(&target.element), target.selector());
        offers.iter().position(|offer| {
            let (read, ways) = self.try_out(field, offer, near).1;
            read.is_some()
                && ways.iter().any(|way| way.value.as_ref().is_ok_and(|value| !value.is_empty()))
        })
    }

    /// What the field would get as things are chosen.
    pub(crate) fn filling(&self, field: &Field, near: &Node) -> Filling {
        let of_target = self
            .target
            .as_ref()
            .map(|target| of_element(&page::facts(&target.element), target.selector()));
        let mut offers = of_target.unwrap_or_default();
        offers.extend(of_page(&page::values()));
        let Some(offer) = offers.get(self.offer) else {
            return Filling { offers, read: None, ways: Vec::new(), astray: false };
        };
        let (astray, (read, ways)) = self.try_out(field, offer, near);
        Filling { read, ways, astray, offers }
    }

    /// Reads an offer: whether it leads astray, what it holds, and the ways to read that.
    fn try_out(
        &self,
        field: &Field,
        offer: &Offer,
        near: &Node,
    ) -> (bool, (Option<Read>, Vec<Way>)) {
        let leads = |from: &Node| {
            let element = self.target.as_ref().filter(|_| offer.by_selector);
            element.is_none_or(|target| page::leads(target.selector(), from, &target.element))
        };
        // The nearest to the action, where that is the one; else the first on the page, where that is.
        let document: Node = page::document().into();
        let anywhere = !leads(near) && leads(&document);
        let astray = !anywhere && !leads(near);
        let mapping =
            Mapping { anywhere, ..Mapping::new(field.name().clone(), offer.source.clone()) };
        let read = page::read(&mapping, near, field.kind());
        let ways = ways(field, &offer.source, anywhere, read.as_ref());
        (astray, (read, ways))
    }

    /// The trigger that a button of the panel makes, with the element it happens on.
    pub(crate) fn trigger(&self, word: &str) -> Option<(Trigger, Element)> {
        let target = match word {
            "submit" => self.form.as_ref(),
            "seen" => self.target.as_ref(),
            _ => self.actionable.as_ref(),
        }?;
        let selector = target.selector().to_owned();
        let on = match word {
            "submit" => Action::Submit(selector),
            "seen" => Action::ElementSeen(Seen { selector, share: SEEN.0, seconds: SEEN.1 }),
            _ => Action::Click(selector),
        };
        let path = page::window().location().pathname().ok().filter(|_| self.here);
        let urls = path.map(UrlCondition::Prefix).into_iter().collect();
        Some((Trigger { urls, ..Trigger::new(on) }, target.element.clone()))
    }
}

/// What was read, as much of it as a pick takes along.
pub(crate) fn short(read: Read) -> Read {
    match read {
        Read::Text(text) => Read::Text(
            text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_READ).collect(),
        ),
        plain => plain,
    }
}
