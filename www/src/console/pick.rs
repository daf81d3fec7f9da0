//! Point and click: a link that opens the owner's own page, and what is picked there on its way into the form. Nothing of it is
//! saved before somebody saves the form.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use beaconry_model::capture::{Capture, Mapping};
use beaconry_model::fields::Fields;
use beaconry_model::pick::{Pick, Picked, Read, shown, worth};
use beaconry_model::section::{Origin, Section};
use beaconry_store::picks::{Picking, Trouble};
use beaconry_store::{Known, Store, StoreError, bytes};

use super::capture_draft::{CaptureDraft, SourceDraft, TriggerDraft};
use super::draft::{Pairs, value};
use super::event::find;
use super::who::Who;
use super::{State as Console, failed, problem};
use crate::page::page;

/// How long a page that has a snippet takes to be heard of, at the most.
const PATIENCE: Duration = Duration::from_secs(15);

/// A form that waits for picks: its number, and how many of them it holds already.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) form: String,
    pub(super) taken: usize,
}

impl Waiting {
    /// A form that was just opened.
    pub(super) fn begin() -> Waiting {
        // Without random bytes there is no number that only this form knows, and nothing can be picked for it.
        let number: [u8; 16] = bytes().unwrap_or_default();
        Waiting { form: number.iter().map(|byte| format!("{byte:02x}")).collect(), taken: 0 }
    }

    /// The form that was sent.
    pub(super) fn of(pairs: &Pairs) -> Waiting {
        match value(pairs, "form") {
            form if is_number(form) => Waiting {
                form: form.to_owned(),
                taken: value(pairs, "taken").parse().unwrap_or_default(),
            },
            _ => Waiting::begin(),
        }
    }

    /// Puts what was picked since into the draft.
    pub(super) fn take(&mut self, store: &Store, draft: &mut CaptureDraft, fields: &Fields) {
        let picks = store.picks().of(&self.form).unwrap_or_default().picks;
        picks.iter().skip(self.taken).for_each(|pick| draft.take(pick, fields));
        self.taken = picks.len();
    }

    /// What is said beside rows that hold a pick, by the place of their messages.
    pub(super) fn notes(
        &self,
        store: &Store,
        draft: &CaptureDraft,
        fields: &Fields,
    ) -> BTreeMap<String, String> {
        let picks = store.picks().of(&self.form).unwrap_or_default().picks;
        let taken = picks.iter().take(self.taken);
        taken.filter_map(|pick| Some((draft.place_of(pick, fields)?, note(pick, fields)))).collect()
    }
}

