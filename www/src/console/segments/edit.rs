//! Building a segment: as a form, with who fits counted meanwhile, or as the JSON that the API takes.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use beaconry_model::names::{Name, Slug};
use beaconry_model::section::Section;
use beaconry_model::segment::{Condition, Segment};
use beaconry_store::{StoreError, remarks};

use super::choices::Choices;
use super::count::Review;
use super::draft::{Draft, MOST, What};
use super::find;
use super::operator::Shape;
use super::view::{Body, View, views, warnings};
use crate::console::draft::{Errors, Pairs, value};
use crate::console::who::Who;
use crate::console::{State as Console, failed};
use crate::page::{go_to, page, page_with};

/// A condition while it is built.
enum Content {
    Form(Draft),
    Json(String),
}

/// What is built: a new segment of a section, or one that is there.
struct Building {
    section: Arc<Section>,
    segment: Option<Segment>,
    choices: Choices,
}

#[derive(Template)]
#[template(path = "console/segment.html")]
struct Builder {
    section: String,
    /// The saved segment's address and name.
    saved: Option<(String, String)>,
    /// Why the saved one is broken; blank where it is not.
    broken: String,
    /// Where the form is sent.
    action: String,
    name: String,
    views: Vec<View>,
    warnings: Vec<Vec<String>>,
    /// The condition as JSON, where it is edited so.
    json: Option<String>,
    errors: Errors,
    review: Option<Review>,
    /// Whether there is room for another part.
    room: bool,
}

/// Messages of a form while somebody types, each put where it belongs.
#[derive(Template)]
#[template(path = "console/segment_messages.html")]
struct Messages {
    errors: Vec<(String, String)>,
    warnings: Vec<(usize, Vec<String>)>,
    review: Review,
}

impl Building {
    fn new(state: &Console, section: &str) -> Result<Building, StoreError> {
        let snapshot = state.console.store.snapshot();
        let section = snapshot.section(section)?.clone();
        let choices = Choices { snapshot, section: section.id.clone() };
        Ok(Building { section, segment: None, choices })
    }

    fn of(state: &Console, address: &str) -> Result<Building, StoreError> {
        let segment = find(state, address)?;
        let building = Building::new(state, segment.section.as_str())?;
        Ok(Building { segment: Some(segment), ..building })
    }

    fn action(&self) -> String {
        match &self.segment {
            Some(segment) => format!("/segments/{}", segment.discriminator),
            None => format!("/segments/new/{}", self.section.id),
        }
    }

    /// A condition as a form, or, where a form cannot hold it, as JSON.
    fn content(&self, condition: &Condition) -> Content {
        let draft = Draft::of(condition, &self.choices);
        draft.map_or_else(|| Content::Json(pretty(condition)), Content::Form)
    }

    fn page(
        self,
        name: String,
        content: Content,
        errors: Errors,
        review: Option<Review>,
    ) -> Response {
        let wrong = !errors.is_empty();
        let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let remarks = self
            .segment
            .as_ref()
            .map(|segment| remarks(&self.choices.snapshot, &segment.section, &segment.condition));
        let broken = remarks.iter().flatten().find(|remark| remark.breaks());
        let (views, warnings, json, parts) = match content {
            Content::Form(draft) => {
                let shown = (views(&draft, &self.choices), warnings(&draft, &self.choices));
                (shown.0, shown.1, None, draft.0.len())
            }
            Content::Json(text) => (Vec::new(), Vec::new(), Some(text), 0),
        };
        let builder = Builder {
            section: self.section.name.to_string(),
            broken: broken.map(ToString::to_string).unwrap_or_default(),
            action: self.action(),
            saved: self.segment.map(|segment| (segment.discriminator, segment.name.to_string())),
            name,
            views,
            warnings,
            json,
            errors,
            review,
            room: parts < MOST,
        };
        page_with(status, &builder)
    }
}

pub(in crate::console) async fn new(
    State(state): State<Console>,
    Path(section): Path<String>,
) -> Response {
    match Building::new(&state, &section) {
        Ok(building) => {
            let mut draft = Draft::default();
            draft.arrange("add-event-0");
            draft.0[1].fresh = false;
            building.page(String::new(), Content::Form(draft), Errors::default(), None)
        }
        Err(error) => failed(&error),
    }
}

pub(in crate::console) async fn show(
    State(state): State<Console>,
    Path(address): Path<String>,
) -> Response {
    match Building::of(&state, &address) {
        Ok(building) => {
            let Some(segment) = building.segment.clone() else { return go_to("/segments") };
            let content = building.content(&segment.condition);
            building.page(segment.name.to_string(), content, Errors::default(), None)
        }
        Err(error) => failed(&error),
    }
}

pub(in crate::console) async fn create(
    State(state): State<Console>,
    Path(section): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    match Building::new(&state, &section) {
        Ok(building) => send(&state, building, &who, &pairs).await,
        Err(error) => failed(&error),
    }
}

pub(in crate::console) async fn change(
    State(state): State<Console>,
    Path(address): Path<String>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    match Building::of(&state, &address) {
        Ok(building) => send(&state, building, &who, &pairs).await,
        Err(error) => failed(&error),
    }
}

