//! Links that let somebody in once: the first administrator, who was invited, and who is locked out. The demo's works for
//! as long as the demo runs.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use beaconry_model::names::Name;
use beaconry_model::time::{DAY_MS, Timestamp};

use super::{Hashed, NewPerson, People, Person, PersonNo, add, by_number, note, set_password};
use crate::error::StoreError;
use crate::role::Role;
use crate::token::{self, Token};

/// How long a link to a new password is good, in milliseconds.
const RESET_MS: i64 = DAY_MS;

/// What a link is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Making the first administrator.
    First,
    /// Coming in as who was invited.
    Invitation {
        /// The address that was invited.
        email: String,
        /// The role that was given.
        role: Role,
    },
    /// Setting a new password.
    Reset(Person),
    /// Trying the demo.
    Demo(Person),
}

/// A link that is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    number: i64,
    /// What it is for.
    pub purpose: Purpose,
}

impl People {
    /// The link that makes the first administrator; `None` where somebody can log in as one. Older ones are void.
    pub fn first_link(&self, now: Timestamp) -> Result<Option<Token>, StoreError> {
        if self.has_administrator()? {
            return Ok(None);
        }
        self.change(|transaction| {
            transaction.execute("DELETE FROM links WHERE kind = 'first'", [])?;
            insert(transaction, &Made { kind: "first", ..Made::default() }, now).map(Some)
        })
    }

    /// The link into a demo, as somebody who may do everything. Older ones are void.
    pub fn demo_link(&self, new: &NewPerson, now: Timestamp) -> Result<Token, StoreError> {
        self.change(|transaction| {
            transaction.execute("DELETE FROM links WHERE kind = 'demo'", [])?;
            let person = match super::by_email(transaction, &new.email)? {
                Some(person) => person,
                None => add(transaction, new, "demo", now)?,
            };
            let made = Made { kind: "demo", person: Some(person.number), ..Made::default() };
            insert(transaction, &made, now)
        })
    }

    /// A link to a new password, good for a day. The old password stays until it is used; older links are void.
    pub fn reset_link(
        &self,
        number: PersonNo,
        actor: &str,
        now: Timestamp,
    ) -> Result<Token, StoreError> {
        self.change(|transaction| {
            let person = by_number(transaction, number)?;
            transaction
                .execute("DELETE FROM links WHERE kind = 'reset' AND person = ?", [number.0])?;
            note(transaction, actor, "person.reset", Some(&person), Some(&person), now)?;
            let until = Some(now.plus(RESET_MS));
            let made = Made { kind: "reset", person: Some(number), until, ..Made::default() };
            insert(transaction, &made, now)
        })
    }

    /// What a link is for; `None` where it is unknown, used, void or past its end.
    pub fn link(&self, token: &str, now: Timestamp) -> Result<Option<Link>, StoreError> {
        good(&self.connection(), token, now)
    }

    /// Uses up a link: makes its person, or sets a person's password. `None` where it is not good any more.
    pub fn use_link(
        &self,
        token: &str,
        email: &str,
        name: &Name,
        password: &Hashed,
        now: Timestamp,
    ) -> Result<Option<Person>, StoreError> {
        self.change(|transaction| {
            let Some(link) = good(transaction, token, now)? else { return Ok(None) };
            transaction.execute("DELETE FROM links WHERE number = ?", [link.number])?;
            let (email, role) = match link.purpose {
                Purpose::First => (email.to_owned(), Role::Administrator),
                Purpose::Invitation { email, role } => (email, role),
                Purpose::Reset(person) => {
                    set_password(transaction, person.number, password, &person.email, now)?;
                    return by_number(transaction, person.number).map(Some);
                }
                Purpose::Demo(_) => return Ok(None),
            };
            let password = Some(password.clone());
            let new = NewPerson { email, name: name.clone(), role, password };
            let actor = super::email(&new.email)?;
            add(transaction, &new, &actor, now).map(Some)
        })
    }
}

/// A row of the table of links.
#[derive(Default)]
pub(super) struct Made<'a> {
    pub(super) kind: &'static str,
    pub(super) person: Option<PersonNo>,
    pub(super) email: Option<&'a str>,
    pub(super) role: Option<Role>,
    /// `None` for as long as nobody uses or voids it.
    pub(super) until: Option<Timestamp>,
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    made: &Made<'_>,
    now: Timestamp,
) -> Result<Token, StoreError> {
    transaction.execute("DELETE FROM links WHERE until <= ?", [now.0])?;
    let token = Token::new()?;
    transaction.execute(
        "INSERT INTO links (hash, kind, person, email, role, made, until) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            token.hash(),
            made.kind,
            made.person.map(|person| person.0),
            made.email,
            made.role.map(Role::word),
            now.0,
            made.until.map_or(i64::MAX, |until| until.0)
        ],
    )?;
    Ok(token)
}

fn good(connection: &Connection, token: &str, now: Timestamp) -> Result<Option<Link>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, kind, person, email, role FROM links WHERE hash = ? AND until > ?",
    )?;
    let found = statement.query_row(params![token::hash(token), now.0], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Option<i64>>(2)?,
            row.get::<_, Option<String>>(3)?,
            row.get::<_, Option<String>>(4)?,
        ))
    });
    let Some((number, kind, person, email, role)) = found.optional()? else { return Ok(None) };
    let person = person.map(|number| by_number(connection, PersonNo(number))).transpose()?;
    let role = role.as_deref().and_then(Role::from_word);
    let purpose = match (kind.as_str(), person, email, role) {
        ("first", ..) => Purpose::First,
        ("reset", Some(person), ..) => Purpose::Reset(person),
        ("demo", Some(person), ..) => Purpose::Demo(person),
        ("invitation", _, Some(email), Some(role)) => Purpose::Invitation { email, role },
        _ => return Ok(None),
    };
    Ok(Some(Link { number, purpose }))
}
