//! Triggers and value sources as a form holds them: what each is called, what it asks for, and how it becomes a setting.

use beaconry_model::capture::{
    Action, Capture, Consent, JsonLd, Mapping, Seen, Source, Success, Trigger, UrlCondition,
};
use beaconry_model::convert::{DateOrder, Decimals};
use beaconry_model::error::Invalid;
use beaconry_model::fields::{Field, Fields, SOURCE};
use beaconry_model::value::Kind;

use super::draft::{Errors, Pairs, number, ticked, value};

/// A choice of a list, what it asks for, and an example of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) word: &'static str,
    pub(super) label: &'static str,
    /// What the text beside it is; blank where it needs none.
    pub(super) asks: &'static str,
    /// What a second text is; blank where it needs none.
    pub(super) asks_more: &'static str,
    pub(super) example: &'static str,
}

const fn choice(
    word: &'static str,
    label: &'static str,
    asks: &'static str,
    asks_more: &'static str,
    example: &'static str,
) -> Choice {
    Choice { word, label, asks, asks_more, example }
}

pub(super) const ACTIONS: [Choice; 8] = [
    choice(
        "page_view",
        "Page view",
        "",
        "",
        "/thanks opens, also within an application of one page.",
    ),
    choice(
        "click",
        "Click",
        "CSS selector",
        "",
        "button.buy: a click on it, or on something inside it.",
    ),
    choice(
        "submit",
        "Form submit",
        "CSS selector of the form",
        "",
        "#checkout: only when the form is valid and the page did not cancel it.",
    ),
    choice(
        "element_seen",
        "Element seen",
        "CSS selector",
        "",
        ".offer: on screen, once a page view.",
    ),
    choice(
        "scroll_depth",
        "Scroll depth",
        "Percent of the page",
        "",
        "75: three quarters of the page have been on screen.",
    ),
    choice(
        "time_on_page",
        "Time on page",
        "Seconds",
        "",
        "30: the page has been open and on screen that long.",
    ),
    choice(
        "data_layer",
        "dataLayer push",
        "Name of the event",
        "",
        "purchase: what Google Tag Manager's dataLayer is given.",
    ),
    choice(
        "custom_event",
        "DOM event",
        "Name of the event",
        "",
        "cart:updated: what the page's own scripts dispatch.",
    ),
];

pub(super) const SOURCES: [Choice; 16] = [
    choice(
        "",
        "Nothing: only track() gives it",
        "",
        "",
        "The page's own code gives the value, or nobody does.",
    ),
    choice(
        "form_input",
        "Input of the form",
        "Name of the input",
        "",
        "email: of the form that was submitted.",
    ),
    choice("text", "Text of an element", "CSS selector", "", "#total: its text, like 1 299,50 kr."),
    choice(
        "value",
        "Value of an input",
        "CSS selector",
        "",
        "#quantity: what was typed or chosen.",
    ),
    choice(
        "attribute",
        "Attribute of an element",
        "CSS selector",
        "Attribute",
        "#summary, and data-order-id.",
    ),
    choice(
        "data",
        "data- attribute",
        "Name behind data-",
        "",
        "product-id: of the nearest element that has it.",
    ),
    choice("constant", "Always the same text", "Text", "", "SEK."),
    choice("url_param", "URL parameter", "Name", "", "utm_campaign: of ?utm_campaign=spring."),
    choice("path_segment", "Part of the path", "Which part", "", "2: shoes, of /shop/shoes/17."),
    choice("meta", "Meta tag", "Name or property", "", "og:title."),
    choice(
        "json_ld",
        "JSON-LD",
        "Path",
        "@type, if there are several",
        "offers.price, and Product.",
    ),
    choice("data_layer", "dataLayer", "Path", "", "ecommerce.value."),
    choice("event_detail", "Detail of the DOM event", "Path", "", "cart.total."),
    choice("title", "Title of the page", "", "", "What the browser's tab shows."),
    choice("url", "URL of the page", "", "", "Without what follows #."),
    choice("referrer", "Referrer", "", "", "The page that led here, where the browser says it."),
];

