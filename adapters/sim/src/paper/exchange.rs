//! The state of the paper venue: commands on their way in, books, resting orders, reports on their way out.
//!
//! Its clock is the largest time seen in events and executions; it never runs backwards, so reports leave in the
//! order of their executions.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, Outbound, TimeInForce},
    event::{
        BookState, Event, EventKind, EventView, FundingSettled, OrderFilled, OrderReport,
        ReportReason, Side, flags,
    },
    instrument::{Instrument, InstrumentId, Instruments},
    orders::Order,
    port::{EventSink, Stopped},
};
use crossbeam::queue::ArrayQueue;

use crate::account::Account;

use super::{
    PaperConfig,
    book::DisplayedBook,
    funding::{Charge, Funding},
    latency::{LatencyModel, LatencyModelError, Legs, Way},
    order::{OwnFill, RestingOrder, RestingOrders},
    recent::RecentIds,
};

/// Room for reports on their way; new orders are refused once half of it is used.
const REPORTS_MAX: usize = 8_192;

/// Everything the paper venue knows.
#[derive(Debug)]
pub struct PaperState {
    config: PaperConfig,
    instruments: Instruments,
    arriving: Arc<ArrayQueue<Outbound>>,
    /// Set by the sink to have everything cancelled.
    is_shut: Arc<AtomicBool>,
    /// True once that was done: no order is taken any more.
    has_cancelled_all: bool,
    funding: Funding,
    /// Where fills are booked, for those who ask the venue what is held.
    account: Option<Arc<Account>>,
    /// The way from a decision to the venue.
    order_legs: Legs,
    /// Commands with the time at which they reach the venue, in order.
    scheduled: VecDeque<(i64, Outbound)>,
    markets: Vec<PaperMarket>,
    used_ids: RecentIds,
    desk: ReportDesk,
    clock_ns: i64,
}

#[derive(Debug)]
struct PaperMarket {
    book: DisplayedBook,
    bids: RestingOrders,
    asks: RestingOrders,
}

/// Numbers and keeps the reports until they are due.
#[derive(Debug)]
struct ReportDesk {
    legs: Legs,
    source: u16,
    /// Reports with the time at which they reach us, in order.
    due: VecDeque<(i64, Event)>,
    next_execution_id: u64,
    next_venue_order_id: u64,
}

/// Which stamp a delivered report carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The moment it was due: time jumps from event to event.
    WhenDue,
    /// This moment: time passes while nothing happens.
    Now(i64),
}

impl PaperState {
    pub(super) fn new(
        config: PaperConfig,
        instruments: &Instruments,
        arriving: Arc<ArrayQueue<Outbound>>,
        is_shut: Arc<AtomicBool>,
    ) -> Self {
        let market = |_| PaperMarket {
            book: DisplayedBook::new(config.levels_max),
            bids: RestingOrders::new(Side::Bid, config.orders_max),
            asks: RestingOrders::new(Side::Ask, config.orders_max),
        };
        Self {
            instruments: instruments.clone(),
            scheduled: VecDeque::with_capacity(arriving.capacity()),
            arriving,
            is_shut,
            has_cancelled_all: false,
            funding: Funding::new(&config, instruments),
            account: None,
            order_legs: Legs::fixed(Way::Order, config.order_latency_ns),
            markets: (0..instruments.count()).map(market).collect(),
            used_ids: RecentIds::new(config.ids_max),
            desk: ReportDesk {
                legs: Legs::fixed(Way::Report, config.report_latency_ns.max(0)),
                source: config.source,
                due: VecDeque::with_capacity(REPORTS_MAX),
                next_execution_id: 1,
                next_venue_order_id: 1,
            },
            clock_ns: 0,
            config,
        }
    }

    /// Draws the latencies from a model instead of using the fixed ones; call it before anything else.
    ///
    /// # Errors
    /// When the model is not well formed, or lacks a venue of the instruments.
    pub fn with_latency_model(
        mut self,
        model: &LatencyModel,
        seed: u64,
    ) -> Result<Self, LatencyModelError> {
        self.order_legs = Legs::drawn(Way::Order, model, &self.instruments, seed)?;
        self.desk.legs = Legs::drawn(Way::Report, model, &self.instruments, seed)?;
        Ok(self)
    }

