//! The console's people and what lets them in, in a database of their own: each change is one transaction with its audit
//! entry.

mod invitations;
mod links;
mod sessions;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params,
};
use serde::Serialize;

use beaconry_model::error::Invalid;
use beaconry_model::names::Name;
use beaconry_model::time::Timestamp;

use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::folder::Folder;
use crate::role::Role;
use crate::schema::PEOPLE;
use crate::write_back::Writable;

pub use invitations::Invitation;
pub use links::{Link, Purpose};
pub use sessions::{IDLE_MS, LONGEST_MS};

/// A person's number in this data folder. Never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PersonNo(i64);

impl PersonNo {
    /// As addresses of the console carry it.
    pub fn parse(text: &str) -> Option<PersonNo> {
        text.parse().ok().map(PersonNo)
    }
}

impl std::fmt::Display for PersonNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Somebody who may use the console.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Person {
    /// Their number.
    pub number: PersonNo,
    /// What they log in with, and what the audit log calls them.
    pub email: String,
    /// What the console calls them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they can log in with a password. The demo's person comes by a link.
    pub has_password: bool,
    /// Since when.
    pub created: Timestamp,
}

/// A password as it is kept: Argon2's own text form, never the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed(pub String);

/// Somebody who is to come in.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Checked by [`email`].
    pub email: String,
    /// What the console calls them.
    pub name: Name,
    /// What they may do.
    pub role: Role,
    /// `None` for who comes by a link alone.
    pub password: Option<Hashed>,
}

/// An e-mail address as it is kept: without space at its ends and in lower case, so that it means one person however it
/// is typed.
pub fn email(text: &str) -> Result<String, Invalid> {
    let email = text.trim().to_lowercase();
    let parts = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let odd =
        |letter: char| letter.is_whitespace() || letter.is_control() || "\"<>".contains(letter);
    if email.len() > 254 || parts.is_none_or(|(_, host)| host.contains('@')) || email.contains(odd)
    {
        return Err(Invalid::new("email", "an address like ada@example.com", format!("{text:?}")));
    }
    Ok(email)
}

/// The people of one data folder. Several processes may have them open.
#[derive(Debug)]
pub struct People {
    connection: Mutex<Writable>,
}

impl People {
    /// Opens the folder's people, and makes the database where it is missing.
    pub fn open(folder: &Folder) -> Result<People, StoreError> {
        Ok(People { connection: Mutex::new(PEOPLE.open(folder)?) })
    }

    fn connection(&self) -> MutexGuard<'_, Writable> {
        // A panic elsewhere leaves the database whole: its transaction rolls back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does some work in one transaction.
    fn change<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Everybody, in the order they came.
    pub fn list(&self) -> Result<Vec<Person>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached(&format!("SELECT {PERSON} FROM people ORDER BY number"))?;
        let rows = statement.query_map([], person)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The person with this address.
    pub fn find(&self, email: &str) -> Result<Person, StoreError> {
        by_email(&self.connection(), email)?.ok_or_else(|| unknown(email))
    }

    /// Who may log in with this address, and the password to hold against theirs.
    pub fn password(&self, email: &str) -> Result<Option<(Person, Hashed)>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {PERSON}, password FROM people WHERE email = ? AND password IS NOT NULL"
        ))?;
        let found = statement.query_row([email], |row| Ok((person(row)?, Hashed(row.get(6)?))));
        Ok(found.optional()?)
    }

    /// Whether somebody can log in who may do everything.
    pub fn has_administrator(&self) -> Result<bool, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT 1 FROM people WHERE role = ? AND password IS NOT NULL")?;
        Ok(statement.exists([Role::Administrator.word()])?)
    }

    /// Lets somebody in.
    pub fn add(&self, new: &NewPerson, actor: &str, now: Timestamp) -> Result<Person, StoreError> {
        self.change(|transaction| add(transaction, new, actor, now))
    }

    /// Calls a person by another name.
    pub fn rename(
        &self,
        number: PersonNo,
        name: &Name,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(|transaction| {
            let before = by_number(transaction, number)?;
            transaction.execute(
                "UPDATE people SET name = ? WHERE number = ?",
                params![name.as_str(), number.0],
            )?;
            let after = Person { name: name.to_string(), ..before.clone() };
            note(transaction, actor, "person.rename", Some(&before), Some(&after), now)
        })
    }

    /// Gives a person another role. The last administrator stays one.
    pub fn change_role(
        &self,
        number: PersonNo,
        role: Role,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(|transaction| {
            let before = by_number(transaction, number)?;
            if before.role == role {
                return Ok(());
            }
            transaction.execute(
                "UPDATE people SET role = ? WHERE number = ?",
                params![role.word(), number.0],
            )?;
            administrator_is_left(transaction, &before)?;
            let after = Person { role, ..before.clone() };
            note(transaction, actor, "person.role", Some(&before), Some(&after), now)
        })
    }

    /// Takes a person out, with all their sessions and links. The last administrator stays.
    pub fn remove(&self, number: PersonNo, actor: &str, now: Timestamp) -> Result<(), StoreError> {
        self.change(|transaction| {
            let before = by_number(transaction, number)?;
            transaction.execute("DELETE FROM people WHERE number = ?", [number.0])?;
            administrator_is_left(transaction, &before)?;
            shut_out(transaction, number)?;
            note(transaction, actor, "person.remove", Some(&before), None, now)
        })
    }

    /// Sets a person's password. Whoever was in under the old one is out.
    pub fn set_password(
        &self,
        number: PersonNo,
        password: &Hashed,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(|transaction| set_password(transaction, number, password, actor, now))
    }

    /// Where people reach the console, as the last server that ran said.
    pub fn console_url(&self) -> Result<Option<String>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT value FROM settings WHERE name = 'console.url'")?;
        Ok(statement.query_row([], |row| row.get(0)).optional()?)
    }

    /// Says where people reach the console.
    pub fn set_console_url(&self, url: &str) -> Result<(), StoreError> {
        self.connection().execute(
            "INSERT INTO settings VALUES ('console.url', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            [url],
        )?;
        Ok(())
    }
}

