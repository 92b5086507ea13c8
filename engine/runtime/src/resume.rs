//! Going on with a journal: what the run before left unfinished, and the first inputs of the run that goes on.
//!
//! A process that was killed may have left an input without some of its decisions' frames, orders whose sending nobody
//! confirmed, and books that nobody watches any more. All of it is put right by frames and inputs in the journal, before
//! anything new is taken in, so that a replay of both runs decides the same.

use acth_core::{
    core::Core,
    decision::{ClientOrderId, Decision},
    event::{
        BookState, BookStateChanged, BookStateReason, Event, EventKind, OperatorAction,
        OperatorCommand, OperatorReason, OrderReport, ReportReason, flags,
    },
    instrument::InstrumentId,
    orders::{Order, OrderState},
    risk::{StateReason, TradingState},
    strategy::Strategy,
};

/// What is done before anything new is taken in.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// Decisions that the last input led to and that were never journaled: appended before the manifest, under the sequences that
    /// the machine gave them. They never left the host.
    pub unfinished: Unfinished,
    /// Inputs of the runtime's own, right behind the manifest.
    pub inputs: Vec<Event>,
}

/// Decisions of one input that were never journaled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// The input's sequence.
    pub cause: u64,
    /// The input's time.
    pub time_ns: i64,
    /// What is missing, in order.
    pub decisions: Vec<Decision>,
}

/// Whether a hub that was halted may trade again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rearm {
    /// Only if it was halted by the orderly end of the run before.
    AfterOrderlyEnd,
    /// Whatever halted it: a person has looked.
    Always,
}

/// The inputs with which a core goes on: commands that never left are reported back, books are distrusted until their sessions
/// are synchronised anew, and a hub that was only halted because its run ended trades again.
pub fn first_inputs<S: Strategy>(core: &Core<S>, now_ns: i64, rearm: Rearm) -> Vec<Event> {
    let unsent = core.open_orders().filter(|order| !was_sent(order));
    let mut inputs: Vec<Event> = unsent.map(|order| withheld(order, now_ns)).collect();
    let ids = core.instruments().iter().map(|(id, _)| id);
    inputs.extend(ids.map(|id| distrusted(id, now_ns)));
    let ended_in_order = core.trading_state_reason() == StateReason::RunEnded;
    if core.trading_state() != TradingState::Active && (ended_in_order || rearm == Rearm::Always) {
        inputs.push(resumed(now_ns));
    }
    inputs
}

/// Whether the order may be at the venue: its sending was confirmed, or the venue has spoken of it.
pub fn was_sent(order: &Order) -> bool {
    order.is_sent
        || matches!(
            order.state,
            OrderState::Working | OrderState::PartiallyFilled
        )
}

/// The report of an order that certainly did not leave.
fn withheld(order: &Order, now_ns: i64) -> Event {
    let ClientOrderId(client_order_id) = order.id;
    runtime_event(EventKind::OrderRejected, order.instrument, now_ns)
        .with_detail(ReportReason::Withheld as u8)
        .with_body(&OrderReport {
            client_order_id,
            venue_order_id: 0,
            reserved: [0; 3],
        })
}

/// Nobody watched this book while the hub was away.
fn distrusted(id: InstrumentId, now_ns: i64) -> Event {
    runtime_event(EventKind::BookStateChanged, id, now_ns)
        .with_detail(BookState::Stale as u8)
        .with_body(&BookStateChanged {
            reason: BookStateReason::Disconnected as u64,
            expected_id: 0,
            received_id: 0,
            reserved: [0; 2],
        })
}

fn resumed(now_ns: i64) -> Event {
    runtime_event(EventKind::OperatorCommanded, InstrumentId(0), now_ns)
        .with_detail(OperatorAction::Resume as u8)
        .with_body(&OperatorCommand::because(OperatorReason::Unspecified))
}

fn runtime_event(kind: EventKind, instrument: InstrumentId, now_ns: i64) -> Event {
    Event::new(kind, instrument)
        .at(0, now_ns)
        .with_flags(flags::TS_MISSING)
}
