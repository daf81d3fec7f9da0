//! What lets programs in: API keys of outside systems, and personal tokens of administrators. Of a secret only a hash is
//! kept, and it is shown once.

mod bearer;
mod change;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::Row;
use serde::Serialize;
use sha2::{Digest, Sha256};

use beaconry_model::key::Grant;
use beaconry_model::time::Timestamp;

use crate::error::StoreError;
use crate::folder::Folder;
use crate::schema::KEYS;
use crate::snapshot::parse;
use crate::write_back::Writable;

use bearer::Signer;
pub use change::{MadeKey, MadeToken};

/// What every personal token begins with, so that people (and tools that look for leaked secrets) know it for one.
const PERSONAL: &str = "bcn_";
/// How long what was read is believed before it is asked whether another process changed it.
const FRESH: Duration = Duration::from_millis(200);

/// An API key as people see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiKey {
    /// What the client calls itself: not secret.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub may: Grant,
    /// Since when.
    pub created: Timestamp,
    /// When an access token was last made with it.
    pub used: Option<Timestamp>,
    /// Since when it lets nobody in any more.
    pub revoked: Option<Timestamp>,
}

/// A person's token for what only people may do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonalToken {
    /// Its number.
    pub number: i64,
    /// What people call it.
    pub name: String,
    /// Whose it is, as the audit log calls them.
    pub owner: String,
    /// Since when.
    pub created: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Since when it lets nobody in any more.
    pub revoked: Option<Timestamp>,
}

/// The keys and tokens of one data folder. Several processes may have them open.
#[derive(Debug)]
pub struct Keys {
    signer: Signer,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Writable,
    /// All that let somebody in, as they were when last read.
    keys: HashMap<String, Stored>,
    tokens: HashMap<[u8; 32], Arc<PersonalToken>>,
    data_version: i64,
    asked: Instant,
}

#[derive(Clone, Debug)]
struct Stored {
    secret: Vec<u8>,
    key: Arc<ApiKey>,
}

impl Keys {
    /// Opens the folder's keys, and makes the database where it is missing.
    pub fn open(folder: &Folder) -> Result<Keys, StoreError> {
        let connection = KEYS.open(folder)?;
        let signer = Signer::new(&change::signing_secret(&connection)?);
        let (keys, tokens) = (HashMap::new(), HashMap::new());
        let mut inner = Inner { connection, keys, tokens, data_version: -1, asked: Instant::now() };
        inner.load()?;
        Ok(Keys { signer, inner: Mutex::new(inner) })
    }

