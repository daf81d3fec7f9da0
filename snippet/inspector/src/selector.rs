//! Proposes selectors for an element: short, of names that last, unique on the page where that can be had.

use crate::escape::{identifier, string};
use crate::names::{is_lasting, says_what};

/// The most proposals for one element.
const MOST: usize = 6;
/// How far up ancestors are looked at for a name.
const DEPTH: usize = 12;
/// The longest selector that settings take, in characters.
const LONGEST: usize = 500;

/// Attributes by which sites name elements for tests and scripts, best first.
const NAMING: &[&str] = &[
    "data-testid",
    "data-test-id",
    "data-test",
    "data-cy",
    "data-qa",
    "data-track",
    "data-action",
    "itemprop",
];
/// Attributes that name an element for visitors or for the server.
const TELLING: &[&str] = &["name", "aria-label", "for", "rel", "role", "href", "action", "type"];
/// Attributes of frameworks and scripts, which come and go.
const FLEETING: &[&str] = &[
    "data-v-",
    "data-react",
    "data-radix",
    "data-headlessui",
    "data-state",
    "data-beaconry",
    "data-aos",
    "data-src",
    "data-lazy",
    "data-emotion",
    "data-styled",
    "data-turbo",
    "data-gtm",
    "data-index",
    "data-loaded",
    "data-bs-",
    "data-open",
    "data-active",
];
/// Elements that tell the parts of a page apart by themselves.
const LANDMARKS: &[&str] = &["header", "footer", "nav", "main", "aside", "form", "dialog"];

/// An element as selectors see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Its name, in lower case.
    pub tag: String,
    /// Its attributes, `id` and `class` among them, in the order they are written.
    pub attributes: Vec<(String, String)>,
    /// Its place among its siblings of the same name, from 1.
    pub place: usize,
    /// Whether it is the only one of its name among them.
    pub alone: bool,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The selector.
    pub selector: String,
    /// How many elements of the page it matches.
    pub count: usize,
    /// Whether it goes by the order of elements, which changes more easily than names.
    pub fragile: bool,
}

/// Proposes selectors for the first of these elements; the others are what it lies in, from the inside out, up to the root
/// of its tree. `count` says how many elements of the page a selector matches. Those that match this one alone come first.
pub fn propose(path: &[Shape], count: impl Fn(&str) -> usize) -> Vec<Proposal> {
    let Some(element) = path.first() else { return Vec::new() };
    let own = element.names();
    let mut found = Found { proposals: Vec::new(), count };
    own.iter().for_each(|name| found.add(name.clone()));
    // Names of what it lies in are asked for only where its own are not enough.
    if found.unique() == 0 {
        for outer in path.iter().skip(1).take(DEPTH) {
            for anchor in outer.anchors() {
                own.iter().for_each(|name| found.add_unique(format!("{anchor} {name}")));
            }
            if found.unique() > 1 {
                break;
            }
        }
    }
    if found.unique() == 0
        && let Some(selector) = by_place(path, &found.count)
    {
        found.proposals.push(Proposal { selector, count: 1, fragile: true });
    }
    found.ordered()
}

struct Found<C> {
    proposals: Vec<Proposal>,
    count: C,
}

impl<C: Fn(&str) -> usize> Found<C> {
    fn unique(&self) -> usize {
        self.proposals.iter().filter(|proposal| proposal.count == 1).count()
    }

    fn add(&mut self, selector: String) {
        if selector.chars().count() > LONGEST
            || self.proposals.iter().any(|one| one.selector == selector)
        {
            return;
        }
        let count = (self.count)(&selector);
        if count > 0 {
            self.proposals.push(Proposal { selector, count, fragile: false });
        }
    }

    fn add_unique(&mut self, selector: String) {
        if (self.count)(&selector) == 1 {
            self.add(selector);
        }
    }

    /// Those that match one element first, each in the order of its worth; of those that match as many, the first.
    fn ordered(self) -> Vec<Proposal> {
        let (mut unique, many): (Vec<_>, Vec<_>) =
            self.proposals.into_iter().partition(|proposal| proposal.count == 1);
        unique.truncate(MOST - 2);
        for proposal in many {
            if unique.len() < MOST
                && !unique.iter().any(|one| one.count == proposal.count && one.count > 1)
            {
                unique.push(proposal);
            }
        }
        unique
    }
}

impl Shape {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn classes(&self) -> Vec<&str> {
        let classes = self.attribute("class").unwrap_or_default().split_ascii_whitespace();
        classes.filter(|class| says_what(class)).collect()
    }

