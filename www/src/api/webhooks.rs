//! Webhooks by API: made, looked at and deleted, what was given up, and samples of what they post.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use beaconry_model::key::Use;
use beaconry_model::names::Name;
use beaconry_model::profile::Keyspace;
use beaconry_model::time::Timestamp;
use beaconry_model::webhook::{HookUrl, NewWebhook, Topic, Webhook};
use beaconry_store::{DeadLetter, KnownWebhook, WebhookState, hook_remarks};

use super::call::Call;
use super::caller::{Caller, Needs};
use super::definitions::Items;
use super::operation::{Created, Done, Found, Kind, Operation, Parameter, with, without};
use super::problem::Problem;
use super::v1::GROUP;

const ALL: &str = "/v1/sections/{section}/webhooks";
const ONE: &str = "/v1/sections/{section}/webhooks/{webhook}";

/// A webhook to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewHook {
    /// What people call it.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// Where it posts to. It begins with `https://`.
    url: String,
    /// What it hears of.
    #[schemars(length(min = 1, max = 50))]
    topics: Vec<TopicDoc>,
    /// Discriminators of the keyspaces whose keys go with what is posted; where they are not said, all that the caller
    /// reaches but web visitors.
    #[serde(default)]
    keyspaces: Option<Vec<String>>,
}

/// What samples are asked of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SampleOf {
    /// What a webhook would hear of.
    #[schemars(length(min = 1, max = 50))]
    topics: Vec<TopicDoc>,
}

/// One thing that a webhook hears of.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TopicDoc {
    /// `event.received`, `beacon.rejected`, `segment.entered` or `segment.left`.
    #[serde(rename = "type")]
    kind: String,
    /// An event's discriminator; of `beacon.rejected` any event of the section, where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// Only these versions of the event, by number; any, where they are not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    versions: Option<Vec<u32>>,
    /// A segment's discriminator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segment: Option<String>,
}

/// A webhook, and how it does.
#[derive(Debug, Serialize, JsonSchema)]
struct HookItem {
    /// Its discriminator.
    discriminator: String,
    /// What people call it.
    name: String,
    /// Where it posts to.
    url: String,
    /// The section it hears of.
    section_discriminator: String,
    /// What it hears of.
    topics: Vec<TopicDoc>,
    /// The keyspaces whose keys go with what is posted.
    keyspaces: Vec<String>,
    /// When it was made.
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// Topics of which nothing is posted, each with why.
    remarks: Vec<String>,
    /// How many posts the receiver took.
    delivered: u64,
    /// How many posts wait.
    waiting: u64,
    /// How many were given up, and are kept.
    dead_letters: u64,
    /// When the receiver last took one.
    #[schemars(extend("format" = "date-time"))]
    last_delivered_at: Option<String>,
    /// Why the last try failed.
    last_failure: Option<String>,
    /// Since when every try failed.
    #[schemars(extend("format" = "date-time"))]
    failing_since: Option<String>,
    /// Since when nothing more is posted, because the receiver answered 410.
    #[schemars(extend("format" = "date-time"))]
    stopped_at: Option<String>,
}

/// A webhook that was just made.
#[derive(Debug, Serialize, JsonSchema)]
struct MadeHook {
    #[serde(flatten)]
    webhook: HookItem,
    /// What its posts are signed with. It is shown this once.
    secret: String,
}

/// What was given up, newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct DeadPage {
    /// Each of them.
    items: Vec<DeadItem>,
    /// What to give as `before` for the next page; null where there is none.
    next: Option<i64>,
}

/// One post that was given up.
#[derive(Debug, Serialize, JsonSchema)]
struct DeadItem {
    /// Its number.
    number: i64,
    /// The id it was posted under.
    id: String,
    /// What it is about.
    #[serde(rename = "type")]
    kind: String,
    /// Since when it waited.
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When it was given up.
    #[schemars(extend("format" = "date-time"))]
    given_up_at: String,
    /// How often it was tried.
    tries: u32,
    /// Why the last try failed.
    why: String,
}

/// How many are posted again.
#[derive(Debug, Serialize, JsonSchema)]
struct Resent {
    /// How many.
    resent: usize,
}

/// What webhooks post.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
struct Posted(Map<String, Value>);