    /// Every key, revoked ones too, in the order they were made.
    pub fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        let inner = self.inner();
        let mut statement = inner
            .connection
            .prepare_cached(&format!("SELECT {KEY}, secret FROM keys ORDER BY number"))?;
        let mut rows = statement.query([])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            keys.push(read_key(row)?);
        }
        Ok(keys)
    }

    /// Every personal token, revoked and old ones too, in the order they were made.
    pub fn tokens(&self) -> Result<Vec<PersonalToken>, StoreError> {
        let inner = self.inner();
        let mut statement = inner
            .connection
            .prepare_cached(&format!("SELECT {TOKEN} FROM tokens ORDER BY number"))?;
        let rows = statement.query_map([], read_token)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// An access token for a client that knows its secret, and how many seconds it is good; `None` where there is no such
    /// key or the secret is another.
    pub fn sign_in(
        &self,
        client_id: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<(String, i64)>, StoreError> {
        let mut inner = self.inner();
        if !inner.lets_in(client_id, secret)? {
            return Ok(None);
        }
        change::note_use(&inner.connection, client_id, now)?;
        Ok(Some((self.signer.sign(client_id, now), bearer::LIFE_S)))
    }

    /// Whether there is a key of this client.
    pub fn knows(&self, client_id: &str) -> Result<bool, StoreError> {
        Ok(self.inner().key(client_id)?.is_some())
    }

    /// Whether there is a key of this client, with this secret.
    pub fn lets_in(&self, client_id: &str, secret: &str) -> Result<bool, StoreError> {
        self.inner().lets_in(client_id, secret)
    }

    /// The key behind an access token.
    pub fn by_access_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<ApiKey>>, StoreError> {
        let Some(client_id) = self.signer.check(token, now) else { return Ok(None) };
        Ok(self.inner().key(&client_id)?.map(|stored| stored.key.clone()))
    }

    /// Whether this is of a personal token's form.
    pub fn is_personal(token: &str) -> bool {
        token.starts_with(PERSONAL)
    }

    /// The personal token behind a secret.
    pub fn by_personal_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<PersonalToken>>, StoreError> {
        let (mut inner, hash) = (self.inner(), hash(token));
        inner.refresh(FRESH)?;
        if !inner.tokens.contains_key(&hash) {
            inner.refresh(Duration::ZERO)?;
        }
        // The secret holds 256 random bits, so nobody can steer how much of its hash a look-up compares.
        let found = inner.tokens.get(&hash);
        Ok(found.filter(|found| now < found.until).cloned())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves the database whole: its transaction rolls back.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The key of a client. One that is not known may just have been made by another process.
    fn key(&mut self, client_id: &str) -> Result<Option<&Stored>, StoreError> {
        self.refresh(FRESH)?;
        if !self.keys.contains_key(client_id) {
            self.refresh(Duration::ZERO)?;
        }
        Ok(self.keys.get(client_id))
    }

    /// A client that is not known costs as much time as one that is.
    fn lets_in(&mut self, client_id: &str, secret: &str) -> Result<bool, StoreError> {
        let kept = self.key(client_id)?.map_or(&[][..], |stored| &stored.secret);
        Ok(same(&hash(secret), kept))
    }

    /// Reads all anew where another process changed something, unless it was asked less than this long ago.
    fn refresh(&mut self, fresh: Duration) -> Result<(), StoreError> {
        if self.asked.elapsed() < fresh {
            return Ok(());
        }
        self.asked = Instant::now();
        let version: i64 =
            self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if version == self.data_version { Ok(()) } else { self.load() }
    }

    fn load(&mut self) -> Result<(), StoreError> {
        self.data_version =
            self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        let mut keys = HashMap::new();
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {KEY}, secret FROM keys WHERE revoked IS NULL"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = Arc::new(read_key(row)?);
            keys.insert(key.client_id.clone(), Stored { secret: row.get(6)?, key });
        }
        let mut tokens = HashMap::new();
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {TOKEN}, hash FROM tokens WHERE revoked IS NULL"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            tokens.insert(row.get(6)?, Arc::new(read_token(row)?));
        }
        (self.keys, self.tokens) = (keys, tokens);
        Ok(())
    }
}

/// The columns that [`read_key`] reads.
const KEY: &str = "client_id, name, may, created, used, revoked";

fn read_key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        client_id: row.get(0)?,
        name: row.get(1)?,
        may: parse("an API key", &row.get::<_, String>(2)?)?,
        created: Timestamp(row.get(3)?),
        used: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        revoked: row.get::<_, Option<i64>>(5)?.map(Timestamp),
    })
}

/// The columns that [`read_token`] reads.
const TOKEN: &str = "number, name, owner, created, until, revoked";

fn read_token(row: &Row<'_>) -> Result<PersonalToken, rusqlite::Error> {
    Ok(PersonalToken {
        number: row.get(0)?,
        name: row.get(1)?,
        owner: row.get(2)?,
        created: Timestamp(row.get(3)?),
        until: Timestamp(row.get(4)?),
        revoked: row.get::<_, Option<i64>>(5)?.map(Timestamp),
    })
}

/// What is kept of a secret. It holds 256 random bits, so a plain hash cannot be turned round.
fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether two hashes are the same, in a time that does not tell how much of them is.
fn same(one: &[u8; 32], other: &[u8]) -> bool {
    let mac = |bytes: &[u8]| {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(bytes) else {
            unreachable!("HMAC takes any key")
        };
        mac.chain_update(b"same")
    };
    mac(one).verify(&mac(other).finalize().into_bytes()).is_ok()
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.client_id)
    }
}
