//! Everything the core knows, except the strategy: markets, orders, portfolio, limits, trading state. And the two
//! ways in which it acts: placing an order through the risk gate, and cancelling one.

mod amounts;
mod announced;

use alloc::vec::Vec;

use self::announced::Announced;
use crate::{
    config::{CoreConfig, CoreError},
    decision::{ClientOrderId, Decision, DecisionKind, Decisions},
    event::{BookState, ReportReason, Side},
    fees::FeeTier,
    groups::Groups,
    hash::StateHasher,
    instrument::{InstrumentId, Instruments},
    market::Market,
    money::Money,
    orders::{Order, OrderSignal, OrderState, OrderTable},
    portfolio::Portfolio,
    predict::ModelSlots,
    returns::Returns,
    risk::{
        self, DayStart, Denial, Limits, Messages, OrderRate, OrderRequest, RiskView, StateReason,
        Terms, TradingState,
    },
};

/// The agent number of a strategy that tells no agents apart; 0 is the core itself.
const STRATEGY_AGENT: u16 = 1;

/// Counters of what happened; part of the summary, not of the decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreStats {
    /// Inputs applied.
    pub events: u64,
    /// Orders placed.
    pub orders: u64,
    /// Fills taken into the books of account.
    pub fills: u64,
    /// Orders refused by the risk gate.
    pub denials: u64,
    /// Reports that named no order of ours or could not be true.
    pub strange_reports: u64,
    /// Market-data messages completed.
    pub messages: u64,
    /// Book levels and trades applied.
    pub rows: u64,
}

/// The state of the hub.
#[derive(Debug)]
pub struct State {
    pub(crate) hub_id: u16,
    pub(crate) instruments: Instruments,
    pub(crate) groups: Groups,
    /// Of the hub.
    pub(crate) limits: Limits,
    /// By instrument; the hub's where the configuration says nothing else.
    pub(crate) instrument_limits: Vec<Limits>,
    /// By venue.
    pub(crate) fees: Vec<Vec<FeeTier>>,
    pub(crate) markets: Vec<Market>,
    pub(crate) orders: OrderTable,
    pub(crate) portfolio: Portfolio,
    pub(crate) rate: OrderRate,
    pub(crate) messages: Messages,
    pub(crate) day: DayStart,
    pub(crate) returns: Returns,
    pub(crate) models: ModelSlots,
    pub(crate) announced: Announced,
    pub(crate) trading_state: TradingState,
    pub(crate) trading_state_reason: StateReason,
    pub(crate) is_cancelling_all: bool,
    pub(crate) now_ns: i64,
    pub(crate) sequence: u64,
    pub(crate) stats: CoreStats,
    pub(crate) denials_by_code: [u64; Denial::ALL.len() + 1],
}

impl State {
    pub(crate) fn new(config: &CoreConfig) -> Result<Self, CoreError> {
        config.limits.check()?;
        if config.instruments.count() == 0 {
            return Err(CoreError::NoInstruments);
        }
        let instruments = config.instruments.clone();
        let groups = Groups::new(&instruments, &config.account.currency);
        let instrument_limits = amounts::limits_by_instrument(config)?;
        let margin_ppm = |id: InstrumentId| instrument_limits[id.index()].margin_ppm;
        let mut portfolio = Portfolio::with_groups(&instruments, &groups, margin_ppm, config.cash);
        amounts::set_start_rates(&mut portfolio, &groups, config)?;
        Ok(Self {
            hub_id: config.hub_id,
            markets: instruments.rows().iter().map(Market::new).collect(),
            orders: OrderTable::with_groups(&instruments, &groups, margin_ppm),
            day: DayStart::new(portfolio.equity()),
            portfolio,
            rate: OrderRate::new(),
            messages: Messages::new(groups.venues().len()),
            returns: Returns::new(instruments.count(), config.correlation_half_life_samples)?,
            models: ModelSlots::new(),
            announced: Announced::new(instruments.count()),
            limits: config.limits,
            fees: amounts::fees_by_venue(&groups, config)?,
            instrument_limits,
            groups,
            trading_state: TradingState::Active,
            trading_state_reason: StateReason::Start,
            is_cancelling_all: false,
            now_ns: 0,
            sequence: 0,
            stats: CoreStats::default(),
            denials_by_code: [0; Denial::ALL.len() + 1],
            instruments,
        })
    }

    /// The id that the next decision of this input would have.
    fn next_order_id(&self, decisions: &Decisions) -> ClientOrderId {
        ClientOrderId::new(
            self.hub_id,
            self.sequence + 1 + decisions.as_slice().len() as u64,
        )
    }

