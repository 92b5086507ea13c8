//! A live market-data session: one connection, its reconnects, and the snapshots its books need.
//!
//! ```text
//! phase      | happens                             | does                                   | next
//! -----------+-------------------------------------+----------------------------------------+-----------
//! Down       | the wait is over                    | ask the connector                      | Connecting
//! Connecting | connected                           | ConnectionChanged(open), books Syncing | Open
//!            | refused or timed out                | wait longer                            | Down
//! Open       | frames                              | events                                 | Open
//!            | ping                                | pong with the same payload             | Open
//!            | no first message, or silence        | close                                  | Down
//!            | close, end of stream, broken frame  | close                                  | Down
//!            | shutdown announced                  | close                                  | Down
//! closing    | always                              | ConnectionChanged(closed), books Stale |
//! ```
//!
//! Whatever waits runs on two helper threads: the connector (name resolution, TCP, handshake) and the fetcher
//! (REST snapshots). The polling thread reads and writes a non-blocking socket and nothing else.
//!
//! The venue ends every connection after 24 hours; that is a close like any other.
//!
//! Invariant: one poll makes at most one read and handles what that read completed; `ts_ingress_ns` is taken once a
//! read.

use std::time::Duration;

use acth_core::{
    instrument::{InstrumentId, Instruments},
    port::{EventSink, EventSource, PortError, Progress, Stopped},
};
use acth_net::{Received, SocketOptions, StampKeeper};
use acth_wire::binance::Market;

use super::{
    connector::{Connection, open_websocket},
    emit,
    feed::{Feed, FeedStats},
    link::{Incoming, Link},
    pacing::{Backoff, SessionTiming, SnapshotPlan, nanoseconds},
    rest::FetchError,
    snapshots::{SnapshotAnswer, SnapshotFetcher},
    url,
};
use crate::{helper::Helper, kernel_delay::KernelDelay};

/// What a session connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Name for reports and threads.
    pub name: String,
    /// Which market's rules and formats apply.
    pub market: Market,
    /// `ws://host:port`, with the path before `/stream` if there is one.
    pub ws_url: String,
    /// `http://host:port`, with the path before `/api` or `/fapi` if there is one.
    pub rest_url: String,
    /// What to subscribe to.
    pub instruments: Vec<InstrumentId>,
}

/// What a session has seen, all counts since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// What its feed has seen.
    pub feed: FeedStats,
    /// Connections opened.
    pub connects: u64,
    /// Attempts that did not lead to a connection.
    pub connect_failures: u64,
    /// Connections lost or given up.
    pub disconnects: u64,
    /// Bytes read from open connections.
    pub bytes_read: u64,
    /// Pings answered.
    pub pings: u64,
    /// Snapshots asked for.
    pub snapshots_requested: u64,
    /// Snapshots that did not come.
    pub snapshots_failed: u64,
}

#[derive(Debug)]
enum Phase {
    Down { ts_due_ns: i64 },
    Connecting,
    Open(Box<Open>),
}

#[derive(Debug)]
struct Open {
    link: Link,
    ts_opened_ns: i64,
    ts_heard_ns: i64,
    has_message: bool,
}

/// A live market-data session.
#[derive(Debug)]
pub struct Session {
    name: String,
    source: u16,
    timing: SessionTiming,
    feed: Feed,
    connector: Helper<(), Result<Connection, String>>,
    fetcher: SnapshotFetcher,
    plan: SnapshotPlan,
    backoff: Backoff,
    phase: Phase,
    stats: SessionStats,
    options: SocketOptions,
    kernel_delay: KernelDelay,
    /// Held from before the run on, so that the first packets are stamped.
    stamp_keeper: Option<StampKeeper>,
    /// What the system refused for the first connection; the later ones are refused the same.
    refusals: Vec<String>,
}

