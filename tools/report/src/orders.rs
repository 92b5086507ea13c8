//! The last orders: what they were answered with, and what led to them. And what the risk gate refused.

use std::collections::VecDeque;

use acth_core::{
    decision::{Decision, DecisionKind},
    event::{Event, EventKind, EventView, ReportReason},
    risk::Denial,
};

/// Most orders kept; an older one makes room.
pub const ORDERS_MAX: usize = 200;

/// The input that led to an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cause {
    pub(crate) sequence: u64,
    pub(crate) kind: Option<EventKind>,
    pub(crate) instrument: u16,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The venue has not answered.
    Unanswered,
    /// It rests at the venue.
    Working,
    /// It traded in full.
    Filled,
    /// It left the book.
    Cancelled(ReportReason),
    /// The venue refused it.
    Rejected(ReportReason),
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OrderRow {
    pub(crate) sequence: u64,
    pub(crate) ts_ns: i64,
    pub(crate) cause: Cause,
    pub(crate) decision: Decision,
    pub(crate) outcome: Outcome,
    /// Traded so far, quantity mantissa.
    pub(crate) filled: i64,
    /// Sum of price times quantity of the fills, mantissas.
    paid: i128,
}

impl OrderRow {
    /// Mean price of its fills, price mantissa.
    pub(crate) fn mean_price(&self) -> Option<i64> {
        let filled = i128::from(self.filled);
        (filled > 0).then(|| (self.paid / filled) as i64)
    }
}

/// The refusal seen last of one code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) sequence: u64,
    pub(crate) ts_ns: i64,
    pub(crate) instrument: u16,
    pub(crate) agent: u16,
}

/// Orders and refusals.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(crate) rows: VecDeque<OrderRow>,
    pub(crate) refusals: [Option<Refusal>; Denial::ALL.len() + 1],
}

impl Orders {
    pub(crate) fn new() -> Self {
        Self {
            rows: VecDeque::with_capacity(ORDERS_MAX),
            refusals: [None; Denial::ALL.len() + 1],
        }
    }

    /// Takes a decision in.
    pub(crate) fn take(&mut self, sequence: u64, ts_ns: i64, cause: Cause, decision: &Decision) {
        match decision.kind() {
            Some(DecisionKind::PlaceOrder) => {
                if self.rows.len() == ORDERS_MAX {
                    self.rows.pop_front();
                }
                self.rows.push_back(OrderRow {
                    sequence,
                    ts_ns,
                    cause,
                    decision: *decision,
                    outcome: Outcome::Unanswered,
                    filled: 0,
                    paid: 0,
                });
            }
            Some(DecisionKind::OrderDenied) => {
                if let Some(place) = self.refusals.get_mut(usize::from(decision.verdict)) {
                    *place = Some(Refusal {
                        sequence,
                        ts_ns,
                        instrument: decision.instrument,
                        agent: decision.agent,
                    });
                }
            }
            _ => {}
        }
    }

    /// Takes a venue's report in.
    pub(crate) fn report(&mut self, event: &Event) {
        let reason = ReportReason::from_code(event.detail).unwrap_or(ReportReason::None);
        match event.view() {
            EventView::OrderAccepted(report) => {
                self.set(report.client_order_id, Outcome::Working);
            }
            EventView::OrderRejected(report) => {
                self.set(report.client_order_id, Outcome::Rejected(reason));
            }
            EventView::OrderCancelled(report) => {
                self.set(report.client_order_id, Outcome::Cancelled(reason));
            }
            EventView::OrderFilled(fill) => {
                let Some(row) = self.row(fill.client_order_id) else {
                    return;
                };
                row.filled = row.filled.saturating_add(fill.quantity);
                row.paid += i128::from(fill.price) * i128::from(fill.quantity);
                if row.filled >= row.decision.quantity {
                    row.outcome = Outcome::Filled;
                }
            }
            _ => {}
        }
    }

    /// Ids grow with the sequence, so the row is found by halving.
    fn row(&mut self, id: u64) -> Option<&mut OrderRow> {
        let place = self
            .rows
            .binary_search_by_key(&id, |row| row.decision.client_order_id);
        place.ok().map(|index| &mut self.rows[index])
    }

    fn set(&mut self, id: u64, outcome: Outcome) {
        if let Some(row) = self.row(id)
            && row.outcome != Outcome::Filled
        {
            row.outcome = outcome;
        }
    }
}

#[cfg(test)]
mod tests {
    use acth_core::{
        event::{OrderFilled, OrderReport},
        instrument::InstrumentId,
    };

    use super::*;

    fn place(orders: &mut Orders, id: u64) {
        let cause = Cause {
            sequence: id - 1,
            kind: Some(EventKind::Bbo),
            instrument: 0,
        };
        let decision = Decision {
            kind: DecisionKind::PlaceOrder as u8,
            client_order_id: id,
            quantity: 10,
            ..Decision::default()
        };
        orders.take(id, 0, cause, &decision);
    }

    #[test]
    fn the_last_orders_are_kept_with_their_answers() {
        let mut orders = Orders::new();
        for id in 1..=(ORDERS_MAX as u64 + 5) {
            place(&mut orders, id);
        }
        assert_eq!(orders.rows.len(), ORDERS_MAX);
        assert_eq!(orders.rows[0].sequence, 6);
        for (price, quantity) in [(100, 4), (110, 6)] {
            let fill = OrderFilled {
                client_order_id: 9,
                price,
                quantity,
                fee: 0,
                execution_id: 0,
            };
            let event = Event::new(EventKind::OrderFilled, InstrumentId(0));
            orders.report(&event.with_body(&fill));
        }
        let report = OrderReport {
            client_order_id: 10,
            venue_order_id: 0,
            reserved: [0; 3],
        };
        let event = Event::new(EventKind::OrderRejected, InstrumentId(0));
        let event = event.with_detail(ReportReason::NoMarket as u8);
        orders.report(&event.with_body(&report));
        let of = |id: u64| orders.rows.iter().find(|row| row.sequence == id).unwrap();
        assert_eq!(of(9).outcome, Outcome::Filled);
        assert_eq!(of(9).mean_price(), Some(106));
        assert_eq!(of(10).outcome, Outcome::Rejected(ReportReason::NoMarket));
        assert_eq!(of(11).outcome, Outcome::Unanswered);
    }
}
