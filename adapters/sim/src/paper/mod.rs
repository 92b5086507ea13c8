//! The paper venue: orders are executed against the market data that pass by, with latency, queues and fees.
//!
//! `channel` makes two ends. The `PaperSink` takes commands from egress; the `PaperState` goes with the market data
//! source into a `PaperVenue`, which is a source itself: it lets every event of the inner source through and adds the
//! reports that a real venue would have sent.
//!
//! The rules, from the plain to the subtle:
//! - A command reaches the venue `order_latency_ns` after it was decided; a report reaches us `report_latency_ns` after
//!   the execution. With a `LatencyModel` both are drawn from what was measured.
//! - Marketable orders walk the displayed levels. What they took stays taken until the venue says something new
//!   about that level.
//! - A resting order queues behind what was displayed at its price. Trades at that price and a shrinking level bring
//!   it forward. A trade past its price, or an opposite quote at or past it, trades with it first, by no more than the
//!   quantity that was seen.
//! - Nothing is accepted or filled while the book is not live.
//! - A perpetual's positions are charged (`FundingSettled`) once at each time that the market data announced for it, at the last
//!   rate and mark price announced before; where nothing was announced, at the configured interval and rate. Not while the
//!   venue is away.
//! - After `PaperSink::cancel_all` everything that rests is cancelled before anything else happens at the venue, and every
//!   order that arrives is refused; so a kill needs no core.
//!
//! Invariant: same events and commands, same reports. No allocation per event once the tables are there.

mod book;
mod exchange;
mod funding;
mod ladder;
mod latency;
mod order;
mod recent;
mod restore;
mod venue;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use acth_core::{
    decision::Outbound,
    instrument::Instruments,
    port::{CommandSink, PortError},
};
use crossbeam::queue::ArrayQueue;
pub use exchange::PaperState;
pub use latency::{
    FittedFrom, LATENCY_MODEL_FORMAT, LatencyModel, LatencyModelError, Split, VenueLatency,
};
use serde::{Deserialize, Serialize};
pub use venue::PaperVenue;

/// How the paper venue behaves, and its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaperConfig {
    /// From a decision to its execution.
    pub order_latency_ns: i64,
    /// From an execution to its report.
    pub report_latency_ns: i64,
    /// Number of the source that the reports carry.
    pub source: u16,
    /// Most commands on their way.
    pub commands_max: usize,
    /// Most resting orders of one instrument.
    pub orders_max: usize,
    /// Most levels remembered of one side of a book.
    pub levels_max: usize,
    /// Most client order ids remembered, to refuse duplicates.
    pub ids_max: usize,
    /// Share of the notional that longs pay to shorts at each funding time, in units of 10^-12; negative = shorts pay, 0 = there
    /// is no funding. For perpetuals of which the market data announce nothing.
    pub funding_rate: i64,
    /// For the same ones, the time between two funding times, which are its whole multiples since the Unix epoch; 0 or less = there
    /// is no funding.
    pub funding_interval_ns: i64,
}

impl Default for PaperConfig {
    fn default() -> Self {
        Self {
            order_latency_ns: 500_000,
            report_latency_ns: 500_000,
            source: 0,
            commands_max: 1_024,
            orders_max: 200,
            levels_max: 8_192,
            ids_max: 65_536,
            funding_rate: 0,
            funding_interval_ns: 8 * 3_600 * 1_000_000_000,
        }
    }
}

/// Both ends of a paper venue for these instruments.
pub fn channel(config: PaperConfig, instruments: &Instruments) -> (PaperSink, PaperState) {
    let commands = Arc::new(ArrayQueue::new(config.commands_max.max(1)));
    let is_shut = Arc::new(AtomicBool::new(false));
    let sink = PaperSink {
        commands: Arc::clone(&commands),
        is_shut: Arc::clone(&is_shut),
    };
    (
        sink,
        PaperState::new(config, instruments, commands, is_shut),
    )
}

/// The end that takes commands; lock-free, for the egress thread.
#[derive(Clone, Debug)]
pub struct PaperSink {
    commands: Arc<ArrayQueue<Outbound>>,
    /// Set once to have everything cancelled and no order taken any more.
    is_shut: Arc<AtomicBool>,
}

impl CommandSink for PaperSink {
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        self.commands.push(*outbound).map_err(|_| {
            let cause = format!(
                "all {} places for commands are taken",
                self.commands.capacity()
            );
            PortError::new("paper venue", cause)
        })
    }

    fn cancel_all(&mut self) -> Result<(), PortError> {
        self.is_shut.store(true, Ordering::Release);
        Ok(())
    }
}
