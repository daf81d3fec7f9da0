//! Consents: what an address says of a topic, and what it said last.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use beaconry_model::consent::{Channel, ConsentList, ConsentType};
use beaconry_model::key::Use;
use beaconry_model::profile::ProfileKey;

use super::call::{Call, key};
use super::definitions::Items;
use super::operation::{Created, Found, Operation, with, without};
use super::people::list_called;
use super::problem::Problem;

const GROUP: &str = "Consents";

/// What an address says.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Consent {
    /// The section's discriminator.
    section_discriminator: String,
    /// The consent list's discriminator. Where it is left out, an opt-out is from all topics of the section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consent_list_discriminator: Option<String>,
    /// The topic's discriminator. Where it is left out, an opt-out is from all topics of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic_discriminator: Option<String>,
    /// What it says.
    #[serde(rename = "type")]
    said: Said,
}

/// What can be said.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Said {
    OptIn,
    ConfirmedOptIn,
    OptOut,
}

impl From<Said> for ConsentType {
    fn from(said: Said) -> ConsentType {
        match said {
            Said::OptIn => ConsentType::OptIn,
            Said::ConfirmedOptIn => ConsentType::ConfirmedOptIn,
            Said::OptOut => ConsentType::OptOut,
        }
    }
}

impl From<ConsentType> for Said {
    fn from(said: ConsentType) -> Said {
        match said {
            ConsentType::OptIn => Said::OptIn,
            ConsentType::ConfirmedOptIn => Said::ConfirmedOptIn,
            ConsentType::OptOut => Said::OptOut,
        }
    }
}

/// What an address said last of a topic.
#[derive(Debug, Serialize, JsonSchema)]
struct ConsentItem {
    /// The topic's discriminator.
    discriminator: String,
    /// The topic's discriminator, under the name it has when a consent is given.
    topic_discriminator: String,
    /// What people call the topic.
    name: String,
    /// What was said last.
    #[serde(rename = "type")]
    said: Said,
    /// When.
    #[schemars(extend("format" = "date-time"))]
    at: String,
}

const NO_LIST: (u16, &str) = (404, "There is no such channel, section or consent list.");

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            group: GROUP,
            summary: "Give a consent",
            about: "Notes what an address says of a topic. A profile must have the address: email addresses are keys of \
                    `com.apsis1.keyspaces.email`, those of `sms` keys of `com.apsis1.keyspaces.mobile`. An opt-out may \
                    leave out the topic, or the list too: it is from all topics of the list, or of the section. An opt-in \
                    names its topic, so that nobody is signed up for what they were not asked.",
            example: r#"{"section_discriminator":"…","consent_list_discriminator":"…","topic_discriminator":"…","type":"opt-in"}"#,
            refuses: &[
                (
                    404,
                    "There is no such channel, section, consent list or topic, or no profile has the address.",
                ),
                (409, "The person asked never to be known here."),
                (503, "Nothing was changed; try again after `Retry-After` seconds."),
            ],
            ..with(
                Method::POST,
                "/audience/channels/{channel}/addresses/{address}/consents",
                "addConsent",
                add,
            )
        },
        Operation {
            group: GROUP,
            summary: "Which topics an address agrees to",
            about: "The topics of a list that the address opted in to, confirmed or not, and did not opt out of since. None where \
                    nobody has the address.",
            refuses: &[NO_LIST],
            ..without(
                Method::GET,
                "/audience/channels/{channel}/addresses/{address}/consents/sections/{section}/consent-lists/{list}/evaluations",
                "evaluateConsents",
                evaluate,
            )
        },
        Operation {
            group: GROUP,
            summary: "What an address said",
            about: "What the address said last of each topic of a list, opt-outs too. A topic that it said nothing of is not there.",
            refuses: &[NO_LIST],
            ..without(
                Method::GET,
                "/v1/channels/{channel}/addresses/{address}/consents/sections/{section}/consent-lists/{list}",
                "listConsents",
                list,
            )
        },
    ]
}

