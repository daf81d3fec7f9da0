//! Which sources an element and its page offer for a field's value, the likeliest first.

use beaconry_model::capture::{JsonLd, Source};

/// Attributes that hold what machines are to read.
const FOR_MACHINES: &[&str] = &["content", "datetime", "value"];
/// Attributes that are never worth a value.
const WORTHLESS: &[&str] = &[
    "id", "class", "style", "name", "type", "for", "role", "rel", "srcset", "sizes", "tabindex",
    "d",
];

/// What of an element can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Whether visitors type or choose in it.
    pub input: bool,
    /// Its name, where it is an input of a form.
    pub form_input: Option<String>,
    /// The names of its attributes that hold anything.
    pub attributes: Vec<String>,
}

/// A source, and what people call it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What it is called.
    pub label: String,
    /// The source.
    pub source: Source,
    /// Whether the selector has to lead to the element.
    pub by_selector: bool,
}

/// What an element offers under this selector.
pub fn of_element(facts: &Facts, selector: &str) -> Vec<Offer> {
    let mut offers = Vec::new();
    let mut offer =
        |label: String, source, by_selector| offers.push(Offer { label, source, by_selector });
    if facts.input {
        offer("what is typed or chosen in it".to_owned(), Source::Value(selector.to_owned()), true);
    } else {
        offer("its text".to_owned(), Source::Text(selector.to_owned()), true);
    }
    if let Some(name) = &facts.form_input {
        offer(
            format!("the input {name} of the submitted form"),
            Source::FormInput(name.clone()),
            false,
        );
    }
    let (machine, plain): (Vec<&String>, Vec<&String>) =
        facts.attributes.iter().partition(|name| FOR_MACHINES.contains(&name.as_str()));
    for name in machine.into_iter().chain(plain) {
        let handler = name.starts_with("on") || name.starts_with("data-beaconry");
        if handler || WORTHLESS.contains(&name.as_str()) || facts.input && name == "value" {
            continue;
        }
        let source = Source::Attribute { selector: selector.to_owned(), name: name.clone() };
        offer(format!("its attribute {name}"), source, true);
        if let Some(data) = name.strip_prefix("data-").filter(|data| is_plain(data)) {
            offer(
                format!("{name} of whatever is nearest to the action"),
                Source::Data(data.to_owned()),
                false,
            );
        }
    }
    offers
}

/// What is a source by its name alone, as the model takes it.
fn is_plain(data: &str) -> bool {
    !data.is_empty()
        && data
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What the page itself offers: each value as kind, name, and more about it.
pub fn of_page(values: &[[String; 3]]) -> Vec<Offer> {
    values.iter().filter_map(|[kind, name, more]| of_value(kind, name, more)).collect()
}

fn of_value(kind: &str, name: &str, more: &str) -> Option<Offer> {
    let (label, source) = match kind {
        "url_param" => (format!("URL parameter {name}"), Source::UrlParam(name.to_owned())),
        "path_segment" => {
            (format!("part {name} of the address"), Source::PathSegment(name.parse().ok()?))
        }
        "meta" => (format!("meta tag {name}"), Source::Meta(name.to_owned())),
        "json_ld" => {
            let kind = Some(more.to_owned()).filter(|kind| !kind.is_empty());
            let of = kind.as_ref().map(|kind| format!(" of {kind}")).unwrap_or_default();
            (format!("JSON-LD {name}{of}"), Source::JsonLd(JsonLd { path: name.to_owned(), kind }))
        }
        "data_layer" => (format!("dataLayer {name}"), Source::DataLayer(name.to_owned())),
        "title" => ("the page's title".to_owned(), Source::Title),
        "url" => ("the page's address".to_owned(), Source::Url),
        "referrer" => ("the page that led here".to_owned(), Source::Referrer),
        _ => return None,
    };
    Some(Offer { label, source, by_selector: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(facts: &Facts) -> Vec<String> {
        of_element(facts, "#x").into_iter().map(|offer| offer.label).collect()
    }

    #[test]
    fn the_likeliest_source_comes_first() {
        let text = Facts {
            attributes: vec!["class".into(), "content".into(), "title".into()],
            ..Facts::default()
        };
        assert_eq!(labels(&text), ["its text", "its attribute content", "its attribute title"]);
        let input = Facts {
            input: true,
            form_input: Some("qty".into()),
            attributes: vec!["value".into(), "name".into()],
        };
        assert_eq!(
            labels(&input),
            ["what is typed or chosen in it", "the input qty of the submitted form"]
        );
        let button = Facts {
            attributes: vec!["onclick".into(), "data-price".into(), "data-beaconry-mask".into()],
            ..Facts::default()
        };
        assert_eq!(
            labels(&button),
            [
                "its text",
                "its attribute data-price",
                "data-price of whatever is nearest to the action"
            ]
        );
    }

    #[test]
    fn what_the_page_holds_becomes_a_source() {
        let values = [
            ["json_ld", "offers.price", "Product"],
            ["path_segment", "2", ""],
            ["path_segment", "two", ""],
            ["gossip", "x", ""],
        ];
        let offers = of_page(&values.map(|value| value.map(str::to_owned)));
        let labels: Vec<&str> = offers.iter().map(|offer| offer.label.as_str()).collect();
        assert_eq!(labels, ["JSON-LD offers.price of Product", "part 2 of the address"]);
        assert_eq!(offers[1].source, Source::PathSegment(2));
    }
}
