//! Spot-perpetual basis and cross-asset lead-lag on microprices.
//!
//! For every instrument the strategy keeps the log of its microprice, now and at the last timer ticks. Two things
//! predict where it goes next, as a log return:
//!
//! - *lead-lag*: what its leader has moved within the lag, the instrument has yet to follow:
//!   `beta x (leader now - leader a lag ago)`. Who leads whom, by how many ticks, and beta are measured: the sampled
//!   returns of all pairs enter running correlations at several lags, and the follower's leader is the instrument
//!   whose *earlier* returns go best with its own.
//! - *basis*: a perpetual and the spot of the same base belong together; the distance between their logs reverts to
//!   its slow mean. Which of the two does how much of the way is measured too: the slope of each one's return on the
//!   distance a tick before (an error-correction model).
//!
//! With the sum beyond the cost of getting in and out it enters: at once (immediate-or-cancel) when the prediction
//! pays for taking on both sides, else by resting at the touch (post-only), which needs a clearer prediction because
//! resting orders are filled most readily when they are wrong. It leaves when the prediction is gone, the stop is
//! hit or the holding time is over. Sizes come from the risk per trade.
//!
//! Invariant: one open order per instrument; nothing happens in an instrument without a live quote.

use alloc::{format, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    prelude::*,
    stats::{Ewma, EwmaPair, LAG_MAX, LeadLag, StatsError, share_of_half_life},
};

/// Instruments considered as leader or follower; pairs beyond would cost the timer too much time.
const STRUCTURE_INSTRUMENTS_MAX: usize = 16;
/// Ticks of prices kept: the longest lag and the newest.
const PAST_TICKS: usize = LAG_MAX + 1;
/// Reason codes in the journal.
mod reason {
    pub(super) const ENTER: u16 = 1;
    pub(super) const LEAVE: u16 = 2;
    pub(super) const STOP: u16 = 3;
    pub(super) const TURN: u16 = 4;
}

/// Parameters of `BasisLeadLag`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BasisLeadLagConfig {
    /// Half-life of mean and variance of the basis.
    pub basis_half_life_ms: i64,
    /// Half-life of the cross-correlations, in timer ticks.
    pub structure_half_life_ticks: f64,
    /// Longest lag considered, in timer ticks.
    pub lag_ticks_max: usize,
    /// Timer ticks before the first order.
    pub warm_up_ticks: u64,
    /// Least correlation with the leader's earlier returns.
    pub leader_correlation_min: f64,
    /// Least distance of the basis from its mean, in standard deviations.
    pub basis_z_min: f64,
    /// What a prediction must promise beyond its costs for an order that takes, in parts per million of the price.
    pub take_edge_ppm: f64,
    /// The same for an order that rests.
    pub rest_edge_ppm: f64,
    /// Size of one position, in parts per million of equity.
    pub position_share_ppm: i64,
    /// Loss at which a position is closed, in parts per million of the price.
    pub stop_ppm: i64,
    /// Longest time a position is held.
    pub hold_ms_max: i64,
    /// Shortest life of a resting order, so that the queue is not left for nothing.
    pub rest_ms_min: i64,
    /// Whether spot instruments may be sold short.
    pub short_spot: bool,
}

impl Default for BasisLeadLagConfig {
    fn default() -> Self {
        Self {
            basis_half_life_ms: 30_000,
            structure_half_life_ticks: 300.0,
            lag_ticks_max: 5,
            warm_up_ticks: 50,
            leader_correlation_min: 0.1,
            basis_z_min: 1.5,
            take_edge_ppm: 5.0,
            rest_edge_ppm: 40.0,
            position_share_ppm: 50_000,
            stop_ppm: 1_000,
            hold_ms_max: 5_000,
            rest_ms_min: 200,
            short_spot: true,
        }
    }
}

/// What is known of one instrument.
#[derive(Debug)]
struct Tracked {
    log_price: f64,
    is_live: bool,
    /// Log prices at the last ticks, as a ring; `ticks` modulo its length is the newest.
    past: [f64; PAST_TICKS],
    /// Slow mean and variance of perpetual minus spot; used at the perpetual only.
    basis: Ewma,
    ts_basis_ns: i64,
    /// Own return on the distance of the basis a tick before.
    correction: EwmaPair,
    /// That distance; 0 while unknown.
    distance_before: f64,
    /// Index of the other half of a spot-perpetual pair.
    partner: Option<usize>,
    is_perpetual: bool,
    leader: Option<Leader>,
    ts_entered_ns: i64,
    entry_price: i64,
    resting: Option<ClientOrderId>,
    ts_rested_ns: i64,
}