    fn id(&self) -> Option<String> {
        self.attribute("id").filter(|id| is_lasting(id)).map(|id| format!("#{}", identifier(id)))
    }

    /// Selectors that go by the element alone, best first; its bare name last.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.id().into_iter().collect();
        names.extend(NAMING.iter().filter_map(|name| self.by_attribute(name)));
        let telling = |name: &&str| self.by_attribute(name).map(|by| format!("{}{by}", self.tag));
        let classes: Vec<String> = self.classes().into_iter().map(identifier).collect();
        // `name` is what the server goes by; the rest is worth less than a class.
        names.extend(TELLING[..1].iter().filter_map(telling));
        names.extend(self.attributes.iter().filter_map(|(name, _)| self.by_data(name)));
        names.extend(classes.iter().map(|class| format!(".{class}")));
        for (at, class) in classes.iter().enumerate() {
            names.extend(classes[at + 1..].iter().map(|other| format!(".{class}.{other}")));
        }
        names.extend(classes.iter().map(|class| format!("{}.{class}", self.tag)));
        names.extend(TELLING[1..].iter().filter_map(telling));
        names.push(identifier(&self.tag));
        names
    }

    fn by_attribute(&self, name: &str) -> Option<String> {
        let value = self.attribute(name)?;
        let lasts = match name {
            "href" | "action" => is_plain_path(value),
            "aria-label" => {
                value.len() <= 60
                    && !value.bytes().any(|byte| byte.is_ascii_digit())
                    && !value.trim().is_empty()
            }
            _ => is_lasting(value),
        };
        lasts.then(|| format!("[{name}={}]", string(value)))
    }

    /// An attribute of data that names what it is on; by its presence where its value is one of many.
    fn by_data(&self, name: &str) -> Option<String> {
        let fleeting = FLEETING.iter().any(|prefix| name.starts_with(prefix));
        if !name.starts_with("data-") || fleeting || NAMING.contains(&name) || !is_lasting(name) {
            return None;
        }
        self.by_attribute(name).or_else(|| Some(format!("[{name}]")))
    }

    /// What the element is good for as a place that others lie in.
    fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = self.id().into_iter().collect();
        anchors.extend(NAMING.iter().filter_map(|name| self.by_attribute(name)));
        anchors.extend(self.attributes.iter().filter_map(|(name, _)| self.by_data(name)));
        anchors.extend(self.by_attribute("aria-label"));
        anchors.extend(self.classes().into_iter().map(|class| format!(".{}", identifier(class))));
        if LANDMARKS.contains(&self.tag.as_str()) || self.tag.contains('-') {
            anchors.push(identifier(&self.tag));
        }
        anchors
    }

    /// Its name, with its place where siblings have the same.
    fn step(&self) -> String {
        let tag = identifier(&self.tag);
        if self.alone { tag } else { format!("{tag}:nth-of-type({})", self.place) }
    }
}

/// Whether an address is a path of words, as links of a site's own pages are.
fn is_plain_path(address: &str) -> bool {
    address.len() > 1
        && address.starts_with('/')
        && address.len() <= 60
        && address.split('/').skip(1).all(|part| part.is_empty() || is_lasting(part))
}

