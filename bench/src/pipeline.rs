//! The real thing: ingress ring, core stage with journal, egress ring, on the engine's own threads: three,
//! two, or its one loop.
//!
//! The machine answers every event with one order, so each event costs what a traded one costs: the input's frame, the
//! decision's frame, both rings, and the report of the send as a further input. The source stamps the intended start; the
//! sink stamps the arrival by the same clock.

use std::time::Duration;

use acth_core::{
    decision::{
        ClientOrderId, Decision, DecisionKind, Decisions, OrderType, Outbound, TimeInForce,
    },
    event::{Event, EventKind, EventView, Side, Trade},
    instrument::InstrumentId,
    port::{CommandSink, EventSink, EventSource, PortError, Progress},
};
use acth_engine::{
    clock::{Clock, WallClock},
    config::{EngineConfig, ThreadMode},
    control::Control,
    journal::{Journal, JournalEnd, JournalFault},
    machine::Machine,
    manifest::RunManifest,
    monitor::Monitor,
    pipeline,
};
use acth_journal::{Condition, JournalOptions, Writer};

use crate::{
    Failure, allocations,
    args::fixed,
    floor::Stand,
    pace::{BURST_MAX, Pace, Window},
    record::Record,
};

/// Busy threads of the engine.
pub(crate) const fn busy_threads(threads: ThreadMode) -> usize {
    match threads {
        ThreadMode::Multi => 3,
        ThreadMode::Dual => 2,
        ThreadMode::Single => 1,
    }
}

/// Time for the journal's helpers to get ahead before the first window.
const HEAD_START: Duration = Duration::from_millis(400);
/// Number of the hub in client order ids.
const HUB_ID: u16 = 1;

/// A journal on disk that all windows of one figure append to, in a temporary folder.
///
/// Made before the first window: its helpers get ahead while nothing is measured. To wait for that between two windows would leave
/// the cores idle, and a host puts idle virtual cores wherever it likes.
pub(crate) struct KeptJournal {
    writer: Writer,
    // Removed behind the writer.
    _folder: tempfile::TempDir,
}

impl KeptJournal {
    /// In this folder, or in the system's temporary one.
    ///
    /// # Errors
    /// When the folder or the journal cannot be made.
    pub(crate) fn new(folder: Option<&std::path::Path>) -> Result<Self, Failure> {
        let folder = match folder {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir()?,
        };
        let writer = Writer::create(folder.path().join("journal"), &JournalOptions::default())?;
        std::thread::sleep(HEAD_START);
        Ok(Self {
            writer,
            _folder: folder,
        })
    }
}

/// Runs one window and adds it to `record`. Without a journal numbers are given and nothing is kept.
///
/// # Errors
/// When the engine or the journal fails.
pub(crate) fn run(
    stand: Stand<'_>,
    threads: ThreadMode,
    journal: Option<&mut KeptJournal>,
    record: &mut Record,
) -> Result<(), Failure> {
    match journal {
        None => run_with(stand, threads, Counting { next_sequence: 1 }, record),
        Some(journal) => run_with(stand, threads, Lent(&mut journal.writer), record),
    }
}

fn run_with(
    stand: Stand<'_>,
    threads: ThreadMode,
    journal: impl Journal,
    record: &mut Record,
) -> Result<(), Failure> {
    let manifest = RunManifest::new(HUB_ID, threads, Clock::Wall, "answer");
    let mut config = EngineConfig::new(threads, Clock::Wall, manifest);
    config.wait = fixed(stand.wait);
    config.placement = stand.cores.placement();
    config.timer_interval_ns = 0;
    // A source that is late here is the figure itself, not a reason to trade less.
    config.reduces_when_behind = false;
    let mut source = Source {
        clock: stand.clock.clone(),
        window: stand.window,
        pace: None,
    };
    let count_before = record.count();
    let mut sink = Sink {
        clock: stand.clock.clone(),
        record,
        first_ns: None,
        window: stand.window,
        arrived_count: 0,
    };
    let outcome = pipeline::run(
        &config,
        Answer::default(),
        &mut source,
        &mut sink,
        journal,
        &Control::new(),
        &Monitor::new(),
    )?;
    let arrived_count = sink.arrived_count;
    debug_assert!(outcome.orders >= arrived_count && record.count() >= count_before);
    record.missing_count += stand.window.event_count() - arrived_count;
    let machine = outcome.machine;
    record.allocations += machine.allocated_last - machine.allocated_first;
    Ok(())
}

/// Emits trades at their intended times.
struct Source {
    clock: WallClock,
    window: Window,
    /// Starts with the first poll, when all threads run.
    pace: Option<Pace>,
}

