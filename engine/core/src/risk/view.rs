//! What the gate must know of the hub and the market to judge one order.

use super::{state::TradingState, terms::Terms};
use crate::{currency::Rate, event::Side, money::Money};

/// A picture of the moment, about the order's instrument unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskView {
    /// Whether the hub may trade.
    pub trading_state: TradingState,
    /// Steps and scale; `None` for an instrument that is not on the list.
    pub terms: Option<Terms>,
    /// What the instrument's currency is worth in the account's; amounts of this view are in the account's.
    pub rate: Rate,
    /// How many more decisions fit on this input.
    pub decisions_room: u32,
    /// True when the order's id is of an open or recent order.
    pub is_id_used: bool,
    /// Position, quantity mantissa; negative = short.
    pub position: i64,
    /// Quantity of our bids that may still trade.
    pub open_bid_quantity: i64,
    /// Quantity of our asks that may still trade.
    pub open_ask_quantity: i64,
    /// Our own best resting price on the other side than the order's.
    pub own_opposite_price: Option<i64>,
    /// The price that the order is judged against; 0 = none.
    pub reference_price: i64,
    /// Highest bid of the market; 0 = none.
    pub best_bid: i64,
    /// Lowest ask of the market; 0 = none.
    pub best_ask: i64,
    /// True when the book is complete and current.
    pub is_book_live: bool,
    /// Time since the quote last changed or was confirmed.
    pub quote_age_ns: i64,
    /// Open orders of the hub.
    pub open_orders: u32,
    /// Open orders of this instrument.
    pub open_orders_instrument: u32,
    /// Orders of the hub placed within the last second.
    pub orders_last_second: u32,
    /// Orders and cancels of the hub within the last second.
    pub messages_last_second: u32,
    /// Orders and cancels to the instrument's venue within the last second.
    pub venue_messages_last_second: u32,
    /// Equity of the account.
    pub equity: Money,
    /// Highest equity so far.
    pub equity_max: Money,
    /// Sizes of all positions of the hub at their marks.
    pub gross_exposure: Money,
    /// Notional of all open orders of the hub.
    pub open_notional: Money,
    /// All positions of the hub at their marks, shorts negative.
    pub net_exposure: Money,
    /// Notional of all open orders of the hub on the order's side.
    pub open_notional_side: Money,
    /// Sizes of all positions at the instrument's venue, and of all open orders there.
    pub venue_exposure: Money,
    /// Sizes of all that the order's agent holds, and of its open orders.
    pub agent_exposure: Money,
    /// All positions in the instrument's base asset, shorts negative.
    pub base_exposure: Money,
    /// Notional of all open orders in that asset on the order's side.
    pub base_open_side: Money,
    /// Equity at the start of the UTC day.
    pub equity_day: Money,
    /// What the order's agent has lost since then; negative = earned.
    pub agent_loss: Money,
    /// Margin of all positions and open orders, in millionths of the account's unit of money.
    pub margin_millionths: Money,
    /// Correlation of this trade with what is held, in ppm: positive when it adds to the same bet.
    pub correlation_ppm: i64,
    /// Volume of the last 24 hours in money.
    pub volume_24h: Money,
}

impl RiskView {
    /// Our quantity that may still trade on one side.
    pub const fn open_quantity(&self, side: Side) -> i64 {
        match side {
            Side::Bid => self.open_bid_quantity,
            Side::Ask => self.open_ask_quantity,
        }
    }

    /// True when an order can only shrink the position, even if all that is open on its side trades first.
    pub fn is_reducing(&self, side: Side, quantity: i64) -> bool {
        let towards = i128::from(self.position) * i128::from(side.sign());
        towards + self.more(side, quantity) <= 0
    }

    /// Size of the position if all that is open on one side and this order trade, and nothing of the other side.
    pub fn worst_position(&self, side: Side, quantity: i64) -> i128 {
        let towards = i128::from(self.position) * i128::from(side.sign());
        (towards + self.more(side, quantity)).abs()
    }

    /// All that may trade on one side together with this order.
    fn more(&self, side: Side, quantity: i64) -> i128 {
        i128::from(self.open_quantity(side)) + i128::from(quantity)
    }
}
