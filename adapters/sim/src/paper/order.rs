//! Resting paper orders of one side of one instrument, best price first, then first come.

use acth_core::event::Side;

/// An order of ours that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RestingOrder {
    pub(super) client_order_id: u64,
    pub(super) venue_order_id: u64,
    pub(super) price: i64,
    pub(super) remaining: i64,
    /// Displayed quantity of others that trades before us at our price.
    pub(super) queue_ahead: i64,
}

/// One fill of an order of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnFill {
    pub(super) client_order_id: u64,
    pub(super) price: i64,
    pub(super) quantity: i64,
}

/// The resting orders of one side, in a vector of fixed capacity.
#[derive(Clone, Debug)]
pub(super) struct RestingOrders {
    rows: Vec<RestingOrder>,
    sign: i64,
}

impl RestingOrders {
    pub(super) fn new(side: Side, orders_max: usize) -> Self {
        Self {
            rows: Vec::with_capacity(orders_max),
            sign: side.sign(),
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.rows.len()
    }

    /// Books an order behind those that are as good.
    pub(super) fn insert(&mut self, order: RestingOrder) {
        let key = order.price * self.sign;
        let index = self
            .rows
            .partition_point(|row| row.price * self.sign >= key);
        self.rows.insert(index, order);
    }

    pub(super) fn remove(&mut self, client_order_id: u64) -> Option<RestingOrder> {
        let index = self
            .rows
            .iter()
            .position(|row| row.client_order_id == client_order_id)?;
        Some(self.rows.remove(index))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RestingOrder> {
        self.rows.iter()
    }

    /// Takes all orders out, best first.
    pub(super) fn take_all(&mut self) -> Vec<RestingOrder> {
        self.rows.drain(..).collect()
    }

    /// Nobody can be ahead of us who is no longer displayed.
    pub(super) fn shorten_queues(&mut self, displayed: impl Fn(i64) -> i64) {
        for row in &mut self.rows {
            row.queue_ahead = row.queue_ahead.min(displayed(row.price));
        }
    }

    /// A trade of others at `price`: what of its quantity would have been ours, best order first.
    pub(super) fn trade(&mut self, price: i64, quantity: i64, fill: &mut impl FnMut(OwnFill)) {
        let mut left = quantity;
        for row in &mut self.rows {
            let better = (row.price - price) * self.sign;
            if better < 0 || left <= 0 {
                break;
            }
            if better > 0 {
                // The aggressor went past our price: everybody there would have traded first.
                row.queue_ahead = 0;
            }
            let before_us = row.queue_ahead.min(left);
            row.queue_ahead -= before_us;
            let ours = row.remaining.min(left - before_us);
            left -= ours;
            row.take(ours, fill);
        }
        self.drop_filled();
    }

    /// Orders that the opposite side now reaches trade with what `offer` (limit, wanted) finds there.
    pub(super) fn cross(
        &mut self,
        mut offer: impl FnMut(i64, i64) -> i64,
        fill: &mut impl FnMut(OwnFill),
    ) {
        for row in &mut self.rows {
            let ours = offer(row.price, row.remaining);
            if ours == 0 {
                break;
            }
            row.take(ours, fill);
        }
        self.drop_filled();
    }

    fn drop_filled(&mut self) {
        self.rows.retain(|row| row.remaining > 0);
    }
}

impl RestingOrder {
    fn take(&mut self, quantity: i64, fill: &mut impl FnMut(OwnFill)) {
        if quantity > 0 {
            self.remaining -= quantity;
            fill(OwnFill {
                client_order_id: self.client_order_id,
                price: self.price,
                quantity,
            });
        }
    }
}
