//! The hub of the measurement: session, one loop with journal and network, and a sink that writes real orders.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    thread,
};

use acth_bench::load::numbers::Numbers;
use acth_core::{
    decision::{
        ClientOrderId, Decision, DecisionKind, Decisions, OrderType, Outbound, TimeInForce,
    },
    event::{Bbo, Event, EventView, Side},
    instrument::InstrumentId,
    port::{CommandSink, EventSink, EventSource, PortError, Progress},
};
use acth_engine::{
    clock::{Clock, WallClock},
    config::{EngineConfig, ThreadMode},
    control::Control,
    machine::Machine,
    manifest::RunManifest,
    monitor::Monitor,
    pipeline,
};
use acth_journal::{JournalOptions, Writer};
use acth_nn::Network;
use acth_venues::binance::session::{Session, SessionConfig};
use acth_wire::{
    binance::{Market, OrderSymbol, order_request},
    websocket::{Opcode, write_frame},
};

use super::{
    THREADS, Taken, load,
    stream::{self, pair, write_all},
};
use crate::{
    Failure, allocations, args::fixed, floor::Stand, inference, placement, record::Record,
};

/// Intended starts by the number of their ticker, which its update id carries: written by the load, read by the sink. And
/// the numbers of the tickers that orders answered, in order: written by the sink, read by the load.
pub(super) struct Sent {
    starts_ns: Vec<AtomicI64>,
    answered: Vec<AtomicU64>,
    answered_count: AtomicU64,
    recorded_from_ns: AtomicI64,
    /// How far the engine's clock is ahead of the load's: each was set to the system's time by itself.
    engine_ahead_ns: AtomicI64,
}

/// Tickers that may be on their way at once.
const SENT_SLOTS: usize = 1 << 16;

impl Sent {
    fn new() -> Self {
        Self {
            starts_ns: (0..SENT_SLOTS).map(|_| AtomicI64::new(0)).collect(),
            answered: (0..SENT_SLOTS).map(|_| AtomicU64::new(0)).collect(),
            answered_count: AtomicU64::new(0),
            recorded_from_ns: AtomicI64::new(0),
            engine_ahead_ns: AtomicI64::new(0),
        }
    }

    /// Ticker `number` is about to be sent.
    pub(super) fn push(&self, number: u64, intended_ns: i64, recorded_from_ns: i64) {
        self.recorded_from_ns
            .store(recorded_from_ns, Ordering::Relaxed);
        self.starts_ns[number as usize % SENT_SLOTS].store(intended_ns, Ordering::Release);
    }

    /// Intended start of a ticker.
    pub(super) fn start_ns(&self, number: u64) -> i64 {
        self.starts_ns[number as usize % SENT_SLOTS].load(Ordering::Acquire)
    }

    /// An order that answers this ticker is about to be handed over.
    fn answer(&self, number: u64) {
        let count = self.answered_count.load(Ordering::Relaxed);
        self.answered[count as usize % SENT_SLOTS].store(number, Ordering::Relaxed);
        self.answered_count.store(count + 1, Ordering::Release);
    }

    /// The ticker that order `index` answers; it must have been handed over.
    pub(super) fn answered(&self, index: u64) -> u64 {
        debug_assert!(index < self.answered_count.load(Ordering::Acquire));
        self.answered[index as usize % SENT_SLOTS].load(Ordering::Relaxed)
    }
}

/// The session, with an eye on both clocks.
struct Watched<'a> {
    session: Session,
    clock: WallClock,
    sent: &'a Sent,
}

impl EventSource for Watched<'_> {
    #[inline]
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let ahead_ns = &self.sent.engine_ahead_ns;
        if ahead_ns.load(Ordering::Relaxed) == 0 {
            // Read in both orders, so that what a reading takes cancels out.
            let (first_ns, engine_ns) = (self.clock.now_ns(), sink.now_ns());
            let middle_ns = first_ns + (self.clock.now_ns() - first_ns) / 2;
            ahead_ns.store(engine_ns - middle_ns, Ordering::Relaxed);
        }
        self.session.poll(sink)
    }

    fn drain(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        self.session.drain(sink)
    }
}

