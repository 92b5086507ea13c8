//! One order of ours, what a report changed in it, and what can be wrong with either.

use crate::{
    decision::{ClientOrderId, OrderType, TimeInForce},
    event::{ReportReason, Side},
    hash::StateHasher,
    instrument::InstrumentId,
    risk::OrderRequest,
    snapshot::{Decoder, Encoder, SnapshotError},
};

use super::state::{OrderSignal, OrderState, Transition};

/// One order of ours. Prices and quantities are mantissas of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Our id.
    pub id: ClientOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit price.
    pub price: i64,
    /// Quantity asked for; positive.
    pub quantity: i64,
    /// Quantity traded so far; between 0 and `quantity`.
    pub filled: i64,
    /// How the price is meant.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// Where it is in its life.
    pub state: OrderState,
    /// The agent that wished it.
    pub agent: u16,
    /// The agent's own code for why.
    pub reason: u16,
    /// When it was decided, ns since the Unix epoch.
    pub ts_placed_ns: i64,
    /// True once egress has confirmed that it left the host.
    pub is_sent: bool,
    /// The state that a refused cancel returns to; equals `state` unless that is `PendingCancel`.
    beneath: OrderState,
}

impl Order {
    /// A new order as `request` asks for it, before the venue has answered.
    pub const fn from_request(
        id: ClientOrderId,
        request: &OrderRequest,
        ts_placed_ns: i64,
    ) -> Self {
        Self {
            id,
            instrument: request.instrument,
            side: request.side,
            price: request.price,
            quantity: request.quantity,
            filled: 0,
            order_type: request.order_type,
            time_in_force: request.time_in_force,
            state: OrderState::PendingNew,
            agent: request.agent,
            reason: request.reason,
            ts_placed_ns,
            is_sent: false,
            beneath: OrderState::PendingNew,
        }
    }

    /// What an unused slot of a table holds.
    pub(super) const EMPTY: Self = Self {
        id: ClientOrderId(0),
        instrument: InstrumentId(0),
        side: Side::Bid,
        price: 0,
        quantity: 0,
        filled: 0,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::GoodTillCancelled,
        state: OrderState::Rejected,
        agent: 0,
        reason: 0,
        ts_placed_ns: 0,
        is_sent: false,
        beneath: OrderState::Rejected,
    };

    /// Quantity that has not traded; what may still trade while the order is open.
    pub const fn remaining(&self) -> i64 {
        self.quantity - self.filled
    }

    /// The state that a refused cancel would return to.
    pub const fn beneath(&self) -> OrderState {
        self.beneath
    }

    /// Moves the state by the table and says what the table meant: `To`, `Stay` or `Illegal`.
    pub(super) fn advance(&mut self, signal: OrderSignal) -> Transition {
        match self.state.on(signal) {
            Transition::To(OrderState::PendingCancel) => {
                self.state = OrderState::PendingCancel;
                Transition::To(OrderState::PendingCancel)
            }
            Transition::To(state) => {
                self.state = state;
                self.beneath = state;
                Transition::To(state)
            }
            Transition::Back => {
                self.state = self.beneath;
                Transition::To(self.beneath)
            }
            Transition::Beneath => self.advance_beneath(signal),
            Transition::Stay => Transition::Stay,
            Transition::Illegal => Transition::Illegal,
        }
    }

    /// A signal that meets a pending cancel moves the remembered state; the order ends only if that one ends.
    fn advance_beneath(&mut self, signal: OrderSignal) -> Transition {
        match self.beneath.on(signal) {
            Transition::To(state) if state.is_final() => {
                self.state = state;
                self.beneath = state;
                Transition::To(state)
            }
            Transition::To(state) => {
                self.beneath = state;
                Transition::To(OrderState::PendingCancel)
            }
            Transition::Illegal => Transition::Illegal,
            Transition::Stay | Transition::Back | Transition::Beneath => Transition::Stay,
        }
    }

    /// Folds in every field.
    pub(super) fn digest(&self, hasher: &mut StateHasher) {
        hasher.word(self.id.0);
        hasher.signed(self.price);
        hasher.signed(self.quantity);
        hasher.signed(self.filled);
        hasher.signed(self.ts_placed_ns);
        hasher.word(
            u64::from(self.instrument.0)
                | u64::from(self.agent) << 16
                | u64::from(self.reason) << 32
                | (self.side as u64) << 48
                | (self.order_type as u64) << 56,
        );
        hasher.word(
            self.time_in_force as u64
                | (self.state as u64) << 8
                | (self.beneath as u64) << 16
                | u64::from(self.is_sent) << 24,
        );
    }
}

/// Bytes that one order takes in a snapshot.
pub(super) const ORDER_BYTES: usize = 8 * 5 + 2 * 3 + 6;