/// What conditions on a URL, and the sign of success, can be.
pub(super) const URL_KINDS: [(&str, &str); 4] = [
    ("prefix", "begins with"),
    ("exact", "is exactly"),
    ("contains", "contains"),
    ("wildcard", "fits, with * for anything"),
];

/// Everything the form for triggers and value sources holds.
#[derive(Clone, Debug, Default)]
pub(super) struct CaptureDraft {
    pub(super) consent: String,
    pub(super) test: bool,
    pub(super) triggers: Vec<TriggerDraft>,
    pub(super) sources: Vec<SourceDraft>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TriggerDraft {
    pub(super) action: String,
    pub(super) what: String,
    /// Of an element that is to be seen: percent and seconds.
    pub(super) share: String,
    pub(super) seconds: String,
    pub(super) urls: Vec<(String, String)>,
    /// `element`, `url` or blank.
    pub(super) success: String,
    pub(super) sign: String,
    /// Whether the row was just added, and is where typing goes on.
    pub(super) fresh: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SourceDraft {
    pub(super) field: String,
    pub(super) label: &'static str,
    pub(super) numeric: bool,
    pub(super) dated: bool,
    pub(super) source: String,
    pub(super) what: String,
    pub(super) more: String,
    pub(super) anywhere: bool,
    pub(super) decimals: String,
    pub(super) dates: String,
}

/// What a button of the form asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Check,
    Save,
    /// Save, and switch tracking on or regenerate.
    Publish,
    /// Take what was picked on the owner's page.
    Picked,
    AddTrigger,
    RemoveTrigger(usize),
    AddUrl(usize),
    RemoveUrl(usize, usize),
}

impl Ask {
    pub(super) fn of(pairs: &Pairs) -> Ask {
        let word = value(pairs, "do");
        let one = |prefix: &str| word.strip_prefix(prefix).and_then(|at| at.parse().ok());
        let two = |prefix: &str| {
            let (trigger, url) = word.strip_prefix(prefix)?.split_once('-')?;
            Some(Ask::RemoveUrl(trigger.parse().ok()?, url.parse().ok()?))
        };
        match word {
            "save" => Ask::Save,
            "publish" => Ask::Publish,
            "picked" => Ask::Picked,
            "add-trigger" => Ask::AddTrigger,
            _ => one("remove-trigger-")
                .map(Ask::RemoveTrigger)
                .or_else(|| one("add-url-").map(Ask::AddUrl))
                .or_else(|| two("remove-url-"))
                .unwrap_or(Ask::Check),
        }
    }
}

impl CaptureDraft {
    pub(super) fn of(capture: &Capture, fields: &Fields) -> CaptureDraft {
        CaptureDraft {
            consent: consent_word(capture.consent).to_owned(),
            test: capture.test,
            triggers: capture.triggers.iter().map(TriggerDraft::of).collect(),
            sources: fields.iter().map(|field| SourceDraft::of(field, capture)).collect(),
        }
    }

    /// What an event without settings opens with, for people to change: most events are forms whose inputs are called
    /// like the fields. A form that has no such input leaves its field without a value.
    pub(super) fn suggested(fields: &Fields) -> CaptureDraft {
        let mut draft = CaptureDraft::of(&Capture::default(), fields);
        draft.triggers.push(TriggerDraft::proposed(fields));
        for source in draft.sources.iter_mut().filter(|source| source.field != SOURCE) {
            (source.source, source.what) = ("form_input".to_owned(), source.field.clone());
        }
        draft
    }

    pub(super) fn read(pairs: &Pairs, fields: &Fields) -> CaptureDraft {
        let rows = (0..100).take_while(|at| ticked(pairs, &format!("action-{at}")));
        CaptureDraft {
            consent: value(pairs, "consent").to_owned(),
            test: ticked(pairs, "test"),
            triggers: rows.map(|at| TriggerDraft::read(pairs, at)).collect(),
            sources: fields.iter().map(|field| SourceDraft::read(pairs, field)).collect(),
        }
    }

