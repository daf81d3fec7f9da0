//! API keys of outside systems and one's own personal tokens: make them, see what they may do, revoke them.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use beaconry_model::error::Invalid;
use beaconry_model::key::{Grant, Sections, Use};
use beaconry_model::names::{Name, SectionId};
use beaconry_model::profile::Keyspace;
use beaconry_store::{ApiKey, MadeKey, MadeToken, PersonalToken, StoreError};

use super::draft::{Errors, Pairs, ticked, value};
use super::who::Who;
use super::{State as Console, failed};
use crate::page::{go_to, page_with};

#[derive(Template)]
#[template(path = "console/keys.html")]
struct Page {
    keys: Vec<Row>,
    tokens: Vec<PersonalToken>,
    sections: Vec<(String, String)>,
    /// What was typed into the form for a key.
    typed: Pairs,
    /// A key or a token that was just made: its secret is shown this once.
    made: Option<Made>,
    errors: Errors,
}

/// One key in words.
struct Row {
    key: ApiKey,
    sections: String,
    keyspaces: String,
    uses: String,
}

enum Made {
    Key(MadeKey),
    Token(MadeToken),
}

impl Page {
    const KEYSPACES: [Keyspace; 3] = [Keyspace::Email, Keyspace::Mobile, Keyspace::CrmId];

    fn ticked(&self, name: &str) -> bool {
        ticked(&self.typed, name)
    }

    fn reached(&self, keyspace: &Keyspace) -> bool {
        self.ticked(&format!("keyspace-{keyspace}"))
    }

    fn name(&self) -> &str {
        value(&self.typed, "name")
    }

    fn chosen(&self, section: &str) -> bool {
        self.typed.iter().any(|(name, value)| name == "section" && value == section)
    }
}

pub(super) async fn show(State(state): State<Console>) -> Response {
    answer(&state, Pairs::new(), None, Errors::default())
}

pub(super) async fn create(
    State(state): State<Console>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let mut errors = Errors::default();
    let name = errors.note("name", Name::try_from(value(&pairs, "name").trim().to_owned()));
    let may = errors.note("may", grant(&pairs));
    let (Some(name), Some(may)) = (name, may) else { return answer(&state, pairs, None, errors) };
    let now = state.console.store.clock().now();
    match state.console.api.keys().create(&name, may, who.name(), now) {
        Ok(made) => answer(&state, Pairs::new(), Some(Made::Key(made)), Errors::default()),
        Err(error) => failed(&error),
    }
}

pub(super) async fn revoke(
    State(state): State<Console>,
    Path(client_id): Path<String>,
    who: Who,
) -> Response {
    let now = state.console.store.clock().now();
    match state.console.api.keys().revoke(&client_id, who.name(), now) {
        Ok(()) => go_to("/settings/keys"),
        Err(error) => failed(&error),
    }
}

pub(super) async fn create_token(
    State(state): State<Console>,
    who: Who,
    Form(pairs): Form<Pairs>,
) -> Response {
    let mut errors = Errors::default();
    let name = errors.note("token-name", Name::try_from(value(&pairs, "token-name").to_owned()));
    let days = value(&pairs, "days");
    let days = errors.note(
        "days",
        days.trim().parse().map_err(|_| Invalid::new("days", "1 to 366", format!("{days:?}"))),
    );
    let (Some(name), Some(days)) = (name, days) else {
        return answer(&state, Pairs::new(), None, errors);
    };
    let now = state.console.store.clock().now();
    match state.console.api.keys().create_token(&name, who.name(), days, now) {
        Ok(made) => answer(&state, Pairs::new(), Some(Made::Token(made)), Errors::default()),
        Err(StoreError::Refused(refusal)) => {
            answer(&state, Pairs::new(), None, Errors::one("days", &refusal.to_string()))
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn revoke_token(
    State(state): State<Console>,
    Path(number): Path<i64>,
    who: Who,
) -> Response {
    let now = state.console.store.clock().now();
    match state.console.api.keys().revoke_token(number, who.name(), now) {
        Ok(()) => go_to("/settings/keys"),
        Err(error) => failed(&error),
    }
}

/// What the form asks for.
fn grant(pairs: &Pairs) -> Result<Grant, Invalid> {
    let sections = match value(pairs, "sections") {
        "all" => Sections::All,
        _ => {
            let chosen = pairs.iter().filter(|(name, _)| name == "section");
            let ids = chosen.map(|(_, id)| SectionId::try_from(id.clone()));
            Sections::Some(ids.collect::<Result<_, _>>()?)
        }
    };
    let keyspaces = Keyspace::ALL.into_iter();
    let keyspaces = keyspaces.filter(|keyspace| ticked(pairs, &format!("keyspace-{keyspace}")));
    Grant::new(sections, keyspaces.collect(), ticked(pairs, "read"), ticked(pairs, "write"))
}

fn answer(state: &Console, typed: Pairs, made: Option<Made>, errors: Errors) -> Response {
    match page(state, typed, made, errors) {
        Ok(page) => {
            let wrong = !page.errors.is_empty();
            let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            let mut answer = page_with(status, &page);
            // It may show a secret.
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer
        }
        Err(error) => failed(&error),
    }
}

fn page(
    state: &Console,
    typed: Pairs,
    made: Option<Made>,
    errors: Errors,
) -> Result<Page, StoreError> {
    let (keys, snapshot) = (state.console.api.keys(), state.console.store.snapshot());
    let name_of = |id: &SectionId| {
        let section = snapshot.sections().iter().find(|section| section.id == *id);
        section.map_or_else(|| id.to_string(), |section| section.name.to_string())
    };
    let row = |key: ApiKey| {
        let may = &key.may;
        let keyspaces: Vec<_> = may.keyspaces().iter().map(|keyspace| keyspace.label()).collect();
        let uses = [Use::Read, Use::Write].into_iter().filter(|what| may.allows(*what));
        Row {
            sections: match may.sections() {
                Sections::All => "all".to_owned(),
                Sections::Some(ids) => ids.iter().map(name_of).collect::<Vec<_>>().join(", "),
            },
            keyspaces: keyspaces.join(", "),
            uses: uses.map(Use::word).collect::<Vec<_>>().join(", "),
            key,
        }
    };
    let sections = snapshot.sections().iter();
    Ok(Page {
        keys: keys.list()?.into_iter().rev().map(row).collect(),
        tokens: keys.tokens()?.into_iter().rev().collect(),
        sections: sections
            .map(|section| (section.id.to_string(), section.name.to_string()))
            .collect(),
        typed,
        made,
        errors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Result<Grant, Invalid> {
        grant(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn a_form_asks_for_what_is_ticked() {
        let section = ("section", "com.beaconry.sections.shop-0123456789");
        let may = asked(&[section, ("keyspace-email", "yes"), ("read", "yes")]).unwrap();
        assert!(may.allows(Use::Read) && !may.allows(Use::Write));
        assert_eq!(may.keyspaces(), [Keyspace::Email]);
        let all = asked(&[("sections", "all"), ("keyspace-web", "yes"), ("write", "yes")]).unwrap();
        assert_eq!((all.sections(), all.keyspaces()), (&Sections::All, &[Keyspace::Web][..]));
        for (pairs, thing) in [
            (&[("keyspace-email", "yes"), ("read", "yes")][..], "sections"),
            (&[section, ("read", "yes")], "keyspaces"),
            (&[section, ("keyspace-email", "yes")], "permissions"),
            (&[("section", "none"), ("keyspace-email", "yes"), ("read", "yes")], "section"),
        ] {
            assert_eq!(asked(pairs).unwrap_err().thing, thing);
        }
    }
}
