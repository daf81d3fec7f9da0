//! What a section knows of people: its attributes, consent lists with their topics, and segments.

use std::sync::Arc;

use axum::http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use beaconry_model::attribute::Attribute;
use beaconry_model::consent::ConsentList;
use beaconry_model::section::Section;
use beaconry_model::segment::Segment;
use beaconry_store::{Snapshot, remarks};

use super::call::Call;
use super::caller::Needs;
use super::definitions::{FieldItem, GROUP, Items, Named, field_item};
use super::operation::{Found, Operation, without};
use super::problem::Problem;

/// An attribute with its versions.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AttributeItem {
    /// Its address for good.
    discriminator: String,
    /// What people call it.
    name: String,
    /// Its versions, oldest first. Set values by the id of the one whose `deprecated_at` is null: there is always one.
    versions: Vec<AttributeVersionItem>,
}

/// One version of an attribute.
#[derive(Debug, Serialize, JsonSchema)]
struct AttributeVersionItem {
    /// What a value is set by.
    id: String,
    /// 1, 2, 3 …
    number: u32,
    /// Since when it is replaced; null where it is not.
    #[schemars(extend("format" = "date-time"))]
    deprecated_at: Option<String>,
    /// The type of its value: `text`, `bool`, `date`, `timestamp`, `number` or `decimal`.
    #[serde(rename = "type")]
    kind: String,
    /// The limits of its value, as a field has them.
    limits: FieldItem,
}

/// A segment.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SegmentItem {
    /// Its address for good.
    pub(super) discriminator: String,
    /// What people call it.
    pub(super) name: String,
    /// The section whose events, attributes and consents it looks at.
    pub(super) section_discriminator: String,
    /// What a profile must be like.
    pub(super) condition: Value,
    /// Why it is not evaluated, and what else people should know of it.
    pub(super) remarks: Vec<String>,
    /// Whether it names what is hidden or gone, so that it is not evaluated.
    pub(super) broken: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    const NO_SECTION: &[(u16, &str)] = &[(404, "There is no such section.")];
    let lists =
        |operation: Operation| Operation { group: GROUP, needs: Needs::KeyOrPerson, ..operation };
    vec![
        lists(Operation {
            summary: "Attributes of a section",
            about: "The default attributes and the section's own, with their versions.",
            refuses: NO_SECTION,
            ..without(
                Method::GET,
                "/audience/sections/{section}/attributes",
                "listAttributes",
                attributes,
            )
        }),
        lists(Operation {
            summary: "Consent lists of a section",
            about: "The lists whose topics people agree to.",
            refuses: NO_SECTION,
            ..without(
                Method::GET,
                "/audience/sections/{section}/consent-lists",
                "listConsentLists",
                consent_lists,
            )
        }),
        lists(Operation {
            summary: "Topics of a consent list",
            about: "What people can agree to.",
            refuses: &[(404, "There is no such section or list.")],
            ..without(
                Method::GET,
                "/audience/sections/{section}/consent-lists/{list}/topics",
                "listTopics",
                topics,
            )
        }),
        lists(Operation {
            summary: "Segments",
            about: "The segments of the sections that the API key is for.",
            ..without(Method::GET, "/audience/segments/", "listSegments", segments)
        }),
        lists(Operation {
            summary: "One segment",
            about: "A segment, with what it asks of a profile.",
            refuses: &[(404, "There is no such segment.")],
            ..without(Method::GET, "/audience/segments/{segment}", "getSegment", segment)
        }),
    ]
}

fn attributes(call: &Call) -> Result<Found<Items<AttributeItem>>, Problem> {
    let section = call.section_called(call.part("section"))?;
    let snapshot = call.snapshot();
    let known = snapshot.audience().attributes(&section.id);
    Ok(Found(Items { items: known.map(|known| attribute_item(&known.attribute)).collect() }))
}

pub(super) fn attribute_item(attribute: &Attribute) -> AttributeItem {
    let versions = attribute.versions.iter().map(|version| AttributeVersionItem {
        id: version.id.to_string(),
        number: version.number,
        deprecated_at: attribute.deprecated_at(version).map(|at| at.to_string()),
        kind: version.field.kind().word().to_owned(),
        limits: field_item(&version.field),
    });
    AttributeItem {
        discriminator: attribute.discriminator.clone(),
        name: attribute.name.to_string(),
        versions: versions.collect(),
    }
}

fn consent_lists(call: &Call) -> Result<Found<Items<Named>>, Problem> {
    let section = call.section_called(call.part("section"))?;
    let snapshot = call.snapshot();
    let items = snapshot.audience().consent_lists(&section.id).map(|list| Named {
        discriminator: list.discriminator.clone(),
        name: list.name.to_string(),
    });
    Ok(Found(Items { items: items.collect() }))
}

fn topics(call: &Call) -> Result<Found<Items<Named>>, Problem> {
    let section = call.section_called(call.part("section"))?;
    let snapshot = call.snapshot();
    let items = list_called(&snapshot, &section, call.part("list"))?.topics.iter().map(|topic| {
        Named { discriminator: topic.discriminator.clone(), name: topic.name.to_string() }
    });
    Ok(Found(Items { items: items.collect() }))
}

/// The section's consent list with this address.
pub(super) fn list_called<'a>(
    snapshot: &'a Snapshot,
    section: &Section,
    address: &str,
) -> Result<&'a ConsentList, Problem> {
    let mut lists = snapshot.audience().consent_lists(&section.id);
    lists.find(|list| list.discriminator == address).ok_or_else(|| {
        Problem::not_found(format!("consent list: the section has none called \"{address:.200}\""))
    })
}

fn segments(call: &Call) -> Result<Found<Items<SegmentItem>>, Problem> {
    let snapshot = call.snapshot();
    let all = snapshot.audience().segments().iter();
    let covered = all.filter(|segment| call.caller.covers(&segment.section));
    let items = covered.map(|segment| segment_item(&snapshot, segment));
    Ok(Found(Items { items: items.collect() }))
}

fn segment(call: &Call) -> Result<Found<SegmentItem>, Problem> {
    let (snapshot, segment) = segment_called(call, call.part("segment"))?;
    Ok(Found(segment_item(&snapshot, &segment)))
}

/// The segment with this address, where the caller sees its section. One of another section is not there for it.
pub(super) fn segment_called(
    call: &Call,
    address: &str,
) -> Result<(Arc<Snapshot>, Segment), Problem> {
    let snapshot = call.snapshot();
    let found = snapshot
        .audience()
        .segments()
        .iter()
        .find(|segment| segment.discriminator == address && call.caller.covers(&segment.section))
        .cloned();
    let segment = found.ok_or_else(|| {
        Problem::not_found(format!("segment: there is none called \"{address:.200}\""))
    })?;
    Ok((snapshot, segment))
}

pub(super) fn segment_item(snapshot: &Snapshot, segment: &Segment) -> SegmentItem {
    let remarks = remarks(snapshot, &segment.section, &segment.condition);
    SegmentItem {
        discriminator: segment.discriminator.clone(),
        name: segment.name.to_string(),
        section_discriminator: segment.section.to_string(),
        condition: serde_json::to_value(&segment.condition).unwrap_or_default(),
        broken: remarks.iter().any(|remark| remark.breaks()),
        remarks: remarks.iter().map(ToString::to_string).collect(),
    }
}
