//! Invitations: who was asked in and has not come yet.

use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;

use beaconry_model::error::Invalid;
use beaconry_model::time::{DAY_MS, Timestamp};

use super::links::{Made, insert};
use super::{People, by_email};
use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::role::Role;
use crate::token::Token;

/// How long an invitation is good, in milliseconds.
const INVITED_MS: i64 = 7 * DAY_MS;

/// Somebody who was asked in and has not come yet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Invitation {
    /// Its number, to withdraw it by.
    pub number: i64,
    /// Who was asked.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Until when the link is good.
    pub until: Timestamp,
}

impl People {
    /// Asks somebody in, by a link that is good once and for seven days. An older one of theirs is void.
    pub fn invite(
        &self,
        email: &str,
        role: Role,
        actor: &str,
        now: Timestamp,
    ) -> Result<Token, StoreError> {
        let email = super::email(email)?;
        self.change(|transaction| {
            if by_email(transaction, &email)?.is_some() {
                let expected = "somebody who is not in yet";
                return Err(Invalid::new("email", expected, format!("{email:?}")).into());
            }
            transaction
                .execute("DELETE FROM links WHERE kind = 'invitation' AND email = ?", [&email])?;
            note(transaction, actor, "person.invite", (&email, role), now)?;
            let (email, role) = (Some(email.as_str()), Some(role));
            let until = Some(now.plus(INVITED_MS));
            let made = Made { kind: "invitation", email, role, until, ..Made::default() };
            insert(transaction, &made, now)
        })
    }

    /// Invitations that are still good, newest last.
    pub fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT number, email, role, until FROM links WHERE kind = 'invitation' AND until > ? ORDER BY number",
        )?;
        let rows = statement.query_map([now.0], |row| {
            Ok(Invitation {
                number: row.get(0)?,
                email: row.get(1)?,
                role: Role::from_word(&row.get::<_, String>(2)?).unwrap_or(Role::Viewer),
                until: Timestamp(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes an invitation back.
    pub fn withdraw(&self, number: i64, actor: &str, now: Timestamp) -> Result<(), StoreError> {
        self.change(|transaction| {
            let mut statement = transaction.prepare_cached(
                "DELETE FROM links WHERE kind = 'invitation' AND number = ? RETURNING email, role",
            )?;
            let gone = statement.query_row([number], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            });
            // It may have been used or withdrawn a moment ago; it is gone all the same.
            let Some((email, role)) = gone.optional()? else { return Ok(()) };
            let role = Role::from_word(&role).unwrap_or(Role::Viewer);
            note(transaction, actor, "person.withdraw", (&email, role), now)
        })
    }
}

fn note(
    transaction: &Transaction<'_>,
    actor: &str,
    action: &str,
    (email, role): (&str, Role),
    now: Timestamp,
) -> Result<(), StoreError> {
    let invited = Some(serde_json::json!({ "email": email, "role": role }).to_string());
    let (before, after) =
        if action == "person.withdraw" { (invited, None) } else { (None, invited) };
    audit::record(
        transaction,
        &AuditEntry {
            at: now,
            actor: actor.to_owned(),
            action: action.to_owned(),
            thing: email.to_owned(),
            before,
            after,
        },
    )
}
