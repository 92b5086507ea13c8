//! From frames to durations: remembers the input at hand, commands on their way out, and orders and cancels without an answer.
//!
//! What begins and ends each stage, and where both stand:
//!
//! | stage                  | begins at                             | ends at                                            |
//! |------------------------|---------------------------------------|----------------------------------------------------|
//! | feed                   | `ts_venue_ns` of a message            | its `ts_ingress_ns`                                |
//! | decode                 | `ts_ingress_ns`                       | `decode_code` later                                |
//! | queue                  | decoded, else read                    | time of the frame that ends the message            |
//! | ingress                | `ts_ingress_ns`                       | time of the frame that ends the message            |
//! | apply                  | time of the cause's frame             | decided, by `CommandSent`                          |
//! | publish, send          | decided, published, by `CommandSent`  | published, `ts_egress_ns`                          |
//! | tick_to_order          | `ts_cause_ingress_ns`                 | `ts_egress_ns`                                     |
//! | order_ack, cancel_ack  | `ts_egress_ns`                        | `ts_ingress_ns` of the answer                      |
//! | order_leg, report_leg  | `ts_egress_ns`, `ts_venue_ns`         | `ts_venue_ns`, `ts_ingress_ns` of the answer       |

use acth_core::{
    decision::{Decision, DecisionKind},
    event::{
        BookState, CommandSent, DECODE_CODE_MAX, Event, EventKind, EventView, ReportReason,
        decode_ns, flags,
    },
    instrument::{InstrumentId, Instruments},
};
use acth_engine::clock::Clock;

use crate::{
    measured::{Measured, RowKey},
    message::MessageKind,
    pending::Pending,
    stage::Stage,
};

/// An order, or a cancel of it.
type CommandKey = (u64, bool);

/// The input at hand.
#[derive(Clone, Copy, Debug)]
struct Cause {
    sequence: u64,
    kind: MessageKind,
    ts_core_ns: i64,
}

/// A command that was decided.
#[derive(Clone, Copy, Debug)]
struct Decided {
    cause: Cause,
    venue: u16,
    is_cancel: bool,
}

/// A command that left.
#[derive(Clone, Copy, Debug)]
struct Sent {
    venue: u16,
    kind: MessageKind,
    ts_egress_ns: i64,
}

/// A venue's answer.
#[derive(Clone, Copy, Debug)]
struct Answer {
    ts_venue_ns: Option<i64>,
    ts_ingress_ns: i64,
}