impl Session {
    /// A session that connects at its first poll.
    ///
    /// # Errors
    /// When an address or an instrument cannot be used, or a helper thread cannot be started.
    pub fn new(
        config: &SessionConfig,
        instruments: &Instruments,
        source_number: u16,
    ) -> Result<Self, PortError> {
        Self::with_timing(config, SessionTiming::default(), instruments, source_number)
    }

    /// As `new`, with other times.
    ///
    /// # Errors
    /// As `new`.
    pub fn with_timing(
        config: &SessionConfig,
        timing: SessionTiming,
        instruments: &Instruments,
        source_number: u16,
    ) -> Result<Self, PortError> {
        let ids = config.instruments.as_slice();
        let feed = Feed::with_instruments(config.market, instruments, ids, source_number)?;
        let endpoint = url::parse(&config.ws_url, "ws")?;
        let rest = url::parse(&config.rest_url, "http")?;
        let symbols: Vec<(InstrumentId, String)> = ids
            .iter()
            .filter_map(|&id| Some((id, instruments.get(id)?.symbol.clone())))
            .collect();
        let rows = ids.iter().filter_map(|&id| instruments.get(id));
        let target = url::streams_target(&endpoint, config.market, rows);
        let refuse = |error: std::io::Error| {
            PortError::new(&*config.name, format!("no helper thread: {error}"))
        };
        let connector = Helper::spawn(format!("{}-connect", config.name), 1, move |()| {
            open_websocket(&endpoint, &target, timing.connect_timeout)
        })
        .map_err(refuse)?;
        let timeout = timing.snapshot_timeout;
        let name = format!("{}-snapshots", config.name);
        let fetcher = SnapshotFetcher::spawn(name, config.market, rest, symbols, timeout);
        Ok(Self {
            name: config.name.clone(),
            source: source_number,
            timing,
            feed,
            connector,
            fetcher: fetcher.map_err(refuse)?,
            plan: SnapshotPlan::new(ids, &timing),
            backoff: Backoff::new(timing.reconnect_min, timing.reconnect_max),
            phase: Phase::Down {
                ts_due_ns: i64::MIN,
            },
            stats: SessionStats::default(),
            options: SocketOptions::default(),
            kernel_delay: KernelDelay::new(),
            stamp_keeper: None,
            refusals: Vec::new(),
        })
    }

    /// What to ask of the kernel for the sockets that are opened from now on; nothing unless this is called.
    #[must_use]
    pub fn with_socket_options(mut self, options: SocketOptions) -> Self {
        self.options = options;
        // Where it is refused, the sockets themselves are told the same.
        self.stamp_keeper = options
            .is_stamped
            .then(StampKeeper::begin)
            .and_then(Result::ok);
        self
    }

    /// How long what was read had lain in the kernel, as far as the sockets are stamped.
    pub const fn kernel_delay(&self) -> &KernelDelay {
        &self.kernel_delay
    }

    /// What of the socket options the system refused, a sentence each.
    pub fn refusals(&self) -> &[String] {
        &self.refusals
    }

    /// What it has seen.
    pub fn stats(&self) -> SessionStats {
        SessionStats {
            feed: self.feed.stats(),
            ..self.stats
        }
    }

    /// True while the connection is open.
    pub const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// True while `instrument`'s book is live.
    pub fn is_live(&self, instrument: InstrumentId) -> bool {
        self.feed.is_live(instrument)
    }

    fn duty_cycle(&mut self, sink: &mut impl EventSink) -> Result<Progress, Halt> {
        let now_ns = sink.now_ns();
        let is_busy = match &self.phase {
            Phase::Down { ts_due_ns } => {
                if now_ns >= *ts_due_ns && self.connector.try_request(()) {
                    self.phase = Phase::Connecting;
                }
                false
            }
            Phase::Connecting => self.await_connection(sink)?,
            Phase::Open(_) => self.read(now_ns, sink)?,
        };
        let is_answered = self.handle_snapshots(is_busy, now_ns, sink)?;
        Ok(if is_busy || is_answered {
            Progress::Busy
        } else {
            Progress::Idle
        })
    }

