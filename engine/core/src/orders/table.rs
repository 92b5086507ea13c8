//! The table of our orders: those open, and those that ended a little while ago so that late reports find them.
//!
//! An order keeps its slot from insertion until it is forgotten; only chains of slot numbers change. So nothing is
//! copied when an order ends, and iteration is by age. Slots, chains and the index are sized once.

use alloc::{vec, vec::Vec};

use super::{
    chain::{Chain, Links},
    executions::Executions,
    index::Index,
    open_sums::{OpenSums, side_index},
    order::{ORDER_BYTES, Order, OrderChange, OrderError, OrderTableError},
    state::{OrderSignal, OrderState, Transition},
};
use crate::{
    decision::ClientOrderId,
    event::{ReportReason, Side},
    groups::{Group, Groups},
    hash::StateHasher,
    instrument::{InstrumentId, Instruments},
    money::Money,
    risk::Terms,
    snapshot::{Decoder, Encoder, SnapshotError, Tag},
};

/// Most orders open at one time.
pub const OPEN_ORDERS_MAX: usize = 256;
/// Finished orders that are still recognised.
pub const RECENT_ORDERS_MAX: usize = 768;
const SLOTS: usize = OPEN_ORDERS_MAX + RECENT_ORDERS_MAX;
const _: () = assert!(SLOTS < u16::MAX as usize);
const SECTION: Tag = Tag(*b"ORDR");

/// How often reports were anything but plain progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderCounts {
    /// Late or repeated reports: the table said `Stay`.
    pub stayed: u64,
    /// Reports that no order of arrival explains.
    pub illegal: u64,
    /// Fills that had been applied before.
    pub duplicate_executions: u64,
    /// Reports for orders neither open nor recent.
    pub unknown: u64,
    /// Fills refused: beyond the order's quantity, or of no quantity.
    pub refused_fills: u64,
}

/// What may still trade in one instrument.
#[derive(Clone, Debug)]
struct Row {
    terms: Terms,
    group: Group,
    margin_ppm: u32,
    chain: Chain,
    /// By side code: bids, then asks.
    open_quantity: [i64; 2],
}

/// Our orders.
#[derive(Clone, Debug)]
pub struct OrderTable {
    slots: Vec<Order>,
    /// Unused slots; the top is taken next.
    free: Vec<u16>,
    index: Index<u64>,
    /// Chains `open` and `recent`: a slot is in one of them.
    by_age: Links,
    open: Chain,
    recent: Chain,
    /// Chains of the rows: the open orders of one instrument.
    by_instrument: Links,
    rows: Vec<Row>,
    open_sums: OpenSums,
    executions: Executions,
    /// Fold of every finished order as it was when it ended and after each late report: what the recent ones are.
    finished: StateHasher,
    counts: OrderCounts,
}

impl OrderTable {
    /// An empty table for these instruments, in an account of their most common currency and without margins.
    pub fn new(instruments: &Instruments) -> Self {
        Self::with_groups(instruments, &Groups::new(instruments, ""), |_| 0)
    }

    /// An empty table for these instruments, their groups, and the margin shares that `margin_ppm` names. The only place
    /// that allocates.
    pub fn with_groups(
        instruments: &Instruments,
        groups: &Groups,
        margin_ppm: impl Fn(InstrumentId) -> u32,
    ) -> Self {
        let row = |(id, instrument)| Row {
            terms: Terms::of(instrument),
            group: groups.of(id),
            margin_ppm: margin_ppm(id),
            chain: Chain::EMPTY,
            open_quantity: [0; 2],
        };
        Self {
            slots: vec![Order::EMPTY; SLOTS],
            free: (0..SLOTS as u16).rev().collect(),
            index: Index::new(SLOTS),
            by_age: Links::new(SLOTS),
            open: Chain::EMPTY,
            recent: Chain::EMPTY,
            by_instrument: Links::new(SLOTS),
            rows: instruments.iter().map(row).collect(),
            open_sums: OpenSums::new(groups),
            executions: Executions::new(),
            finished: StateHasher::new(),
            counts: OrderCounts::default(),
        }
    }