/// The columns that [`person`] reads.
const PERSON: &str = "people.number, people.email, people.name, people.role, people.password IS NOT NULL, people.created";

fn person(row: &Row<'_>) -> Result<Person, rusqlite::Error> {
    Ok(Person {
        number: PersonNo(row.get(0)?),
        email: row.get(1)?,
        name: row.get(2)?,
        // A role that this program does not know may nothing but look.
        role: Role::from_word(&row.get::<_, String>(3)?).unwrap_or(Role::Viewer),
        has_password: row.get(4)?,
        created: Timestamp(row.get(5)?),
    })
}

fn by_email(connection: &Connection, email: &str) -> Result<Option<Person>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {PERSON} FROM people WHERE email = ?"))?;
    Ok(statement.query_row([email], person).optional()?)
}

fn by_number(connection: &Connection, number: PersonNo) -> Result<Person, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {PERSON} FROM people WHERE number = ?"))?;
    let found = statement.query_row([number.0], person).optional()?;
    found.ok_or_else(|| unknown(&number.to_string()))
}

fn unknown(name: &str) -> StoreError {
    StoreError::NotFound { what: "user", name: name.to_owned() }
}

fn add(
    transaction: &Transaction<'_>,
    new: &NewPerson,
    actor: &str,
    now: Timestamp,
) -> Result<Person, StoreError> {
    let email = email(&new.email)?;
    let added = transaction.execute(
        "INSERT INTO people (email, name, role, password, created) VALUES (?, ?, ?, ?, ?)",
        params![
            email,
            new.name.as_str(),
            new.role.word(),
            new.password.as_ref().map(|password| &password.0),
            now.0
        ],
    );
    added.map_err(|error| taken(error, &email))?;
    let person = by_number(transaction, PersonNo(transaction.last_insert_rowid()))?;
    note(transaction, actor, "person.add", None, Some(&person), now)?;
    Ok(person)
}

fn taken(error: rusqlite::Error, email: &str) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            Invalid::new("email", "one that nobody here has yet", format!("{email:?}")).into()
        }
        _ => error.into(),
    }
}

fn set_password(
    transaction: &Transaction<'_>,
    number: PersonNo,
    password: &Hashed,
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let person = by_number(transaction, number)?;
    transaction.execute(
        "UPDATE people SET password = ? WHERE number = ?",
        params![password.0, number.0],
    )?;
    shut_out(transaction, number)?;
    note(transaction, actor, "person.password", Some(&person), Some(&person), now)
}

/// Ends a person's sessions and voids the links made for them.
fn shut_out(transaction: &Transaction<'_>, number: PersonNo) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM sessions WHERE person = ?", [number.0])?;
    transaction.execute("DELETE FROM links WHERE person = ?", [number.0])?;
    Ok(())
}

/// Asked after a change, inside its transaction, so that two at the same time cannot take each other out.
fn administrator_is_left(
    transaction: &Transaction<'_>,
    changed: &Person,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached("SELECT 1 FROM people WHERE role = ?")?;
    if changed.role != Role::Administrator || statement.exists([Role::Administrator.word()])? {
        return Ok(());
    }
    let expected = "at least one administrator to be left; make somebody else one first";
    Err(Invalid::new("role", expected, format!("a change to the last one, {}", changed.email))
        .into())
}

/// What the audit log keeps of a person.
fn shown(person: &Person) -> String {
    let shown =
        serde_json::json!({ "email": person.email, "name": person.name, "role": person.role });
    shown.to_string()
}

fn note(
    transaction: &Transaction<'_>,
    actor: &str,
    action: &str,
    before: Option<&Person>,
    after: Option<&Person>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let thing = after.or(before).map(|person| person.email.clone()).unwrap_or_default();
    let (before, after) = (before.map(shown), after.map(shown));
    let entry = AuditEntry {
        at: now,
        actor: actor.to_owned(),
        action: action.to_owned(),
        thing,
        before,
        after,
    };
    audit::record(transaction, &entry)
}