    fn await_connection(&mut self, sink: &mut impl EventSink) -> Result<bool, Halt> {
        let answer = self.connector.try_answer().map_err(|_| Halt::HelperGone)?;
        let Some(answer) = answer else {
            return Ok(false);
        };
        let now_ns = sink.now_ns();
        let link = match answer {
            Ok(connection) => {
                Link::new(connection, &self.options).map_err(|error| format!("socket: {error}"))
            }
            Err(cause) => Err(cause),
        };
        match link {
            Ok((link, refusals)) => {
                tracing::info!(session = %self.name, "connected");
                if self.refusals.is_empty() {
                    self.refusals = refusals.iter().map(ToString::to_string).collect();
                }
                self.stats.connects += 1;
                self.phase = Phase::Open(Box::new(Open {
                    link,
                    ts_opened_ns: now_ns,
                    ts_heard_ns: now_ns,
                    has_message: false,
                }));
                emit::connection(self.source, true, now_ns, sink)?;
                self.feed.start(now_ns, sink)?;
                // Frames that came right behind the handshake.
                self.handle_frames(now_ns, sink)?;
            }
            Err(cause) => {
                self.stats.connect_failures += 1;
                let wait_ns = self.backoff.fail();
                tracing::warn!(session = %self.name, cause, wait_ns, "cannot connect");
                let ts_due_ns = now_ns.saturating_add(wait_ns);
                self.phase = Phase::Down { ts_due_ns };
            }
        }
        Ok(true)
    }

    /// One read and the frames that it completed; or the end of a connection.
    fn read(&mut self, now_ns: i64, sink: &mut impl EventSink) -> Result<bool, Halt> {
        let Phase::Open(open) = &mut self.phase else {
            return Ok(false);
        };
        match open.link.read() {
            Ok(Received { bytes_count: 0, .. }) => match silence(open, &self.timing, now_ns) {
                None => Ok(false),
                Some(cause) => self.close(cause, sink).map(|()| true),
            },
            Ok(received) => {
                let ts_ingress_ns = sink.now_ns();
                open.ts_heard_ns = ts_ingress_ns;
                self.stats.bytes_read += received.bytes_count as u64;
                if let Some(waited_ns) = received.waited_ns {
                    self.kernel_delay.record(waited_ns);
                }
                self.handle_frames(ts_ingress_ns, sink)?;
                Ok(true)
            }
            Err(error) => {
                // What arrived whole before the end still counts; it was handled by the poll that read it.
                self.close(&format!("the connection ended: {error}"), sink)?;
                Ok(true)
            }
        }
    }

    fn handle_frames(&mut self, ts_ingress_ns: i64, sink: &mut impl EventSink) -> Result<(), Halt> {
        let Phase::Open(open) = &mut self.phase else {
            return Ok(());
        };
        let cause = loop {
            match open.link.next_incoming() {
                Ok(None) => break None,
                Ok(Some(Incoming::Message(frame))) => {
                    open.has_message = true;
                    self.feed.on_frame(frame, ts_ingress_ns, sink)?;
                }
                Ok(Some(Incoming::Ping)) => self.stats.pings += 1,
                Ok(Some(Incoming::Pong)) => {}
                Ok(Some(Incoming::Close)) => break Some("the venue closed it".to_owned()),
                Err(cause) => break Some(cause),
            }
        };
        let cause = cause.or_else(|| {
            let is_announced = self.feed.is_shutdown_announced();
            is_announced.then(|| "the venue announced its shutdown".to_owned())
        });
        match cause {
            Some(cause) => self.close(&cause, sink),
            None => Ok(()),
        }
    }

