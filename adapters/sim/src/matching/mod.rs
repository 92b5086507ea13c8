//! A price-time priority matching engine for one instrument.
//!
//! Orders live in a slab; each price level is a FIFO list threaded through it; the levels of a side are a sorted
//! vector whose last element is the best. Placing at or near the best and cancelling by handle touch few elements.
//! All memory is taken at construction: reaching a bound refuses the order.
//!
//! Invariant: the book is never crossed or locked after a call; a level's quantity is the sum of its orders; what an
//! order asked for equals what was traded, rests, was cancelled or was refused.

mod side;

use acth_core::event::{Level, Side};
use side::{LevelRow, SideLevels};

/// Names a resting order; a handle outlives its order safely (it then names nothing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderHandle {
    slot: u32,
    generation: u32,
}

/// How an order may trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Trades what it can at its limit or better, the rest is booked.
    Limit,
    /// Trades what it can at its limit or better, the rest is dropped.
    ImmediateOrCancel,
    /// Is booked whole or refused.
    PostOnly,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Names the booked rest, if there is one.
    pub handle: Option<OrderHandle>,
    /// Quantity traded at once.
    pub filled: i64,
    /// Quantity booked.
    pub resting: i64,
}

/// Why an order was not taken at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Price or quantity is not positive.
    #[error("price and quantity must be positive")]
    NotPositive,
    /// A post-only order would trade at once.
    #[error("a post-only order would trade at once")]
    WouldTake,
    /// The bound on orders or levels is reached.
    #[error("the bound on orders or price levels is reached")]
    Full,
}

/// One trade between an incoming and a resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The resting order.
    pub maker: OrderHandle,
    /// Who placed the resting order.
    pub maker_owner: u32,
    /// Who placed the incoming order.
    pub taker_owner: u32,
    /// Side of the incoming order.
    pub aggressor: Side,
    /// Price of the resting order.
    pub price: i64,
    /// Quantity traded.
    pub quantity: i64,
    /// What is left of the resting order.
    pub maker_remaining: i64,
}

/// Hears what a call did, in order.
pub trait MatchObserver {
    /// Two orders traded.
    fn executed(&mut self, execution: &Execution);
    /// A level now holds this quantity; 0 = it is gone.
    fn level_changed(&mut self, side: Side, price: i64, quantity: i64);
}

/// Ignores everything.
impl MatchObserver for () {
    fn executed(&mut self, _execution: &Execution) {}
    fn level_changed(&mut self, _side: Side, _price: i64, _quantity: i64) {}
}

/// End of a list threaded through the slab.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Order {
    generation: u32,
    owner: u32,
    side: Side,
    price: i64,
    /// 0 in a free slot.
    quantity: i64,
    /// Older neighbour at the price.
    previous: u32,
    /// Younger neighbour at the price; next free slot in a free slot.
    next: u32,
}

/// The engine of one instrument.
#[derive(Clone, Debug)]
pub struct MatchingEngine {
    orders: Vec<Order>,
    free_head: u32,
    order_count: usize,
    bids: SideLevels,
    asks: SideLevels,
}

impl MatchingEngine {
    /// An empty book with room for this many orders, and levels on each side.
    pub fn new(orders_max: usize, levels_max: usize) -> Self {
        let orders_max = orders_max.min(NONE as usize - 1);
        let free = |slot: usize| Order {
            generation: 0,
            owner: 0,
            side: Side::Bid,
            price: 0,
            quantity: 0,
            previous: NONE,
            next: if slot + 1 == orders_max {
                NONE
            } else {
                slot as u32 + 1
            },
        };
        Self {
            orders: (0..orders_max).map(free).collect(),
            free_head: if orders_max == 0 { NONE } else { 0 },
            order_count: 0,
            bids: SideLevels::new(Side::Bid, levels_max),
            asks: SideLevels::new(Side::Ask, levels_max),
        }
    }

    /// Takes an order.
    ///
    /// # Errors
    /// When it was refused; nothing changed then.
    pub fn place(
        &mut self,
        side: Side,
        price: i64,
        quantity: i64,
        owner: u32,
        instruction: Instruction,
        observer: &mut impl MatchObserver,
    ) -> Result<Placed, Refusal> {
        if price <= 0 || quantity <= 0 {
            return Err(Refusal::NotPositive);
        }
        if instruction == Instruction::PostOnly && self.would_take(side, price) {
            return Err(Refusal::WouldTake);
        }
        let may_rest = instruction != Instruction::ImmediateOrCancel;
        if may_rest && (self.free_head == NONE || !self.levels(side).has_room_for(price)) {
            return Err(Refusal::Full);
        }
        let mut remaining = quantity;
        while remaining > 0 && self.would_take(side, price) {
            remaining = self.trade_best(side, remaining, owner, observer);
        }
        let filled = quantity - remaining;
        if remaining == 0 || !may_rest {
            return Ok(Placed {
                handle: None,
                filled,
                resting: 0,
            });
        }
        let handle = self.book(side, price, remaining, owner, observer);
        Ok(Placed {
            handle: Some(handle),
            filled,
            resting: remaining,
        })
    }

