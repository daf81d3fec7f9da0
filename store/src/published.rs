//! Published snippets and engines, kept for ever under a path that names their content.

use rusqlite::{Connection, OptionalExtension, params};

use beaconry_model::time::Timestamp;

use crate::error::StoreError;

/// One file that pasted code may ask for, in each encoding it is sent in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Where it is served, its content's hash in it: `/s/order-placed-v1-….js`.
    pub path: String,
    /// Its MIME type.
    pub mime: String,
    /// The file itself.
    pub body: Vec<u8>,
    /// The file in Brotli (RFC 7932).
    pub brotli: Vec<u8>,
    /// The file in gzip (RFC 1952), for browsers that take no Brotli over plain HTTP.
    pub gzip: Vec<u8>,
}

/// Keeps files. One that is there already stays as it is, byte for byte.
pub(crate) fn publish(
    connection: &Connection,
    files: &[PublishedFile],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO published (path, mime, body, brotli, gzip, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    for file in files {
        statement.execute(params![
            file.path,
            file.mime,
            file.body,
            file.brotli,
            file.gzip,
            now.0
        ])?;
    }
    Ok(())
}

/// Whether all of these paths are published.
pub(crate) fn all_there(
    connection: &Connection,
    files: &[PublishedFile],
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM published WHERE path = ?")?;
    for file in files {
        if !statement.exists([&file.path])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The file at this path.
pub(crate) fn find(
    connection: &Connection,
    path: &str,
) -> Result<Option<PublishedFile>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT path, mime, body, brotli, gzip FROM published WHERE path = ?")?;
    let file = statement.query_row([path], |row| {
        Ok(PublishedFile {
            path: row.get(0)?,
            mime: row.get(1)?,
            body: row.get(2)?,
            brotli: row.get(3)?,
            gzip: row.get(4)?,
        })
    });
    Ok(file.optional()?)
}