    pub(super) fn arrange(&mut self, ask: Ask) {
        match ask {
            Ask::AddTrigger => self.triggers.push(TriggerDraft::fresh("click")),
            Ask::RemoveTrigger(at) if at < self.triggers.len() => {
                self.triggers.remove(at);
            }
            Ask::AddUrl(at) => {
                let urls = self.triggers.get_mut(at).map(|trigger| &mut trigger.urls);
                urls.into_iter().for_each(|urls| urls.push(("prefix".to_owned(), String::new())));
            }
            Ask::RemoveUrl(at, url) => {
                let urls = self.triggers.get_mut(at).map(|trigger| &mut trigger.urls);
                urls.filter(|urls| url < urls.len()).into_iter().for_each(|urls| {
                    urls.remove(url);
                });
            }
            _ => {}
        }
    }

    /// The settings; what is wrong is noted beside its row.
    pub(super) fn checked(&self, fields: &Fields, errors: &mut Errors) -> Option<Capture> {
        let mut capture =
            Capture { consent: consent(&self.consent), test: self.test, ..Capture::default() };
        for (at, draft) in self.triggers.iter().enumerate() {
            let trigger = draft.checked().and_then(|trigger| {
                let alone = Capture { triggers: vec![trigger.clone()], ..Capture::default() };
                alone.check(fields).map_err(|wrong| without(wrong, "trigger 1: ")).map(|()| trigger)
            });
            capture.triggers.extend(errors.note(&format!("trigger-{at}"), trigger));
        }
        for draft in self.sources.iter().filter(|draft| !draft.source.is_empty()) {
            let mapping = draft.checked(fields).and_then(|mapping| {
                let alone = Capture { mappings: vec![mapping.clone()], ..Capture::default() };
                alone.check(fields).map(|()| mapping)
            });
            capture.mappings.extend(errors.note(&format!("source-{}", draft.field), mapping));
        }
        errors.note("triggers", capture.check(fields))?;
        errors.is_empty().then_some(capture)
    }

    /// Every place of the form that may have a message.
    pub(super) fn slots(&self) -> Vec<String> {
        let triggers = (0..self.triggers.len()).map(|at| format!("trigger-{at}"));
        let sources = self.sources.iter().map(|source| format!("source-{}", source.field));
        std::iter::once("triggers".to_owned()).chain(triggers).chain(sources).collect()
    }
}

/// A message without the part that its place says already.
fn without(wrong: Invalid, prefix: &str) -> Invalid {
    let thing = wrong.thing.strip_prefix(prefix).unwrap_or(&wrong.thing).to_owned();
    Invalid { thing, ..wrong }
}

fn consent(word: &str) -> Consent {
    match word {
        "hold" => Consent::Hold,
        "drop" => Consent::Drop,
        _ => Consent::NotRequired,
    }
}

fn consent_word(consent: Consent) -> &'static str {
    match consent {
        Consent::NotRequired => "not_required",
        Consent::Hold => "hold",
        Consent::Drop => "drop",
    }
}

fn condition(kind: &str, pattern: String) -> UrlCondition {
    match kind {
        "exact" => UrlCondition::Exact(pattern),
        "contains" => UrlCondition::Contains(pattern),
        "wildcard" => UrlCondition::Wildcard(pattern),
        _ => UrlCondition::Prefix(pattern),
    }
}

fn condition_draft(condition: &UrlCondition) -> (String, String) {
    let kind = match condition {
        UrlCondition::Exact(_) => "exact",
        UrlCondition::Prefix(_) => "prefix",
        UrlCondition::Contains(_) => "contains",
        UrlCondition::Wildcard(_) => "wildcard",
    };
    (kind.to_owned(), condition.pattern().to_owned())
}