fn add(call: &Call, consent: Consent) -> Result<Created<Consent>, Problem> {
    let (channel, key) = address(call, Use::Write)?;
    let section = call.section_called(&consent.section_discriminator)?;
    let (store, address) = (&call.api.store, (channel, key.as_str()));
    let snapshot = call.snapshot();
    let list = consent.consent_list_discriminator.as_deref();
    let list = list.map(|list| list_called(&snapshot, &section, list)).transpose()?;
    let list_name = list.map(|list| list.discriminator.as_str());
    match (list, consent.topic_discriminator.as_deref(), consent.said) {
        (Some(list), Some(topic), said) => {
            check_topic(list, topic)?;
            let topic = (list.discriminator.as_str(), topic);
            let said = store.add_consent(&section.id, address, topic, said.into());
            Handle::current().block_on(said)?;
        }
        (_, None, Said::OptOut) => {
            Handle::current().block_on(store.opt_out(&section.id, address, list_name))?;
        }
        (None, Some(_), _) => {
            return Err(unsaid("consent_list_discriminator", "the list of the topic"));
        }
        (_, None, Said::OptIn | Said::ConfirmedOptIn) => {
            let expected =
                "a topic of a list, since an opt-in is to one; only an opt-out may be from all";
            return Err(unsaid("topic_discriminator", expected));
        }
    }
    Ok(Created(consent))
}

fn check_topic(list: &ConsentList, topic: &str) -> Result<(), Problem> {
    if list.topic(topic).is_some() {
        return Ok(());
    }
    Err(Problem::not_found(format!("topic: the consent list has none called \"{topic:.200}\"")))
}

fn unsaid(member: &str, expected: &str) -> Problem {
    Problem::bad_request("invalid_body", format!("{member}: expected {expected}, got none"))
}

fn evaluate(call: &Call) -> Result<Found<Items<ConsentItem>>, Problem> {
    let mut items = said(call)?;
    items.retain(|item| ConsentType::from(item.said).allows());
    Ok(Found(Items { items }))
}

fn list(call: &Call) -> Result<Found<Items<ConsentItem>>, Problem> {
    Ok(Found(Items { items: said(call)? }))
}

/// What the address of the path said last of the topics of the list of the path, in the list's order.
fn said(call: &Call) -> Result<Vec<ConsentItem>, Problem> {
    let (channel, key) = address(call, Use::Read)?;
    let section = call.section(Use::Read)?;
    let snapshot = call.snapshot();
    let list = list_called(&snapshot, &section, call.part("list"))?;
    let reader = call.api.store.profiles()?;
    let Some(profile) = reader.find(&key)? else { return Ok(Vec::new()) };
    let consents = reader.consents(&profile)?;
    let items = list.topics.iter().filter_map(|topic| {
        let given = consents.iter().find(|consent| {
            consent.channel == channel
                && consent.address == key.as_str()
                && consent.list == list.discriminator
                && consent.topic == topic.discriminator
        })?;
        Some(ConsentItem {
            discriminator: topic.discriminator.clone(),
            topic_discriminator: topic.discriminator.clone(),
            name: topic.name.to_string(),
            said: given.said.into(),
            at: given.at.to_string(),
        })
    });
    Ok(items.collect())
}

/// The channel and the address of the path, where the key may do this through the keyspace whose keys such addresses are.
fn address(call: &Call, what: Use) -> Result<(Channel, ProfileKey), Problem> {
    call.caller.may(what)?;
    let name = call.part("channel");
    let found = Channel::ALL.into_iter().find(|channel| channel.discriminator() == name);
    let channel = found.ok_or_else(|| {
        Problem::not_found(format!("channel: there is none called \"{name:.200}\""))
    })?;
    let keyspace = call.keyspace_called(channel.keyspace().discriminator())?;
    Ok((channel, key(keyspace, call.part("address"))?))
}