    fn close(&mut self, cause: &str, sink: &mut impl EventSink) -> Result<(), Halt> {
        let Phase::Open(open) = &mut self.phase else {
            return Ok(());
        };
        open.link.say_goodbye();
        let now_ns = sink.now_ns();
        let lasted_ns = now_ns.saturating_sub(open.ts_opened_ns);
        if lasted_ns >= nanoseconds(self.timing.stable_after) {
            self.backoff.reset();
        }
        let wait_ns = self.backoff.fail();
        tracing::warn!(session = %self.name, cause, wait_ns, "disconnected");
        let ts_due_ns = now_ns.saturating_add(wait_ns);
        // Dropping the link closes the socket.
        self.phase = Phase::Down { ts_due_ns };
        self.stats.disconnects += 1;
        self.plan.forget_wishes();
        emit::connection(self.source, false, now_ns, sink)?;
        self.feed.on_disconnected(now_ns, sink)?;
        Ok(())
    }

    /// Takes new wishes, sends at most one request and handles at most one answer.
    fn handle_snapshots(
        &mut self,
        has_news: bool,
        now_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<bool, Halt> {
        let answer = self.fetcher.try_answer().map_err(|_| Halt::HelperGone)?;
        let is_answered = answer.is_some();
        if let Some(answer) = answer {
            self.on_answer(answer, now_ns, sink)?;
        }
        if has_news || is_answered {
            while let Some(instrument) = self.feed.wants_snapshot() {
                self.plan.want(instrument);
            }
        }
        if let Some(instrument) = self.plan.next_due(now_ns) {
            // There is room for one request of each instrument, and no instrument has two.
            if self.fetcher.try_request(instrument) {
                self.stats.snapshots_requested += 1;
            } else {
                self.plan.answered(instrument);
                self.plan.want(instrument);
            }
        }
        Ok(is_answered)
    }

    fn on_answer(
        &mut self,
        answer: SnapshotAnswer,
        now_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let SnapshotAnswer { instrument, body } = answer;
        self.plan.answered(instrument);
        match body {
            // An answer from before a reconnect does no harm: the ids decide whether it fits.
            Ok(body) if self.is_open() => {
                self.feed
                    .on_snapshot(&body, instrument, sink.now_ns(), sink)?;
                if self.feed.has_book(instrument) {
                    self.plan.settled(instrument);
                }
            }
            Ok(_) => {}
            Err(error) => {
                self.stats.snapshots_failed += 1;
                tracing::warn!(session = %self.name, instrument = instrument.0, %error, "no snapshot");
                self.feed.snapshot_failed(instrument);
                if let FetchError::TooOften { retry_after_s, .. } = error {
                    self.plan
                        .pause(now_ns, retry_after_s.map(Duration::from_secs));
                }
            }
        }
        Ok(())
    }
}

/// Why an open connection that brings nothing must be given up, if it must.
fn silence(open: &Open, timing: &SessionTiming, now_ns: i64) -> Option<&'static str> {
    let silent_ns = now_ns.saturating_sub(open.ts_heard_ns);
    let opened_ns = now_ns.saturating_sub(open.ts_opened_ns);
    if !open.has_message && opened_ns >= nanoseconds(timing.first_message_timeout) {
        return Some("no message came; expected one soon after the connection opened");
    }
    (silent_ns >= nanoseconds(timing.silence_timeout)).then_some("it fell silent")
}

/// Why a duty cycle cannot be finished.
#[derive(Debug)]
enum Halt {
    /// The run is ending.
    Stopped,
    /// A helper thread is gone.
    HelperGone,
}

impl From<Stopped> for Halt {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl EventSource for Session {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        match self.duty_cycle(sink) {
            Ok(progress) => Ok(progress),
            Err(Halt::Stopped) => Ok(Progress::Ended),
            Err(Halt::HelperGone) => Err(PortError::new(
                &*self.name,
                "a helper thread ended; expected it to live as long as the session",
            )),
        }
    }
}
