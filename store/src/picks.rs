//! Point and click: what people pick on their own pages, on its way from the collector to the form that waits for it.
//!
//! A link is signed with a secret of the data folder, names one event and one web origin, and opens once, within a quarter
//! of an hour. Whoever opened it gets a key that lasts as long after each use. All of this is in memory, bounded, and gone
//! with the server: what was picked is worth nothing before somebody saves it.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use tokio::sync::broadcast;

use beaconry_model::pick::Pick;
use beaconry_model::section::Origin;
use beaconry_model::time::Timestamp;

use crate::error::StoreError;
use crate::random;
use crate::registry::Registry;
use crate::snapshot::EventNo;

/// How long a link can be opened, and how long a page may wait between two picks, in milliseconds.
pub const LASTS: i64 = 15 * 60 * 1_000;
/// Forms that wait at once; over that, the one that ends first is given up.
const MAX_FORMS: usize = 500;
/// The most picks that one form takes.
const MAX_PICKS: usize = 200;
/// News that a slow form may be behind; it looks at everything anyway once it hears of any.
const BACKLOG: usize = 64;
/// The data folder's setting that holds the secret links are signed with.
const SECRET: &str = "pick.secret";

/// The number of a form that waits for picks, which only its own page knows.
pub type Form = String;

/// Why nothing can be picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickRefused {
    /// The link was not made by this data folder.
    Forged,
    /// The link or the key has ended, or the server was started anew since.
    Ended,
    /// The link was opened already.
    Opened,
    /// The page is not of the origin that the link is for.
    Elsewhere(Origin),
    /// One form has taken as much as it can.
    TooMany,
}

impl fmt::Display for PickRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = "Choose Pick on my page in the console again.";
        match self {
            PickRefused::Forged => {
                write!(f, "link: expected one that this Beaconry has made, got another. {again}")
            }
            PickRefused::Ended => {
                write!(
                    f,
                    "link: expected one that was made or used within 15 minutes, got one that has ended. {again}"
                )
            }
            PickRefused::Opened => {
                write!(
                    f,
                    "link: expected one that nobody has opened, got one that was opened already. {again}"
                )
            }
            PickRefused::Elsewhere(origin) => {
                write!(
                    f,
                    "page: expected one of {origin}, which the link is for, got another. {again}"
                )
            }
            PickRefused::TooMany => {
                write!(
                    f,
                    "picks: expected at most {MAX_PICKS} for one form, got more. Save the form. {again}"
                )
            }
        }
    }
}

/// What keeps a page from being pointed at, as the debug file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The page's policy does not let Wasm run.
    WasmRefused,
    /// The inspector's files did not load.
    NotLoaded,
}

/// How far the picking for one form has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picking {
    /// Whether a page was opened by a link.
    pub opened: bool,
    /// What keeps that page from being pointed at.
    pub trouble: Option<Trouble>,
    /// What was picked, oldest first.
    pub picks: Vec<Pick>,
}

/// The links that are out and what came back by them.
#[derive(Debug)]
pub struct Picks {
    secret: [u8; 32],
    desk: Mutex<Desk>,
    news: broadcast::Sender<Form>,
}

#[derive(Debug, Default)]
struct Desk {
    /// By the link's number.
    links: HashMap<String, Link>,
    forms: HashMap<Form, Picking>,
}

#[derive(Debug)]
struct Link {
    form: Form,
    event: EventNo,
    origin: Origin,
    until: Timestamp,
    /// What its page shows for each pick, once it is opened.
    key: Option<String>,
}

impl Picks {
    /// Takes the data folder's secret, and makes it where there is none yet.
    pub(crate) fn open(registry: &mut Registry) -> Result<Picks, StoreError> {
        let kept = registry.setting(SECRET)?.and_then(|text| unhex(&text)?.try_into().ok());
        let secret = match kept {
            Some(secret) => secret,
            None => {
                let secret: [u8; 32] = random::bytes()
                    .map_err(|error| StoreError::Folder { path: "random bytes".into(), error })?;
                registry.set_setting(SECRET, &hex(&secret))?;
                secret
            }
        };
        Ok(Picks { secret, desk: Mutex::default(), news: broadcast::Sender::new(BACKLOG) })
    }

    /// Makes a link's token: it lets one page of this origin pick for one event, and what is picked comes to the form.
    pub fn link(
        &self,
        form: &str,
        event: EventNo,
        origin: Origin,
        now: Timestamp,
    ) -> Result<String, io::Error> {
        let number = hex(&random::bytes::<16>()?);
        let until = now.plus(LASTS);
        let said = format!("{number} {} {} {origin}", event.0, until.0);
        let token = format!("{}.{}", hex(said.as_bytes()), hex(&self.sign(&said)));
        let link = Link { form: form.to_owned(), event, origin, until, key: None };
        let mut desk = self.desk();
        desk.clear_out(now);
        desk.forms.entry(form.to_owned()).or_default();
        desk.links.insert(number, link);
        drop(desk);
        let _ = self.news.send(form.to_owned());
        Ok(token)
    }