    /// Takes in a new order.
    ///
    /// # Errors
    /// The bound or rule that it breaks; the table is unchanged.
    pub fn insert(&mut self, order: Order) -> Result<(), OrderTableError> {
        let id = order.id.0;
        if order.state != OrderState::PendingNew || order.filled != 0 || order.quantity <= 0 {
            return Err(OrderTableError::NotNew { id });
        }
        if self.contains(order.id) {
            return Err(OrderTableError::Duplicate { id });
        }
        if self.open_count() == OPEN_ORDERS_MAX {
            return Err(OrderTableError::Full {
                id,
                bound: OPEN_ORDERS_MAX,
            });
        }
        let Some(row) = self.rows.get_mut(order.instrument.index()) else {
            return Err(OrderTableError::UnknownInstrument {
                id,
                instrument: order.instrument.0,
            });
        };
        let side = side_index(order.side);
        let (Some(quantity), Some(notional)) = (
            row.open_quantity[side].checked_add(order.quantity),
            open_notional(&row.terms, order.price, order.quantity),
        ) else {
            return Err(OrderTableError::Overflow { id });
        };
        // Slots are open, recent or free, and fewer than the bound are open, so one is free.
        let Some(slot) = self.free.pop() else {
            return Err(OrderTableError::Full { id, bound: SLOTS });
        };
        row.open_quantity[side] = quantity;
        self.open_sums
            .add(row.group, &order, notional, row.margin_ppm);
        self.slots[slot as usize] = order;
        self.index.set(id, slot);
        self.by_age.push(&mut self.open, slot);
        self.by_instrument.push(&mut row.chain, slot);
        Ok(())
    }

    /// Takes down that egress handed the command decided at `sequence` over: the order has left if that is the one
    /// that placed it. Its cancel carries another sequence and changes nothing.
    #[inline]
    pub fn mark_sent(&mut self, id: ClientOrderId, sequence: u64) {
        let Some(slot) = self.index.get(id.0) else {
            return;
        };
        let order = &mut self.slots[slot];
        if id.sequence() != sequence || order.is_sent {
            return;
        }
        order.is_sent = true;
        if order.state.is_final() {
            order.digest(&mut self.finished);
        }
    }

    /// An open or recent order.
    pub fn get(&self, id: ClientOrderId) -> Option<&Order> {
        self.index.get(id.0).map(|slot| &self.slots[slot])
    }

    /// True when the id is of an open or recent order.
    pub fn contains(&self, id: ClientOrderId) -> bool {
        self.index.get(id.0).is_some()
    }

    /// The open orders, oldest first.
    pub fn open(&self) -> impl Iterator<Item = &Order> {
        self.by_age.walk(self.open).map(|slot| &self.slots[slot])
    }

    /// The finished orders that are still recognised, in the order in which they ended.
    pub fn recent(&self) -> impl Iterator<Item = &Order> {
        self.by_age.walk(self.recent).map(|slot| &self.slots[slot])
    }

    /// The open orders of one instrument, oldest first.
    pub fn open_of(&self, instrument: InstrumentId) -> impl Iterator<Item = &Order> {
        let row = self.rows.get(instrument.index());
        let chain = row.map_or(Chain::EMPTY, |row| row.chain);
        self.by_instrument.walk(chain).map(|slot| &self.slots[slot])
    }

    /// How many orders are open.
    pub const fn open_count(&self) -> usize {
        self.open.count as usize
    }

    /// How many orders of one instrument are open.
    pub fn open_count_of(&self, instrument: InstrumentId) -> usize {
        let row = self.rows.get(instrument.index());
        row.map_or(0, |row| row.chain.count as usize)
    }

    /// The quantity that may still trade on one side of an instrument.
    pub fn open_quantity(&self, instrument: InstrumentId, side: Side) -> i64 {
        let row = self.rows.get(instrument.index());
        row.map_or(0, |row| row.open_quantity[side_index(side)])
    }

    /// The notional of all that may still trade, both sides and all currencies added as they are.
    pub fn open_notional(&self) -> Money {
        let sides = [Side::Bid, Side::Ask].into_iter();
        sides
            .flat_map(|side| self.open_sums.hub(side))
            .copied()
            .sum()
    }

    /// The notional of all that may still trade, by the levels at which limits look.
    pub const fn open_sums(&self) -> &OpenSums {
        &self.open_sums
    }

