//! What a section is to know of people, defined by API: what administrators do in the console, with a personal token.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use beaconry_model::consent::ConsentList;
use beaconry_model::error::Invalid;
use beaconry_model::fields::Limits;
use beaconry_model::key::Use;
use beaconry_model::names::Name;
use beaconry_model::value::Kind;
use beaconry_store::StoreError;

use super::call::Call;
use super::caller::Needs;
use super::definitions::Named;
use super::operation::{Created, Found, Operation, with};
use super::people::{AttributeItem, attribute_item, list_called};
use super::problem::Problem;
use super::v1::GROUP;

const ATTRIBUTES: &str = "/v1/sections/{section}/attributes";
const LISTS: &str = "/v1/sections/{section}/consent-lists";

/// An attribute to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewAttribute {
    /// What people call it.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// The type of its value: `text`, `bool`, `date`, `timestamp`, `number` or `decimal`.
    #[serde(rename = "type")]
    kind: String,
    /// What a value of this type must keep to.
    #[serde(default)]
    limits: LimitsDoc,
}

/// The type and the limits that an attribute is to have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AttributeChange {
    /// The type of its value: `text`, `bool`, `date`, `timestamp`, `number` or `decimal`.
    #[serde(rename = "type")]
    kind: String,
    /// What a value of this type must keep to.
    #[serde(default)]
    limits: LimitsDoc,
}

/// What a value must keep to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LimitsDoc {
    /// The longest text, in Unicode code points.
    #[serde(default)]
    max_length: Option<u32>,
    /// The lowest number.
    #[serde(default)]
    min: Option<f64>,
    /// The highest number.
    #[serde(default)]
    max: Option<f64>,
    /// The only texts allowed.
    #[serde(default)]
    allowed: Vec<String>,
}

/// A consent list to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewList {
    /// What people call it.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// The names of its topics.
    #[serde(default)]
    #[schemars(length(max = 100))]
    topics: Vec<String>,
}

/// Topics to be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewTopics {
    /// Their names.
    #[schemars(length(min = 1, max = 100))]
    topics: Vec<String>,
}

/// A consent list with its topics.
#[derive(Debug, Serialize, JsonSchema)]
struct ListItem {
    /// Its address for good.
    discriminator: String,
    /// What people call it.
    name: String,
    /// Its topics.
    topics: Vec<Named>,
}

/// How a new secret takes the place of those before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Renewal {
    /// Whether earlier secrets are refused from now on; else they are taken for another day.
    #[serde(default)]
    at_once: bool,
}

/// A secret that was just made.
#[derive(Debug, Serialize, JsonSchema)]
struct MadeSecret {
    /// What the section's back end signs tokens with (HS256): the bytes of this text. It is shown this once.
    secret: String,
}

pub(super) fn operations() -> Vec<Operation> {
    const NO_SECTION: (u16, &str) = (404, "There is no such section.");
    let people =
        |operation: Operation| Operation { group: GROUP, needs: Needs::Person, ..operation };
    vec![
        people(Operation {
            summary: "Make an attribute",
            about: "A typed attribute of one section, beside those that every section has.",
            example: r#"{"name":"Shoe size","type":"number","limits":{"min":15}}"#,
            refuses: &[NO_SECTION],
            ..with(Method::POST, ATTRIBUTES, "createAttribute", create_attribute)
        }),
        people(Operation {
            summary: "Change an attribute",
            about: "Another type, or other limits: the next version, current at once. Values that profiles have stay as they \
                    came.",
            example: r#"{"type":"decimal","limits":{"min":15}}"#,
            refuses: &[
                (404, "There is no such section, or no such attribute of its own."),
                (409, "It is so already."),
            ],
            ..with(
                Method::PUT,
                "/v1/sections/{section}/attributes/{attribute}",
                "changeAttribute",
                change_attribute,
            )
        }),
        people(Operation {
            summary: "Make a consent list",
            about: "A list of topics that people can agree to.",
            example: r#"{"name":"Newsletters","topics":["Weekly","Offers"]}"#,
            refuses: &[NO_SECTION],
            ..with(Method::POST, LISTS, "createConsentList", create_list)
        }),
        people(Operation {
            summary: "Add topics to a consent list",
            about: "Each name stands once in a list.",
            example: r#"{"topics":["Events"]}"#,
            refuses: &[(404, "There is no such section or list.")],
            ..with(
                Method::POST,
                "/v1/sections/{section}/consent-lists/{list}/topics",
                "addTopics",
                add_topics,
            )
        }),
        people(Operation {
            summary: "Make or renew the secret for identify",
            about: "What a section's back end signs tokens with, so that a page can say who its visitor is. Earlier secrets are \
                    taken for another day, or not at all any more.",
            example: r#"{"at_once":false}"#,
            refuses: &[NO_SECTION],
            ..with(Method::POST, "/v1/sections/{section}/secret", "makeSectionSecret", make_secret)
        }),
    ]
}