    /// Opens a link from a page of this origin: which event it is for, and the key that the page goes on with.
    pub fn open_link(
        &self,
        token: &str,
        origin: &str,
        now: Timestamp,
    ) -> Result<(EventNo, String), PickRefused> {
        let number = self.verify(token, now)?;
        let key = hex(&random::bytes::<16>().map_err(|_| PickRefused::Ended)?);
        let mut desk = self.desk();
        let link = desk.links.get_mut(&number).ok_or(PickRefused::Ended)?;
        link.is_for(origin)?;
        if link.key.is_some() {
            return Err(PickRefused::Opened);
        }
        link.key = Some(key.clone());
        link.until = now.plus(LASTS);
        let (form, event) = (link.form.clone(), link.event);
        desk.forms.entry(form.clone()).or_default().opened = true;
        drop(desk);
        let _ = self.news.send(form);
        Ok((event, key))
    }

    /// Goes on with a key, from a page of its origin: which event it is for.
    pub fn go_on(&self, key: &str, origin: &str, now: Timestamp) -> Result<EventNo, PickRefused> {
        self.desk().by_key(key, origin, now).map(|link| link.event)
    }

    /// Gives a pick, which was checked, to the form that waits for it.
    pub fn pick(
        &self,
        key: &str,
        origin: &str,
        pick: Pick,
        now: Timestamp,
    ) -> Result<(), PickRefused> {
        self.tell(key, origin, now, |picking| {
            if picking.picks.len() >= MAX_PICKS {
                return Err(PickRefused::TooMany);
            }
            picking.picks.push(pick);
            picking.trouble = None;
            Ok(())
        })
    }

    /// Tells the form what keeps its page from being pointed at.
    pub fn trouble(
        &self,
        key: &str,
        origin: &str,
        trouble: Trouble,
        now: Timestamp,
    ) -> Result<(), PickRefused> {
        self.tell(key, origin, now, |picking| {
            picking.trouble = Some(trouble);
            Ok(())
        })
    }

    /// How far the picking for a form has come; nothing where no link was made for it.
    pub fn of(&self, form: &str) -> Option<Picking> {
        self.desk().forms.get(form).cloned()
    }

    /// Hears which form has news, from now on.
    pub fn watch(&self) -> broadcast::Receiver<Form> {
        self.news.subscribe()
    }

    fn tell(
        &self,
        key: &str,
        origin: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Picking) -> Result<(), PickRefused>,
    ) -> Result<(), PickRefused> {
        let mut desk = self.desk();
        let form = desk.by_key(key, origin, now)?.form.clone();
        change(desk.forms.entry(form.clone()).or_default())?;
        drop(desk);
        let _ = self.news.send(form);
        Ok(())
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mac(&self, said: &str) -> Hmac<Sha256> {
        // HMAC fills a short key up with zeros to a block, of 64 bytes for SHA-256 (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.secret);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(said.as_bytes());
        mac
    }

    fn sign(&self, said: &str) -> Vec<u8> {
        self.mac(said).finalize().into_bytes().to_vec()
    }

    /// The number of the link that a token is for, where this folder has signed it and its time is not over.
    fn verify(&self, token: &str, now: Timestamp) -> Result<String, PickRefused> {
        let parts =
            token.split_once('.').and_then(|(said, sign)| Some((unhex(said)?, unhex(sign)?)));
        let (said, sign) = parts.ok_or(PickRefused::Forged)?;
        let said = String::from_utf8(said).map_err(|_| PickRefused::Forged)?;
        self.mac(&said).verify_slice(&sign).map_err(|_| PickRefused::Forged)?;
        let mut words = said.split(' ');
        let number = words.next().ok_or(PickRefused::Forged)?;
        let until = words.nth(1).and_then(|until| until.parse().ok()).ok_or(PickRefused::Forged)?;
        if Timestamp(until) <= now {
            return Err(PickRefused::Ended);
        }
        Ok(number.to_owned())
    }
}

impl Link {
    fn is_for(&self, origin: &str) -> Result<(), PickRefused> {
        if self.origin.as_str() == origin {
            return Ok(());
        }
        Err(PickRefused::Elsewhere(self.origin.clone()))
    }
}

impl Desk {
    /// The link that was opened with this key. Each use makes it last anew.
    fn by_key(&mut self, key: &str, origin: &str, now: Timestamp) -> Result<&Link, PickRefused> {
        let fits = |link: &&mut Link| link.key.as_deref() == Some(key) && link.until > now;
        let link = self.links.values_mut().find(fits).ok_or(PickRefused::Ended)?;
        link.is_for(origin)?;
        link.until = now.plus(LASTS);
        Ok(link)
    }

    /// Leaves out what has ended, and forms that no link leads to any more.
    fn clear_out(&mut self, now: Timestamp) {
        self.links.retain(|_, link| link.until > now);
        while self.links.len() >= MAX_FORMS {
            let first = self.links.iter().min_by_key(|(_, link)| link.until);
            let Some(number) = first.map(|(number, _)| number.clone()) else { break };
            self.links.remove(&number);
        }
        let links = &self.links;
        self.forms.retain(|form, _| links.values().any(|link| link.form == *form));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