    /// Our best resting price on one side: the highest bid or the lowest ask.
    pub fn best_price(&self, instrument: InstrumentId, side: Side) -> Option<i64> {
        let prices = self
            .open_of(instrument)
            .filter(|order| order.side == side)
            .map(|order| order.price);
        match side {
            Side::Bid => prices.max(),
            Side::Ask => prices.min(),
        }
    }

    /// How often reports were anything but plain progress.
    pub const fn counts(&self) -> OrderCounts {
        self.counts
    }

    /// Applies a fill. `Ok` means that `OrderChange::quantity` traded now and must be booked once.
    ///
    /// # Errors
    /// The fill is repeated, of an unknown order, of no quantity or beyond the order's quantity; nothing changed.
    pub fn apply_fill(
        &mut self,
        id: ClientOrderId,
        quantity: i64,
        execution_id: u64,
    ) -> Result<OrderChange, OrderError> {
        let slot = self.slot_of(id)?;
        if self.executions.contains(id, execution_id) {
            self.counts.duplicate_executions += 1;
            return Err(OrderError::DuplicateExecution {
                id: id.0,
                execution_id,
            });
        }
        let remaining = self.slots[slot].remaining();
        if quantity <= 0 {
            self.counts.refused_fills += 1;
            return Err(OrderError::FillQuantity { id: id.0, quantity });
        }
        if quantity > remaining {
            self.counts.refused_fills += 1;
            return Err(OrderError::Overfill {
                id: id.0,
                quantity,
                remaining,
            });
        }
        self.executions.record(id, execution_id);
        let signal = if quantity == remaining {
            OrderSignal::FillWhole
        } else {
            OrderSignal::FillPart
        };
        Ok(self.change(slot, signal, quantity, ReportReason::None))
    }

    /// Applies anything but a fill.
    ///
    /// # Errors
    /// The order is unknown, or the signal is a fill; nothing changed.
    pub fn apply(
        &mut self,
        id: ClientOrderId,
        signal: OrderSignal,
        reason: ReportReason,
    ) -> Result<OrderChange, OrderError> {
        if matches!(signal, OrderSignal::FillPart | OrderSignal::FillWhole) {
            return Err(OrderError::FillSignal { id: id.0 });
        }
        let slot = self.slot_of(id)?;
        Ok(self.change(slot, signal, 0, reason))
    }

    fn slot_of(&mut self, id: ClientOrderId) -> Result<usize, OrderError> {
        let Some(slot) = self.index.get(id.0) else {
            self.counts.unknown += 1;
            return Err(OrderError::Unknown { id: id.0 });
        };
        Ok(slot)
    }

    /// Moves the order, then settles the difference in what may still trade.
    fn change(
        &mut self,
        slot: usize,
        signal: OrderSignal,
        quantity: i64,
        reason: ReportReason,
    ) -> OrderChange {
        let order = &mut self.slots[slot];
        let before = *order;
        let transition = order.advance(signal);
        order.filled += quantity;
        let after = *order;
        match transition {
            Transition::Stay => self.counts.stayed += 1,
            Transition::Illegal => self.counts.illegal += 1,
            Transition::To(_) | Transition::Beneath | Transition::Back => {}
        }
        if before.state.is_open() {
            self.settle(&before, &after);
            if after.state.is_final() {
                self.finish(slot as u16, after.instrument);
            }
        }
        if after.state.is_final() {
            after.digest(&mut self.finished);
        }
        OrderChange {
            id: after.id,
            instrument: after.instrument,
            side: after.side,
            agent: after.agent,
            from: before.state,
            to: after.state,
            transition,
            quantity,
            remaining: after.remaining(),
            reason,
        }
    }

    /// Takes out of the open sums what can no longer trade. Sums of what was added before cannot underflow.
    fn settle(&mut self, before: &Order, after: &Order) {
        let left = if after.state.is_open() {
            after.remaining()
        } else {
            0
        };
        let gone = before.remaining() - left;
        if gone == 0 {
            return;
        }
        let row = &mut self.rows[after.instrument.index()];
        row.open_quantity[side_index(after.side)] -= gone;
        // The whole order's notional fitted when it entered, so a part of it does.
        if let Some(notional) = open_notional(&row.terms, after.price, gone) {
            self.open_sums
                .add(row.group, after, -notional, row.margin_ppm);
        }
    }