    /// Trades for an account: books its fills there, and does what is asked of it there.
    #[must_use]
    pub fn with_account(mut self, account: Arc<Account>) -> Self {
        self.account = Some(account);
        self
    }

    /// How many orders rest.
    pub fn resting_count(&self) -> usize {
        self.markets.iter().map(PaperMarket::resting_count).sum()
    }

    /// What the venue says is open: client order id, instrument and what may still trade of every order that rests.
    pub fn open_orders(&self) -> Vec<(u64, InstrumentId, i64)> {
        let mut open = Vec::new();
        for (index, market) in self.markets.iter().enumerate() {
            for order in market.bids.iter().chain(market.asks.iter()) {
                let id = InstrumentId(index as u16);
                open.push((order.client_order_id, id, order.remaining));
            }
        }
        open
    }

    /// Executes the commands and delivers the reports that are due up to `ts_ns`, in the order of their times.
    /// True when a report was delivered.
    pub(super) fn advance(
        &mut self,
        ts_ns: i64,
        delivery: Delivery,
        sink: &mut impl EventSink,
    ) -> Result<bool, Stopped> {
        let mut has_delivered = false;
        loop {
            // A delivered report may have been the moment at which the kill came.
            self.cancel_as_asked();
            // A delivered report may have led to a command at once.
            self.schedule_arrivals();
            let ts_command_ns = self.scheduled.front().map_or(i64::MAX, |command| command.0);
            let ts_report_ns = self.desk.due.front().map_or(i64::MAX, |report| report.0);
            let ts_next_ns = ts_command_ns.min(ts_report_ns);
            if self.charge_funding(ts_ns, ts_next_ns) {
                continue;
            }
            if ts_command_ns <= ts_report_ns
                && ts_command_ns <= ts_ns
                && let Some((due_ns, outbound)) = self.scheduled.pop_front()
            {
                self.clock_ns = self.clock_ns.max(due_ns);
                self.execute(&outbound.decision);
            } else if ts_report_ns <= ts_ns
                && let Some((due_ns, mut report)) = self.desk.due.pop_front()
            {
                report.ts_ingress_ns = match delivery {
                    Delivery::WhenDue => due_ns,
                    Delivery::Now(now_ns) => now_ns.max(due_ns),
                };
                sink.emit(&report)?;
                has_delivered = true;
            } else {
                return Ok(has_delivered);
            }
        }
    }

    /// Tells of the perpetuals whose positions are charged next, if that time has come; true if it had.
    fn charge_funding(&mut self, ts_now_ns: i64, ts_other_ns: i64) -> bool {
        let (desk, clock_ns) = (&mut self.desk, self.clock_ns);
        let charge = |due_ns: i64, charge: Charge| {
            let body = FundingSettled {
                rate: charge.rate,
                price: charge.price,
                reserved: [0; 3],
            };
            let event = Event::new(EventKind::FundingSettled, charge.instrument).with_body(&body);
            desk.push(event, clock_ns.max(due_ns));
        };
        let Some(due_ns) = self.funding.take_due(ts_now_ns, ts_other_ns, charge) else {
            return false;
        };
        self.clock_ns = clock_ns.max(due_ns);
        true
    }

    /// Cancels what somebody asked for past the core, before anything else happens at the venue: everything that rests, once,
    /// if the sink did; what rests of one instrument if the account's owner did.
    fn cancel_as_asked(&mut self) {
        let is_all = !self.has_cancelled_all && self.is_shut.load(Ordering::Acquire);
        self.has_cancelled_all |= is_all;
        let account = self.account.as_deref();
        let has_wishes = account.is_some_and(Account::takes_cancels);
        if !is_all && !has_wishes {
            return;
        }
        for index in 0..self.markets.len() {
            let id = InstrumentId(index as u16);
            let account = self.account.as_deref();
            let is_asked = account.is_some_and(|account| account.takes_cancel(id));
            if is_all || is_asked {
                self.cancel_resting(id);
            }
        }
    }

