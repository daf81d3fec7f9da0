//! A request as the snippet sends it, built once; ids, times and visitors are written over their places, so that making
//! the next one costs next to nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use beaconry_model::time::{DAY_MS, Timestamp};

/// Where pages come from that the benchmark's section admits.
pub const ORIGIN: &str = "https://shop.example";
/// Visitors that there are. Each connection is one of them for a session, then another.
const VISITORS: u64 = 1_000_000;
/// Requests of one visitor in a row.
const SESSION: u32 = 10;
/// How far visitors' clocks are apart, in milliseconds.
const CLOCKS_MS: i64 = 5_000;
/// One event in so many is late, by up to a day.
const LATE: u32 = 20;

/// One connection's requests.
#[derive(Debug)]
pub struct Beacon {
    request: Vec<u8>,
    sent: usize,
    visitor: usize,
    /// Where each event's id, time and order number begin.
    events: Vec<[usize; 3]>,
    /// What is left of the session, and how far its visitor's clock is off.
    left: u32,
    clock: i64,
}

impl Beacon {
    /// Requests to this host with so many events each, of the event with this key.
    pub fn new(host: &str, key: &str, events: usize) -> Beacon {
        const ID: &str = "00000000-0000-7000-8000-000000000000";
        const TIME: &str = "2026-01-01T00:00:00.000Z";
        let mut body = format!(r#"{{"v":1,"sent":"{TIME}","visitor":"{ID}","events":["#);
        let mut places = Vec::new();
        for at in 0..events {
            let begin = body.len() + usize::from(at > 0);
            let event = format!(
                r#"{{"id":"{ID}","key":"{key}","ver":1,"rev":1,"time":"{TIME}","url":"{ORIGIN}/thanks","data":{{"source":"Website","orderid":"O-00000000","totalvalue":1299.5,"currency":"SEK"}}}}"#
            );
            let place =
                |what: &str, skip: usize| event.find(what).map_or(0, |at| begin + at + skip);
            places.push([place(ID, 0), place(TIME, 0), place("O-0000", 2)]);
            body += if at > 0 { "," } else { "" };
            body += &event;
        }
        body += "]}";
        // As Chromium sends it.
        let head = format!(
            "POST /c HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\
             User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
             Content-Type: text/plain;charset=UTF-8\r\nAccept: */*\r\nOrigin: {ORIGIN}\r\nSec-Fetch-Site: cross-site\r\n\
             Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nReferer: {ORIGIN}/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
             Accept-Language: sv-SE,sv;q=0.9\r\n\r\n",
            body.len()
        );
        let moved = head.len();
        let place = |what: &str| moved + body.find(what).unwrap_or(0);
        Beacon {
            sent: place(TIME),
            visitor: place(ID),
            events: places.iter().map(|of| of.map(|at| at + moved)).collect(),
            request: [head.as_bytes(), body.as_bytes()].concat(),
            left: 0,
            clock: 0,
        }
    }

    /// Bytes of the body.
    pub fn body_len(&self) -> usize {
        self.request
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .map_or(0, |at| self.request.len() - at - 4)
    }

    /// The next request.
    pub fn next(&mut self, random: &mut fastrand::Rng, days: &mut Days) -> &[u8] {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        if self.left == 0 {
            self.left = SESSION;
            self.clock = random.i64(-CLOCKS_MS..=CLOCKS_MS);
            let visitor = random.u64(0..VISITORS);
            // A visitor's id was made at some time in the last weeks, another for each.
            let made = 1_780_000_000_000 + (visitor * 2_419) as i64;
            let mixed = visitor.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            write_id(&mut self.request[self.visitor..][..36], made, mixed, !mixed);
        }
        self.left -= 1;
        let theirs = now + self.clock;
        days.write(theirs, &mut self.request[self.sent..][..24]);
        for [id, time, order] in &self.events {
            let late = if random.u32(0..LATE) == 0 { random.i64(0..DAY_MS) } else { 0 };
            let (one, two) = (random.u64(..), random.u64(..));
            write_id(&mut self.request[*id..][..36], theirs - late, one, two);
            days.write(theirs - late, &mut self.request[*time..][..24]);
            hex(&mut self.request[*order..][..8], one >> 16);
        }
        &self.request
    }
}

/// Writes a UUID of version 7.
fn write_id(text: &mut [u8], ms: i64, one: u64, two: u64) {
    hex(&mut text[..8], ms as u64 >> 16);
    hex(&mut text[9..13], ms as u64);
    hex(&mut text[15..18], one);
    hex(&mut text[20..23], one >> 12);
    hex(&mut text[24..], two);
}

fn hex(text: &mut [u8], mut number: u64) {
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// Writes moments as JavaScript does, remembering days.
#[derive(Debug, Default)]
pub struct Days(Vec<(i64, [u8; 10])>);

impl Days {
    fn write(&mut self, ms: i64, text: &mut [u8]) {
        let (day, of_day) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS) as u64);
        text[..10].copy_from_slice(&self.date(day));
        let parts = [
            (11, 2, of_day / 3_600_000),
            (14, 2, of_day / 60_000 % 60),
            (17, 2, of_day / 1_000 % 60),
        ];
        for (at, digits, mut number) in parts.into_iter().chain([(20, 3, of_day % 1_000)]) {
            for digit in text[at..at + digits].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
    }

    fn date(&mut self, day: i64) -> [u8; 10] {
        if let Some((_, date)) = self.0.iter().find(|(of, _)| *of == day) {
            return *date;
        }
        let mut date = [0; 10];
        date.copy_from_slice(&Timestamp(day * DAY_MS).to_string().as_bytes()[..10]);
        self.0.push((day, date));
        date
    }
}

#[cfg(test)]
mod tests {
    use beaconry_model::wire::Envelope;

    use super::{Beacon, Days};

    #[test]
    fn every_request_is_one_of_the_snippets_and_another() {
        let (mut random, mut days) = (fastrand::Rng::with_seed(1), Days::default());
        let mut beacon = Beacon::new("127.0.0.1:1", "abc", 3);
        let mut ids = std::collections::HashSet::new();
        for _ in 0..100 {
            let length = beacon.body_len();
            let request = beacon.next(&mut random, &mut days);
            let body = &request[request.len() - length..];
            let envelope = Envelope::parse(body).unwrap();
            let visitor = envelope.visitor.as_deref().unwrap();
            assert_eq!(visitor.len(), 36, "{visitor}");
            for event in &envelope.events {
                let wire = event.beacon.as_ref().unwrap();
                let apart = envelope.sent.unwrap().0 - wire.time.0;
                assert!((0..86_400_000).contains(&apart), "{apart}");
                let made = wire.id.0[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte));
                assert_eq!(made, wire.time.0);
                assert!(ids.insert(wire.id));
            }
        }
        assert_eq!(ids.len(), 300);
    }
}