impl TriggerDraft {
    pub(super) fn of(trigger: &Trigger) -> TriggerDraft {
        let (action, what) = match &trigger.on {
            Action::PageView => ("page_view", String::new()),
            Action::Click(selector) => ("click", selector.clone()),
            Action::Submit(selector) => ("submit", selector.clone()),
            Action::ElementSeen(seen) => ("element_seen", seen.selector.clone()),
            Action::ScrollDepth(percent) => ("scroll_depth", percent.to_string()),
            Action::TimeOnPage(seconds) => ("time_on_page", seconds.to_string()),
            Action::DataLayer(name) => ("data_layer", name.clone()),
            Action::CustomEvent(name) => ("custom_event", name.clone()),
        };
        let (share, seconds) = match &trigger.on {
            Action::ElementSeen(seen) => (seen.share.to_string(), seen.seconds.to_string()),
            _ => Default::default(),
        };
        let (success, sign) = match &trigger.success {
            None => Default::default(),
            Some(Success::Element(selector)) => ("element".to_owned(), selector.clone()),
            Some(Success::Url(condition)) => {
                let (kind, pattern) = condition_draft(condition);
                (format!("url-{kind}"), pattern)
            }
        };
        let urls = trigger.urls.iter().map(condition_draft).collect();
        let action = action.to_owned();
        TriggerDraft { action, what, share, seconds, urls, success, sign, fresh: false }
    }

    fn fresh(action: &str) -> TriggerDraft {
        TriggerDraft { action: action.to_owned(), fresh: true, ..TriggerDraft::default() }
    }

    fn read(pairs: &Pairs, at: usize) -> TriggerDraft {
        let text = |name: &str| value(pairs, &format!("{name}-{at}")).trim().to_owned();
        let urls = (0..100).take_while(|url| ticked(pairs, &format!("url-{at}-{url}")));
        let url = |url: usize| {
            (
                text_of(pairs, &format!("url-kind-{at}-{url}")),
                text_of(pairs, &format!("url-{at}-{url}")),
            )
        };
        TriggerDraft {
            action: text("action"),
            what: text("what"),
            share: text("share"),
            seconds: text("seconds"),
            urls: urls.map(url).collect(),
            success: text("success"),
            sign: text("sign"),
            fresh: false,
        }
    }

    /// The form that has an input called like a field, so that a page's search or log-in makes no event.
    fn proposed(fields: &Fields) -> TriggerDraft {
        let own = || fields.iter().filter(|field| field.name().as_str() != SOURCE);
        let telling = own().find(|field| field.required()).or_else(|| own().next());
        let form = telling.map(|field| format!("form:has([name={}])", field.name()));
        TriggerDraft { what: form.unwrap_or_default(), ..TriggerDraft::fresh("submit") }
    }

    /// Whether nobody has said yet what it looks for, or only the proposal says it.
    pub(super) fn unfinished(&self, fields: &Fields) -> bool {
        let blank = self.what.is_empty() && !self.choice().asks.is_empty();
        blank || self.checked().ok() == TriggerDraft::proposed(fields).checked().ok()
    }

    /// A trigger in a few words: what the form calls it, and what it looks for.
    pub(super) fn said(trigger: &Trigger) -> (&'static str, String) {
        let row = TriggerDraft::of(trigger);
        (row.choice().label, row.what)
    }