    /// Cancels everything that rests of an instrument.
    fn cancel_resting(&mut self, id: InstrumentId) {
        let market = &mut self.markets[id.index()];
        for side in [Side::Bid, Side::Ask] {
            for order in market.resting_mut(side).take_all() {
                let body = OrderReport {
                    client_order_id: order.client_order_id,
                    venue_order_id: order.venue_order_id,
                    reserved: [0; 3],
                };
                let event = Event::new(EventKind::OrderCancelled, id)
                    .with_detail(ReportReason::Requested as u8)
                    .with_body(&body);
                self.desk.push(event, self.clock_ns);
            }
        }
    }

    /// Learns from a market event that has just passed, and fills what it reached.
    pub(super) fn observe(&mut self, event: &Event) {
        self.cancel_as_asked();
        self.clock_ns = self.clock_ns.max(event.ts_ingress_ns);
        let id = event.instrument_id();
        let (Some(market), Some(instrument)) =
            (self.markets.get_mut(id.index()), self.instruments.get(id))
        else {
            return;
        };
        let mut fills = FillWriter {
            desk: &mut self.desk,
            account: self.account.as_deref(),
            instrument,
            id,
            ts_ns: self.clock_ns,
        };
        match event.view() {
            EventView::BookDelta(delta) => {
                market.book.apply_delta(event, delta);
                if event.has(flags::LAST) {
                    market.match_book(&mut fills);
                }
            }
            EventView::Bbo(bbo) => {
                market.book.apply_bbo(bbo);
                market.match_book(&mut fills);
            }
            EventView::Trade(trade) => {
                if let Some(aggressor) = Side::from_code(event.detail)
                    && market.book.is_live()
                {
                    market.resting_mut(aggressor.opposite()).trade(
                        trade.price,
                        trade.quantity,
                        &mut |fill| fills.passive(aggressor.opposite(), fill),
                    );
                }
            }
            EventView::BookStateChanged(_) => {
                // An unknown state is no reason to trust the book.
                let state = BookState::from_code(event.detail).unwrap_or(BookState::Stale);
                market.book.set_state(state);
                market.match_book(&mut fills);
            }
            EventView::MarkFunding(announced) => {
                self.funding.announce(id, announced, self.clock_ns);
            }
            _ => {}
        }
    }

    fn schedule_arrivals(&mut self) {
        while self.scheduled.len() < self.arriving.capacity()
            && let Some(outbound) = self.arriving.pop()
        {
            let instrument = outbound.decision.instrument_id();
            let legs = &mut self.order_legs;
            let due_ns = legs.arrival_ns(instrument, outbound.ts_decided_ns);
            insert_by_time(&mut self.scheduled, due_ns, outbound);
        }
    }

    fn execute(&mut self, decision: &Decision) {
        match decision.kind() {
            Some(DecisionKind::PlaceOrder) => match self.admit(decision) {
                Ok(()) => self.place(decision),
                Err(reason) => self.report(EventKind::OrderRejected, decision, reason, 0),
            },
            Some(DecisionKind::CancelOrder) => self.cancel(decision),
            // Only commands are ever submitted; anything else asks for nothing.
            _ => {}
        }
    }

    /// Why an order is refused, the most basic reason first.
    fn admit(&mut self, decision: &Decision) -> Result<(), ReportReason> {
        let id = decision.instrument_id();
        let instrument = self.instruments.get(id).ok_or(ReportReason::NoMarket)?;
        let market = self.markets.get(id.index()).ok_or(ReportReason::NoMarket)?;
        if !self.used_ids.insert(decision.client_order_id) {
            return Err(ReportReason::DuplicateId);
        }
        if self.has_cancelled_all {
            return Err(ReportReason::Withheld);
        }
        if !fits_increments(decision, instrument) {
            return Err(ReportReason::BadIncrement);
        }
        if !market.book.is_live() {
            return Err(ReportReason::NoMarket);
        }
        let is_busy = self.desk.due.len() >= REPORTS_MAX / 2;
        if is_busy || market.resting_count() >= self.config.orders_max {
            return Err(ReportReason::TooManyOrders);
        }
        let side = decision.side().ok_or(ReportReason::BadIncrement)?;
        let is_post_only = decision.order_type == OrderType::PostOnly as u8;
        if is_post_only && market.would_take(side, decision.price) {
            return Err(ReportReason::PostOnlyCross);
        }
        Ok(())
    }

