//! The load: keep-alive connections on a few threads, either each sending its next request once the last is answered, or
//! at a constant rate whatever the answers do.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use beaconry_bench_collector::beacon::{Beacon, Days};

/// Threads that send. They share the cores with the server.
const THREADS: usize = 2;
/// How long a connection waits that was asked to come back.
const COME_BACK: Duration = Duration::from_millis(200);

/// A load.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// The event's key.
    pub(crate) key: String,
    pub(crate) connections: usize,
    /// Events in a request.
    pub(crate) batch: usize,
    /// Requests a second; none where each connection sends as fast as it is answered.
    pub(crate) rate: Option<f64>,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What came of it, after the warm-up.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Requests that were answered 2xx, and those that were asked to come back (429 and 503).
    pub(crate) answered: u64,
    pub(crate) put_off: u64,
    pub(crate) seconds: f64,
    /// In microseconds; at a constant rate from the moment a request was due.
    pub(crate) latency: Histogram<u64>,
}

impl Outcome {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// In milliseconds.
    pub(crate) fn latency_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1_000.0
    }
}

/// What the threads of a load share.
#[derive(Debug, Default)]
struct Shared {
    /// Threads that have all their connections.
    connected: AtomicUsize,
    measuring: AtomicBool,
    ended: AtomicBool,
    answered: AtomicU64,
    put_off: AtomicU64,
}

impl Load {
    /// Runs it. `look` is called when the warm-up is over, then once a second until the end, with what was answered since.
    pub(crate) fn run(&self, mut look: impl FnMut(Duration, u64)) -> Result<Outcome, String> {
        let shared = Shared::default();
        let threads = THREADS.min(self.connections);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|at| {
                    let shared = &shared;
                    scope.spawn(move || {
                        let worker = Worker::new(self, at, threads, shared)?;
                        shared.connected.fetch_add(1, Ordering::Relaxed);
                        worker.run()
                    })
                })
                .collect();
            let failed = || workers.iter().any(|worker| worker.is_finished());
            while shared.connected.load(Ordering::Relaxed) < threads && !failed() {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(self.warm_up);
            shared.measuring.store(true, Ordering::Relaxed);
            let begun = Instant::now();
            look(Duration::ZERO, 0);
            while begun.elapsed() < self.measured && !failed() {
                let left = self.measured.saturating_sub(begun.elapsed());
                thread::sleep(left.min(Duration::from_secs(1)));
                look(begun.elapsed(), shared.answered.load(Ordering::Relaxed));
            }
            let answered = shared.answered.load(Ordering::Relaxed);
            let put_off = shared.put_off.load(Ordering::Relaxed);
            let seconds = begun.elapsed().as_secs_f64();
            shared.ended.store(true, Ordering::Relaxed);
            let mut latency = histogram()?;
            for worker in workers {
                let part =
                    worker.join().map_err(|_| "a thread of the load panicked".to_owned())??;
                latency.add(part).map_err(|error| error.to_string())?;
            }
            Ok(Outcome { answered, put_off, seconds, latency })
        })
    }
}

fn histogram() -> Result<Histogram<u64>, String> {
    Histogram::new_with_max(120_000_000, 3).map_err(|error| error.to_string())
}

struct Connection {
    stream: TcpStream,
    beacon: Beacon,
    /// When the request under way was due.
    due: Instant,
    /// The answer's bytes so far, where it came in pieces.
    answer: Vec<u8>,
}

/// One thread of a load.
struct Worker<'a> {
    shared: &'a Shared,
    poll: Poll,
    connections: Vec<Connection>,
    /// Connections with no request under way, at a constant rate. They take turns: the server closes who only holds one.
    idle: VecDeque<usize>,
    /// Connections that were asked to come back, and when they do.
    put_off: VecDeque<(Instant, usize)>,
    random: fastrand::Rng,
    days: Days,
    latency: Histogram<u64>,
    /// When the next request is due, and how far apart they are.
    due: Instant,
    every: Option<Duration>,
}

