//! What a user writes: a strategy, and the context through which it sees the market and acts.
//!
//! A strategy is called by the core on its one thread, in the order of the inputs. It is part of the deterministic
//! machine: it keeps its state in its own fields, takes time only from the context, and uses no clock, thread, file,
//! random source or hash map. A whole strategy:
//!
//! ```
//! use acth_core::prelude::*;
//!
//! /// Buys one lot whenever the spread is a single tick.
//! struct OneTick;
//!
//! impl Strategy for OneTick {
//!     type Config = NoConfig;
//!     const NAME: &'static str = "one-tick";
//!
//!     fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
//!         Ok(Self)
//!     }
//!
//!     fn on_book(&mut self, ctx: &mut Context<'_>, instrument: InstrumentId) {
//!         let Some(quote) = ctx.quote(instrument) else { return };
//!         let rules = ctx.instrument(instrument);
//!         if quote.spread() == rules.tick && ctx.position(instrument).quantity == 0 {
//!             let order = OrderRequest::limit(instrument, Side::Bid, quote.bid.price, rules.quantity_min);
//!             let _ = ctx.place(order.post_only());
//!         }
//!     }
//! }
//! ```

use alloc::string::String;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    decision::{ClientOrderId, Decision, Decisions},
    event::{MarkFunding, ReportReason, Side, Trade},
    findings::Findings,
    hash::StateHasher,
    instrument::{Instrument, InstrumentId, Instruments},
    market::{Market, Quote},
    money::Money,
    orders::{Order, OrderState},
    portfolio::{Portfolio, Position},
    predict::{Model, ModelSlots},
    risk::{Denial, OrderRequest, TradingState, quantity_for_risk},
    snapshot::{Decoder, Encoder, SnapshotError},
    state::State,
};

/// A strategy cannot be built from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("strategy {strategy}: {cause}")]
pub struct StrategyError {
    /// Name of the strategy.
    pub strategy: String,
    /// What was found and what was expected.
    pub cause: String,
}

/// The configuration of a strategy that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// A fill as a strategy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Price mantissa.
    pub price: i64,
    /// Quantity mantissa of this fill.
    pub quantity: i64,
    /// True when our order was resting.
    pub is_maker: bool,
    /// Fee paid; negative = rebate.
    pub fee: Money,
}

/// A venue's funding of one instrument, as booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    /// Share of the notional that longs paid to shorts, in units of 10^-12; negative = shorts paid.
    pub rate: i64,
    /// Price mantissa that it was reckoned with: the venue's, or our mark where the venue told none.
    pub price: i64,
    /// What the hub's position received, in the currency that the instrument is paid in; negative = paid.
    pub received: Money,
}

/// What happened to an order of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderUpdate {
    /// The order.
    pub id: ClientOrderId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its side.
    pub side: Side,
    /// Its state after the report.
    pub state: OrderState,
    /// Why, for rejections and cancellations.
    pub reason: ReportReason,
    /// The fill, if the report was one.
    pub fill: Option<Fill>,
}

/// A trading strategy. Every hook has an empty default; implement those you need.
pub trait Strategy: Sized {
    /// Its parameters: the `[strategy]` table of the configuration file, kept in the journal for replay.
    type Config: Serialize + DeserializeOwned + Default;
    /// Its name in configuration, reports and journals.
    const NAME: &'static str;

    /// Builds it. All memory it needs is allocated here.
    ///
    /// # Errors
    /// When a parameter makes no sense.
    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, StrategyError>;