/// Runs one window and adds it to `taken`.
pub(super) fn run(
    stand: Stand<'_>,
    journal_dir: Option<&Path>,
    taken: &mut Taken,
) -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let snapshots = load::Snapshots::start()?;
    let instruments = acth_bench::load::hub::instruments();
    let config = SessionConfig {
        name: "bench".to_owned(),
        market: Market::Spot,
        ws_url: format!("ws://{}", listener.local_addr()?),
        rest_url: format!("http://127.0.0.1:{}", snapshots.port),
        instruments: vec![InstrumentId(0)],
    };
    let (orders_near, mut orders_far) = pair()?;
    let sent = Sent::new();
    let source = Watched {
        session: Session::new(&config, &instruments, 1)?,
        clock: stand.clock.clone(),
        sent: &sent,
    };
    let control = Control::new();
    let dir = match journal_dir {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let writer = Writer::create(dir.path().join("journal"), &JournalOptions::default())?;
    let Taken { handed, back, own } = taken;
    let sink = Sink {
        clock: stand.clock.clone(),
        stream: orders_near,
        symbol: OrderSymbol {
            market: Market::Spot,
            symbol: "BTCUSDT".to_owned(),
            price_exponent: 2,
            quantity_exponent: 3,
        },
        text: Vec::with_capacity(1024),
        frames: Vec::with_capacity(1 << 16),
        starts_ns: Vec::with_capacity(1024),
        sent: &sent,
        handed,
        own,
    };
    let (_, mut network) = inference::layers(&mut Numbers::new(3))?;
    network.forward(&[0.0; inference::INPUTS]);
    let machine = Answer {
        network,
        features: [0.0; inference::INPUTS],
        place: 0,
        ticker_count: 0,
        allocated_first: 0,
        allocated_last: 0,
    };
    let allocated = thread::scope(|scope| {
        let control = &control;
        let hub = scope.spawn(move || run_hub(stand, machine, source, sink, writer, control));
        // A thread of its own: the one that spawns stays where it may run anywhere.
        let load = scope.spawn(|| {
            placement::settle(stand.cores.of(0, THREADS));
            let mut market = load::accept(&listener)?;
            load::run(stand, &mut market, &mut orders_far, back, &sent)
        });
        let outcome = load
            .join()
            .unwrap_or_else(|_| Err("the load's thread panicked".into()));
        control.request_stop();
        match hub.join() {
            Ok(Ok(allocated)) => outcome.map(|()| allocated),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err("the hub's thread panicked".into()),
        }
    })?;
    taken.handed.allocations += allocated;
    Ok(())
}

/// Runs the engine's one loop to its end; what its thread allocated between the first tickers and the last.
fn run_hub(
    stand: Stand<'_>,
    machine: Answer,
    source: Watched<'_>,
    sink: Sink<'_>,
    writer: Writer,
    control: &Control,
) -> Result<u64, Failure> {
    let manifest = RunManifest::new(HUB_ID, ThreadMode::Single, Clock::Wall, "answer");
    let mut config = EngineConfig::new(ThreadMode::Single, Clock::Wall, manifest);
    config.wait = fixed(stand.wait);
    config.placement = stand.cores.placement_of(1, THREADS);
    config.timer_interval_ns = 0;
    let outcome = pipeline::run(
        &config,
        machine,
        source,
        sink,
        writer,
        control,
        &Monitor::new(),
    )?;
    Ok(outcome.machine.allocated_last - outcome.machine.allocated_first)
}

/// Number of the hub in client order ids.
const HUB_ID: u16 = 1;
/// Tickers after which the hub's thread must no longer allocate.
const WARM_UP_TICKERS: u64 = 64;