impl<'a> Worker<'a> {
    fn new(
        load: &'a Load,
        at: usize,
        threads: usize,
        shared: &'a Shared,
    ) -> Result<Worker<'a>, String> {
        let said = |error: std::io::Error| format!("connecting to {}: {error}", load.address);
        let poll = Poll::new().map_err(said)?;
        let mut connections = Vec::new();
        let now = Instant::now();
        for number in (at..load.connections).step_by(threads) {
            let stream = std::net::TcpStream::connect(load.address).map_err(said)?;
            stream.set_nodelay(true).map_err(said)?;
            stream.set_nonblocking(true).map_err(said)?;
            let mut stream = TcpStream::from_std(stream);
            let token = Token(number / threads);
            poll.registry().register(&mut stream, token, Interest::READABLE).map_err(said)?;
            let beacon = Beacon::new(&load.address.to_string(), &load.key, load.batch);
            connections.push(Connection { stream, beacon, due: now, answer: Vec::new() });
        }
        let every = load.rate.map(|rate| Duration::from_secs_f64(threads as f64 / rate));
        let idle = if every.is_some() { (0..connections.len()).collect() } else { VecDeque::new() };
        Ok(Worker {
            shared,
            poll,
            connections,
            idle,
            put_off: VecDeque::new(),
            random: fastrand::Rng::new(),
            days: Days::default(),
            latency: histogram()?,
            // Threads take turns.
            due: now + every.unwrap_or_default().mul_f64(at as f64 / threads as f64),
            every,
        })
    }

    fn run(mut self) -> Result<Histogram<u64>, String> {
        let mut events = Events::with_capacity(1_024);
        if self.every.is_none() {
            (0..self.connections.len()).try_for_each(|at| self.send(at, Instant::now()))?;
        }
        while !self.shared.ended.load(Ordering::Relaxed) {
            self.send_due()?;
            // The shortest wait there is; a request that is sent late by it counts from when it was due.
            let wait = if self.every.is_some() { 1 } else { 50 };
            match self.poll.poll(&mut events, Some(Duration::from_millis(wait))) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    return Err(error.to_string());
                }
                _ => {}
            }
            for event in &events {
                let at = event.token().0;
                match (self.receive(at)?, self.every) {
                    (Received::Part, _) => {}
                    (Received::PutOff, None) => {
                        self.put_off.push_back((Instant::now() + COME_BACK, at));
                    }
                    (Received::Answered, None) => self.send(at, Instant::now())?,
                    (_, Some(_)) => self.idle.push_back(at),
                }
            }
            while let Some((_, at)) = self.put_off.pop_front_if(|(when, _)| *when <= Instant::now())
            {
                self.send(at, Instant::now())?;
            }
        }
        Ok(self.latency)
    }

    /// Sends what is due, as long as a connection is free. What finds none waits, and its time runs.
    fn send_due(&mut self) -> Result<(), String> {
        let Some(every) = self.every else { return Ok(()) };
        let now = Instant::now();
        while self.due <= now {
            let Some(at) = self.idle.pop_front() else { break };
            let due = self.due;
            self.due += every;
            self.send(at, due)?;
        }
        Ok(())
    }

    fn send(&mut self, at: usize, due: Instant) -> Result<(), String> {
        let connection = &mut self.connections[at];
        connection.due = due;
        let mut rest = connection.beacon.next(&mut self.random, &mut self.days);
        while !rest.is_empty() {
            match connection.stream.write(rest) {
                Ok(0) => return Err("the server closed a connection".to_owned()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
                Err(error) => return Err(format!("sending: {error}")),
            }
        }
        Ok(())
    }

    /// Reads what came. Answers fit into one read but for rare ones.
    fn receive(&mut self, at: usize) -> Result<Received, String> {
        let mut buffer = [0; 4_096];
        let connection = &mut self.connections[at];
        let read = match connection.stream.read(&mut buffer) {
            Ok(0) => return Err("the server closed a connection".to_owned()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Received::Part),
            Err(error) => return Err(format!("reading an answer: {error}")),
        };
        let status = if connection.answer.is_empty() {
            whole(&buffer[..read])
        } else {
            connection.answer.extend_from_slice(&buffer[..read]);
            whole(&connection.answer)
        };
        let Some(status) = status else {
            if connection.answer.is_empty() {
                connection.answer.extend_from_slice(&buffer[..read]);
            }
            return Ok(Received::Part);
        };
        connection.answer.clear();
        let (counted, received) = match status {
            204 => (&self.shared.answered, Received::Answered),
            429 | 503 => (&self.shared.put_off, Received::PutOff),
            _ => {
                return Err(format!(
                    "expected 204, got {}",
                    String::from_utf8_lossy(&buffer[..read])
                ));
            }
        };
        if self.shared.measuring.load(Ordering::Relaxed) {
            counted.fetch_add(1, Ordering::Relaxed);
            let took = connection.due.elapsed().as_micros() as u64;
            self.latency.saturating_record(took);
        }
        Ok(received)
    }
}

/// What a read brought.
#[derive(Clone, Copy, Debug)]
enum Received {
    Part,
    Answered,
    PutOff,
}

/// The status of an answer, once all of it is there.
fn whole(answer: &[u8]) -> Option<u16> {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    if status == 204 {
        return Some(status);
    }
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    (answer.len() >= end + length).then_some(status)
}

impl Load {
    /// The same load with nobody watching.
    pub(crate) fn measure(&self) -> Result<Outcome, String> {
        self.run(|_, _| {})
    }
}