    /// Takes a resting order out; what was left of it, or `None` when it no longer rests.
    pub fn cancel(
        &mut self,
        handle: OrderHandle,
        observer: &mut impl MatchObserver,
    ) -> Option<i64> {
        let order = *self.resting(handle)?;
        self.unlink(handle.slot);
        let level = self.levels_mut(order.side).find_mut(order.price)?;
        level.quantity -= order.quantity;
        let left = level.quantity;
        if left == 0 {
            self.levels_mut(order.side).remove(order.price);
        }
        observer.level_changed(order.side, order.price, left);
        Some(order.quantity)
    }

    /// Price and remaining quantity of a resting order.
    pub fn order(&self, handle: OrderHandle) -> Option<Level> {
        self.resting(handle).map(|order| Level {
            price: order.price,
            quantity: order.quantity,
        })
    }

    /// The best level of a side.
    pub fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).best().map(LevelRow::level)
    }

    /// Quantity at a price; 0 when there is no level.
    pub fn quantity_at(&self, side: Side, price: i64) -> i64 {
        self.levels(side)
            .find(price)
            .map_or(0, |level| level.quantity)
    }

    /// The levels of a side, best first.
    pub fn depth(&self, side: Side) -> impl Iterator<Item = Level> {
        self.levels(side).best_first().map(LevelRow::level)
    }

    /// How many levels a side has.
    pub fn level_count(&self, side: Side) -> usize {
        self.levels(side).count()
    }

    /// How many orders rest.
    pub const fn order_count(&self) -> usize {
        self.order_count
    }

    fn would_take(&self, side: Side, price: i64) -> bool {
        self.best(side.opposite())
            .is_some_and(|best| (price - best.price) * side.sign() >= 0)
    }

    /// Trades against the best opposite level until it or the quantity is used up; what remains.
    fn trade_best(
        &mut self,
        side: Side,
        quantity: i64,
        owner: u32,
        observer: &mut impl MatchObserver,
    ) -> i64 {
        let opposite = side.opposite();
        let mut remaining = quantity;
        let Some(mut level) = self.levels(opposite).best().copied() else {
            return remaining;
        };
        while remaining > 0 && level.head != NONE {
            let slot = level.head;
            let order = &mut self.orders[slot as usize];
            let traded = remaining.min(order.quantity);
            order.quantity -= traded;
            level.quantity -= traded;
            remaining -= traded;
            let execution = Execution {
                maker: OrderHandle {
                    slot,
                    generation: order.generation,
                },
                maker_owner: order.owner,
                taker_owner: owner,
                aggressor: side,
                price: level.price,
                quantity: traded,
                maker_remaining: order.quantity,
            };
            if order.quantity == 0 {
                level.head = order.next;
                self.release(slot);
            }
            observer.executed(&execution);
        }
        if level.head == NONE {
            self.levels_mut(opposite).remove(level.price);
        } else {
            self.orders[level.head as usize].previous = NONE;
            if let Some(row) = self.levels_mut(opposite).find_mut(level.price) {
                *row = level;
            }
        }
        observer.level_changed(opposite, level.price, level.quantity);
        remaining
    }

    /// Books an order that trades with nothing. The caller has checked that there is room.
    fn book(
        &mut self,
        side: Side,
        price: i64,
        quantity: i64,
        owner: u32,
        observer: &mut impl MatchObserver,
    ) -> OrderHandle {
        let slot = self.free_head;
        let row = self.levels_mut(side).find_or_insert(price);
        let tail = row.tail;
        row.tail = slot;
        row.quantity += quantity;
        if row.head == NONE {
            row.head = slot;
        }
        let level_quantity = row.quantity;
        if tail != NONE {
            self.orders[tail as usize].next = slot;
        }
        let order = &mut self.orders[slot as usize];
        self.free_head = order.next;
        order.owner = owner;
        order.side = side;
        order.price = price;
        order.quantity = quantity;
        order.previous = tail;
        order.next = NONE;
        let generation = order.generation;
        self.order_count += 1;
        observer.level_changed(side, price, level_quantity);
        OrderHandle { slot, generation }
    }

    fn resting(&self, handle: OrderHandle) -> Option<&Order> {
        let order = self.orders.get(handle.slot as usize)?;
        (order.generation == handle.generation && order.quantity > 0).then_some(order)
    }

    /// Takes a slot out of its level's list and frees it; the level's quantity is the caller's business.
    fn unlink(&mut self, slot: u32) {
        let order = self.orders[slot as usize];
        if let Some(row) = self.levels_mut(order.side).find_mut(order.price) {
            if row.head == slot {
                row.head = order.next;
            }
            if row.tail == slot {
                row.tail = order.previous;
            }
        }
        if order.previous != NONE {
            self.orders[order.previous as usize].next = order.next;
        }
        if order.next != NONE {
            self.orders[order.next as usize].previous = order.previous;
        }
        self.release(slot);
    }

    fn release(&mut self, slot: u32) {
        let free_head = self.free_head;
        let order = &mut self.orders[slot as usize];
        order.quantity = 0;
        order.generation = order.generation.wrapping_add(1);
        order.next = free_head;
        self.free_head = slot;
        self.order_count -= 1;
    }

    const fn levels(&self, side: Side) -> &SideLevels {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    const fn levels_mut(&mut self, side: Side) -> &mut SideLevels {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }
}