fn is_number(form: &str) -> bool {
    form.len() == 32 && form.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl CaptureDraft {
    /// Takes a pick: a trigger fills the row that is unfinished, or one of its own; a field's source takes its place.
    fn take(&mut self, pick: &Pick, fields: &Fields) {
        match &pick.what {
            Picked::Trigger(_) if self.place_of(pick, fields).is_some() => {}
            Picked::Trigger(trigger) => {
                let row = TriggerDraft::of(trigger);
                let unfinished = self.triggers.iter_mut().find(|row| row.unfinished(fields));
                match unfinished {
                    Some(unfinished) => *unfinished = row,
                    None => self.triggers.push(row),
                }
            }
            Picked::Field(mapping) => {
                let Some(row) = source_row(mapping, fields) else { return };
                let place = self.sources.iter_mut().find(|source| source.field == row.field);
                place.into_iter().for_each(|source| *source = row.clone());
            }
        }
    }

    /// Where the row is that means what was picked.
    fn place_of(&self, pick: &Pick, fields: &Fields) -> Option<String> {
        match &pick.what {
            Picked::Trigger(trigger) => {
                let means = |row: &TriggerDraft| row.checked().is_ok_and(|own| own == *trigger);
                Some(format!("trigger-{}", self.triggers.iter().position(means)?))
            }
            Picked::Field(mapping) => {
                let means = |row: &&SourceDraft| {
                    row.field == mapping.name.as_str()
                        && row.checked(fields).is_ok_and(|own| own == *mapping)
                };
                self.sources.iter().find(means).map(|row| format!("source-{}", row.field))
            }
        }
    }
}

fn source_row(mapping: &Mapping, fields: &Fields) -> Option<SourceDraft> {
    let field = fields.get(mapping.name.as_str())?;
    let alone = Capture { mappings: vec![mapping.clone()], ..Capture::default() };
    Some(SourceDraft::of(field, &alone))
}

/// What a pick read, and what the field would get from it, by the rules of every event.
fn note(pick: &Pick, fields: &Fields) -> String {
    let page = &pick.page;
    let Picked::Field(mapping) = &pick.what else { return format!("Picked on {page}.") };
    let read = match &pick.read {
        None => return format!("Picked on {page}, where nothing stood at that moment."),
        Some(Read::Text(text)) => format!("“{text}”"),
        Some(Read::Number(number)) => number.to_string(),
        Some(Read::Bool(truth)) => truth.to_string(),
    };
    let field = fields.get(mapping.name.as_str());
    let worth = field.map(|field| worth(field, mapping, pick.read.as_ref()));
    match worth {
        Some(Ok(Some(value))) => {
            format!("Picked on {page}: read {read}, so the field gets {}.", shown(&value))
        }
        Some(Err(error)) => format!(
            "Picked on {page}: read {read}, but expected {}. Choose how it is written, or another source.",
            error.expected
        ),
        _ => format!("Picked on {page}: read {read}."),
    }
}

/// The part of the page that opens the owner's own page.
#[derive(Template)]
#[template(path = "console/pick.html")]
pub(super) struct Picker {
    to: String,
    section: String,
    form: String,
    page: String,
    /// The code to paste where the page has none yet; none where nothing of the section is tracked.
    paste: Option<String>,
    stands: String,
}

impl Picker {
    pub(super) fn of(
        state: &Console,
        known: &Known,
        waiting: &Waiting,
    ) -> Result<String, StoreError> {
        let store = &state.console.store;
        let newest = store.reader()?.newest(known.number, true, 1)?.pop();
        let origin = || known.section.origins.first().map(|origin| format!("{origin}/"));
        let picker = Picker {
            to: format!("/events/{}", known.event.discriminator()),
            section: known.section.name.to_string(),
            form: waiting.form.clone(),
            page: newest.and_then(|event| event.url).or_else(origin).unwrap_or_default(),
            paste: paste(state, known),
            stands: stands(store.picks().of(&waiting.form), false),
        };
        Ok(picker.render().unwrap_or_default())
    }
}

/// The code to paste of the event; where it has none, of another one of its section, which serves as well.
fn paste(state: &Console, known: &Known) -> Option<String> {
    let snapshot = state.console.store.snapshot();
    let tracked = |known: &Known| known.event.tracking().enabled();
    let of_section =
        |other: &&std::sync::Arc<Known>| other.section.id == known.section.id && tracked(other);
    let other = || snapshot.visible_events().find(of_section).map(|known| known.as_ref().clone());
    let known = if tracked(known) { Some(known.clone()) } else { other() }?;
    (state.console.snippets)(&known).ok().map(|snippet| snippet.paste)
}

/// How far the picking has come.
#[derive(Template)]
#[template(path = "console/picks.html")]
struct Stands {
    picking: Option<Picking>,
    late: bool,
}

impl Stands {
    fn count(&self) -> usize {
        self.picking.as_ref().map_or(0, |picking| picking.picks.len())
    }

    fn trouble(&self) -> &'static str {
        match self.picking.as_ref().and_then(|picking| picking.trouble) {
            None => "",
            Some(Trouble::WasmRefused) => {
                "Your page opened, but its Content-Security-Policy does not let Wasm run. Add 'wasm-unsafe-eval' to its \
                 script-src, then choose Pick on my page again. Until then, write selectors by hand."
            }
            Some(Trouble::NotLoaded) => {
                "Your page opened, but the inspector could not be loaded there. Its Content-Security-Policy has to allow the \
                 collector in script-src and connect-src; then choose Pick on my page again."
            }
        }
    }
}