impl Tracked {
    fn new(
        config: &BasisLeadLagConfig,
        id: InstrumentId,
        instruments: &Instruments,
    ) -> Result<Self, StatsError> {
        Ok(Self {
            log_price: 0.0,
            is_live: false,
            past: [0.0; PAST_TICKS],
            basis: Ewma::new(config.basis_half_life_ms * 1_000_000)?,
            ts_basis_ns: 0,
            correction: EwmaPair::default(),
            distance_before: 0.0,
            partner: partner_of(id, instruments),
            is_perpetual: instruments.rows()[id.index()].contract == Contract::Perpetual,
            leader: None,
            ts_entered_ns: 0,
            entry_price: 0,
            resting: None,
            ts_rested_ns: 0,
        })
    }
}

/// Who leads an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Leader {
    index: usize,
    lag_ticks: usize,
    /// Return of the follower per return of the leader.
    beta: f64,
}

/// The strategy; see the module.
#[derive(Debug)]
pub struct BasisLeadLag {
    config: BasisLeadLagConfig,
    tracked: Vec<Tracked>,
    /// Cross-correlations, row = leader, column = follower.
    structure: Vec<LeadLag>,
    structure_count: usize,
    /// Share of a new tick in the corrections' running slopes.
    share: f64,
    ticks: u64,
}

impl Strategy for BasisLeadLag {
    type Config = BasisLeadLagConfig;
    const NAME: &'static str = "basis-lead-lag";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, StrategyError> {
        check(config)?;
        let structure_count = instruments.count().min(STRUCTURE_INSTRUMENTS_MAX);
        let tracked = instruments
            .iter()
            .map(|(id, _)| Tracked::new(config, id, instruments));
        let pair = |_| LeadLag::new(config.lag_ticks_max, config.structure_half_life_ticks);
        let structure = (0..structure_count * structure_count).map(pair);
        Ok(Self {
            config: *config,
            tracked: tracked.collect::<Result<_, _>>().map_err(refuse)?,
            structure: structure.collect::<Result<_, _>>().map_err(refuse)?,
            structure_count,
            share: share_of_half_life(config.structure_half_life_ticks).map_err(refuse)?,
            ticks: 0,
        })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, instrument: InstrumentId) {
        if !self.observe(ctx, instrument) {
            return;
        }
        if self.ticks < self.config.warm_up_ticks {
            return;
        }
        self.act(ctx, instrument.index());
        for follower in 0..self.structure_count {
            let leader = self.tracked[follower].leader;
            if leader.is_some_and(|leader| leader.index == instrument.index()) {
                self.act(ctx, follower);
            }
        }
    }

    fn on_order(&mut self, ctx: &mut Context<'_>, update: &OrderUpdate) {
        let tracked = &mut self.tracked[update.instrument.index()];
        if update.state.is_final() && tracked.resting == Some(update.id) {
            tracked.resting = None;
        }
        let Some(fill) = update.fill else { return };
        let held = ctx.position(update.instrument).quantity;
        if held.signum() == update.side.sign() {
            tracked.ts_entered_ns = ctx.now_ns();
            tracked.entry_price = fill.price;
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        self.ticks += 1;
        let row = ctx.returns_row();
        self.remember_tick(row);
        let count = self.structure_count;
        for leader in 0..count {
            for follower in 0..count {
                if leader != follower {
                    self.structure[leader * count + follower].update(row[leader], row[follower]);
                }
            }
        }
        // One follower a tick: its leader is chosen anew in bounded time.
        if count > 0 && self.ticks >= self.config.warm_up_ticks {
            let follower = (self.ticks % count as u64) as usize;
            self.tracked[follower].leader = self.choose_leader(follower);
        }
    }

    fn digest(&self, hash: &mut StateHasher) {
        hash.word(self.ticks);
        for tracked in &self.tracked {
            hash.float(tracked.log_price);
            hash.word(u64::from(tracked.is_live));
            for ago in 0..=self.config.lag_ticks_max {
                hash.float(tracked.past[self.past_index(ago)]);
            }
            tracked.correction.digest(hash);
            hash.float(tracked.distance_before);
            tracked.basis.digest(hash);
            hash.signed(tracked.ts_basis_ns);
            hash.signed(tracked.ts_entered_ns);
            hash.signed(tracked.entry_price);
            hash.word(tracked.resting.map_or(0, |id| id.0));
            hash.signed(tracked.ts_rested_ns);
            let leader = tracked.leader.unwrap_or(Leader {
                index: 999,
                lag_ticks: 0,
                beta: 0.0,
            });
            hash.word(leader.index as u64);
            hash.float(leader.beta);
        }
        for pair in &self.structure {
            pair.digest(hash);
        }
    }
}