pub(super) fn operations() -> Vec<Operation> {
    const NO_HOOK: (u16, &str) = (404, "There is no such section or webhook.");
    const NO_SECTION: (u16, &str) = (404, "There is no such section.");
    let of =
        |operation: Operation| Operation { group: GROUP, needs: Needs::KeyOrPerson, ..operation };
    vec![
        of(Operation {
            summary: "Webhooks of a section",
            about: "Each with how it does. An API key sees those that were made with it.",
            refuses: &[NO_SECTION],
            ..without(Method::GET, ALL, "listWebhooks", list)
        }),
        of(Operation {
            summary: "Make a webhook",
            about: "What its topics name is posted to its address from now on: as JSON, at least once, in order for each \
                    profile, each with an id that stays the same when it is tried again (`Beaconry-Delivery`, and `id` in the \
                    body). `Beaconry-Signature: t=<seconds since 1970>,v1=<hexadecimal digits>` is the HMAC-SHA256 of the time, \
                    a full stop and the body, by the secret. An API key must be for reading and writing; once it is revoked, \
                    nothing more is posted.",
            example: r#"{"name":"CRM","url":"https://crm.example/in","topics":[{"type":"event.received","event":"com.beaconry.events.…"}]}"#,
            refuses: &[NO_SECTION],
            ..with(Method::POST, ALL, "createWebhook", create)
        }),
        of(Operation {
            summary: "Samples of what a webhook would post",
            about: "Up to three of the newest things that these topics name, as they would be posted.",
            example: r#"{"topics":[{"type":"beacon.rejected"}]}"#,
            refuses: &[NO_SECTION],
            ..with(
                Method::POST,
                "/v1/sections/{section}/webhooks/samples",
                "sampleWebhook",
                samples,
            )
        }),
        of(Operation {
            summary: "One webhook",
            about: "A webhook, and how it does.",
            refuses: &[NO_HOOK],
            ..without(Method::GET, ONE, "getWebhook", get)
        }),
        of(Operation {
            summary: "Delete a webhook",
            about: "Nothing more is posted; what waits and what was given up is gone.",
            refuses: &[NO_HOOK],
            ..without(Method::DELETE, ONE, "deleteWebhook", delete)
        }),
        of(Operation {
            summary: "What was given up",
            about: "Posts of a webhook that the receiver did not take however often it was tried, newest first. They are kept \
                    for 30 days.",
            query: &[
                Parameter {
                    name: "limit",
                    about: "How many at the most; 100, where it is not said.",
                    kind: Kind::Number(1, 1_000),
                },
                Parameter {
                    name: "before",
                    about: "The `next` of the page before.",
                    kind: Kind::Number(1, i64::MAX),
                },
            ],
            refuses: &[NO_HOOK],
            ..without(
                Method::GET,
                "/v1/sections/{section}/webhooks/{webhook}/dead-letters",
                "listDeadLetters",
                dead_letters,
            )
        }),
        of(Operation {
            summary: "Send again all that was given up",
            about: "All of it is posted as if it had not been tried.",
            refuses: &[NO_HOOK],
            ..without(
                Method::POST,
                "/v1/sections/{section}/webhooks/{webhook}/dead-letters/resend",
                "resendDeadLetters",
                resend_all,
            )
        }),
        of(Operation {
            summary: "Send again one that was given up",
            about: "It is posted as if it had not been tried.",
            refuses: &[(404, "There is no such section, webhook or post that was given up.")],
            ..without(
                Method::POST,
                "/v1/sections/{section}/webhooks/{webhook}/dead-letters/{number}/resend",
                "resendDeadLetter",
                resend_one,
            )
        }),
    ]
}

fn list(call: &Call) -> Result<Found<Items<HookItem>>, Problem> {
    let section = call.section(Use::Read)?;
    let (snapshot, states) = (call.snapshot(), call.api.store.webhook_states()?);
    let all = snapshot.webhooks().iter();
    let seen = all.filter(|known| known.hook.section == section.id && sees(&call.caller, known));
    let items = seen.map(|known| item(call, &known.hook, states.get(&known.number)));
    Ok(Found(Items { items: items.collect() }))
}

fn create(call: &Call, new: NewHook) -> Result<Created<MadeHook>, Problem> {
    // It changes what the server does, and it brings what is read to somebody.
    call.caller.may(Use::Read)?;
    let section = call.section(Use::Write)?;
    let wrong = |invalid: beaconry_model::error::Invalid| {
        Problem::bad_request("invalid", invalid.to_string())
    };
    let new = NewWebhook {
        section: section.id.clone(),
        name: Name::try_from(new.name).map_err(wrong)?,
        url: HookUrl::try_from(new.url).map_err(wrong)?,
        topics: topics(&new.topics)?,
        keyspaces: keyspaces(call, new.keyspaces)?,
        made_with: made_with(&call.caller),
    };
    let made = call.api.store.add_webhook(new, &call.caller.actor())?;
    let webhook = item(call, &made.hook, None);
    Ok(Created(MadeHook { webhook, secret: made.secret.as_str().to_owned() }))
}

fn samples(call: &Call, asked: SampleOf) -> Result<Found<Items<Posted>>, Problem> {
    let section = call.section(Use::Read)?;
    let topics = topics(&asked.topics)?;
    let keyspaces = keyspaces(call, None)?;
    let posted = call.api.store.webhook_samples(&section.id, &topics, &keyspaces)?;
    let items = posted.into_iter().filter_map(|body| match body {
        Value::Object(members) => Some(Posted(members)),
        _ => None,
    });
    Ok(Found(Items { items: items.collect() }))
}

fn get(call: &Call) -> Result<Found<HookItem>, Problem> {
    let known = called(call, Use::Read)?;
    let states = call.api.store.webhook_states()?;
    Ok(Found(item(call, &known.hook, states.get(&known.number))))
}