/// The machine: each ticker goes through the network and leads to one order.
struct Answer {
    network: Network,
    features: [f32; inference::INPUTS],
    place: usize,
    ticker_count: u64,
    allocated_first: u64,
    allocated_last: u64,
}

impl Answer {
    /// The last prices and quantities, as small numbers around zero.
    fn take_features(&mut self, bbo: &Bbo) {
        let mid = bbo.bid.price + bbo.ask.price;
        let skew = bbo.bid.quantity as f32 / (bbo.bid.quantity + bbo.ask.quantity).max(1) as f32;
        self.features[self.place] = (mid % 10_000) as f32 / 10_000.0;
        self.features[self.place + 1] = skew - 0.5;
        self.place = (self.place + 2) % inference::INPUTS;
    }
}

impl Machine for Answer {
    fn apply(&mut self, sequence: u64, _ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        let EventView::Bbo(bbo) = event.view() else {
            return;
        };
        self.ticker_count += 1;
        self.allocated_last = allocations::of_this_thread();
        if self.ticker_count <= WARM_UP_TICKERS {
            self.allocated_first = self.allocated_last;
        }
        self.take_features(bbo);
        let signal = self.network.forward(&self.features)[0];
        let (side, price) = if signal > 0.0 {
            (Side::Bid, bbo.bid.price)
        } else {
            (Side::Ask, bbo.ask.price)
        };
        // The first decision of an input always has room.
        let _ = decisions.push(Decision {
            kind: DecisionKind::PlaceOrder as u8,
            side: side as u8,
            client_order_id: ClientOrderId::new(HUB_ID, sequence + 1).0,
            price,
            quantity: 10,
            order_type: OrderType::Limit as u8,
            time_in_force: TimeInForce::ImmediateOrCancel as u8,
            signal_bits: u64::from(signal.to_bits()),
            // The number of the ticker, for the sink: nothing else here tells one from another.
            hash: bbo.update_id,
            ..Decision::default()
        });
    }

    fn state_hash(&self) -> u64 {
        self.ticker_count
    }
}

/// Writes orders to their socket, those that come together with one write, and takes the times.
struct Sink<'a> {
    clock: WallClock,
    stream: TcpStream,
    symbol: OrderSymbol,
    text: Vec<u8>,
    frames: Vec<u8>,
    /// Intended starts of the tickers that `frames` answers.
    starts_ns: Vec<i64>,
    sent: &'a Sent,
    handed: &'a mut Record,
    own: &'a mut Record,
}

/// Any key masks: this connection has no proxy to protect.
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// What goes wrong with the orders' socket.
fn refuse(cause: &dyn std::fmt::Display) -> PortError {
    PortError::new("orders", cause.to_string())
}

impl CommandSink for Sink<'_> {
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        self.text.clear();
        let (decision, ts_ns) = (&outbound.decision, outbound.ts_decided_ns);
        order_request(decision, &self.symbol, ts_ns, &mut self.text)
            .map_err(|error| refuse(&error))?;
        write_frame(Opcode::Text, &self.text, MASK, &mut self.frames);
        let number = decision.hash % stream::ID_BASE;
        self.sent.answer(number);
        let ready_ns = self.clock.now_ns();
        let intended_ns = self.sent.start_ns(number);
        self.starts_ns.push(intended_ns);
        let recorded_from_ns = self.sent.recorded_from_ns.load(Ordering::Relaxed);
        self.handed.record_from(recorded_from_ns);
        if self.handed.counts(intended_ns) {
            let ahead_ns = self.sent.engine_ahead_ns.load(Ordering::Relaxed);
            let read_ns = outbound.ts_cause_ingress_ns - ahead_ns;
            self.own.add_batch(ready_ns - read_ns, 1);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PortError> {
        write_all(&mut self.stream, &self.frames).map_err(|error| refuse(&error))?;
        self.frames.clear();
        let handed_ns = self.clock.now_ns();
        for intended_ns in self.starts_ns.drain(..) {
            self.handed.add(intended_ns, handed_ns);
        }
        Ok(())
    }
}