    /// Executes an admitted order: acknowledged, walked through the book, and what is left booked or dropped.
    fn place(&mut self, decision: &Decision) {
        let id = decision.instrument_id();
        let Some(side) = decision.side() else { return };
        let venue_order_id = self.desk.next_venue_order_id;
        self.desk.next_venue_order_id += 1;
        let none = ReportReason::None;
        self.report(EventKind::OrderAccepted, decision, none, venue_order_id);
        let (Some(market), Some(instrument)) =
            (self.markets.get_mut(id.index()), self.instruments.get(id))
        else {
            return;
        };
        let ladder = market.book.side_mut(side.opposite());
        let is_whole = decision.time_in_force == TimeInForce::FillOrKill as u8;
        if is_whole && ladder.available(decision.price) < decision.quantity {
            let reason = ReportReason::FillOrKill;
            self.report(EventKind::OrderCancelled, decision, reason, venue_order_id);
            return;
        }
        let mut fills = FillWriter {
            desk: &mut self.desk,
            account: self.account.as_deref(),
            instrument,
            id,
            ts_ns: self.clock_ns,
        };
        let mut remaining = decision.quantity;
        while remaining > 0
            && let Some(taken) = ladder.take_best(decision.price, remaining)
        {
            remaining -= taken.quantity;
            fills.write(
                side,
                OwnFill {
                    client_order_id: decision.client_order_id,
                    price: taken.price,
                    quantity: taken.quantity,
                },
                false,
            );
        }
        if remaining == 0 {
            return;
        }
        if decision.time_in_force == TimeInForce::GoodTillCancelled as u8 {
            market.rest(side, decision, venue_order_id, remaining);
        } else {
            let reason = ReportReason::ImmediateRemainder;
            self.report(EventKind::OrderCancelled, decision, reason, venue_order_id);
        }
    }

    fn cancel(&mut self, decision: &Decision) {
        let id = decision.client_order_id;
        let market = self.markets.get_mut(decision.instrument_id().index());
        if let Some(order) = market.and_then(|market| market.remove(id)) {
            let (kind, reason) = (EventKind::OrderCancelled, ReportReason::Requested);
            self.report(kind, decision, reason, order.venue_order_id);
            return;
        }
        let reason = if self.used_ids.contains(id) {
            ReportReason::AlreadyDone
        } else {
            ReportReason::UnknownOrder
        };
        self.report(EventKind::CancelRejected, decision, reason, 0);
    }

    /// Ids given from now on are above `first_id`, and latencies are drawn anew.
    pub(super) fn begin_life(&mut self, life: u64, first_id: u64, now_ns: i64) {
        self.order_legs.begin_life(life);
        self.desk.legs.begin_life(life);
        self.clock_ns = self.clock_ns.max(now_ns);
        self.desk.next_execution_id = first_id + 1;
        self.desk.next_venue_order_id = first_id + 1;
    }

    /// Marks a client order id as used; false if it was.
    pub(super) fn use_id(&mut self, id: u64) -> bool {
        self.used_ids.insert(id)
    }

    pub(super) fn take_order_id(&mut self) -> u64 {
        self.desk.next_venue_order_id += 1;
        self.desk.next_venue_order_id - 1
    }

    /// Books an order that rested before.
    pub(super) fn rest_again(&mut self, order: &Order, resting: RestingOrder) {
        if let Some(market) = self.markets.get_mut(order.instrument.index()) {
            market.resting_mut(order.side).insert(resting);
        }
    }

    pub(super) fn report(
        &mut self,
        kind: EventKind,
        decision: &Decision,
        reason: ReportReason,
        venue_order_id: u64,
    ) {
        let body = OrderReport {
            client_order_id: decision.client_order_id,
            venue_order_id,
            reserved: [0; 3],
        };
        let event = Event::new(kind, decision.instrument_id())
            .with_detail(reason as u8)
            .with_body(&body);
        self.desk.push(event, self.clock_ns);
    }
}

impl PaperMarket {
    const fn resting_count(&self) -> usize {
        self.bids.count() + self.asks.count()
    }