fn delete(call: &Call) -> Result<Done, Problem> {
    let known = called(call, Use::Write)?;
    call.api.store.delete_webhook(&known.hook.discriminator, &call.caller.actor())?;
    Ok(Done)
}

fn dead_letters(call: &Call) -> Result<Found<DeadPage>, Problem> {
    let known = called(call, Use::Read)?;
    let limit = call.number::<u32>("limit", 1, 1_000, 100)?;
    let before = call.number("before", 1, i64::MAX, i64::MAX)?;
    let dead = call.api.store.dead_letters(&known, before, limit)?;
    let next = dead.last().filter(|_| dead.len() == limit as usize).map(|last| last.number);
    Ok(Found(DeadPage { items: dead.into_iter().map(dead_item).collect(), next }))
}

fn resend_all(call: &Call) -> Result<Found<Resent>, Problem> {
    let known = called(call, Use::Write)?;
    let resent = call.api.store.resend(&known, None, &call.caller.actor())?;
    Ok(Found(Resent { resent }))
}

fn resend_one(call: &Call) -> Result<Found<Resent>, Problem> {
    let known = called(call, Use::Write)?;
    let number = call.part("number").parse().unwrap_or_default();
    match call.api.store.resend(&known, Some(number), &call.caller.actor())? {
        0 => {
            Err(Problem::not_found(format!("dead letter: there is none with the number {number}")))
        }
        resent => Ok(Found(Resent { resent })),
    }
}

/// The webhook of the path, where the caller may do this with it.
fn called(call: &Call, what: Use) -> Result<KnownWebhook, Problem> {
    let section = call.section(what)?;
    let snapshot = call.snapshot();
    let named = call.part("webhook");
    let found = snapshot.webhook(named).ok();
    let found = found.filter(|known| known.hook.section == section.id && sees(&call.caller, known));
    found.cloned().ok_or_else(|| {
        Problem::not_found(format!("webhook: the section has none called \"{named:.200}\""))
    })
}

/// An API key sees what was made with it.
fn sees(caller: &Caller, known: &KnownWebhook) -> bool {
    matches!(caller, Caller::Person(_)) || made_with(caller) == known.hook.made_with
}

fn made_with(caller: &Caller) -> Option<String> {
    match caller {
        Caller::Key(key) => Some(key.client_id.clone()),
        Caller::Person(_) | Caller::Nobody => None,
    }
}

fn topics(asked: &[TopicDoc]) -> Result<Vec<Topic>, Problem> {
    let read = |(place, topic): (usize, &TopicDoc)| {
        let value = serde_json::to_value(topic).unwrap_or_default();
        serde_json::from_value(value)
            .map_err(|error| Problem::bad_request("invalid", format!("topics[{place}]: {error}")))
    };
    asked.iter().enumerate().map(read).collect()
}

/// The keyspaces that are asked for, where the caller reaches all of them; else those that it reaches but web visitors.
fn keyspaces(call: &Call, asked: Option<Vec<String>>) -> Result<Vec<Keyspace>, Problem> {
    if let Some(asked) = asked {
        return asked.iter().map(|address| call.keyspace_called(address)).collect();
    }
    let mut reached = vec![Keyspace::Email, Keyspace::Mobile, Keyspace::CrmId];
    reached.retain(|keyspace| call.caller.reaches(*keyspace));
    if reached.is_empty() {
        reached.push(Keyspace::Web);
    }
    Ok(reached)
}

fn item(call: &Call, hook: &Webhook, state: Option<&WebhookState>) -> HookItem {
    let state = state.cloned().unwrap_or_default();
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let topic = |topic: &Topic| TopicDoc {
        kind: topic.word().to_owned(),
        event: topic.event().map(ToString::to_string),
        versions: match topic {
            Topic::Event { versions, .. } if !versions.is_empty() => Some(versions.clone()),
            _ => None,
        },
        segment: topic.segment().map(ToOwned::to_owned),
    };
    let keyspaces = hook.keyspaces.iter().map(|keyspace| keyspace.discriminator().to_owned());
    HookItem {
        discriminator: hook.discriminator.clone(),
        name: hook.name.to_string(),
        url: hook.url.as_str().to_owned(),
        section_discriminator: hook.section.to_string(),
        topics: hook.topics.iter().map(topic).collect(),
        keyspaces: keyspaces.collect(),
        created_at: hook.created_at.to_string(),
        remarks: hook_remarks(&call.snapshot(), hook),
        delivered: state.delivered,
        waiting: state.waiting,
        dead_letters: state.dead,
        last_delivered_at: moment(state.last),
        last_failure: state.why,
        failing_since: moment(state.failing),
        stopped_at: moment(state.stopped),
    }
}

fn dead_item(dead: DeadLetter) -> DeadItem {
    DeadItem {
        number: dead.number,
        id: dead.id,
        kind: dead.topic.to_owned(),
        created_at: dead.made.to_string(),
        given_up_at: dead.dead.to_string(),
        tries: dead.tries,
        why: dead.why,
    }
}