impl BasisLeadLag {
    /// Takes in a new quote. False when there is none to act on.
    fn observe(&mut self, ctx: &Context<'_>, instrument: InstrumentId) -> bool {
        let index = instrument.index();
        let quote = ctx.quote(instrument);
        self.tracked[index].is_live = quote.is_some();
        let Some(quote) = quote else { return false };
        let now_ns = ctx.now_ns();
        // A mantissa's constant factor shifts the log by a constant, which no difference below sees, except the
        // basis, whose slow mean takes it up.
        let log_price = libm::log(quote.microprice());
        let tracked = &mut self.tracked[index];
        tracked.log_price = log_price;
        if let Some(partner) = tracked.partner
            && self.tracked[partner].is_live
        {
            let perpetual = if self.tracked[index].is_perpetual {
                index
            } else {
                partner
            };
            let distance = self.basis_distance(perpetual);
            let tracked = &mut self.tracked[perpetual];
            tracked.basis.update(distance, now_ns - tracked.ts_basis_ns);
            tracked.ts_basis_ns = now_ns;
        }
        true
    }

    /// Log of the perpetual minus log of its spot.
    fn basis_distance(&self, perpetual: usize) -> f64 {
        let spot = self.tracked[perpetual].partner.unwrap_or(perpetual);
        self.tracked[perpetual].log_price - self.tracked[spot].log_price
    }

    /// The predicted log return of one instrument.
    fn predict(&self, index: usize) -> f64 {
        self.predict_lead_lag(index) + self.predict_basis(index)
    }

    /// What the leader has moved within the lag. Nothing while its price a lag ago is unknown.
    fn predict_lead_lag(&self, index: usize) -> f64 {
        let Some(leader) = self.tracked[index].leader else {
            return 0.0;
        };
        let other = &self.tracked[leader.index];
        // The newest tick is less than one period old: a lag of one tick began at the tick before it.
        let before = other.past[self.past_index(leader.lag_ticks)];
        if !other.is_live || before == 0.0 {
            return 0.0;
        }
        leader.beta * (other.log_price - before)
    }

    /// Its own part of the way back to the mean of the basis, when that is far enough away.
    fn predict_basis(&self, index: usize) -> f64 {
        let tracked = &self.tracked[index];
        let Some(partner) = tracked.partner else {
            return 0.0;
        };
        let distance = self.basis_deviation(index);
        let perpetual = if tracked.is_perpetual { index } else { partner };
        let deviation = self.tracked[perpetual].basis.deviation();
        if deviation <= 0.0 || libm::fabs(distance) < self.config.basis_z_min * deviation {
            return 0.0;
        }
        // A wide basis pulls the perpetual down and the spot up.
        let pull = |index: usize| {
            let slope = self.tracked[index].correction.slope();
            let towards = if self.tracked[index].is_perpetual {
                -slope
            } else {
                slope
            };
            towards.max(0.0)
        };
        let total = pull(index) + pull(partner);
        if total <= 0.0 {
            return 0.0;
        }
        let way = distance * pull(index) / total;
        if tracked.is_perpetual { -way } else { way }
    }

    /// Distance of the basis of this pair from its slow mean; 0 while either half has no quote.
    fn basis_deviation(&self, index: usize) -> f64 {
        let tracked = &self.tracked[index];
        let Some(partner) = tracked.partner else {
            return 0.0;
        };
        if !tracked.is_live || !self.tracked[partner].is_live {
            return 0.0;
        }
        let perpetual = if tracked.is_perpetual { index } else { partner };
        self.basis_distance(perpetual) - self.tracked[perpetual].basis.mean()
    }

    /// Where in the ring the price of `ago` ticks before the newest tick stands.
    const fn past_index(&self, ago: usize) -> usize {
        (self.ticks as usize + PAST_TICKS - ago) % PAST_TICKS
    }

    /// Takes down the prices of this tick and what each return says about the pull of the basis.
    fn remember_tick(&mut self, row: &[f64]) {
        let newest = self.past_index(0);
        for (index, &own_return) in row.iter().enumerate() {
            let distance = self.basis_deviation(index);
            let share = self.share;
            let tracked = &mut self.tracked[index];
            tracked.past[newest] = if tracked.is_live {
                tracked.log_price
            } else {
                0.0
            };
            if tracked.distance_before != 0.0 {
                tracked
                    .correction
                    .update(tracked.distance_before, own_return, share);
            }
            tracked.distance_before = distance;
        }
    }

