//! A simulated venue on loopback that speaks Binance's protocol over real sockets.
//!
//! One thread owns the world, the listener and all connections; nothing blocks and nothing is shared but a few
//! counters. Spot lives below `/spot`, USD-M futures below `/usdm`, each with the venue's own paths behind it:
//!
//! | Path | What |
//! |---|---|
//! | `/spot/stream?streams=a/b`, `/spot/ws/a/b` | streams |
//! | `/spot/api/v3/{depth,exchangeInfo,time,ping}` | REST |
//! | `/usdm/stream`, `/usdm/public/stream`, `/usdm/market/stream`, and the same with `/ws` | streams |
//! | `/usdm/fapi/v1/{depth,exchangeInfo,time,ping}` | REST |
//! | `/spot/api/v3/{account,openOrders}`, `/usdm/fapi/v1/allOpenOrders`, `/usdm/fapi/v2/positionRisk` | REST with a key |
//!
//! Invariant: what a client does cannot hurt another client or the world; every buffer is bounded.

mod connection;
mod duty;
mod faults;
mod http;
mod private;
mod rest;
mod route;
mod subscription;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

pub use faults::FaultConfig;
use serde::{Deserialize, Serialize};

use crate::{
    account::Account,
    world::{World, WorldConfig, WorldError},
};
use duty::Duty;
use faults::Faults;

/// Longest time that a world is made to catch up with: about a second of work.
const CATCH_UP_NS_MAX: i64 = 300_000_000_000;

/// A simulated venue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VenueConfig {
    /// What is traded there, and by whom.
    pub world: WorldConfig,
    /// What goes wrong.
    pub faults: FaultConfig,
    /// Port on loopback; 0 = any that is free.
    pub port: u16,
    /// Most connections at a time.
    pub connections_max: usize,
    /// Most bytes that wait for one client before it is dropped.
    pub outbound_bytes_max: usize,
    /// Time between two pings on a stream.
    pub ping_interval_ms: u64,
}

impl Default for VenueConfig {
    fn default() -> Self {
        Self {
            world: WorldConfig::default(),
            faults: FaultConfig::default(),
            port: 0,
            connections_max: 64,
            outbound_bytes_max: 4 * 1_024 * 1_024,
            ping_interval_ms: 20_000,
        }
    }
}

impl From<WorldConfig> for VenueConfig {
    fn from(world: WorldConfig) -> Self {
        Self {
            world,
            ..Self::default()
        }
    }
}

/// Why a simulated venue cannot open.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The world cannot be simulated.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The listener cannot be opened.
    #[error("127.0.0.1:{port}: cannot listen: {cause}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        cause: io::Error,
    },
    /// The thread cannot be started.
    #[error("simulated venue: cannot start its thread: {0}")]
    Thread(io::Error),
}

/// What a venue has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueCounts {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections refused because there were too many.
    pub refused: u64,
    /// Connections that ended otherwise.
    pub closed: u64,
    /// Connections dropped because the client read too slowly.
    pub dropped_slow: u64,
    /// HTTP requests read, those for streams included.
    pub requests: u64,
    /// Stream messages sent, over all connections.
    pub sent: u64,
    /// Diffs lost on purpose.
    pub diffs_skipped: u64,
}

#[derive(Debug, Default)]
struct VenueCounters {
    accepted: AtomicU64,
    refused: AtomicU64,
    closed: AtomicU64,
    dropped_slow: AtomicU64,
    requests: AtomicU64,
    sent: AtomicU64,
    diffs_skipped: AtomicU64,
}

impl VenueCounters {
    fn count(&self, ending: connection::Ending) {
        let counter = match ending {
            connection::Ending::Closed => &self.closed,
            connection::Ending::Slow => {
                tracing::warn!("simulated venue: dropped a client that reads too slowly");
                &self.dropped_slow
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> VenueCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        VenueCounts {
            accepted: read(&self.accepted),
            refused: read(&self.refused),
            closed: read(&self.closed),
            dropped_slow: read(&self.dropped_slow),
            requests: read(&self.requests),
            sent: read(&self.sent),
            diffs_skipped: read(&self.diffs_skipped),
        }
    }
}

/// A simulated venue that is open.
#[derive(Debug)]
pub struct SimVenue {
    address: SocketAddr,
    counters: Arc<VenueCounters>,
    is_stopped: Arc<AtomicBool>,
    account: Arc<OnceLock<Arc<Account>>>,
    thread: Option<JoinHandle<()>>,
}

impl SimVenue {
    /// Opens a venue whose world begins now by the wall clock and at `ts_start_ns` by its own.
    ///
    /// # Errors
    /// When the world cannot be simulated, the port is taken or the thread cannot start.
    pub fn start(
        config: impl Into<VenueConfig>,
        seed: u64,
        ts_start_ns: i64,
    ) -> Result<Self, SimError> {
        Self::go_on(config, seed, ts_start_ns, ts_start_ns)
    }

    /// Opens a venue whose world began at `ts_start_ns` and has gone on to `ts_now_ns` by its own time: the market that a client
    /// who comes back would find. At most five minutes are made up for; a world that began earlier begins five minutes ago.
    ///
    /// # Errors
    /// As `start`.
    pub fn go_on(
        config: impl Into<VenueConfig>,
        seed: u64,
        ts_start_ns: i64,
        ts_now_ns: i64,
    ) -> Result<Self, SimError> {
        let mut config = config.into();
        config.world.ts_start_ns = ts_start_ns.max(ts_now_ns.saturating_sub(CATCH_UP_NS_MAX));
        let mut world = World::new(config.world.clone(), seed)?;
        world.step_until(ts_now_ns, &mut |_| {});
        let port = config.port;
        let listen = |cause| SimError::Listen { port, cause };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let counters = Arc::new(VenueCounters::default());
        let is_stopped = Arc::new(AtomicBool::new(false));
        let account = Arc::new(OnceLock::new());
        let duty = Duty {
            account: Arc::clone(&account),
            listener,
            faults: Faults::new(config.faults, &world),
            instruments: world.instruments().clone(),
            world,
            config,
            counters: Arc::clone(&counters),
            is_stopped: Arc::clone(&is_stopped),
            connections: Vec::new(),
            text: String::with_capacity(16 * 1_024),
            wrapped: String::with_capacity(16 * 1_024),
        };
        let builder = std::thread::Builder::new().name("sim-venue".to_owned());
        let thread = builder.spawn(|| duty.run()).map_err(SimError::Thread)?;
        Ok(Self {
            address,
            counters,
            is_stopped,
            account,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on answers for this account; false when it has one already.
    pub fn open_account(&self, account: Arc<Account>) -> bool {
        self.account.set(account).is_ok()
    }

    /// What it has done so far.
    pub fn counts(&self) -> VenueCounts {
        self.counters.read()
    }

    /// Closes every connection and ends the thread.
    pub fn stop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("simulated venue: its thread had panicked");
        }
    }
}

impl Drop for SimVenue {
    fn drop(&mut self) {
        self.stop();
    }
}
