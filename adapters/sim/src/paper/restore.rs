//! A paper venue that goes on: the orders that a hub had there when the process died.
//!
//! The venue lived in the process that died, so what it knew is taken from the hub's own books, which the journal bears out: a
//! fill exists once it is journaled. What was on its way is settled at once: an order whose sending was confirmed and that was
//! not yet acknowledged is acknowledged and rests (or, if it was not to rest, ends); a cancel that was asked for is done.

use acth_core::{
    decision::{ClientOrderId, Decision, DecisionKind, TimeInForce},
    event::{EventKind, ReportReason},
    orders::{Order, OrderState},
};

use super::{exchange::PaperState, order::RestingOrder};

/// Ids of one life of the venue begin at a multiple of this: none is ever given twice.
const IDS_PER_LIFE_BITS: u32 = 40;

impl PaperState {
    /// Takes in the hub's open orders that may be at the venue; call it before the first event. `life` is a number that no
    /// earlier life of this venue had (the journal's run id); `now_ns` is the present time.
    pub fn restore<'a>(&mut self, orders: impl Iterator<Item = &'a Order>, life: u64, now_ns: i64) {
        self.begin_life(life, life << IDS_PER_LIFE_BITS, now_ns);
        for order in orders {
            self.restore_order(order);
        }
    }

    fn restore_order(&mut self, order: &Order) {
        let ClientOrderId(id) = order.id;
        if !self.use_id(id) {
            return;
        }
        let decision = as_decision(order);
        let venue_order_id = self.take_order_id();
        let is_new =
            order.state == OrderState::PendingNew || order.beneath() == OrderState::PendingNew;
        if is_new {
            let (kind, reason) = (EventKind::OrderAccepted, ReportReason::None);
            self.report(kind, &decision, reason, venue_order_id);
        }
        let ends = if order.state == OrderState::PendingCancel {
            Some(ReportReason::Requested)
        } else if order.time_in_force != TimeInForce::GoodTillCancelled {
            Some(ReportReason::ImmediateRemainder)
        } else {
            None
        };
        match ends {
            Some(reason) => {
                self.report(EventKind::OrderCancelled, &decision, reason, venue_order_id);
            }
            None => self.rest_again(
                order,
                RestingOrder {
                    client_order_id: id,
                    venue_order_id,
                    price: order.price,
                    remaining: order.remaining(),
                    // Its place in the queue is lost: everything that will be displayed may be ahead.
                    queue_ahead: i64::MAX,
                },
            ),
        }
    }
}

/// The decision that an order came from, as far as reports need it.
fn as_decision(order: &Order) -> Decision {
    Decision {
        kind: DecisionKind::PlaceOrder as u8,
        side: order.side as u8,
        instrument: order.instrument.0,
        client_order_id: order.id.0,
        price: order.price,
        quantity: order.quantity,
        order_type: order.order_type as u8,
        time_in_force: order.time_in_force as u8,
        ..Decision::default()
    }
}