    pub(super) fn choice(&self) -> &'static Choice {
        ACTIONS.iter().find(|choice| choice.word == self.action).unwrap_or(&ACTIONS[0])
    }

    pub(super) fn checked(&self) -> Result<Trigger, Invalid> {
        let what = || self.what.clone();
        let on = match self.choice().word {
            "click" => Action::Click(what()),
            "submit" => Action::Submit(what()),
            "element_seen" => Action::ElementSeen(Seen {
                selector: what(),
                share: number(&self.share, "share")?.unwrap_or(50),
                seconds: number(&self.seconds, "seconds")?.unwrap_or(1),
            }),
            "scroll_depth" => {
                Action::ScrollDepth(number(&self.what, "percent")?.unwrap_or_default())
            }
            "time_on_page" => {
                Action::TimeOnPage(number(&self.what, "seconds")?.unwrap_or_default())
            }
            "data_layer" => Action::DataLayer(what()),
            "custom_event" => Action::CustomEvent(what()),
            _ => Action::PageView,
        };
        let success = match self.success.as_str() {
            _ if self.action != "submit" => None,
            "" => None,
            "element" => Some(Success::Element(self.sign.clone())),
            url => Some(Success::Url(condition(url.trim_start_matches("url-"), self.sign.clone()))),
        };
        let urls =
            self.urls.iter().map(|(kind, pattern)| condition(kind, pattern.clone())).collect();
        Ok(Trigger { on, urls, success })
    }
}

fn text_of(pairs: &Pairs, name: &str) -> String {
    value(pairs, name).trim().to_owned()
}

impl SourceDraft {
    fn new(field: &Field) -> SourceDraft {
        SourceDraft {
            field: field.name().to_string(),
            label: field.kind().label(),
            numeric: matches!(field.kind(), Kind::Number | Kind::Decimal),
            dated: matches!(field.kind(), Kind::Date | Kind::Timestamp),
            ..SourceDraft::default()
        }
    }

    pub(super) fn of(field: &Field, capture: &Capture) -> SourceDraft {
        let draft = SourceDraft::new(field);
        let Some(mapping) = capture.mapping(&draft.field) else { return draft };
        let (source, what, more) = source_draft(&mapping.from);
        SourceDraft {
            source: source.to_owned(),
            what,
            more,
            anywhere: mapping.anywhere,
            decimals: decimals_word(mapping.decimals).to_owned(),
            dates: dates_word(mapping.dates).to_owned(),
            ..draft
        }
    }

    fn read(pairs: &Pairs, field: &Field) -> SourceDraft {
        let draft = SourceDraft::new(field);
        let text = |name: &str| text_of(pairs, &format!("{name}.{}", draft.field));
        SourceDraft {
            source: text("source"),
            what: text("from"),
            more: text("more"),
            anywhere: ticked(pairs, &format!("anywhere.{}", draft.field)),
            decimals: text("decimals"),
            dates: text("dates"),
            ..draft
        }
    }

    pub(super) fn choice(&self) -> &'static Choice {
        SOURCES.iter().find(|choice| choice.word == self.source).unwrap_or(&SOURCES[0])
    }

    pub(super) fn is_an_element(&self) -> bool {
        matches!(self.source.as_str(), "text" | "value" | "attribute" | "data")
    }

    pub(super) fn checked(&self, fields: &Fields) -> Result<Mapping, Invalid> {
        let unknown =
            || Invalid::new("field", "a field of the event", format!("\"{}\"", self.field));
        let field = fields.get(&self.field).ok_or_else(unknown)?;
        Ok(Mapping {
            anywhere: self.anywhere && self.is_an_element(),
            decimals: if self.numeric { decimals(&self.decimals) } else { Decimals::default() },
            dates: if self.dated { dates(&self.dates) } else { DateOrder::default() },
            ..Mapping::new(field.name().clone(), self.from()?)
        })
    }

    fn from(&self) -> Result<Source, Invalid> {
        let what = || self.what.clone();
        Ok(match self.choice().word {
            "form_input" => Source::FormInput(what()),
            "text" => Source::Text(what()),
            "value" => Source::Value(what()),
            "attribute" => Source::Attribute { selector: what(), name: self.more.clone() },
            "data" => Source::Data(what()),
            "url_param" => Source::UrlParam(what()),
            "path_segment" => {
                Source::PathSegment(number(&self.what, "part of the path")?.unwrap_or_default())
            }
            "meta" => Source::Meta(what()),
            "json_ld" => {
                let kind = Some(self.more.clone()).filter(|kind| !kind.is_empty());
                Source::JsonLd(JsonLd { path: what(), kind })
            }
            "data_layer" => Source::DataLayer(what()),
            "event_detail" => Source::EventDetail(what()),
            "title" => Source::Title,
            "url" => Source::Url,
            "referrer" => Source::Referrer,
            _ => Source::Constant(what()),
        })
    }
}