    /// A book or its ticker changed and is consistent.
    fn on_book(&mut self, _ctx: &mut Context<'_>, _instrument: InstrumentId) {}

    /// A trade was printed.
    fn on_trade(
        &mut self,
        _ctx: &mut Context<'_>,
        _instrument: InstrumentId,
        _aggressor: Side,
        _trade: &Trade,
    ) {
    }

    /// One of our orders was accepted, filled, cancelled or rejected.
    fn on_order(&mut self, _ctx: &mut Context<'_>, _update: &OrderUpdate) {}

    /// A venue charged or paid funding on our position; it is booked.
    fn on_funding(
        &mut self,
        _ctx: &mut Context<'_>,
        _instrument: InstrumentId,
        _funding: &Funding,
    ) {
    }

    /// A venue announced an instrument's mark price and next funding; `Context::announced_funding` has it from then on.
    fn on_funding_announced(
        &mut self,
        _ctx: &mut Context<'_>,
        _instrument: InstrumentId,
        _announced: &MarkFunding,
    ) {
    }

    /// The periodic timer came due.
    fn on_timer(&mut self, _ctx: &mut Context<'_>) {}

    /// The model of this slot is another one from now on; see `Context::model`. The one hook in which a strategy may allocate.
    fn on_model(&mut self, _ctx: &mut Context<'_>, _slot: usize) {}
    /// What it found out and how its parts fared, for reports. Called when somebody asks, never while trading; may allocate.
    fn findings(&self, _hub: &Overview<'_>) -> Findings {
        Findings::default()
    }

    /// As `digest`, for the hash that is journaled every `HASH_INTERVAL_EVENTS`: a strategy with much state may fold a part of
    /// it that depends on `turn`, which counts these hashes, so that all of it has its turn and none takes long.
    fn digest_part(&self, hash: &mut StateHasher, _turn: u64) {
        self.digest(hash);
    }

    /// Folds every field that can change a later decision into `hash`. A strategy without such state needs none.
    fn digest(&self, _hash: &mut StateHasher) {}

    /// Writes every field that can change a later decision, the same fields that `digest` folds, for a snapshot. What
    /// follows from configuration and instruments need not be written. A strategy without such state needs none; one that
    /// keeps state must save it all, or a restart will go on with another state than the run that ended.
    fn save(&self, _out: &mut Encoder) {}

    /// Reads what `save` wrote, in the same order, into a strategy just built. The bytes may be anything: check what is
    /// used as an index or a divisor.
    ///
    /// # Errors
    /// The bytes end, or hold what `save` cannot have written.
    fn load(&mut self, _from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        Ok(())
    }
}

/// The hub as reports see it.
pub struct Overview<'a> {
    pub(crate) state: &'a State,
}

impl Overview<'_> {
    /// All instruments.
    pub const fn instruments(&self) -> &Instruments {
        &self.state.instruments
    }

    /// A position of the hub.
    pub fn position(&self, id: InstrumentId) -> Position {
        self.state.portfolio.position(id)
    }

    /// Cash plus positions at the mark.
    pub const fn equity(&self) -> Money {
        self.state.portfolio.equity()
    }

    /// An amount in the currency that an instrument is paid in, in the account's at the present rate; zero without a rate.
    pub fn in_account(&self, id: InstrumentId, amount: Money) -> Money {
        self.state.in_account(id, amount)
    }

    /// The models in use.
    pub const fn models(&self) -> &ModelSlots {
        &self.state.models
    }
}

/// Places among an input's decisions that findings leave to orders and cancels.
const ROOM_FOR_ORDERS: usize = 40;

/// The strategy's window on the hub, for the length of one call.
pub struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) decisions: &'a mut Decisions,
}