    const fn resting_mut(&mut self, side: Side) -> &mut RestingOrders {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    fn would_take(&self, side: Side, price: i64) -> bool {
        let best = self.book.side(side.opposite()).best_available();
        best.is_some_and(|best| (price - best) * side.sign() >= 0)
    }

    fn rest(&mut self, side: Side, decision: &Decision, venue_order_id: u64, remaining: i64) {
        let order = RestingOrder {
            client_order_id: decision.client_order_id,
            venue_order_id,
            price: decision.price,
            remaining,
            queue_ahead: self.book.side(side).queue_at(decision.price),
        };
        self.resting_mut(side).insert(order);
    }

    fn remove(&mut self, client_order_id: u64) -> Option<RestingOrder> {
        let bid = self.bids.remove(client_order_id);
        bid.or_else(|| self.asks.remove(client_order_id))
    }

    /// After the book changed: queues shorten, and orders that the opposite side reached trade.
    fn match_book(&mut self, fills: &mut FillWriter<'_>) {
        if !self.book.is_live() || self.resting_count() == 0 {
            return;
        }
        for side in [Side::Bid, Side::Ask] {
            let resting = match side {
                Side::Bid => &mut self.bids,
                Side::Ask => &mut self.asks,
            };
            let displayed = self.book.side(side);
            resting.shorten_queues(|price| displayed.queue_at(price));
            let opposite = self.book.side_mut(side.opposite());
            resting.cross(
                |limit, wanted| {
                    let mut taken = 0;
                    while taken < wanted
                        && let Some(level) = opposite.take_best(limit, wanted - taken)
                    {
                        taken += level.quantity;
                    }
                    taken
                },
                &mut |fill| fills.passive(side, fill),
            );
        }
    }
}

impl ReportDesk {
    fn push(&mut self, event: Event, ts_executed_ns: i64) {
        let mut event = event.at(ts_executed_ns, 0);
        event.source = self.source;
        let due_ns = self.legs.arrival_ns(event.instrument_id(), ts_executed_ns);
        insert_by_time(&mut self.due, due_ns, event);
    }
}

/// Adds to a list in the order of times, behind what has the same time. Venues take turns, so the place is near the end.
fn insert_by_time<T>(list: &mut VecDeque<(i64, T)>, due_ns: i64, item: T) {
    let later = list.iter().rev().take_while(|(ns, _)| *ns > due_ns);
    let index = list.len() - later.count();
    list.insert(index, (due_ns, item));
}

/// Writes the fills of one instrument at one moment.
struct FillWriter<'a> {
    desk: &'a mut ReportDesk,
    account: Option<&'a Account>,
    instrument: &'a Instrument,
    id: InstrumentId,
    ts_ns: i64,
}

impl FillWriter<'_> {
    fn passive(&mut self, side: Side, fill: OwnFill) {
        self.write(side, fill, true);
    }

    fn write(&mut self, side: Side, fill: OwnFill, is_maker: bool) {
        let (price, quantity) = (fill.price, fill.quantity);
        let fee = self.instrument.fee(price, quantity, is_maker);
        if let Some(account) = self.account {
            account.add(self.id, side.sign() * quantity, price, fee);
        }
        let body = OrderFilled {
            client_order_id: fill.client_order_id,
            price,
            quantity,
            fee,
            execution_id: self.desk.next_execution_id,
        };
        self.desk.next_execution_id += 1;
        let bits = if is_maker { flags::MAKER } else { 0 };
        let event = Event::new(EventKind::OrderFilled, self.id)
            .with_flags(bits)
            .with_body(&body);
        self.desk.push(event, self.ts_ns);
    }
}

/// True when price and quantity are what the instrument allows and every code has a meaning.
fn fits_increments(decision: &Decision, instrument: &Instrument) -> bool {
    decision.price > 0
        && decision.price % instrument.tick == 0
        && decision.quantity >= instrument.quantity_min
        && decision.quantity % instrument.lot == 0
        && decision.side().is_some()
        && OrderType::from_code(decision.order_type).is_some()
        && TimeInForce::from_code(decision.time_in_force).is_some()
}