/// Frames in, durations out.
pub(crate) struct Tracker {
    pub(crate) measured: Measured,
    clock: Clock,
    venue_of: Vec<u16>,
    /// Books that are not live: their changes waited for a snapshot.
    is_syncing: Vec<bool>,
    cause: Option<Cause>,
    decided: Pending<u64, Decided>,
    sent: Pending<CommandKey, Sent>,
    /// Answers that stand in the journal before the report that their command left: two threads, two rings.
    early: Pending<CommandKey, Answer>,
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Self {
            measured: Measured::default(),
            clock: Clock::Wall,
            venue_of: Vec::new(),
            is_syncing: Vec::new(),
            cause: None,
            decided: Pending::new(),
            sent: Pending::new(),
            early: Pending::new(),
        }
    }

    /// A run began, or the journal begins within it.
    pub(crate) fn begin_run(&mut self, clock: Clock, instruments: Option<&Instruments>) {
        self.clock = clock;
        self.cause = None;
        self.decided.clear();
        self.sent.clear();
        self.early.clear();
        let rows = instruments.map_or(&[][..], |instruments| instruments.rows());
        self.venue_of = rows
            .iter()
            .map(|row| self.measured.venue_index(&row.venue))
            .collect();
        self.is_syncing = vec![false; rows.len()];
    }

    /// What was found, with what was given up.
    pub(crate) fn finish(mut self) -> Measured {
        self.measured.lost = self.decided.lost + self.sent.lost + self.early.lost;
        self.measured
    }

    fn venue(&self, instrument: InstrumentId) -> u16 {
        let found = self.venue_of.get(instrument.index());
        found.copied().unwrap_or(u16::MAX)
    }

    fn count(&mut self, stage: Stage, about: (u16, MessageKind), start_ns: i64, final_ns: i64) {
        if self.clock == Clock::Event && !stage.is_told_in_event_time() {
            return;
        }
        let (venue, kind) = about;
        let key = RowKey { stage, venue, kind };
        self.measured.count(key, start_ns, final_ns);
    }

    /// An input: the frame's sequence and time, and the event.
    pub(crate) fn input(&mut self, sequence: u64, ts_core_ns: i64, event: &Event) {
        let Some(kind) = MessageKind::of(event) else {
            self.cause = None;
            return;
        };
        self.cause = Some(Cause {
            sequence,
            kind,
            ts_core_ns,
        });
        let venue = if kind.has_instrument() {
            self.venue(event.instrument_id())
        } else {
            u16::MAX
        };
        if event.is_market_data() {
            self.message(event, (venue, kind), ts_core_ns);
        } else {
            self.count(Stage::Queue, (venue, kind), event.ts_ingress_ns, ts_core_ns);
            self.count(
                Stage::Ingress,
                (venue, kind),
                event.ts_ingress_ns,
                ts_core_ns,
            );
        }
        match event.view() {
            EventView::BookStateChanged(_) => {
                if let Some(is_syncing) = self.is_syncing.get_mut(event.instrument_id().index()) {
                    *is_syncing = event.detail != BookState::Live as u8;
                }
            }
            EventView::CommandSent(sent) => self.command_sent(sent),
            EventView::OrderAccepted(report) | EventView::OrderRejected(report) => {
                self.answered((report.client_order_id, false), event);
            }
            EventView::CancelRejected(report) => {
                self.answered((report.client_order_id, true), event);
            }
            EventView::OrderCancelled(report) if event.detail == ReportReason::Requested as u8 => {
                self.answered((report.client_order_id, true), event);
            }
            _ => {}
        }
    }

    /// Market data, at the event that ends a message.
    fn message(&mut self, event: &Event, about: (u16, MessageKind), ts_core_ns: i64) {
        let index = event.instrument_id().index();
        let is_syncing = self.is_syncing.get(index).copied().unwrap_or(false);
        // A change that waited for its snapshot carries the snapshot's stamps.
        let has_waited = is_syncing && event.kind == EventKind::BookDelta as u8;
        if !event.ends_market_message() || (has_waited && about.1 == MessageKind::Depth) {
            return;
        }
        let ts_ingress_ns = event.ts_ingress_ns;
        if event.ts_venue_ns != 0 && !event.has(flags::TS_MISSING) {
            self.count(Stage::Feed, about, event.ts_venue_ns, ts_ingress_ns);
        }
        let mut ts_ready_ns = ts_ingress_ns;
        if let Some(elapsed_ns) = decode_ns(event.decode_code) {
            ts_ready_ns = ts_ingress_ns.saturating_add(elapsed_ns);
            self.count(Stage::Decode, about, ts_ingress_ns, ts_ready_ns);
            let is_saturated = event.decode_code == DECODE_CODE_MAX;
            self.measured.decode_saturated += u64::from(is_saturated);
        }
        // The stamp is rounded: it may be a little later than the frame that it comes before.
        self.count(Stage::Queue, about, ts_ready_ns.min(ts_core_ns), ts_core_ns);
        self.count(Stage::Ingress, about, ts_ingress_ns, ts_core_ns);
    }

    /// A decision that followed from the input `cause`.
    pub(crate) fn decision(&mut self, sequence: u64, cause: u64, decision: &Decision) {
        let is_cancel = match decision.kind() {
            Some(DecisionKind::PlaceOrder) => false,
            Some(DecisionKind::CancelOrder) => true,
            _ => return,
        };
        let Some(cause) = self.cause.filter(|input| input.sequence == cause) else {
            return;
        };
        let decided = Decided {
            cause,
            venue: self.venue(decision.instrument_id()),
            is_cancel,
        };
        self.decided.put(sequence, decided);
    }

    fn command_sent(&mut self, sent: &CommandSent) {
        let Some(decided) = self.decided.take(&sent.sequence) else {
            return;
        };
        let about = (decided.venue, decided.cause.kind);
        let ts_egress_ns = sent.ts_egress_ns;
        match (sent.ts_decided_ns(), sent.ts_published_ns()) {
            (Some(decided_ns), Some(published_ns)) => {
                self.count(Stage::Apply, about, decided.cause.ts_core_ns, decided_ns);
                self.count(Stage::Publish, about, decided_ns, published_ns);
                self.count(Stage::Send, about, published_ns, ts_egress_ns);
            }
            _ => self.measured.unstamped += u64::from(self.clock == Clock::Wall),
        }
        if sent.ts_cause_ingress_ns != 0 {
            let start_ns = sent.ts_cause_ingress_ns;
            self.count(Stage::TickToOrder, about, start_ns, ts_egress_ns);
        }
        let key = (sent.client_order_id, decided.is_cancel);
        let sent = Sent {
            venue: decided.venue,
            kind: decided.cause.kind,
            ts_egress_ns,
        };
        match self.early.take(&key) {
            Some(answer) => self.acknowledged(sent, answer, decided.is_cancel),
            None => self.sent.put(key, sent),
        }
    }

    fn answered(&mut self, key: CommandKey, event: &Event) {
        // It never left: that says nothing about a venue.
        if event.detail == ReportReason::Withheld as u8 {
            return;
        }
        let has_time = event.ts_venue_ns != 0 && !event.has(flags::TS_MISSING);
        let answer = Answer {
            ts_venue_ns: has_time.then_some(event.ts_venue_ns),
            ts_ingress_ns: event.ts_ingress_ns,
        };
        match self.sent.take(&key) {
            Some(sent) => self.acknowledged(sent, answer, key.1),
            None => self.early.put(key, answer),
        }
    }

    fn acknowledged(&mut self, sent: Sent, answer: Answer, is_cancel: bool) {
        let about = (sent.venue, sent.kind);
        let (start_ns, final_ns) = (sent.ts_egress_ns, answer.ts_ingress_ns);
        if is_cancel {
            return self.count(Stage::CancelAck, about, start_ns, final_ns);
        }
        self.count(Stage::OrderAck, about, start_ns, final_ns);
        if let Some(ts_venue_ns) = answer.ts_venue_ns {
            self.count(Stage::OrderLeg, about, start_ns, ts_venue_ns);
            self.count(Stage::ReportLeg, about, ts_venue_ns, final_ns);
        }
    }
}
