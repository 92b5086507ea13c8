//! The machine: one input in, decisions out.
//!
//! ```text
//! event ── market ── strategy ── risk gate ── decisions
//!       └─ orders ── portfolio ──┘
//! ```
//!
//! Invariant: `apply` depends on nothing but the inputs so far. It allocates nothing after the first inputs, except when a model
//! is promoted.

mod models;
mod snapshot;

use alloc::vec::Vec;

use crate::{
    config::{CoreConfig, CoreError},
    decision::{ClientOrderId, Decision, DecisionKind, Decisions},
    event::{
        BookState, CommandSent, Event, EventKind, EventView, FundingSettled, MarkFunding,
        OperatorAction, OperatorReason, OrderFilled, OrderReport, RateChanged, ReportReason, Side,
        Trade,
    },
    findings::Findings,
    groups::Groups,
    hash::StateHasher,
    instrument::{InstrumentId, Instruments},
    market::{BookChecks, Market},
    money::Money,
    orders::{Order, OrderChange, OrderError, OrderSignal},
    portfolio::Portfolio,
    predict::ModelSlots,
    returns::Returns,
    risk::{Denial, StateReason, TradingState},
    state::{CoreStats, State},
    strategy::{Context, Fill, Funding, OrderUpdate, Overview, Strategy},
};

/// Inputs between two journaled hashes of the state.
pub const HASH_INTERVAL_EVENTS: u64 = 1024;

/// One input: an event with its place in history.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its sequence in the journal.
    pub sequence: u64,
    /// When the core thread took it, ns since the Unix epoch.
    pub ts_core_ns: i64,
    /// What happened.
    pub event: &'a Event,
}

/// The deterministic core around one strategy.
#[derive(Debug)]
pub struct Core<S> {
    state: State,
    strategy: S,
}