impl Order {
    /// Writes every field, `beneath` included.
    pub(super) fn save(&self, out: &mut Encoder) {
        out.u64(self.id.0);
        out.u16(self.instrument.0);
        out.u8(self.side as u8);
        out.i64(self.price);
        out.i64(self.quantity);
        out.i64(self.filled);
        out.u8(self.order_type as u8);
        out.u8(self.time_in_force as u8);
        out.u8(self.state as u8);
        out.u8(self.beneath as u8);
        out.u16(self.agent);
        out.u16(self.reason);
        out.i64(self.ts_placed_ns);
        out.bool(self.is_sent);
    }

    /// Reads one order and refuses what no life can have led to.
    pub(super) fn load(from: &mut Decoder<'_>) -> Result<Self, SnapshotError> {
        let order = Self {
            id: ClientOrderId(from.u64()?),
            instrument: InstrumentId(from.u16()?),
            side: from.code(Side::from_code, "a side")?,
            price: from.i64()?,
            quantity: from.i64()?,
            filled: from.i64()?,
            order_type: from.code(OrderType::from_code, "an order type")?,
            time_in_force: from.code(TimeInForce::from_code, "a time in force")?,
            state: from.code(OrderState::from_code, "an order state")?,
            beneath: from.code(OrderState::from_code, "an order state beneath")?,
            agent: from.u16()?,
            reason: from.u16()?,
            ts_placed_ns: from.time_ns()?,
            is_sent: from.bool()?,
        };
        let is_beneath_right = match order.state {
            OrderState::PendingCancel => {
                order.beneath.is_open() && order.beneath != OrderState::PendingCancel
            }
            state => order.beneath == state,
        };
        from.expect(is_beneath_right, "the order state itself beneath it")?;
        let filled_max = order
            .quantity
            .saturating_sub(i64::from(order.state.is_open()));
        let is_filled_right = order.quantity > 0 && (0..=filled_max).contains(&order.filled);
        from.expect(is_filled_right, "a filled quantity that fits the order")?;
        Ok(order)
    }
}

/// What one report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderChange {
    /// The order.
    pub id: ClientOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// The agent that wished it.
    pub agent: u16,
    /// State before.
    pub from: OrderState,
    /// State after.
    pub to: OrderState,
    /// What the table said: `To`, `Stay` (benign) or `Illegal` (raise an alarm).
    pub transition: Transition,
    /// Quantity that this report traded; the portfolio must book it whatever `transition` says. 0 without a fill.
    pub quantity: i64,
    /// Quantity that has not traded, after the report.
    pub remaining: i64,
    /// The venue's reason.
    pub reason: ReportReason,
}

impl OrderChange {
    /// True when this report ended the order.
    pub const fn is_final(&self) -> bool {
        self.from.is_open() && self.to.is_final()
    }

    /// True when no order of arrival explains the report.
    pub const fn is_illegal(&self) -> bool {
        matches!(self.transition, Transition::Illegal)
    }
}

/// Why an order cannot enter the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderTableError {
    /// The bound on open orders is reached.
    #[error("order {id}: the table already holds {bound} open orders")]
    Full {
        /// The order.
        id: u64,
        /// The bound.
        bound: usize,
    },
    /// The id is of an open or a recent order.
    #[error("order {id}: the id was used before")]
    Duplicate {
        /// The order.
        id: u64,
    },
    /// The instrument is not in the hub's table.
    #[error("order {id}: instrument {instrument} is not in the table of instruments")]
    UnknownInstrument {
        /// The order.
        id: u64,
        /// Index of the instrument.
        instrument: u16,
    },
    /// Only an order that nothing has happened to can enter.
    #[error("order {id}: expected a new order with a positive quantity and nothing filled")]
    NotNew {
        /// The order.
        id: u64,
    },
    /// The sum of open quantity or notional leaves its integer.
    #[error("order {id}: the open quantity or notional would overflow")]
    Overflow {
        /// The order.
        id: u64,
    },
}

/// Why a report could not be applied; nothing was changed but a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The order is neither open nor recent.
    #[error("report for order {id}, which is neither open nor recently finished")]
    Unknown {
        /// The order.
        id: u64,
    },
    /// The fill was applied before: a repeated report, harmless.
    #[error("order {id}: fill {execution_id} was applied before")]
    DuplicateExecution {
        /// The order.
        id: u64,
        /// The venue's id of the fill.
        execution_id: u64,
    },
    /// The venue reports more traded than was asked for.
    #[error("order {id}: a fill of {quantity} where {remaining} was left")]
    Overfill {
        /// The order.
        id: u64,
        /// Quantity of the fill.
        quantity: i64,
        /// Quantity that was left.
        remaining: i64,
    },
    /// A fill of nothing or less.
    #[error("order {id}: a fill must have a positive quantity, not {quantity}")]
    FillQuantity {
        /// The order.
        id: u64,
        /// Quantity of the fill.
        quantity: i64,
    },
    /// A fill signal without its quantity.
    #[error("order {id}: a fill must come through apply_fill, with its quantity")]
    FillSignal {
        /// The order.
        id: u64,
    },
}

impl OrderError {
    /// True for what unreliable but honest reporting produces; everything else asks for reconciliation.
    pub const fn is_benign(&self) -> bool {
        matches!(self, Self::DuplicateExecution { .. })
    }
}
