//! Making and revoking keys and tokens: each is one transaction with its audit entry.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Serialize;

use beaconry_model::error::Invalid;
use beaconry_model::key::Grant;
use beaconry_model::names::Name;
use beaconry_model::time::{DAY_MS, Timestamp};

use super::{ApiKey, KEY, Keys, PERSONAL, PersonalToken, TOKEN, hash, read_key, read_token};
use crate::audit::{self, AuditEntry, AuditFilter};
use crate::error::StoreError;
use crate::random::bytes;

/// The most days a personal token can be good.
const MOST_DAYS: u32 = 366;

/// A key that was just made. Its secret is shown now and never again.
#[derive(Clone, Debug, Serialize)]
pub struct MadeKey {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKey,
    /// What the client proves itself with.
    pub client_secret: String,
}

/// A personal token that was just made. Its secret is shown now and never again.
#[derive(Clone, Debug, Serialize)]
pub struct MadeToken {
    /// The token.
    #[serde(flatten)]
    pub personal: PersonalToken,
    /// What to send as the bearer token.
    pub token: String,
}

impl Keys {
    /// Makes an API key.
    pub fn create(
        &self,
        name: &Name,
        may: Grant,
        actor: &str,
        now: Timestamp,
    ) -> Result<MadeKey, StoreError> {
        let (client_id, client_secret) = (hex(&random::<12>()?), hex(&random::<32>()?));
        let key = ApiKey {
            client_id,
            name: name.to_string(),
            may,
            created: now,
            used: None,
            revoked: None,
        };
        self.change(|transaction| {
            transaction.execute(
                "INSERT INTO keys (client_id, secret, name, may, created) VALUES (?, ?, ?, ?, ?)",
                params![key.client_id, hash(&client_secret), key.name, json(&key.may), now.0],
            )?;
            let after = Some(json(&key));
            note(transaction, actor, "key.create", &key.client_id, (None, after), now)
        })?;
        Ok(MadeKey { key, client_secret })
    }

    /// Lets an API key's tokens in no more, from this moment on.
    pub fn revoke(&self, client_id: &str, actor: &str, now: Timestamp) -> Result<(), StoreError> {
        self.change(|transaction| {
            let select = format!("SELECT {KEY} FROM keys WHERE client_id = ? AND revoked IS NULL");
            let mut statement = transaction.prepare_cached(&select)?;
            let mut rows = statement.query([client_id])?;
            let Some(row) = rows.next()? else {
                return Err(StoreError::NotFound { what: "key", name: client_id.to_owned() });
            };
            let before = read_key(row)?;
            let revoke = "UPDATE keys SET revoked = ? WHERE client_id = ?";
            transaction.execute(revoke, params![now.0, client_id])?;
            let after = ApiKey { revoked: Some(now), ..before.clone() };
            let documents = (Some(json(&before)), Some(json(&after)));
            note(transaction, actor, "key.revoke", client_id, documents, now)
        })
    }

    /// Makes a personal token that is good for so many days.
    pub fn create_token(
        &self,
        name: &Name,
        owner: &str,
        days: u32,
        now: Timestamp,
    ) -> Result<MadeToken, StoreError> {
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(Invalid::new("days", "1 to 366", days.to_string()).into());
        }
        let token = format!("{PERSONAL}{}", hex(&random::<32>()?));
        let mut personal = PersonalToken {
            number: 0,
            name: name.to_string(),
            owner: owner.to_owned(),
            created: now,
            until: now.plus(i64::from(days) * DAY_MS),
            revoked: None,
        };
        self.change(|transaction| {
            transaction.execute(
                "INSERT INTO tokens (hash, name, owner, created, until) VALUES (?, ?, ?, ?, ?)",
                params![hash(&token), personal.name, owner, now.0, personal.until.0],
            )?;
            personal.number = transaction.last_insert_rowid();
            let (thing, after) = (personal.number.to_string(), Some(json(&personal)));
            note(transaction, owner, "token.create", &thing, (None, after), now)
        })?;
        Ok(MadeToken { personal, token })
    }

    /// Lets a personal token in no more, from this moment on.
    pub fn revoke_token(&self, number: i64, actor: &str, now: Timestamp) -> Result<(), StoreError> {
        self.change(|transaction| {
            let select = format!("SELECT {TOKEN} FROM tokens WHERE number = ? AND revoked IS NULL");
            let before = transaction.query_row(&select, [number], read_token).optional()?;
            let Some(before) = before else {
                return Err(StoreError::NotFound { what: "token", name: number.to_string() });
            };
            let revoke = "UPDATE tokens SET revoked = ? WHERE number = ?";
            transaction.execute(revoke, params![now.0, number])?;
            let after = PersonalToken { revoked: Some(now), ..before.clone() };
            let documents = (Some(json(&before)), Some(json(&after)));
            note(transaction, actor, "token.revoke", &number.to_string(), documents, now)
        })
    }

    /// Who made and revoked which key or token, newest first.
    pub fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let all = AuditFilter::default();
        let newest = audit::fitting(&self.inner().connection, &all, i64::MAX, limit as usize)?;
        Ok(newest.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Does some work in one transaction, and has it in force before it returns.
    fn change(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let transaction =
            inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        work(&transaction)?;
        transaction.commit()?;
        inner.load()
    }
}

/// Notes when an access token was last made with a key. That is no change of the key, so nothing is audited.
pub(super) fn note_use(
    connection: &Connection,
    client_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE keys SET used = ? WHERE client_id = ?")?
        .execute(params![now.0, client_id])?;
    Ok(())
}

/// What this data folder signs access tokens with, made the first time.
pub(super) fn signing_secret(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let find = "SELECT secret FROM signing";
    if let Some(secret) = connection.query_row(find, [], |row| row.get(0)).optional()? {
        return Ok(secret);
    }
    // Another process may make it at the same time; the first one counts.
    connection
        .execute("INSERT INTO signing VALUES (1, ?) ON CONFLICT DO NOTHING", [random::<32>()?])?;
    Ok(connection.query_row(find, [], |row| row.get(0))?)
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    bytes().map_err(|error| StoreError::Folder { path: "random bytes".into(), error })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keys and grants hold only text, numbers and lists, which JSON can always say.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn note(
    connection: &Connection,
    actor: &str,
    action: &str,
    thing: &str,
    (before, after): (Option<String>, Option<String>),
    at: Timestamp,
) -> Result<(), StoreError> {
    let (actor, action, thing) = (actor.to_owned(), action.to_owned(), thing.to_owned());
    audit::record(connection, &AuditEntry { at, actor, action, thing, before, after })
}