    /// Moves a slot from the open to the recent orders and forgets the oldest of those beyond the bound.
    fn finish(&mut self, slot: u16, instrument: InstrumentId) {
        let row = &mut self.rows[instrument.index()];
        self.by_instrument.remove(&mut row.chain, slot);
        self.by_age.remove(&mut self.open, slot);
        self.by_age.push(&mut self.recent, slot);
        if self.recent.count as usize > RECENT_ORDERS_MAX {
            let oldest = self.recent.oldest;
            self.by_age.remove(&mut self.recent, oldest);
            self.index.remove(self.slots[oldest as usize].id.0);
            self.free.push(oldest);
        }
    }

    /// Writes the orders in their two chains; slots, indexes and sums follow from these.
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.section(SECTION);
        out.length(self.open_count());
        self.open().for_each(|order| order.save(out));
        out.length(self.recent.count as usize);
        self.recent().for_each(|order| order.save(out));
        out.u64(self.finished.state());
        for count in self.counts.words() {
            out.u64(count);
        }
        self.executions.save(out);
    }

    /// Reads into an empty table.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        for _ in 0..from.length(OPEN_ORDERS_MAX, ORDER_BYTES)? {
            let order = Order::load(from)?;
            from.expect(order.state.is_open(), "an open order")?;
            let slot = self.load_slot(order, from)?;
            self.load_open(&order, slot)
                .ok_or_else(|| from.invalid("open quantities that fit their sums"))?;
        }
        for _ in 0..from.length(RECENT_ORDERS_MAX, ORDER_BYTES)? {
            let order = Order::load(from)?;
            from.expect(order.state.is_final(), "a finished order")?;
            let slot = self.load_slot(order, from)?;
            self.by_age.push(&mut self.recent, slot);
        }
        self.finished = StateHasher::resume(from.u64()?);
        self.counts = OrderCounts {
            stayed: from.count()?,
            illegal: from.count()?,
            duplicate_executions: from.count()?,
            unknown: from.count()?,
            refused_fills: from.count()?,
        };
        self.executions.load(from)
    }

    /// Gives a saved order a slot and an entry in the index.
    fn load_slot(&mut self, order: Order, from: &Decoder<'_>) -> Result<u16, SnapshotError> {
        let is_known = order.instrument.index() < self.rows.len();
        from.expect(is_known, "an instrument of the table")?;
        from.expect(!self.contains(order.id), "an id that is used once")?;
        let slot = self.free.pop();
        let slot = slot.ok_or_else(|| from.invalid("as many orders as there are slots"))?;
        self.slots[slot as usize] = order;
        self.index.set(order.id.0, slot);
        Ok(slot)
    }

    /// Adds a saved open order to the chains and sums; `None` when a sum overflows.
    fn load_open(&mut self, order: &Order, slot: u16) -> Option<()> {
        let row = &mut self.rows[order.instrument.index()];
        let quantity = &mut row.open_quantity[side_index(order.side)];
        *quantity = quantity.checked_add(order.remaining())?;
        let more = open_notional(&row.terms, order.price, order.remaining())?;
        self.open_sums.add(row.group, order, more, row.margin_ppm);
        self.by_age.push(&mut self.open, slot);
        self.by_instrument.push(&mut row.chain, slot);
        Some(())
    }

    /// Folds in all that decides what the table will do next. Open orders are folded as they are; finished ones were
    /// folded when they ended, because hashing all of them anew costs about ten times as much.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.word(self.open_count() as u64);
        for order in self.open() {
            order.digest(hasher);
        }
        hasher.word(u64::from(self.recent.count));
        hasher.word(self.finished.finish());
        self.executions.digest(hasher);
        for count in self.counts.words() {
            hasher.word(count);
        }
    }
}

impl OrderCounts {
    /// All counts, in the order of the fields.
    const fn words(&self) -> [u64; 5] {
        [
            self.stayed,
            self.illegal,
            self.duplicate_executions,
            self.unknown,
            self.refused_fills,
        ]
    }
}

/// Size of an open quantity in money; `None` when it is beyond what the gate reckons with.
fn open_notional(terms: &Terms, price: i64, quantity: i64) -> Option<Money> {
    terms.notional(price.checked_abs()?, quantity)
}

#[cfg(test)]
mod tests;