    pub(crate) fn place(
        &mut self,
        request: &OrderRequest,
        decisions: &mut Decisions,
    ) -> Result<ClientOrderId, Denial> {
        let request = &of_an_agent(request);
        let id = self.next_order_id(decisions);
        let view = self.risk_view(id, request, decisions);
        let verdict = risk::check(request, &view, self.limits_of(request.instrument));
        let mut decision = Decision {
            kind: DecisionKind::PlaceOrder as u8,
            side: request.side as u8,
            instrument: request.instrument.0,
            agent: request.agent,
            client_order_id: id.0,
            price: request.price,
            quantity: request.quantity,
            order_type: request.order_type as u8,
            time_in_force: request.time_in_force as u8,
            reason: request.reason,
            reference_price: self.reference_price(request.instrument),
            signal_bits: request.signal.to_bits(),
            ..Decision::default()
        };
        if let Err(denial) = verdict {
            decision.kind = DecisionKind::OrderDenied as u8;
            decision.verdict = denial as u16;
            self.stats.denials += 1;
            self.denials_by_code[denial as usize] += 1;
            // A full buffer is itself the reason then; the counters keep what the journal has no room for.
            let _ = decisions.push(decision);
            return Err(denial);
        }
        self.enter(id, request)?;
        // The gate has seen that there is room.
        let _ = decisions.push(decision);
        Ok(id)
    }

    fn enter(&mut self, id: ClientOrderId, request: &OrderRequest) -> Result<(), Denial> {
        let order = Order::from_request(id, request, self.now_ns);
        // The gate has checked room and id, so this cannot fail; were it to, nothing may leave.
        self.orders.insert(order).map_err(|_| Denial::OpenOrders)?;
        self.rate.record(self.now_ns);
        self.record_message(request.instrument);
        self.stats.orders += 1;
        Ok(())
    }

    fn record_message(&mut self, instrument: InstrumentId) {
        let venue = self.groups.of(instrument).venue;
        self.messages.record(venue, self.now_ns);
    }

    /// The limits of an instrument; the hub's for one that is not in the table.
    pub(crate) fn limits_of(&self, instrument: InstrumentId) -> &Limits {
        let own = self.instrument_limits.get(instrument.index());
        own.unwrap_or(&self.limits)
    }

    /// The largest quantity, a multiple of the lot and no more than is asked for, that the gate would let pass now; 0 when
    /// none would.
    ///
    /// By bisection over the count of lots, at most 63 verdicts. It is exact because a smaller order breaks no limit that a
    /// larger one keeps, except the venue's smallest quantity, where the search begins.
    pub fn largest_allowed(&mut self, request: &OrderRequest, decisions: &Decisions) -> i64 {
        let request = &of_an_agent(request);
        let id = self.next_order_id(decisions);
        let view = self.risk_view(id, request, decisions);
        risk::largest_allowed(request, &view, self.limits_of(request.instrument))
    }

    fn reference_price(&self, id: InstrumentId) -> i64 {
        let quote = self.markets.get(id.index()).and_then(Market::quote);
        quote.map_or(0, |quote| quote.mid())
    }

    fn risk_view(
        &mut self,
        id: ClientOrderId,
        request: &OrderRequest,
        decisions: &Decisions,
    ) -> RiskView {
        let instrument = request.instrument;
        let correlation_ppm = self.correlation_ppm(request);
        let group = self.groups.of(instrument);
        let orders_last_second = self.rate.count(self.now_ns);
        let (messages_last_second, venue_messages_last_second) =
            self.messages.count(group.venue, self.now_ns);
        let market = self.markets.get(instrument.index());
        let quote = market.and_then(Market::quote);
        let (portfolio, open) = (&self.portfolio, self.orders.open_sums());
        let rates = portfolio.rates();
        let rate = rates.get(group.currency);
        let side = request.side;
        let open_side = rates.sum(open.hub(side));
        let both = |held: Money, open: &[Money]| Money(held.0.saturating_add(rates.sum(open).0));
        RiskView {
            trading_state: self.trading_state,
            terms: self.instruments.get(instrument).map(Terms::of),
            rate,
            decisions_room: decisions.room() as u32,
            is_id_used: self.orders.contains(id),
            position: portfolio.position(instrument).quantity,
            open_bid_quantity: self.orders.open_quantity(instrument, Side::Bid),
            open_ask_quantity: self.orders.open_quantity(instrument, Side::Ask),
            own_opposite_price: self.orders.best_price(instrument, side.opposite()),
            reference_price: quote.map_or(0, |quote| quote.mid()),
            best_bid: quote.map_or(0, |quote| quote.bid.price),
            best_ask: quote.map_or(0, |quote| quote.ask.price),
            is_book_live: market.is_some_and(|market| market.state() == BookState::Live),
            quote_age_ns: market.map_or(i64::MAX, |market| self.now_ns - market.ts_quote_ns()),
            open_orders: self.orders.open_count() as u32,
            open_orders_instrument: self.orders.open_count_of(instrument) as u32,
            orders_last_second,
            messages_last_second,
            venue_messages_last_second,
            equity: portfolio.equity(),
            equity_max: portfolio.equity_max(),
            gross_exposure: portfolio.gross_exposure(),
            open_notional: both(open_side, open.hub(side.opposite())),
            net_exposure: portfolio.net_exposure(),
            open_notional_side: open_side,
            venue_exposure: both(
                portfolio.venue_exposure(group.venue),
                open.venue(group.venue),
            ),
            agent_exposure: both(
                portfolio.agent_exposure(request.agent),
                open.agent(request.agent),
            ),
            base_exposure: portfolio.base_exposure(group.base),
            base_open_side: rates.sum(open.base(group.base, side)),
            equity_day: self.day.equity(),
            agent_loss: self.day.agent_loss(request.agent, portfolio),
            margin_millionths: both(portfolio.margin_millionths(), open.margin()),
            correlation_ppm,
            volume_24h: market
                .and_then(|m| m.volume_24h(self.now_ns))
                .and_then(|volume| rate.convert(volume))
                .unwrap_or(Money::ZERO),
        }
    }

