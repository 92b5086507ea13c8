//! The venue's thread: accept, read, let the world move on, send, sleep.
//!
//! The world's time is the wall clock's time since the start, on top of the world's own beginning. A late round makes
//! up for what it missed in one go, so message times never drift from the wall clock.

use std::{
    net::TcpListener,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use acth_core::instrument::Instruments;

use super::{
    VenueConfig, VenueCounters,
    connection::{Connection, Ending, HttpConnection, StreamConnection},
    faults::Faults,
    http::{self, RequestHead},
    private::{self, is_private},
    rest,
    route::{Service, route},
    subscription::{StreamKind, Subscriptions},
};
use crate::{
    account::Account,
    encode::{self, Market},
    world::{MessageBody, World, WorldMessage},
};

/// Rest between two rounds.
const SLEEP: Duration = Duration::from_millis(1);

/// Everything that the thread owns.
pub(super) struct Duty {
    pub(super) listener: TcpListener,
    pub(super) world: World,
    /// The world's, beside it: read while the world is being stepped.
    pub(super) instruments: Instruments,
    pub(super) config: VenueConfig,
    pub(super) faults: Faults,
    pub(super) counters: Arc<VenueCounters>,
    pub(super) is_stopped: Arc<AtomicBool>,
    /// Whose account it keeps, once somebody has one.
    pub(super) account: Arc<OnceLock<Arc<Account>>>,
    pub(super) connections: Vec<Connection>,
    /// Text of the message that is being sent, and the same wrapped for a combined stream.
    pub(super) text: String,
    pub(super) wrapped: String,
}

impl Duty {
    /// Runs until the venue is stopped.
    pub(super) fn run(mut self) {
        let started = Instant::now();
        let ts_start_ns = self.world.ts_ns();
        let mut disconnected = started;
        while !self.is_stopped.load(Ordering::Acquire) {
            let now = Instant::now();
            let elapsed_ns = i64::try_from(now.duration_since(started).as_nanos());
            let ts_now_ns = ts_start_ns.saturating_add(elapsed_ns.unwrap_or(i64::MAX));
            self.accept();
            self.serve(now);
            self.publish(ts_now_ns);
            self.flush();
            let every = Duration::from_millis(self.config.faults.disconnect_every_ms);
            if !every.is_zero() && now.duration_since(disconnected) >= every {
                disconnected = now;
                self.connections
                    .retain(|connection| matches!(connection, Connection::Http(_)));
            }
            std::thread::sleep(SLEEP);
        }
    }

    fn accept(&mut self) {
        // An error here concerns one client that is gone again, or is "nobody waits".
        while let Ok((stream, _)) = self.listener.accept() {
            let has_room = self.connections.len() < self.config.connections_max;
            if !has_room || stream.set_nonblocking(true).is_err() {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            // Without it the messages only come later.
            let _ = stream.set_nodelay(true);
            self.counters.accepted.fetch_add(1, Ordering::Relaxed);
            self.connections
                .push(Connection::Http(HttpConnection::new(stream)));
        }
    }

    /// Answers what clients have sent.
    fn serve(&mut self, now: Instant) {
        let connections = std::mem::take(&mut self.connections);
        for mut connection in connections {
            let served = match &mut connection {
                Connection::Http(http) => self.serve_http(http),
                Connection::Stream(stream) => self.serve_stream(stream, now),
            };
            match served {
                Ok(()) => {
                    let bound = self.config.outbound_bytes_max;
                    self.connections.push(connection.settle(bound));
                }
                Err(ending) => self.counters.count(ending),
            }
        }
    }

    fn serve_http(&mut self, http: &mut HttpConnection) -> Result<(), Ending> {
        while let Some(head) = http.next_request()? {
            self.counters.requests.fetch_add(1, Ordering::Relaxed);
            let is_get = head.method == "GET";
            match (route(&head.path), &head.socket_key) {
                (Some((market, Service::Rest(call))), None) if is_private(market, call) => {
                    let account = self.account.get().map(Arc::as_ref);
                    let (status, body) = private::answer(account, market, call, &head);
                    http.answer(status, &body, head.keeps_alive)?;
                }
                _ if !is_get => http.answer(405, "", false)?,
                (Some((market, Service::Rest(call))), None) => {
                    let (status, body) =
                        rest::answer(&self.world, &mut self.faults, market, call, &head.query);
                    http.answer(status, &body, head.keeps_alive)?;
                }
                (Some((market, service)), Some(key)) => {
                    match self.streams(market, service, &head) {
                        Some(subscriptions) => http.upgrade(key, subscriptions)?,
                        None => http.answer(400, "", false)?,
                    }
                }
                _ => http.answer(404, "", head.keeps_alive)?,
            }
        }
        Ok(())
    }

    /// The streams that a request names; `None` when they cannot be read or are too many.
    fn streams(
        &self,
        market: Market,
        service: Service<'_>,
        head: &RequestHead,
    ) -> Option<Subscriptions> {
        let names = match service {
            Service::Combined => http::parameter(&head.query, "streams").unwrap_or_default(),
            Service::Raw(names) => http::percent_decode(names)?,
            Service::Rest(_) => return None,
        };
        let mut subscriptions = Subscriptions::new(market, service == Service::Combined);
        let mut names = names.split('/').filter(|name| !name.is_empty());
        names
            .all(|name| subscriptions.add(name, &self.instruments))
            .then_some(subscriptions)
    }

    fn serve_stream(&self, stream: &mut StreamConnection, now: Instant) -> Result<(), Ending> {
        while let Some(text) = stream.next_text(now)? {
            let answer = stream.subscriptions.control(&text, &self.instruments);
            stream.send(answer)?;
        }
        let interval = Duration::from_millis(self.config.ping_interval_ms);
        stream.keep_alive(now, interval, self.world.ts_ns())
    }

    /// Lets the world move on and puts its messages into the buffers of those who listen.
    fn publish(&mut self, ts_now_ns: i64) {
        let Self {
            world,
            instruments,
            faults,
            counters,
            connections,
            text,
            wrapped,
            ..
        } = self;
        world.step_until(ts_now_ns, &mut |message| {
            let is_diff = matches!(message.body, MessageBody::DepthDiff { .. });
            if is_diff && faults.skips_diff() {
                counters.diffs_skipped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let Some(instrument) = instruments.get(message.instrument) else {
                return;
            };
            let market = Market::of(instrument);
            text.clear();
            connections.retain_mut(|connection| {
                let Connection::Stream(stream) = connection else {
                    return true;
                };
                let encode = |out: &mut String| {
                    encode::message(out, market, instrument, message.ts_ns, &message.body);
                };
                match deliver(stream, &message, text, wrapped, encode) {
                    Ok(count) => {
                        counters.sent.fetch_add(count, Ordering::Relaxed);
                        true
                    }
                    Err(ending) => {
                        counters.count(ending);
                        false
                    }
                }
            });
        });
    }

    /// Hands what was published to the sockets.
    fn flush(&mut self) {
        let counters = &self.counters;
        self.connections.retain_mut(|connection| {
            let Connection::Stream(stream) = connection else {
                return true;
            };
            match stream.flush() {
                Ok(()) => true,
                Err(ending) => {
                    counters.count(ending);
                    false
                }
            }
        });
    }
}

/// Sends a message to one connection under every name by which it listens; how often that was.
fn deliver(
    stream: &mut StreamConnection,
    message: &WorldMessage<'_>,
    text: &mut String,
    wrapped: &mut String,
    encode: impl FnOnce(&mut String),
) -> Result<u64, Ending> {
    let kind = StreamKind::of(&message.body);
    let count = stream.subscriptions.names(message.instrument, kind).count();
    if count == 0 {
        return Ok(0);
    }
    if text.is_empty() {
        encode(text);
    }
    for index in 0..count {
        if stream.subscriptions.is_combined() {
            wrapped.clear();
            let name = stream
                .subscriptions
                .names(message.instrument, kind)
                .nth(index);
            encode::combined(wrapped, name.unwrap_or_default(), text);
            stream.send(wrapped.as_str())?;
        } else {
            stream.send(text.as_str())?;
        }
    }
    Ok(count as u64)
}