fn stands(picking: Option<Picking>, late: bool) -> String {
    Stands { picking, late }.render().unwrap_or_default()
}

/// Goes on to the owner's page, from a tab of its own.
#[derive(Template)]
#[template(path = "console/opening.html")]
struct Opening {
    page: String,
    address: String,
}

pub(super) async fn open(
    State(state): State<Console>,
    Path(event): Path<String>,
    _who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let known = match find(&state, &event) {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let (form, address) = (value(&pairs, "form"), value(&pairs, "page").trim());
    if !is_number(form) {
        let why = "This form was not opened here. Go back to triggers and values, and choose Pick on my page there.";
        return problem(StatusCode::UNPROCESSABLE_ENTITY, why);
    }
    let origin = match origin_of(address, &known.section) {
        Ok(origin) => origin,
        Err(why) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &why),
    };
    let store = &state.console.store;
    match store.picks().link(form, known.number, origin, store.clock().steady()) {
        Ok(token) => {
            page(&Opening { page: address.to_owned(), address: with_token(address, &token) })
        }
        Err(error) => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("no link could be made: {error}"))
        }
    }
}

/// The origin of a page's address, where the section allows it.
fn origin_of(address: &str, section: &Section) -> Result<Origin, String> {
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find(['/', '?', '#']).map_or(address.len(), |at| host + at);
    let origin = Origin::try_from(address[..end].to_owned())
        .map_err(|_| "Address of your page: expected one like https://shop.example/cart. Close this tab and correct it.".to_owned())?;
    if section.origins.contains(&origin) {
        return Ok(origin);
    }
    Err(format!(
        "{origin} is not among the web sites that may send events to {}, so nothing can be picked there. \
         Allow it in the section's settings, then choose Pick on my page again.",
        section.name
    ))
}

/// A page's address with what opens the inspector, behind the `#`, so that it reaches no server. In test mode, because what
/// somebody does while picking is no visit.
fn with_token(address: &str, token: &str) -> String {
    let between = if address.contains('#') { '&' } else { '#' };
    format!("{address}{between}beaconry-debug&beaconry-test&beaconry-pick={token}")
}

/// How far the picking for a form has come, anew with each pick.
pub(super) async fn picks(
    State(state): State<Console>,
    Path((event, form)): Path<(String, String)>,
) -> Response {
    if let Err(error) = find(&state, &event) {
        return failed(&error);
    }
    // Watched before it is looked at, so that nothing falls between.
    let news = state.console.store.picks().watch();
    let watching =
        Watching { state: state.clone(), form, news, stopped: state.stopped, told: None };
    let messages = stream::unfold(watching, |mut watching| async move {
        let html = watching.next().await?;
        Some((Ok::<_, Infallible>(Message::default().event("picks").data(html)), watching))
    });
    Sse::new(messages).keep_alive(KeepAlive::default()).into_response()
}

/// One form that waits.
struct Watching {
    state: Console,
    form: String,
    news: broadcast::Receiver<String>,
    stopped: watch::Receiver<bool>,
    /// What was said last.
    told: Option<String>,
}

impl Watching {
    /// What is to be said next; `None` once the server stops.
    async fn next(&mut self) -> Option<String> {
        let mut late = false;
        loop {
            let picking = self.state.console.store.picks().of(&self.form);
            let waits = picking.as_ref().is_some_and(|picking| !picking.opened) && !late;
            let html = stands(picking, late);
            if self.told.as_ref() != Some(&html) {
                self.told = Some(html.clone());
                return Some(html);
            }
            tokio::select! {
                heard = heard(&mut self.news, &self.form) => heard?,
                () = tokio::time::sleep(PATIENCE), if waits => late = true,
                _ = self.stopped.wait_for(|stopped| *stopped) => return None,
            }
        }
    }
}