impl EventSource for Source {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let mut now_ns = self.clock.now_ns();
        let window = self.window;
        let pace = self.pace.get_or_insert_with(|| Pace::new(window, now_ns));
        if pace.is_done() || now_ns > pace.deadline_ns() {
            return Ok(Progress::Ended);
        }
        let mut progress = Progress::Idle;
        for _ in 0..BURST_MAX {
            let Some(intended_ns) = pace.due(now_ns) else {
                break;
            };
            if sink.emit_with(|slot| *slot = trade(intended_ns)).is_err() {
                return Ok(Progress::Ended);
            }
            pace.advance();
            progress = Progress::Busy;
            now_ns = self.clock.now_ns();
        }
        Ok(progress)
    }
}

#[inline]
fn trade(intended_ns: i64) -> Event {
    let body = Trade {
        price: 6_180_025,
        quantity: 10,
        trade_id: 1,
        trade_id_final: 1,
        reserved: 0,
    };
    Event::new(EventKind::Trade, InstrumentId(0))
        .at(intended_ns, intended_ns)
        .with_detail(Side::Bid as u8)
        .with_body(&body)
}

/// Stamps what arrives.
struct Sink<'a> {
    clock: WallClock,
    record: &'a mut Record,
    /// Intended start of the first event: the start of the window.
    first_ns: Option<i64>,
    window: Window,
    arrived_count: u64,
}

impl CommandSink for Sink<'_> {
    #[inline]
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        let now_ns = self.clock.now_ns();
        let intended_ns = outbound.ts_cause_ingress_ns;
        if self.first_ns.is_none() {
            self.first_ns = Some(intended_ns);
            let pace = Pace::new(self.window, intended_ns);
            self.record.record_from(pace.recorded_from_ns());
        }
        self.record.add(intended_ns, now_ns);
        self.arrived_count += 1;
        Ok(())
    }
}

/// Reports after which the core's thread must no longer allocate.
const WARM_UP_LOOKS: u64 = 16;

/// The machine: one order an event. It lives on the core's thread, so it can tell what that thread allocates.
#[derive(Default)]
struct Answer {
    applied_count: u64,
    looked_count: u64,
    allocated_first: u64,
    allocated_last: u64,
}

impl Machine for Answer {
    #[inline]
    fn apply(&mut self, sequence: u64, _ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        self.applied_count += 1;
        let EventView::Trade(trade) = event.view() else {
            // Among others the report that follows each order, when nothing is waited for.
            self.allocated_last = allocations::of_this_thread();
            self.looked_count += 1;
            if self.looked_count <= WARM_UP_LOOKS {
                self.allocated_first = self.allocated_last;
            }
            return;
        };
        // The first decision of an input always has room.
        let _ = decisions.push(Decision {
            kind: DecisionKind::PlaceOrder as u8,
            side: Side::Bid as u8,
            client_order_id: ClientOrderId::new(HUB_ID, sequence + 1).0,
            price: trade.price,
            quantity: trade.quantity,
            order_type: OrderType::Limit as u8,
            time_in_force: TimeInForce::GoodTillCancelled as u8,
            ..Decision::default()
        });
    }

    fn state_hash(&self) -> u64 {
        self.applied_count
    }
}

/// A journal that stays open when a run is over.
struct Lent<'a>(&'a mut Writer);

impl Journal for Lent<'_> {
    #[inline]
    fn next_sequence(&self) -> u64 {
        self.0.next_sequence()
    }

    #[inline]
    fn append(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
    ) -> Result<u64, JournalFault> {
        Ok(self.0.append(kind, time_ns, cause, payload)?)
    }

    #[inline]
    fn poll_health(&mut self) -> Result<Condition, JournalFault> {
        Ok(self.0.poll_health()?)
    }

    fn seal(self) -> Result<JournalEnd, JournalFault> {
        Ok(JournalEnd::default())
    }
}

/// A journal that only counts.
struct Counting {
    next_sequence: u64,
}

impl Journal for Counting {
    #[inline]
    fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    #[inline]
    fn append(&mut self, _: u16, _: i64, _: u64, _: &[u8]) -> Result<u64, JournalFault> {
        self.next_sequence += 1;
        Ok(self.next_sequence - 1)
    }

    #[inline]
    fn poll_health(&mut self) -> Result<Condition, JournalFault> {
        Ok(Condition::default())
    }

    fn seal(self) -> Result<JournalEnd, JournalFault> {
        Ok(JournalEnd::default())
    }
}