fn create_attribute(call: &Call, new: NewAttribute) -> Result<Created<AttributeItem>, Problem> {
    let section = call.section(Use::Write)?;
    let (name, value) = (named(new.name)?, value_of(&new.kind, new.limits)?);
    let (store, actor) = (&call.api.store, call.caller.actor());
    let made = store.registry().create_attribute(&section.id, name, value, &actor, call.now)?;
    store.reload()?;
    Ok(Created(attribute_item(&made)))
}

fn change_attribute(call: &Call, change: AttributeChange) -> Result<Found<AttributeItem>, Problem> {
    let section = call.section(Use::Write)?;
    let value = value_of(&change.kind, change.limits)?;
    let (store, snapshot, words) = (&call.api.store, call.snapshot(), call.part("attribute"));
    let mut own = snapshot.audience().attributes(&section.id);
    let own = own
        .any(|known| known.attribute.section.is_some() && known.attribute.discriminator == words);
    if !own {
        return Err(Problem::not_found(format!(
            "attribute: the section has none of its own called \"{words:.200}\""
        )));
    }
    let actor = call.caller.actor();
    let changed = store.registry().edit_attribute(words, value, &actor, call.now)?;
    store.reload()?;
    Ok(Found(attribute_item(&changed)))
}

fn create_list(call: &Call, new: NewList) -> Result<Created<ListItem>, Problem> {
    let section = call.section(Use::Write)?;
    let (store, actor) = (&call.api.store, call.caller.actor());
    let (name, topics) = (named(new.name)?, all_named(new.topics)?);
    let made = store.registry().create_consent_list(&section.id, name, topics, &actor, call.now)?;
    store.reload()?;
    Ok(Created(list_item(&made)))
}

fn add_topics(call: &Call, new: NewTopics) -> Result<Created<ListItem>, Problem> {
    let section = call.section(Use::Write)?;
    let (store, snapshot) = (&call.api.store, call.snapshot());
    let list = list_called(&snapshot, &section, call.part("list"))?;
    if new.topics.is_empty() {
        return Err(Problem::bad_request("invalid", "topics: expected at least one, got none"));
    }
    let (topics, actor) = (all_named(new.topics)?, call.caller.actor());
    let changed = store.registry().add_topics(&list.discriminator, topics, &actor, call.now)?;
    store.reload()?;
    Ok(Created(list_item(&changed)))
}

fn make_secret(call: &Call, renewal: Renewal) -> Result<Created<MadeSecret>, Problem> {
    let section = call.section(Use::Write)?;
    let (store, actor) = (&call.api.store, call.caller.actor());
    let secret =
        store.registry().make_section_secret(&section.id, renewal.at_once, &actor, call.now)?;
    store.reload()?;
    Ok(Created(MadeSecret { secret }))
}

fn list_item(list: &ConsentList) -> ListItem {
    let topics = list.topics.iter().map(|topic| Named {
        discriminator: topic.discriminator.clone(),
        name: topic.name.to_string(),
    });
    ListItem {
        discriminator: list.discriminator.clone(),
        name: list.name.to_string(),
        topics: topics.collect(),
    }
}

fn value_of(word: &str, limits: LimitsDoc) -> Result<(Kind, Limits), Problem> {
    let kind = Kind::from_word(word).ok_or_else(|| {
        let expected = "text, bool, date, timestamp, number or decimal";
        StoreError::from(Invalid::new("type", expected, format!("{word:.80?}")))
    })?;
    let LimitsDoc { max_length, min, max, allowed } = limits;
    Ok((kind, Limits { max_length, min, max, allowed }))
}

fn named(name: String) -> Result<Name, Problem> {
    Name::try_from(name).map_err(|invalid| StoreError::from(invalid).into())
}

fn all_named(names: Vec<String>) -> Result<Vec<Name>, Problem> {
    names.into_iter().map(named).collect()
}