/// The way down from the innermost thing with a name of its own, or from the root.
fn by_place(path: &[Shape], count: &impl Fn(&str) -> usize) -> Option<String> {
    let mut steps = String::new();
    for (at, shape) in path.iter().enumerate() {
        let anchor = if at == 0 {
            None
        } else {
            shape.anchors().into_iter().find(|anchor| count(anchor) == 1)
        };
        if let Some(anchor) = anchor {
            steps = format!("{anchor} > {steps}");
            break;
        }
        steps = if at == 0 { shape.step() } else { format!("{} > {steps}", shape.step()) };
    }
    (count(&steps) == 1 && steps.chars().count() <= LONGEST).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shape from `tag name=value name=value`, its place behind a colon where it has siblings.
    fn shape(text: &str) -> Shape {
        let mut words = text.split(' ');
        let (tag, place) = words.next().map_or(("", None), |tag| match tag.split_once(':') {
            Some((tag, place)) => (tag, place.parse().ok()),
            None => (tag, None),
        });
        let attributes = words.map(|word| {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            (name.to_owned(), value.replace('+', " "))
        });
        Shape {
            tag: tag.to_owned(),
            attributes: attributes.collect(),
            place: place.unwrap_or(1),
            alone: place.is_none(),
        }
    }

    /// The proposals for the first of these shapes, on a page where these selectors match so many elements, and all others one.
    fn proposed(path: &[&str], counts: &[(&str, usize)]) -> Vec<(String, usize)> {
        let path: Vec<Shape> = path.iter().map(|text| shape(text)).collect();
        let count = |selector: &str| {
            counts.iter().find(|(one, _)| *one == selector).map_or(1, |(_, count)| *count)
        };
        propose(&path, count)
            .into_iter()
            .map(|proposal| (proposal.selector, proposal.count))
            .collect()
    }

    #[test]
    fn the_best_name_of_an_element_comes_first() {
        let table: &[(&str, &str)] = &[
            ("button id=buy class=btn", "#buy"),
            ("button id=1st+x class=buy", ".buy"),
            (
                "button id=ember12 data-testid=add-to-cart class=css-1x2y3z",
                "[data-testid=\"add-to-cart\"]",
            ),
            ("button id=radix-:r1: class=sc-bdVaJa+kZkTzG+add-to-cart", ".add-to-cart"),
            ("input id=input-8472 name=email class=form-control", "input[name=\"email\"]"),
            ("span itemprop=price class=text-lg+font-bold", "[itemprop=\"price\"]"),
            (
                "button class=px-4+py-2+md:flex aria-label=Add+to+cart",
                "button[aria-label=\"Add to cart\"]",
            ),
            ("a class=flex href=/cart", "a[href=\"/cart\"]"),
            ("p class=Price_root__3xK9a+price", ".price"),
            ("button data-add-to-cart data-product-id=18273 class=mt-4", "[data-add-to-cart]"),
            ("my-price class=is-open", "my-price"),
            ("div id=größe", "#größe"),
            ("div id=a.b", "#a\\.b"),
            ("button data-v-7ba5bd90 class=buy+active", ".buy"),
        ];
        for (element, expected) in table {
            assert_eq!(proposed(&[element], &[])[0], ((*expected).to_owned(), 1), "{element}");
        }
    }

    #[test]
    fn what_it_lies_in_makes_it_unique() {
        let many = [
            ("span", 9),
            (".price", 4),
            ("span.price", 4),
            (".card", 4),
            (".card .price", 4),
            (".card span.price", 4),
            (".card span", 4),
        ];
        let path = ["span class=price", "div class=card", "section id=offer", "main", "body"];
        assert_eq!(
            proposed(&path, &many),
            [
                ("#offer .price".to_owned(), 1),
                ("#offer span.price".to_owned(), 1),
                ("#offer span".to_owned(), 1),
                (".price".to_owned(), 4),
                ("span".to_owned(), 9)
            ]
        );
    }

    #[test]
    fn all_of_a_kind_are_proposed_beside_the_one() {
        let many = [(".buy", 12), ("button", 30), ("button.buy", 12)];
        let path = ["button id=buy-lamp class=buy", "main"];
        assert_eq!(
            proposed(&path, &many),
            [("#buy-lamp".to_owned(), 1), (".buy".to_owned(), 12), ("button".to_owned(), 30)]
        );
    }

    #[test]
    fn the_order_of_the_page_is_the_last_resort() {
        let many = [("span", 9), ("div", 7), ("main span", 3), ("main", 1)];
        let path = [
            shape("span:2"),
            shape("div:3 class=css-1x2y3z"),
            shape("main"),
            shape("body"),
            shape("html"),
        ];
        let count = |selector: &str| {
            many.iter().find(|(one, _)| *one == selector).map_or(1, |(_, count)| *count)
        };
        let proposals = propose(&path, count);
        assert_eq!(
            proposals[0],
            Proposal {
                selector: "main > div:nth-of-type(3) > span:nth-of-type(2)".to_owned(),
                count: 1,
                fragile: true
            }
        );
    }

    #[test]
    fn in_a_tree_without_names_the_way_goes_from_its_root() {
        let many = [("span", 9), ("div", 7)];
        let path = ["span:2", "div:3"];
        assert_eq!(proposed(&path, &many)[0].0, "div:nth-of-type(3) > span:nth-of-type(2)");
    }

    #[test]
    fn nothing_longer_than_settings_take_is_proposed() {
        let deep = vec!["div:2"; 60];
        let proposals = proposed(&deep, &[("div", 99)]);
        assert_eq!(proposals, [("div".to_owned(), 99)]);
    }
}