/// Ready once there is news of the form, or some was missed.
async fn heard(news: &mut broadcast::Receiver<String>, form: &str) -> Option<()> {
    loop {
        match news.recv().await {
            Ok(of) if of == form => return Some(()),
            Err(RecvError::Lagged(_)) => return Some(()),
            Ok(_) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beaconry_model::names::{Name, SectionId};

    fn section() -> Section {
        let name = Name::try_from("Shop".to_owned()).unwrap();
        let origins = vec![Origin::try_from("https://shop.example".to_owned()).unwrap()];
        Section {
            id: SectionId::new(&name, [1; 10]).unwrap(),
            name,
            origins,
            origin_required: false,
        }
    }

    #[test]
    fn only_pages_of_the_section_are_opened() {
        let table = [
            ("https://shop.example/cart?x=1#top", ""),
            ("https://shop.example", ""),
            ("https://SHOP.example?x", ""),
            ("https://evil.example/", "not among"),
            ("http://shop.example/", "not among"),
            ("https://shop.example.evil.example/", "not among"),
            ("https://shop.example@evil.example/", "expected one like"),
            ("javascript:alert(1)", "expected one like"),
            ("data:text/html,x", "expected one like"),
            ("//shop.example/", "expected one like"),
            ("", "expected one like"),
        ];
        for (address, refused) in table {
            match origin_of(address, &section()) {
                Ok(_) => assert_eq!(refused, "", "{address}"),
                Err(why) => {
                    assert!(!refused.is_empty() && why.contains(refused), "{address}: {why}")
                }
            }
        }
    }

    #[test]
    fn the_token_stands_where_no_server_sees_it() {
        let table = [
            (
                "https://a.example/x?y=1",
                "https://a.example/x?y=1#beaconry-debug&beaconry-test&beaconry-pick=t",
            ),
            (
                "https://a.example/#/cart",
                "https://a.example/#/cart&beaconry-debug&beaconry-test&beaconry-pick=t",
            ),
        ];
        for (address, expected) in table {
            assert_eq!(with_token(address, "t"), expected);
        }
    }

    fn fields() -> Fields {
        let texts = ["total:decimal", "note:text"];
        let fields = texts.map(|text| beaconry_model::fields::Field::parse(text).unwrap());
        Fields::with_source(fields.to_vec()).unwrap()
    }

    fn pick(what: &str, read: &str) -> Pick {
        let text = format!(r#"{{"page":"https://shop.example/","what":{what},"read":{read}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn picks_go_into_their_rows_and_typed_ones_stay() {
        let (fields, mut draft) = (fields(), CaptureDraft::of(&Capture::default(), &fields()));
        let note_row = draft.sources.iter_mut().find(|row| row.field == "note").unwrap();
        (note_row.source, note_row.what) = ("text".to_owned(), "#typed".to_owned());
        let click = pick(r##"{"trigger":{"on":{"click":"#buy"}}}"##, "null");
        let total = pick(
            r##"{"field":{"name":"total","from":{"text":"#t"},"decimals":"comma"}}"##,
            r#""1 299,50 kr""#,
        );
        for pick in [&click, &click, &total] {
            draft.take(pick, &fields);
        }
        assert_eq!(draft.triggers.len(), 1, "the same trigger comes once");
        let row = |name: &str| draft.sources.iter().find(|row| row.field == name).unwrap();
        assert_eq!((row("total").what.as_str(), row("total").decimals.as_str()), ("#t", "comma"));
        assert_eq!(row("note").what, "#typed");
        assert_eq!(draft.place_of(&click, &fields), Some("trigger-0".to_owned()));
        assert_eq!(draft.place_of(&total, &fields), Some("source-total".to_owned()));
        assert_eq!(
            note(&total, &fields),
            "Picked on https://shop.example/: read “1 299,50 kr”, so the field gets 1299.5."
        );
    }

    #[test]
    fn a_trigger_fills_the_row_that_was_left_unfinished() {
        let (fields, mut draft) = (fields(), CaptureDraft::suggested(&fields()));
        draft.take(&pick(r##"{"trigger":{"on":{"submit":"#checkout"}}}"##, "null"), &fields);
        let whats: Vec<_> = draft.triggers.iter().map(|row| row.what.as_str()).collect();
        assert_eq!(whats, ["#checkout"]);
    }
}