    /// How much a fill of this order would move with the rest of the book: +10^6 = entirely.
    fn correlation_ppm(&mut self, request: &OrderRequest) -> i64 {
        let portfolio = &self.portfolio;
        let exposure = |index: usize| portfolio.exposure(InstrumentId(index as u16)).to_f64();
        let with_book = self
            .returns
            .correlation_with_book_ppm(request.instrument.index(), exposure);
        request.side.sign() * with_book
    }

    pub(crate) fn cancel(&mut self, id: ClientOrderId, decisions: &mut Decisions) -> bool {
        let Some(order) = self.orders.get(id).copied() else {
            return false;
        };
        let is_open = matches!(
            order.state,
            OrderState::PendingNew | OrderState::Working | OrderState::PartiallyFilled
        );
        if !is_open || decisions.room() == 0 {
            return false;
        }
        if self
            .orders
            .apply(id, OrderSignal::RequestCancel, ReportReason::Requested)
            .is_err()
        {
            return false;
        }
        self.record_message(order.instrument);
        decisions.push(Decision {
            kind: DecisionKind::CancelOrder as u8,
            side: order.side as u8,
            instrument: order.instrument.0,
            agent: order.agent,
            client_order_id: id.0,
            price: order.price,
            quantity: order.remaining(),
            ..Decision::default()
        })
    }

    /// Cancels what is open, of one instrument or of all, as far as this input's decisions have room.
    /// Returns true when nothing is left to cancel.
    pub(crate) fn cancel_open(
        &mut self,
        instrument: Option<InstrumentId>,
        decisions: &mut Decisions,
    ) -> bool {
        loop {
            let cancellable = |order: &&Order| {
                order.state != OrderState::PendingCancel
                    && instrument.is_none_or(|id| id == order.instrument)
            };
            let Some(id) = self.orders.open().find(cancellable).map(|order| order.id) else {
                return true;
            };
            if !self.cancel(id, decisions) {
                return false;
            }
        }
    }

    /// Changes the trading state and journals why; an unchanged state is no decision.
    pub(crate) fn set_trading_state(
        &mut self,
        state: TradingState,
        reason: StateReason,
        decisions: &mut Decisions,
    ) {
        if self.trading_state == state {
            return;
        }
        self.trading_state = state;
        self.trading_state_reason = reason;
        self.is_cancelling_all |= state == TradingState::Halted;
        let _ = decisions.push(Decision {
            kind: DecisionKind::TradingStateChanged as u8,
            state: state as u8,
            reason: reason as u16,
            ..Decision::default()
        });
    }

    /// Folds in all that can change a later decision, with the books' tops only.
    pub(crate) fn digest_top(&self, hash: &mut StateHasher) {
        self.digest_ledger(hash);
        for market in &self.markets {
            market.digest_top(hash);
        }
    }

    /// Folds in all, the whole books included.
    pub(crate) fn digest(&self, hash: &mut StateHasher) {
        self.digest_ledger(hash);
        for market in &self.markets {
            market.digest(hash);
        }
    }

    fn digest_ledger(&self, hash: &mut StateHasher) {
        hash.signed(self.now_ns);
        hash.word(self.trading_state as u64);
        hash.word(u64::from(self.is_cancelling_all));
        hash.word(self.stats.events);
        hash.word(self.stats.orders);
        hash.word(self.stats.fills);
        hash.word(self.stats.denials);
        self.orders.digest(hash);
        self.portfolio.digest(hash);
        self.rate.digest(hash);
        self.messages.digest(hash);
        self.day.write(hash);
        self.returns.digest(hash);
        self.models.digest(hash);
        self.announced.digest(hash);
    }
}

/// The request with the number of its agent: one that names none is of the first.
const fn of_an_agent(request: &OrderRequest) -> OrderRequest {
    match request.agent {
        0 => request.by(STRATEGY_AGENT),
        _ => *request,
    }
}