fn source_draft(source: &Source) -> (&'static str, String, String) {
    let one = |word, what: &String| (word, what.clone(), String::new());
    let none = |word| (word, String::new(), String::new());
    match source {
        Source::Constant(text) => one("constant", text),
        Source::UrlParam(name) => one("url_param", name),
        Source::PathSegment(segment) => ("path_segment", segment.to_string(), String::new()),
        Source::Text(selector) => one("text", selector),
        Source::Value(selector) => one("value", selector),
        Source::Attribute { selector, name } => ("attribute", selector.clone(), name.clone()),
        Source::Data(name) => one("data", name),
        Source::Meta(name) => one("meta", name),
        Source::JsonLd(JsonLd { path, kind }) => {
            ("json_ld", path.clone(), kind.clone().unwrap_or_default())
        }
        Source::DataLayer(path) => one("data_layer", path),
        Source::EventDetail(path) => one("event_detail", path),
        Source::FormInput(name) => one("form_input", name),
        Source::Title => none("title"),
        Source::Url => none("url"),
        Source::Referrer => none("referrer"),
    }
}

fn decimals(word: &str) -> Decimals {
    match word {
        "point" => Decimals::Point,
        "comma" => Decimals::Comma,
        _ => Decimals::default(),
    }
}

fn decimals_word(decimals: Decimals) -> &'static str {
    match decimals {
        Decimals::Point => "point",
        Decimals::Comma => "comma",
        _ => "auto",
    }
}

fn dates(word: &str) -> DateOrder {
    match word {
        "dmy" => DateOrder::Dmy,
        "mdy" => DateOrder::Mdy,
        _ => DateOrder::default(),
    }
}