    /// The instrument whose earlier returns go best with the follower's, if any does well enough.
    fn choose_leader(&self, follower: usize) -> Option<Leader> {
        let count = self.structure_count;
        let mut best: Option<(f64, Leader)> = None;
        for index in (0..count).filter(|&index| index != follower) {
            let pair = &self.structure[index * count + follower];
            let Some(found) = pair.best_lag() else {
                continue;
            };
            if found.lag == 0 || found.correlation < self.config.leader_correlation_min {
                continue;
            }
            let beta = pair.pair(found.lag).map_or(0.0, EwmaPair::slope);
            if best.is_none_or(|(record, _)| found.correlation > record) {
                best = Some((
                    found.correlation,
                    Leader {
                        index,
                        lag_ticks: found.lag,
                        beta,
                    },
                ));
            }
        }
        best.map(|(_, leader)| leader)
    }

    /// Enters, keeps or leaves a position in one instrument.
    fn act(&mut self, ctx: &mut Context<'_>, index: usize) {
        let id = InstrumentId(index as u16);
        let Some(quote) = ctx.quote(id) else { return };
        let signal = self.predict(index);
        let held = ctx.position(id).quantity;
        if let Some(order) = self.tracked[index].resting {
            return self.tend(ctx, index, order, signal, &quote);
        }
        if held == 0 {
            self.enter(ctx, index, signal, &quote);
        } else {
            self.leave(ctx, index, signal, &quote, held);
        }
    }

    /// Cancels a resting order that the market or the prediction has left behind.
    fn tend(
        &self,
        ctx: &mut Context<'_>,
        index: usize,
        id: ClientOrderId,
        signal: f64,
        quote: &Quote,
    ) {
        let Some(order) = ctx.order(id).copied() else {
            return;
        };
        let is_young =
            ctx.now_ns() - self.tracked[index].ts_rested_ns < self.config.rest_ms_min * 1_000_000;
        let is_at_touch = quote.level(order.side).price == order.price;
        let is_wanted = signal * order.side.sign() as f64 > 0.0;
        let is_exit = order.reason != reason::ENTER;
        if !is_young && (!is_at_touch || !(is_wanted || is_exit)) {
            ctx.cancel(id);
        }
    }

    fn enter(&mut self, ctx: &mut Context<'_>, index: usize, signal: f64, quote: &Quote) {
        let id = InstrumentId(index as u16);
        let rules = ctx.instrument(id);
        let side = if signal > 0.0 { Side::Bid } else { Side::Ask };
        if side == Side::Ask && rules.contract == Contract::Spot && !self.config.short_spot {
            return;
        }
        let strength_ppm = libm::fabs(signal) * 1e6;
        let take_ppm = self.config.take_edge_ppm + cost_of_taking_ppm(rules, quote);
        let rest_ppm = self.config.rest_edge_ppm + 2.0 * rules.maker_fee_ppm as f64;
        let quantity = self.quantity(ctx, id, quote);
        if quantity == 0 {
            return;
        }
        let order = if strength_ppm > take_ppm {
            let price = quote.level(side.opposite()).price;
            OrderRequest::limit(id, side, price, quantity).immediate_or_cancel()
        } else if strength_ppm > rest_ppm {
            OrderRequest::limit(id, side, quote.level(side).price, quantity).post_only()
        } else {
            return;
        };
        self.send(ctx, index, order.because(reason::ENTER, signal));
    }

    fn leave(
        &mut self,
        ctx: &mut Context<'_>,
        index: usize,
        signal: f64,
        quote: &Quote,
        held: i64,
    ) {
        let id = InstrumentId(index as u16);
        let tracked = &self.tracked[index];
        let side = if held > 0 { Side::Ask } else { Side::Bid };
        let direction = held.signum();
        let gain = direction * (quote.mid() - tracked.entry_price);
        let stop = i128::from(tracked.entry_price) * i128::from(self.config.stop_ppm) / 1_000_000;
        let age_ns = ctx.now_ns() - tracked.ts_entered_ns;
        let hold_ns_max = self.config.hold_ms_max * 1_000_000;
        let is_stopped = i128::from(-gain) >= stop || age_ns > 2 * hold_ns_max;
        let against_ppm = -signal * direction as f64 * 1e6;
        let is_over = against_ppm >= 0.0 || age_ns > hold_ns_max;
        let is_turned = against_ppm > cost_of_taking_ppm(ctx.instrument(id), quote) / 2.0;
        let order = if is_stopped || is_turned {
            let price = quote.level(side.opposite()).price;
            let request = OrderRequest::limit(id, side, price, held.abs());
            let why = if is_stopped {
                reason::STOP
            } else {
                reason::TURN
            };
            request.immediate_or_cancel().because(why, signal)
        } else if is_over {
            let request = OrderRequest::limit(id, side, quote.level(side).price, held.abs());
            request.post_only().because(reason::LEAVE, signal)
        } else {
            return;
        };
        self.send(ctx, index, order);
    }