/// Does what a button asks: another part, the other way to edit, a count, or all of it saved.
async fn send(state: &Console, building: Building, who: &Who, pairs: &Pairs) -> Response {
    let name = value(pairs, "name").trim().to_owned();
    let (mut content, mut errors) = (read(pairs), Errors::default());
    match value(pairs, "do") {
        "save" => match save(state, &building, who, &name, &content, &mut errors) {
            Ok(Some(address)) => return go_to(&format!("/segments/{address}")),
            Ok(None) => {}
            Err(error) => return failed(&error),
        },
        "json" | "form" => {
            if let Some(condition) = checked(&content, &building.choices, &mut errors) {
                content = match value(pairs, "do") {
                    "json" => Content::Json(pretty(&condition)),
                    _ => building.content(&condition),
                };
                if value(pairs, "do") == "form" && matches!(content, Content::Json(_)) {
                    errors.put(
                        "json",
                        "It is right, but the form cannot show all of it. Go on with the text",
                    );
                }
            }
        }
        "check" => {
            let review = review(state, &building, &content).await;
            return building.page(name, content, errors, Some(review));
        }
        word => {
            if let Content::Form(draft) = &mut content {
                draft.arrange(word);
            }
        }
    }
    building.page(name, content, errors, None)
}

/// Says what is wrong, what is to be known, and who fits, while somebody types.
pub(in crate::console) async fn check_new(
    State(state): State<Console>,
    Path(section): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    match Building::new(&state, &section) {
        Ok(building) => messages(&state, &building, &pairs).await,
        Err(error) => failed(&error),
    }
}

/// The same of a segment that is there.
pub(in crate::console) async fn check(
    State(state): State<Console>,
    Path(address): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Response {
    match Building::of(&state, &address) {
        Ok(building) => messages(&state, &building, &pairs).await,
        Err(error) => failed(&error),
    }
}

async fn messages(state: &Console, building: &Building, pairs: &Pairs) -> Response {
    let content = read(pairs);
    let mut errors = Errors::default();
    checked(&content, &building.choices, &mut errors);
    let (mut slots, mut said) = (vec!["condition".to_owned()], Vec::new());
    match &content {
        Content::Form(draft) => {
            for (at, part) in draft.0.iter().enumerate() {
                slots.push(format!("part-{at}"));
                if let What::Event(event) = &part.what {
                    slots.extend((0..event.tests.len()).map(|test| format!("part-{at}-{test}")));
                }
            }
            said = warnings(draft, &building.choices);
            // What is not filled in yet is no mistake while somebody still builds.
            errors.retain(|slot| !draft.is_blank(slot));
        }
        Content::Json(_) => slots.push("json".to_owned()),
    }
    let errors = slots.into_iter().map(|slot| {
        let message = errors.at(&slot).to_owned();
        (slot, message)
    });
    let review = review(state, building, &content).await;
    let warnings = said.into_iter().enumerate().collect();
    page(&Messages { errors: errors.collect(), warnings, review })
}

fn read(pairs: &Pairs) -> Content {
    match value(pairs, "mode") {
        "json" => Content::Json(value(pairs, "json").replace("\r\n", "\n")),
        _ => Content::Form(Draft::read(pairs)),
    }
}

/// The condition; what is wrong is noted beside where it was typed.
fn checked(content: &Content, choices: &Choices, errors: &mut Errors) -> Option<Condition> {
    match content {
        Content::Form(draft) => draft.checked(choices, errors),
        Content::Json(text) => {
            let condition = serde_json::from_str::<Condition>(text);
            match condition.map(|condition| (condition.check(), condition)) {
                Ok((Ok(()), condition)) => Some(condition),
                Ok((Err(invalid), _)) => {
                    errors.put("json", &invalid.to_string());
                    None
                }
                Err(error) => {
                    errors.put("json", &format!("the text is no condition: {error}"));
                    None
                }
            }
        }
    }
}

async fn review(state: &Console, building: &Building, content: &Content) -> Review {
    match checked(content, &building.choices, &mut Errors::default()) {
        Some(condition) => {
            let (store, section) = (&state.console.store, building.section.id.clone());
            Review::of(state.counting.count(store, section, condition).await)
        }
        None => Review::none("Who fits is counted once every condition is complete."),
    }
}

/// Saves it; gives its address, or notes what is wrong.
fn save(
    state: &Console,
    building: &Building,
    who: &Who,
    name: &str,
    content: &Content,
    errors: &mut Errors,
) -> Result<Option<String>, StoreError> {
    let condition = checked(content, &building.choices, errors);
    let name = Name::try_from(name.to_owned()).and_then(|name| Slug::of(&name).map(|_| name));
    let name = errors.note("name", name);
    let (Some(condition), Some(name)) = (condition, name) else { return Ok(None) };
    let store = &state.console.store;
    let now = store.clock().now();
    let address = match &building.segment {
        Some(segment) => {
            store.registry().change_segment(
                &segment.discriminator,
                who.name(),
                now,
                |segment| {
                    (segment.name, segment.condition) = (name, condition);
                    Ok(())
                },
            )?;
            segment.discriminator.clone()
        }
        None => {
            let random = beaconry_store::bytes()
                .map_err(|error| StoreError::Folder { path: "random bytes".into(), error })?;
            let segment =
                Segment::create(building.section.id.clone(), name, condition, random, now)?;
            store.registry().add_segment(&segment, who.name(), now)?;
            segment.discriminator
        }
    };
    store.reload()?;
    Ok(Some(address))
}

fn pretty(condition: &Condition) -> String {
    serde_json::to_string_pretty(condition).unwrap_or_default()
}