fn dates_word(dates: DateOrder) -> &'static str {
    match dates {
        DateOrder::Dmy => "dmy",
        DateOrder::Mdy => "mdy",
        _ => "ymd",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the form of these settings would send.
    fn sent(draft: &CaptureDraft) -> Pairs {
        let mut pairs = vec![("consent".to_owned(), draft.consent.clone())];
        let mut put = |name: String, value: &str| pairs.push((name, value.to_owned()));
        for (at, trigger) in draft.triggers.iter().enumerate() {
            let texts =
                [("action", &trigger.action), ("what", &trigger.what), ("share", &trigger.share)];
            texts.iter().for_each(|(name, text)| put(format!("{name}-{at}"), text));
            let texts = [
                ("seconds", &trigger.seconds),
                ("success", &trigger.success),
                ("sign", &trigger.sign),
            ];
            texts.iter().for_each(|(name, text)| put(format!("{name}-{at}"), text));
            for (url, (kind, pattern)) in trigger.urls.iter().enumerate() {
                put(format!("url-kind-{at}-{url}"), kind);
                put(format!("url-{at}-{url}"), pattern);
            }
        }
        for source in &draft.sources {
            let texts =
                [("source", &source.source), ("from", &source.what), ("more", &source.more)];
            texts.iter().for_each(|(name, text)| put(format!("{name}.{}", source.field), text));
            let texts = [("decimals", &source.decimals), ("dates", &source.dates)];
            texts.iter().for_each(|(name, text)| put(format!("{name}.{}", source.field), text));
            if source.anywhere {
                put(format!("anywhere.{}", source.field), "yes");
            }
        }
        pairs
    }

    fn fields() -> Fields {
        let texts = ["a:text", "b:decimal", "c:date"];
        Fields::with_source(texts.iter().map(|text| Field::parse(text).unwrap()).collect()).unwrap()
    }

    #[test]
    fn every_setting_survives_the_form() {
        let triggers = r##"[{"on":"page_view","url":[{"prefix":"/a"},{"exact":"/b"},{"contains":"c"},{"wildcard":"/d*"}]},
            {"on":{"click":".a"}},{"on":{"submit":"#f"},"success":{"element":".thanks"}},{"on":{"submit":"#g"},"success":{"url":{"contains":"thanks"}}},
            {"on":{"element_seen":{"selector":".o","share":30,"seconds":2}}},{"on":{"scroll_depth":75}},{"on":{"time_on_page":30}},
            {"on":{"data_layer":"purchase"}},{"on":{"custom_event":"cart:updated"}}]"##;
        let sources = [
            r##"{"constant":"SEK"}"##,
            r##"{"url_param":"utm"}"##,
            r##"{"path_segment":2}"##,
            r##"{"text":"#t"}"##,
            r##"{"value":"#v"}"##,
            r##"{"attribute":{"selector":"#s","name":"n"}}"##,
            r##"{"data":"id"}"##,
            r##"{"meta":"og:title"}"##,
            r##"{"json_ld":{"path":"offers.price","type":"Product"}}"##,
            r##"{"json_ld":{"path":"name"}}"##,
            r##"{"data_layer":"a.b"}"##,
            r##"{"event_detail":"a.b"}"##,
            r##"{"form_input":"email"}"##,
            r##""title""##,
            r##""url""##,
            r##""referrer""##,
        ];
        for source in sources {
            let text = format!(
                r#"{{"consent":"hold","trigger":{triggers},"field":[{{"name":"a","from":{source}}},
                {{"name":"b","from":{{"text":"x"}},"anywhere":true,"decimals":"comma"}},{{"name":"c","from":{{"text":"y"}},"dates":"dmy"}}]}}"#
            );
            let capture: Capture = serde_json::from_str(&text).unwrap();
            let pairs = sent(&CaptureDraft::of(&capture, &fields()));
            let mut errors = Errors::default();
            let read = CaptureDraft::read(&pairs, &fields()).checked(&fields(), &mut errors);
            assert_eq!((read.as_ref(), errors), (Some(&capture), Errors::default()));
        }
    }

    #[test]
    fn what_is_wrong_is_said_beside_its_row() {
        let mut draft = CaptureDraft::of(&Capture::default(), &fields());
        draft.arrange(Ask::AddTrigger);
        draft.arrange(Ask::AddUrl(0));
        draft.sources[1].source = "path_segment".to_owned();
        draft.sources[1].what = "two".to_owned();
        let mut errors = Errors::default();
        assert_eq!(draft.checked(&fields(), &mut errors), None);
        assert!(errors.at("trigger-0").contains("1 to 500 characters"), "{errors:?}");
        assert!(errors.at("source-a").contains("got \"two\""), "{errors:?}");
        draft.arrange(Ask::RemoveUrl(0, 0));
        draft.arrange(Ask::RemoveTrigger(0));
        assert!(draft.triggers.is_empty());
    }

    #[test]
    fn a_proposal_is_the_form_that_has_an_input_called_like_a_field() {
        let form = |fields: &Fields| {
            let draft = CaptureDraft::suggested(fields);
            draft.triggers[0].what.clone()
        };
        let capture = CaptureDraft::suggested(&fields()).checked(&fields(), &mut Errors::default());
        let capture = capture.unwrap();
        let first = "form:has([name=a])".to_owned();
        assert_eq!(capture.triggers, [Trigger::new(Action::Submit(first))]);
        let required = [Field::parse("a:text").unwrap(), Field::parse("b:text:required").unwrap()];
        assert_eq!(form(&Fields::with_source(required.into()).unwrap()), "form:has([name=b])");
        assert_eq!(form(&Fields::with_source(vec![]).unwrap()), "", "nothing tells it from others");
        assert_eq!(capture.mapping("source"), None, "it keeps its constant");
        assert_eq!(capture.mapping("b").unwrap().from, Source::FormInput("b".to_owned()));
    }
}
