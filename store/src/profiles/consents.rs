//! Consents of a profile's addresses: what each said last of each topic.

use rusqlite::{Connection, params};

use beaconry_model::consent::{Channel, ConsentType};
use beaconry_model::time::Timestamp;

use super::slots::Slot;

/// What an address said of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConsent {
    /// The channel.
    pub channel: Channel,
    /// The address.
    pub address: String,
    /// The consent list's discriminator.
    pub list: String,
    /// The topic's discriminator.
    pub topic: String,
    /// What was said.
    pub said: ConsentType,
    /// When.
    pub at: Timestamp,
}

/// Notes what an address said, unless something later is known already.
pub(crate) fn say(
    connection: &Connection,
    slot: Slot,
    consent: &StoredConsent,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO consents VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET said = excluded.said, at = excluded.at WHERE excluded.at >= at",
        )?
        .execute(params![
            slot.0,
            consent.channel as u8,
            consent.address,
            consent.list,
            consent.topic,
            consent.said as u8,
            consent.at.0
        ])?;
    Ok(())
}

/// Everything a profile's addresses said.
pub(crate) fn all(
    connection: &Connection,
    slot: Slot,
) -> Result<Vec<StoredConsent>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, address, list, topic, said, at FROM consents WHERE slot = ?
         ORDER BY channel, list, topic, address",
    )?;
    let mut rows = statement.query([slot.0])?;
    let mut consents = Vec::new();
    while let Some(row) = rows.next()? {
        let (channel, said): (usize, u8) = (row.get(0)?, row.get(4)?);
        let (Some(channel), Some(said)) =
            (Channel::ALL.get(channel), ConsentType::from_number(said))
        else {
            continue;
        };
        consents.push(StoredConsent {
            channel: *channel,
            address: row.get(1)?,
            list: row.get(2)?,
            topic: row.get(3)?,
            said,
            at: Timestamp(row.get(5)?),
        });
    }
    Ok(consents)
}

/// What any address of a profile said of one topic.
pub(crate) fn said(
    connection: &Connection,
    slot: Slot,
    channel: Channel,
    list: &str,
    topic: &str,
) -> Result<Vec<ConsentType>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT said FROM consents WHERE slot = ? AND channel = ? AND list = ? AND topic = ?",
    )?;
    let rows = statement
        .query_map(params![slot.0, channel as u8, list, topic], |row| row.get::<_, u8>(0))?;
    let numbers: Vec<u8> = rows.collect::<Result<_, _>>()?;
    Ok(numbers.into_iter().filter_map(ConsentType::from_number).collect())
}