impl<S: Strategy> Core<S> {
    /// A core before its first input.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn new(config: &CoreConfig, strategy: S) -> Result<Self, CoreError> {
        Ok(Self {
            state: State::new(config)?,
            strategy,
        })
    }

    /// Applies one input and appends what follows from it to `decisions`, which the caller has cleared.
    #[inline]
    pub fn apply(&mut self, input: Input<'_>, decisions: &mut Decisions) {
        let state = &mut self.state;
        state.sequence = input.sequence;
        state.now_ns = state.now_ns.max(input.ts_core_ns);
        state.stats.events += 1;
        state.day.roll(state.now_ns, &state.portfolio);
        let instrument = input.event.instrument_id();
        let is_known = instrument.index() < state.markets.len();
        if is_known && input.event.kind == EventKind::BookDelta as u8 {
            self.on_delta(input.event, instrument, decisions);
        } else if is_known {
            self.dispatch(input.event, instrument, decisions);
        } else {
            state.stats.strange_reports += 1;
        }
        if self.state.is_cancelling_all {
            self.state.is_cancelling_all = !self.state.cancel_open(None, decisions);
        }
        if self.state.stats.events.is_multiple_of(HASH_INTERVAL_EVENTS) {
            push_hash(self.progress_hash(), decisions);
        }
    }

    #[inline(never)]
    fn dispatch(&mut self, event: &Event, id: InstrumentId, decisions: &mut Decisions) {
        match event.view() {
            EventView::BookDelta(_) => self.on_delta(event, id, decisions),
            EventView::Bbo(bbo) => {
                let now_ns = self.state.now_ns;
                self.state.markets[id.index()].apply_bbo(bbo, now_ns);
                self.on_quote(id, decisions);
            }
            EventView::Trade(trade) => self.on_trade(event, id, trade, decisions),
            EventView::BookStateChanged(_) => self.on_book_state(event, id, decisions),
            EventView::OrderAccepted(report) => {
                self.on_report(event, report, OrderSignal::Accept, decisions);
            }
            EventView::OrderRejected(report) => {
                self.on_report(event, report, OrderSignal::Reject, decisions);
            }
            EventView::OrderCancelled(report) => {
                self.on_report(event, report, OrderSignal::Cancel, decisions);
            }
            EventView::CancelRejected(report) => {
                self.on_report(event, report, OrderSignal::CancelReject, decisions);
            }
            EventView::OrderFilled(fill) => self.on_fill(event, fill, decisions),
            EventView::TimerFired(_) => self.on_timer(decisions),
            EventView::OperatorCommanded { action, reason } => {
                self.on_operator(action, reason.unwrap_or_default(), decisions);
            }
            EventView::CommandSent(sent) => self.on_sent(sent),
            EventView::ConnectionChanged(_) => {}
            EventView::ModelPart(part) => self.on_model_part(part, usize::from(event.detail)),
            EventView::ModelPromoted(promoted) => self.on_model_promoted(promoted, decisions),
            EventView::FundingSettled(settled) => self.on_funding(id, settled, decisions),
            EventView::RateChanged(changed) => self.on_rate(changed, decisions),
            EventView::MarkFunding(announced) => self.on_mark_funding(id, announced, decisions),
            EventView::Unknown(_) => self.state.stats.strange_reports += 1,
        }
    }

    /// Nine of ten events: kept apart from the rest, so that it becomes part of its caller.
    #[inline]
    fn on_delta(&mut self, event: &Event, id: InstrumentId, decisions: &mut Decisions) {
        let EventView::BookDelta(delta) = event.view() else {
            return;
        };
        let now_ns = self.state.now_ns;
        self.state.stats.rows += event.level_count() as u64;
        if self.state.markets[id.index()].apply_delta(event, delta, now_ns) {
            self.on_quote(id, decisions);
        }
    }

    #[inline(never)]
    fn on_quote(&mut self, id: InstrumentId, decisions: &mut Decisions) {
        self.state.stats.messages += 1;
        if let Some(quote) = self.state.markets[id.index()].quote()
            && self.state.portfolio.mark(id, quote.mid()).is_err()
        {
            self.distrust(StateReason::BooksFailing, decisions);
        }
        self.strategy.on_book(
            &mut Context {
                state: &mut self.state,
                decisions,
            },
            id,
        );
    }

    fn on_trade(
        &mut self,
        event: &Event,
        id: InstrumentId,
        trade: &Trade,
        decisions: &mut Decisions,
    ) {
        let state = &mut self.state;
        state.stats.messages += 1;
        state.stats.rows += 1;
        let rules = &state.instruments.rows()[id.index()];
        state.markets[id.index()].apply_trade(rules, trade, state.now_ns);
        let aggressor = Side::from_code(event.detail).unwrap_or(Side::Bid);
        self.strategy.on_trade(
            &mut Context {
                state: &mut self.state,
                decisions,
            },
            id,
            aggressor,
            trade,
        );
    }

    /// A book that is no longer live must not keep orders of ours that were priced from it.
    fn on_book_state(&mut self, event: &Event, id: InstrumentId, decisions: &mut Decisions) {
        let book_state = BookState::from_code(event.detail).unwrap_or(BookState::Stale);
        self.state.markets[id.index()].set_state(book_state);
        if book_state == BookState::Live {
            self.on_quote(id, decisions);
        } else {
            self.state.cancel_open(Some(id), decisions);
        }
    }

    fn on_report(
        &mut self,
        event: &Event,
        report: &OrderReport,
        signal: OrderSignal,
        decisions: &mut Decisions,
    ) {
        let id = ClientOrderId(report.client_order_id);
        let reason = ReportReason::from_code(event.detail).unwrap_or(ReportReason::None);
        match self.state.orders.apply(id, signal, reason) {
            Ok(change) => self.tell(&change, reason, None, decisions),
            Err(_) => self.state.stats.strange_reports += 1,
        }
    }

    fn on_fill(&mut self, event: &Event, filled: &OrderFilled, decisions: &mut Decisions) {
        let id = ClientOrderId(filled.client_order_id);
        let change = match self
            .state
            .orders
            .apply_fill(id, filled.quantity, filled.execution_id)
        {
            Ok(change) => change,
            Err(OrderError::DuplicateExecution { .. }) => return,
            Err(_) => return self.distrust(StateReason::IllegalReport, decisions),
        };
        let fee = Money::from_fee(filled.fee);
        let portfolio = &mut self.state.portfolio;
        let booked = portfolio.apply_agent_fill(
            change.agent,
            change.instrument,
            change.side,
            filled.price,
            filled.quantity,
            fee,
        );
        if booked.is_err() {
            return self.distrust(StateReason::BooksFailing, decisions);
        }
        self.state.stats.fills += 1;
        if change.is_illegal() {
            self.distrust(StateReason::IllegalReport, decisions);
        }
        let is_maker = event.has(crate::event::flags::MAKER);
        let fill = Fill {
            price: filled.price,
            quantity: filled.quantity,
            is_maker,
            fee,
        };
        self.tell(&change, ReportReason::None, Some(fill), decisions);
    }

    fn on_funding(&mut self, id: InstrumentId, settled: &FundingSettled, out: &mut Decisions) {
        let portfolio = &mut self.state.portfolio;
        let Ok(received) = portfolio.settle_funding(id, settled.rate, settled.price) else {
            return self.distrust(StateReason::BooksFailing, out);
        };
        let mark = portfolio.position(id).mark_price;
        let funding = Funding {
            rate: settled.rate,
            price: if settled.price > 0 {
                settled.price
            } else {
                mark
            },
            received,
        };
        self.strategy.on_funding(
            &mut Context {
                state: &mut self.state,
                decisions: out,
            },
            id,
            &funding,
        );
    }

    /// Kept and passed on. Valuation stays with our own marks, which are as new as the books.
    fn on_mark_funding(
        &mut self,
        id: InstrumentId,
        announced: &MarkFunding,
        decisions: &mut Decisions,
    ) {
        self.state.stats.messages += 1;
        self.state.announced.take(id, announced);
        self.strategy.on_funding_announced(
            &mut Context {
                state: &mut self.state,
                decisions,
            },
            id,
            announced,
        );
    }

    /// A rate from outside; where an instrument gives the rate, its marks are believed and the event is only counted.
    fn on_rate(&mut self, changed: &RateChanged, decisions: &mut Decisions) {
        match self.state.change_rate(changed) {
            Ok(true) => {}
            Ok(false) => self.state.stats.strange_reports += 1,
            Err(_) => self.distrust(StateReason::BooksFailing, decisions),
        }
    }

    /// Something that we cannot explain: stop adding risk until a person has looked.
    fn distrust(&mut self, reason: StateReason, decisions: &mut Decisions) {
        self.state.stats.strange_reports += 1;
        if self.state.trading_state == TradingState::Active {
            self.state
                .set_trading_state(TradingState::Reducing, reason, decisions);
        }
    }

    fn tell(
        &mut self,
        change: &OrderChange,
        reason: ReportReason,
        fill: Option<Fill>,
        decisions: &mut Decisions,
    ) {
        let update = OrderUpdate {
            id: change.id,
            instrument: change.instrument,
            side: change.side,
            state: change.to,
            reason,
            fill,
        };
        self.strategy.on_order(
            &mut Context {
                state: &mut self.state,
                decisions,
            },
            &update,
        );
    }

    fn on_timer(&mut self, decisions: &mut Decisions) {
        self.state.returns.sample(&self.state.markets);
        if self.state.refresh_rates().is_err() {
            self.distrust(StateReason::BooksFailing, decisions);
        }
        self.look_at_losses(decisions);
        self.strategy.on_timer(&mut Context {
            state: &mut self.state,
            decisions,
        });
    }

    /// A fall below the peak halts; a day's loss leaves the way out open. Either stays until a person resumes.
    fn look_at_losses(&mut self, decisions: &mut Decisions) {
        let state = &mut self.state;
        let equity = state.portfolio.equity();
        let kept_ppm = 1_000_000 - i64::from(state.limits.drawdown_ppm);
        let equity_min = state.portfolio.equity_max().share_ppm(kept_ppm);
        if equity < equity_min && state.trading_state != TradingState::Halted {
            state.set_trading_state(TradingState::Halted, StateReason::Drawdown, decisions);
        }
        let is_lost = state.day.is_lost(equity, state.limits.daily_loss_ppm);
        if is_lost && state.trading_state == TradingState::Active {
            state.set_trading_state(TradingState::Reducing, StateReason::DailyLoss, decisions);
        }
    }

    fn on_sent(&mut self, sent: &CommandSent) {
        let id = ClientOrderId(sent.client_order_id);
        self.state.orders.mark_sent(id, sent.sequence);
    }

    /// A hub that had a reason to trade less keeps it over the end of its run: the next one must not forget it.
    fn end_reason(&self) -> StateReason {
        match self.state.trading_state {
            TradingState::Active => StateReason::RunEnded,
            TradingState::Reducing | TradingState::Halted => self.state.trading_state_reason,
        }
    }

    fn on_operator(
        &mut self,
        action: Option<OperatorAction>,
        why: OperatorReason,
        decisions: &mut Decisions,
    ) {
        let (target, reason) = match action {
            Some(OperatorAction::Halt) => (TradingState::Halted, reason_of(why)),
            Some(OperatorAction::End) => (TradingState::Halted, self.end_reason()),
            Some(OperatorAction::Reduce) => (TradingState::Reducing, reason_of(why)),
            Some(OperatorAction::Resume) => (TradingState::Active, StateReason::Operator),
            Some(OperatorAction::Stop) => return push_hash(self.state_hash(), decisions),
            None => return self.state.stats.strange_reports += 1,
        };
        // A person may loosen a halt into reducing; what the runtime asks for by itself only tightens.
        let is_loosening = target < self.state.trading_state;
        if action == Some(OperatorAction::Reduce)
            && why != OperatorReason::Unspecified
            && is_loosening
        {
            return;
        }
        self.state.set_trading_state(target, reason, decisions);
    }

    /// Hash of everything but the depth of the books: cheap enough to journal every `HASH_INTERVAL_EVENTS`.
    pub fn progress_hash(&self) -> u64 {
        let mut hash = StateHasher::new();
        self.state.digest_top(&mut hash);
        let turn = self.state.stats.events / HASH_INTERVAL_EVENTS;
        self.strategy.digest_part(&mut hash, turn);
        hash.finish()
    }

    /// Hash of the whole state.
    pub fn state_hash(&self) -> u64 {
        let mut hash = StateHasher::new();
        self.state.digest(&mut hash);
        self.strategy.digest(&mut hash);
        hash.finish()
    }

    /// What the strategy found out, for reports.
    pub fn findings(&self) -> Findings {
        self.strategy.findings(&Overview { state: &self.state })
    }

    /// Counters so far.
    pub const fn stats(&self) -> CoreStats {
        self.state.stats
    }

    /// Refusals of the risk gate by reason, those that occurred, in the order of their codes.
    pub fn denials(&self) -> Vec<(Denial, u64)> {
        let counts = &self.state.denials_by_code;
        let all = Denial::ALL
            .iter()
            .map(|&denial| (denial, counts[denial as usize]));
        all.filter(|&(_, count)| count > 0).collect()
    }

    /// Ticker and book comparisons over all instruments.
    pub fn book_checks(&self) -> BookChecks {
        self.state
            .markets
            .iter()
            .map(Market::checks)
            .fold(BookChecks::default(), |sum, checks| BookChecks {
                compared: sum.compared + checks.compared,
                equal: sum.equal + checks.equal,
            })
    }

    /// Venue messages that left a book crossed, over all instruments.
    pub fn crossed_count(&self) -> u64 {
        self.state.markets.iter().map(Market::crossed_count).sum()
    }

    /// The books of account.
    pub const fn portfolio(&self) -> &Portfolio {
        &self.state.portfolio
    }

    /// What the instruments have in common.
    pub const fn groups(&self) -> &Groups {
        &self.state.groups
    }

    /// The instruments.
    pub const fn instruments(&self) -> &Instruments {
        &self.state.instruments
    }

    /// One instrument's market.
    pub fn market(&self, id: InstrumentId) -> Option<&Market> {
        self.state.markets.get(id.index())
    }

    /// What the venue last announced of an instrument's mark price and next funding, if it did.
    pub fn announced_funding(&self, id: InstrumentId) -> Option<&MarkFunding> {
        self.state.announced.get(id)
    }

    /// Sampled returns and their correlations.
    pub const fn returns(&self) -> &Returns {
        &self.state.returns
    }

    /// The models in use.
    pub const fn models(&self) -> &ModelSlots {
        &self.state.models
    }

    /// Whether the hub may trade.
    pub const fn trading_state(&self) -> TradingState {
        self.state.trading_state
    }

    /// Why it is in that state.
    pub const fn trading_state_reason(&self) -> StateReason {
        self.state.trading_state_reason
    }

    /// How many orders are open.
    pub fn open_order_count(&self) -> usize {
        self.state.orders.open_count()
    }

    /// The open orders, oldest first.
    pub fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.state.orders.open()
    }

    /// Sequence of the last input applied; 0 before the first.
    pub const fn last_input_sequence(&self) -> u64 {
        self.state.sequence
    }

    /// The core's time: the latest that any input brought, ns since the Unix epoch.
    pub const fn now_ns(&self) -> i64 {
        self.state.now_ns
    }

    /// The strategy.
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }
}

const fn reason_of(why: OperatorReason) -> StateReason {
    match why {
        OperatorReason::Unspecified => StateReason::Operator,
        OperatorReason::DiskLow => StateReason::DiskLow,
        OperatorReason::DiskFull => StateReason::DiskFull,
        OperatorReason::DurabilityBehind => StateReason::DurabilityBehind,
        OperatorReason::IngressBehind => StateReason::IngressBehind,
        OperatorReason::KillFlag => StateReason::KillFlag,
    }
}

fn push_hash(hash: u64, decisions: &mut Decisions) {
    let kind = DecisionKind::StateHashed as u8;
    // Only a full buffer refuses it; then the next hash covers this one.
    let _ = decisions.push(Decision {
        kind,
        hash,
        ..Decision::default()
    });
}
