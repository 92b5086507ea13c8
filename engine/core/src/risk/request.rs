//! What a strategy asks for.

use crate::{
    decision::{OrderType, TimeInForce},
    event::Side,
    instrument::InstrumentId,
};

/// An order that somebody wishes; it becomes one only through the gate.
///
/// ```
/// use acth_core::{event::Side, instrument::InstrumentId, risk::OrderRequest};
///
/// let request = OrderRequest::limit(InstrumentId(0), Side::Bid, 6_180_025, 10)
///     .post_only()
///     .because(7, 0.25);
/// assert_eq!(request.reason, 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderRequest {
    /// What to trade.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit price, mantissa.
    pub price: i64,
    /// Quantity, mantissa.
    pub quantity: i64,
    /// How the price is meant.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// Who asks: 1 to 16. 0 becomes 1, the one agent of a hub whose strategy tells none apart.
    pub agent: u16,
    /// The agent's own code for why.
    pub reason: u16,
    /// The number that led to it, for explanation.
    pub signal: f64,
}

impl OrderRequest {
    /// A limit order that stays until filled or cancelled.
    pub const fn limit(instrument: InstrumentId, side: Side, price: i64, quantity: i64) -> Self {
        Self {
            instrument,
            side,
            price,
            quantity,
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::GoodTillCancelled,
            agent: 0,
            reason: 0,
            signal: 0.0,
        }
    }

    /// Only as maker.
    #[must_use]
    pub const fn post_only(mut self) -> Self {
        self.order_type = OrderType::PostOnly;
        self
    }

    /// What cannot trade at once is cancelled.
    #[must_use]
    pub const fn immediate_or_cancel(mut self) -> Self {
        self.time_in_force = TimeInForce::ImmediateOrCancel;
        self
    }

    /// All at once or nothing.
    #[must_use]
    pub const fn fill_or_kill(mut self) -> Self {
        self.time_in_force = TimeInForce::FillOrKill;
        self
    }

    /// Asked by this agent.
    #[must_use]
    pub const fn by(mut self, agent: u16) -> Self {
        self.agent = agent;
        self
    }

    /// The agent's code for why, and the number that led to it.
    #[must_use]
    pub const fn because(mut self, reason: u16, signal: f64) -> Self {
        self.reason = reason;
        self.signal = signal;
        self
    }
}