impl Context<'_> {
    /// The time of the present input, ns since the Unix epoch.
    pub const fn now_ns(&self) -> i64 {
        self.state.now_ns
    }

    /// All instruments.
    pub const fn instruments(&self) -> &Instruments {
        &self.state.instruments
    }

    /// One instrument's definition.
    ///
    /// # Panics
    /// When the id is not of this hub's table.
    pub fn instrument(&self, id: InstrumentId) -> &Instrument {
        &self.state.instruments.rows()[id.index()]
    }

    /// One instrument's market: book, last trade, volume.
    ///
    /// # Panics
    /// When the id is not of this hub's table.
    pub fn market(&self, id: InstrumentId) -> &Market {
        &self.state.markets[id.index()]
    }

    /// All markets, in the order of their instruments.
    pub fn markets(&self) -> &[Market] {
        &self.state.markets
    }

    /// Best bid and offer, if the book is live.
    pub fn quote(&self, id: InstrumentId) -> Option<Quote> {
        self.state.markets.get(id.index())?.quote()
    }

    /// Our position.
    ///
    /// # Panics
    /// When the id is not of this hub's table.
    pub fn position(&self, id: InstrumentId) -> Position {
        self.state.portfolio.position(id)
    }

    /// What the venue last announced of an instrument's mark price and next funding, if it did: before a position is held over
    /// `ts_next_ns`, look here for what that will cost.
    pub fn announced_funding(&self, id: InstrumentId) -> Option<&MarkFunding> {
        self.state.announced.get(id)
    }

    /// What may still trade of our open orders on one side.
    pub fn open_quantity(&self, id: InstrumentId, side: Side) -> i64 {
        self.state.orders.open_quantity(id, side)
    }

    /// Our open orders in an instrument, oldest first.
    pub fn open_orders(&self, id: InstrumentId) -> impl Iterator<Item = &Order> {
        self.state.orders.open_of(id)
    }

    /// One of our orders, while it is open or recent.
    pub fn order(&self, id: ClientOrderId) -> Option<&Order> {
        self.state.orders.get(id)
    }

    /// Cash plus positions at the mark.
    pub fn equity(&self) -> Money {
        self.state.portfolio.equity()
    }

    /// An amount in the currency that an instrument is paid in, in the account's at the present rate; zero without a rate.
    pub fn in_account(&self, id: InstrumentId, amount: Money) -> Money {
        self.state.in_account(id, amount)
    }

    /// Whether the hub may trade.
    pub const fn trading_state(&self) -> TradingState {
        self.state.trading_state
    }

    /// Correlation of the returns of two instruments, sampled by the timer; 0 while too few were seen.
    pub fn correlation(&self, first: InstrumentId, second: InstrumentId) -> f64 {
        self.state.returns.correlation(first, second)
    }

    /// The row of returns that the last timer sampled, one log return per instrument.
    pub fn returns_row(&self) -> &[f64] {
        self.state.returns.last_row()
    }

    /// The models in use. They are shared by all; what a sequence has left behind in one is its user's own (`Inference`).
    pub const fn models(&self) -> &ModelSlots {
        &self.state.models
    }

    /// The model in use in a slot.
    pub fn model(&self, slot: usize) -> Option<&Model> {
        self.state.models.get(slot)
    }

    /// Places an order if the risk gate lets it pass. Either way the decision is journaled.
    ///
    /// # Errors
    /// The gate's reason.
    pub fn place(&mut self, request: OrderRequest) -> Result<ClientOrderId, Denial> {
        self.state.place(&request, self.decisions)
    }

    /// Journals what the strategy found or decided beside its orders. False when this input's decisions are full. A few places
    /// are kept for orders and cancels.
    pub(crate) fn journal(&mut self, decision: Decision) -> bool {
        self.decisions.room() > ROOM_FOR_ORDERS && self.decisions.push(decision)
    }

    /// Asks to cancel an order. False when it is not open or already being cancelled.
    pub fn cancel(&mut self, id: ClientOrderId) -> bool {
        self.state.cancel(id, self.decisions)
    }

    /// The largest quantity, in whole lots and no more than `request` asks for, that the gate would let pass now; 0 when
    /// none would. Cuts an order to what is allowed: `ctx.place(OrderRequest { quantity, ..request })`.
    pub fn largest_allowed(&mut self, request: &OrderRequest) -> i64 {
        self.state.largest_allowed(request, self.decisions)
    }

    /// The fee that a fill is expected to cost, parts per million of notional: by the venue's tier at the volume traded
    /// there so far, or the instrument's own. Negative = rebate.
    ///
    /// # Panics
    /// When the id is not of this hub's table.
    pub fn expected_fee_ppm(&self, id: InstrumentId, is_maker: bool) -> i64 {
        self.state.expected_fee_ppm(id, is_maker)
    }

    /// The books of account: balances, exposures, margin, and what each agent has earned.
    pub const fn portfolio(&self) -> &Portfolio {
        &self.state.portfolio
    }

    /// The largest quantity whose loss over `stop_distance` (price mantissa) stays within RISK_PER_TRADE of equity,
    /// in whole lots; 0 when even the smallest order is too much.
    pub fn quantity_for_risk(&self, id: InstrumentId, stop_distance: i64) -> i64 {
        let risk_ppm = self.state.limits_of(id).risk_per_trade_ppm;
        let currency = self.state.groups.of(id).currency;
        let rate = self.state.portfolio.rates().get(currency);
        // A currency without a rate, or an equity beyond all measure, sizes nothing.
        let equity = rate.invert(self.equity()).unwrap_or(Money::ZERO);
        quantity_for_risk(equity, risk_ppm, stop_distance, self.instrument(id))
    }
}
