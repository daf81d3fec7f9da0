//! Consents: what an address says of a topic, and what it said last.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use beaconry_model::consent::{Channel, ConsentType};
use beaconry_model::key::Use;
use beaconry_model::profile::ProfileKey;
use beaconry_store::ProfileError;

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
    /// The consent list's discriminator.
    consent_list_discriminator: String,
    /// The topic's discriminator.
    topic_discriminator: String,
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

/// What an address said last of a topic.
#[derive(Debug, Serialize, JsonSchema)]
struct ConsentItem {
    /// The topic's discriminator.
    discriminator: String,
    /// The topic's discriminator, under the name it has when a consent is given.
    topic_discriminator: String,
    /// What people call the topic.
    name: String,
    /// What was said last; null where nothing was.
    #[serde(rename = "type")]
    said: Option<Said>,
    /// When.
    #[schemars(extend("format" = "date-time"))]
    at: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            group: GROUP,
            summary: "Give a consent",
            about: "Notes what an address says of a topic. A profile must have the address: email addresses are keys of \
                    `com.apsis1.keyspaces.email`, those of `sms` keys of `com.apsis1.keyspaces.mobile`.",
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
            summary: "Read consents",
            about: "What the address said last of each topic of a list.",
            refuses: &[(
                404,
                "There is no such channel, section or consent list, or no profile has the address.",
            )],
            ..without(
                Method::GET,
                "/audience/channels/{channel}/addresses/{address}/consents/sections/{section}/consent-lists/{list}/evaluations",
                "evaluateConsents",
                evaluate,
            )
        },
    ]
}

fn add(call: &Call, consent: Consent) -> Result<Created<Consent>, Problem> {
    let (channel, key) = address(call, Use::Write)?;
    let section = call.section_called(&consent.section_discriminator)?;
    let snapshot = call.snapshot();
    let list = list_called(&snapshot, &section, &consent.consent_list_discriminator)?;
    if list.topic(&consent.topic_discriminator).is_none() {
        let detail = format!(
            "topic: the consent list has none called \"{:.200}\"",
            consent.topic_discriminator
        );
        return Err(Problem::not_found(detail));
    }
    let topic = (list.discriminator.as_str(), consent.topic_discriminator.as_str());
    let said = match consent.said {
        Said::OptIn => ConsentType::OptIn,
        Said::ConfirmedOptIn => ConsentType::ConfirmedOptIn,
        Said::OptOut => ConsentType::OptOut,
    };
    let address = (channel, key.as_str());
    Handle::current().block_on(call.api.store.add_consent(&section.id, address, topic, said))?;
    Ok(Created(consent))
}

fn evaluate(call: &Call) -> Result<Found<Items<ConsentItem>>, Problem> {
    let (channel, key) = address(call, Use::Read)?;
    let section = call.section(Use::Read)?;
    let snapshot = call.snapshot();
    let list = list_called(&snapshot, &section, call.part("list"))?;
    let reader = call.api.store.profiles()?;
    let profile = reader.find(&key)?.ok_or(ProfileError::NotFound)?;
    let consents = reader.consents(&profile)?;
    let items = list.topics.iter().map(|topic| {
        let given = consents.iter().find(|consent| {
            consent.channel == channel
                && consent.address == key.as_str()
                && consent.list == list.discriminator
                && consent.topic == topic.discriminator
        });
        ConsentItem {
            discriminator: topic.discriminator.clone(),
            topic_discriminator: topic.discriminator.clone(),
            name: topic.name.to_string(),
            said: given.map(|given| match given.said {
                ConsentType::OptIn => Said::OptIn,
                ConsentType::ConfirmedOptIn => Said::ConfirmedOptIn,
                ConsentType::OptOut => Said::OptOut,
            }),
            at: given.map(|given| given.at.to_string()),
        }
    });
    Ok(Found(Items { items: items.collect() }))
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