    /// Whole lots for one position: the smaller of the share of equity and what the risk per trade allows.
    fn quantity(&self, ctx: &Context<'_>, id: InstrumentId, quote: &Quote) -> i64 {
        let rules = ctx.instrument(id);
        let mid = quote.mid();
        let lot_value = rules.notional(mid, rules.lot).0;
        if lot_value <= 0 {
            return 0;
        }
        let share = ctx.equity().share_ppm(self.config.position_share_ppm).0 / lot_value;
        let by_share = i64::try_from(share).unwrap_or(i64::MAX / rules.lot) * rules.lot;
        let stop_distance = (i128::from(mid) * i128::from(self.config.stop_ppm) / 1_000_000) as i64;
        let by_risk = ctx.quantity_for_risk(id, stop_distance.max(1));
        let quantity = by_share.min(by_risk);
        if quantity < rules.quantity_min {
            0
        } else {
            quantity
        }
    }

    fn send(&mut self, ctx: &mut Context<'_>, index: usize, request: OrderRequest) {
        if ctx.trading_state() == TradingState::Halted {
            return;
        }
        if let Ok(id) = ctx.place(request) {
            self.tracked[index].resting = Some(id);
            self.tracked[index].ts_rested_ns = ctx.now_ns();
        }
    }

    /// Who leads `follower`, by how many timer ticks, and the return per return; for reports.
    pub fn leader_of(&self, follower: InstrumentId) -> Option<(InstrumentId, usize, f64)> {
        let leader = self.tracked.get(follower.index())?.leader?;
        Some((
            InstrumentId(leader.index as u16),
            leader.lag_ticks,
            leader.beta,
        ))
    }
}

/// What it costs to take on the way in and on the way out, in parts per million of the price.
fn cost_of_taking_ppm(rules: &Instrument, quote: &Quote) -> f64 {
    let spread_ppm = quote.spread() as f64 / quote.mid() as f64 * 1e6;
    spread_ppm + 2.0 * rules.taker_fee_ppm as f64
}

fn refuse(cause: StatsError) -> StrategyError {
    StrategyError {
        strategy: String::from(BasisLeadLag::NAME),
        cause: format!("{cause}"),
    }
}

fn check(config: &BasisLeadLagConfig) -> Result<(), StrategyError> {
    let positive = [
        ("basis_half_life_ms", config.basis_half_life_ms),
        ("position_share_ppm", config.position_share_ppm),
        ("stop_ppm", config.stop_ppm),
        ("hold_ms_max", config.hold_ms_max),
        ("lag_ticks_max", config.lag_ticks_max as i64),
    ];
    let refuse = |cause: String| {
        Err(StrategyError {
            strategy: BasisLeadLag::NAME.into(),
            cause,
        })
    };
    for (name, value) in positive {
        if value <= 0 {
            return refuse(format!("{name} must be positive, not {value}"));
        }
    }
    if config.lag_ticks_max > LAG_MAX {
        return refuse(format!("lag_ticks_max must be at most {LAG_MAX}"));
    }
    if config.structure_half_life_ticks.is_nan() || config.structure_half_life_ticks <= 0.0 {
        return refuse(String::from("structure_half_life_ticks must be positive"));
    }
    Ok(())
}

/// The other half of a spot-perpetual pair: same base and quote, the other form.
fn partner_of(id: InstrumentId, instruments: &Instruments) -> Option<usize> {
    let own = instruments.get(id)?;
    let wanted = match own.contract {
        Contract::Spot => Contract::Perpetual,
        Contract::Perpetual => Contract::Spot,
        Contract::Future => return None,
    };
    let matches = |other: &&Instrument| {
        other.contract == wanted && other.base == own.base && other.quote == own.quote
    };
    instruments.rows().iter().position(|other| matches(&other))
}
