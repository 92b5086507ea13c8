//! The network of agents: what the hub finds out, who wants what, who gets how much, and the orders that follow.
//!
//! ```text
//!   quote ─ features ─ structure ─ models ─┬─ agent ─ signal ─▶ bus
//!                                          └─ agent ─ wish ─▶ shadow (earnings) ─▶ allocator (shares)
//!                                                        └──▶ netting ─▶ execution, quoting ─▶ risk gate
//! ```
//!
//! A changed quote wakes the agents for its instrument and for those that follow it; the timer does the heavier work in
//! bounded slices. Agents are asked in the order of their configuration.
//!
//! Invariant: the positions of all agents and the house add up to the hub's, after every input.

mod config;
mod execution;
mod findings;
mod groups;
mod inference;
mod journal;
mod netting;
mod quoting;
mod shadow;
mod snapshot;

use alloc::{vec, vec::Vec};

pub use self::{
    config::{AgentNetworkConfig, ExecutionConfig},
    inference::{OBSERVATION_COUNT, Observation, observation_hash},
};
use self::{
    execution::Execution,
    groups::Groups,
    inference::{Questions, Sources},
    netting::{NetFill, Netting},
    quoting::{Quoting, agent_of},
    shadow::{ShadowMarket, Shadows},
};
use crate::{
    agents::{
        AnyAgent, Cause, HOUSE, Ledger, Predictions, Quotes, Seen, Signals, Wish, agents_named,
    },
    allocator::Allocator,
    features::Features,
    findings::Findings,
    prelude::*,
    strategy::Overview,
    structure::Structure,
};

/// Timers in which every instrument has its turn.
const TIMER_PARTS: u64 = 4;

/// The strategy; see the module.
#[derive(Debug)]
pub struct AgentNetwork {
    config: AgentNetworkConfig,
    features: Features,
    structure: Structure,
    signals: Signals,
    predictions: Predictions,
    questions: Questions,
    agents: Vec<AnyAgent>,
    allocator: Allocator,
    shadows: Shadows,
    ledger: Ledger,
    groups: Groups,
    netting: Netting,
    execution: Execution,
    quoting: Quoting,
    ticks: u64,
    /// What one unit of the currency that each instrument is paid in is worth in the account's, renewed with every timer.
    rates: Vec<f64>,
    /// Capital of all agents together in account currency, renewed with every timer.
    capital_total: f64,
    /// Capital of each agent in account currency, renewed with every timer.
    capitals: Vec<f64>,
    /// Earned in the period that ends, per unit of capital.
    earned: Vec<f64>,
    /// The sum of it over all periods.
    earned_total: Vec<f64>,
    /// Profit of the real books of agents that quote, at the end of the last period, in account currency.
    quoted_before: Vec<f64>,
    ts_period_ns: i64,
    regime: u8,
}

impl Strategy for AgentNetwork {
    type Config = AgentNetworkConfig;
    const NAME: &'static str = "agent-network";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, StrategyError> {
        config::check(config)?;
        let agents = agents_named(&config.agents, &config.kinds, instruments)
            .map_err(config::refuse)?
            .map_err(|name| config::refuse(alloc::format!("agents: no kind is named `{name}`")))?;
        let (count, agent_count) = (instruments.count(), agents.len());
        let groups = Groups::new(instruments);
        Ok(Self {
            features: Features::new(instruments),
            structure: Structure::new(&config.structure, count).map_err(config::refuse)?,
            signals: Signals::new(count),
            predictions: Predictions::new(count),
            questions: Questions::new(config.infer_ms, count).map_err(config::refuse)?,
            allocator: Allocator::new(&config.allocator, agent_count).map_err(config::refuse)?,
            shadows: Shadows::new(agent_count, count, config.execution.shadow_us),
            ledger: Ledger::new(agent_count, count),
            netting: Netting::new(agent_count, count, groups.count()),
            execution: Execution::new(&config.execution, groups.count()),
            quoting: Quoting::new(&config.execution, agent_count, count),
            groups,
            agents,
            ticks: 0,
            rates: vec![0.0; count],
            capital_total: 0.0,
            capitals: vec![0.0; agent_count],
            earned: vec![0.0; agent_count],
            earned_total: vec![0.0; agent_count],
            quoted_before: vec![0.0; agent_count],
            ts_period_ns: 0,
            regime: 0,
            config: config.clone(),
        })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, instrument: InstrumentId) {
        let index = instrument.index();
        let now_ns = ctx.now_ns();
        self.features
            .on_quote(index, now_ns, ctx.market(instrument));
        if ctx.quote(instrument).is_none() {
            return;
        }
        let log_price = self.features.row(index).log_price();
        self.structure.on_price(index, now_ns, log_price);
        if self.questions.are_there() {
            let sources = Sources {
                features: &self.features,
                structure: &self.structure,
                signals: &self.signals,
                now_ns,
            };
            let models = ctx.models();
            self.questions
                .ask(models, &sources, index, &mut self.predictions);
        }
        self.consult(ctx, Cause::Quote(instrument), index);
    }

    fn on_trade(
        &mut self,
        ctx: &mut Context<'_>,
        instrument: InstrumentId,
        aggressor: Side,
        trade: &Trade,
    ) {
        let index = instrument.index();
        self.features
            .on_trade(index, ctx.now_ns(), aggressor, trade.price, trade.quantity);
        for agent in 0..self.agents.len() {
            let (seen, agent) = self.seen(ctx, agent);
            agent.observe(&seen, Cause::Trade(instrument, aggressor));
        }
    }

    fn on_order(&mut self, ctx: &mut Context<'_>, update: &OrderUpdate) {
        let number = ctx
            .order(update.id)
            .map_or(execution::HUB_AGENT, |order| order.agent);
        if let Some(fill) = update.fill {
            self.book(ctx, update, &fill, number);
        }
        if update.state.is_final() {
            match agent_of(number) {
                Some(agent) => self
                    .quoting
                    .forget(agent, update.instrument.index(), update.id),
                None => {
                    let group = self.groups.of(update.instrument.index());
                    if self.execution.forget(group, update, ctx.now_ns()) {
                        self.netting.unclaim(group);
                    }
                }
            }
        }
    }

    fn on_funding(&mut self, ctx: &mut Context<'_>, instrument: InstrumentId, funding: &Funding) {
        self.ledger.fund(instrument, funding.received);
        let price = ctx.instrument(instrument).price_f64(funding.price);
        self.shadows.fund(instrument.index(), price, funding.rate);
    }

    fn on_funding_announced(
        &mut self,
        _ctx: &mut Context<'_>,
        instrument: InstrumentId,
        announced: &MarkFunding,
    ) {
        // 10^-12 to parts per million.
        let rate_ppm = announced.rate as f64 / 1e6;
        self.features.set_funding(instrument.index(), rate_ppm);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        self.ticks += 1;
        let now_ns = ctx.now_ns();
        self.features.on_timer(now_ns);
        self.structure.on_timer(now_ns);
        self.hand_over_findings(ctx);
        self.end_period(ctx);
        for agent in 0..self.agents.len() {
            let (seen, agent) = self.seen(ctx, agent);
            agent.observe(&seen, Cause::Timer);
        }
        // A part of the instruments each time: quotes wake their agents anyway, this is for what happens by time alone.
        for index in 0..self.features.count() {
            let is_due = index as u64 % TIMER_PARTS == self.ticks % TIMER_PARTS;
            if is_due && ctx.quote(InstrumentId(index as u16)).is_some() {
                self.ask_agents(ctx, index);
                self.settle(ctx, self.groups.of(index));
            }
        }
    }

    fn on_model(&mut self, ctx: &mut Context<'_>, slot: usize) {
        self.predictions.forget(slot);
        self.questions.look(ctx.models(), slot);
    }

    fn findings(&self, hub: &Overview<'_>) -> Findings {
        self.describe(hub)
    }

    fn digest_part(&self, hash: &mut StateHasher, turn: u64) {
        self.write_part(hash, turn);
    }

    fn digest(&self, hash: &mut StateHasher) {
        self.write_state(hash);
        self.digest_funding(hash);
    }

    fn save(&self, out: &mut Encoder) {
        self.write_state(out);
        self.ledger.write_funding(out);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.load_state(from)?;
        self.ledger.load_funding(from)
    }
}

impl AgentNetwork {
    /// The window of one agent, and the agent.
    fn seen<'a>(&'a mut self, ctx: &'a Context<'_>, agent: usize) -> (Seen<'a>, &'a mut AnyAgent) {
        let seen = Seen {
            now_ns: ctx.now_ns(),
            agent,
            instruments: ctx.instruments(),
            markets: ctx.markets(),
            features: &self.features,
            structure: &self.structure,
            signals: &self.signals,
            predictions: &self.predictions,
            held: self.ledger.quantities(agent + 1),
            capital: self.capitals[agent],
            rates: &self.rates,
            is_active: ctx.trading_state() == TradingState::Active,
            ticks: self.ticks,
        };
        (seen, &mut self.agents[agent])
    }

    /// Shows a change to all agents, lets them speak, and acts on what they want of this instrument and its followers.
    fn consult(&mut self, ctx: &mut Context<'_>, cause: Cause, index: usize) {
        let mut woken: u128 = 0;
        for agent in 0..self.agents.len() {
            let (seen, agent) = self.seen(ctx, agent);
            agent.observe(&seen, cause);
            woken |= agent.followers(&seen, index);
        }
        woken &= !(1 << index);
        self.ask_agents(ctx, index);
        self.settle(ctx, self.groups.of(index));
        while woken != 0 {
            let follower = woken.trailing_zeros() as usize;
            woken &= woken - 1;
            if ctx.quote(InstrumentId(follower as u16)).is_some() {
                self.ask_agents(ctx, follower);
                self.settle(ctx, self.groups.of(follower));
            }
        }
    }

    /// Asks every agent what it expects and wants of one instrument with a live quote.
    fn ask_agents(&mut self, ctx: &mut Context<'_>, index: usize) {
        let id = InstrumentId(index as u16);
        let Some(quote) = ctx.quote(id) else { return };
        let rules = ctx.instrument(id);
        let rate = self.rates[index];
        let (lot, price) = (rules.lot, rules.price_f64(quote.mid_doubled()) / 2.0 * rate);
        // Before its first rate nothing can be bought in a currency.
        let per_price = if price > 0.0 { 1.0 / price } else { 0.0 };
        let unit = rules.quantity_f64(1);
        // The shadows reckon in the currency of the instrument.
        let capital = if rate > 0.0 {
            self.capital_total / rate
        } else {
            0.0
        };
        for agent in 0..self.agents.len() {
            let (seen, speaker) = self.seen(ctx, agent);
            let expected = speaker.signal(&seen, index);
            self.signals.publish(agent, index, expected);
            let (seen, actor) = self.seen(ctx, agent);
            let wish = actor.act(&seen, index);
            let choice = actor.take_choice();
            let quantity_of_capital = self.capitals[agent] * per_price / unit;
            self.netting
                .wish_for(agent, index, wish, quantity_of_capital, lot);
            let market = ShadowMarket {
                now_ns: ctx.now_ns(),
                quote: &quote,
                rules: ctx.instrument(id),
                capital,
            };
            self.shadows.follow(agent, index, &wish, &market);
            if let Some(choice) = choice {
                journal::chosen(ctx, agent, &choice);
            }
            self.quote(ctx, agent, id, &wish, quantity_of_capital);
        }
    }

    /// Keeps an agent's quotes where it wants them.
    fn quote(
        &mut self,
        ctx: &mut Context<'_>,
        agent: usize,
        id: InstrumentId,
        wish: &Wish,
        quantity_of_capital: f64,
    ) {
        let wanted = (wish.quote_share * quantity_of_capital).clamp(0.0, 9e15) as i64;
        let quantity = wanted - wanted % ctx.instrument(id).lot;
        self.quoting
            .keep(ctx, agent, id, &wish.quotes, quantity, wish.edge);
    }

    /// Nets what the agents lack in a group and goes after the rest.
    fn settle(&mut self, ctx: &mut Context<'_>, group: usize) {
        let members = self.groups.row(group);
        let Some(quote) = ctx.quote(members.primary()) else {
            return;
        };
        let instruments = ctx.instruments();
        let (groups, ledger) = (&self.groups, &mut self.ledger);
        let mut net = self.netting.look(groups, group, instruments, ledger);
        if self.netting.cross(members, instruments, ledger, &quote) {
            net = self.netting.look(groups, group, instruments, ledger);
        }
        let placed = self
            .execution
            .pursue(ctx, &self.features, groups, group, &net);
        match placed {
            Some((units, side)) => self.netting.claim(group, units, side),
            None if !self.execution.is_working(group) => self.netting.unclaim(group),
            None => {}
        }
    }

    /// Books a fill on the agent whose order it was, or on those for whom it was placed.
    fn book(&mut self, ctx: &Context<'_>, update: &OrderUpdate, fill: &Fill, number: u16) {
        let id = update.instrument;
        let rules = ctx.instrument(id);
        match agent_of(number).filter(|agent| *agent < self.agents.len()) {
            Some(agent) => {
                let (seen, maker) = self.seen(ctx, agent);
                maker.filled(&seen, id.index(), update.side, fill.price);
                let notional = rules.notional(fill.price, fill.quantity);
                self.ledger.book(
                    agent + 1,
                    id,
                    update.side,
                    fill.quantity,
                    notional,
                    fill.fee,
                );
            }
            None => {
                let part = NetFill {
                    side: update.side,
                    price: fill.price,
                    quantity: fill.quantity,
                    fee: fill.fee,
                };
                self.netting
                    .share_out(&self.groups, ctx.instruments(), id, &part);
                for agent in 0..self.agents.len() {
                    if self.netting.part(agent + 1) > 0 {
                        let (seen, agent) = self.seen(ctx, agent);
                        agent.filled(&seen, id.index(), update.side, fill.price);
                    }
                }
                let (netting, ledger) = (&mut self.netting, &mut self.ledger);
                netting.book(&self.groups, ctx.instruments(), ledger, id, &part);
            }
        }
    }

    /// Hands what was found to the features, and journals what came and went.
    fn hand_over_findings(&mut self, ctx: &mut Context<'_>) {
        let regime = self.structure.regime();
        let busy = 1.0 - regime.probabilities[0];
        for index in 0..self.features.count() {
            self.features.set_regime_busy(index, busy);
            let moved = self.structure.leader_of(index).map_or(0.0, |lead| {
                let ticks = (lead.lag_ns / 100_000_000).clamp(1, 100) as usize;
                lead.beta * self.features.row(lead.leader).return_over(ticks) * 1e6
            });
            self.features.set_leader_move(index, moved);
        }
        for pair in self.structure.pairs() {
            self.features.set_pair_z(pair.first, pair.z);
            self.features.set_pair_z(pair.second, -pair.z);
        }
        if regime.state != self.regime {
            self.regime = regime.state;
            journal::regime_changed(ctx, &regime);
        }
        for change in self.structure.take_changes() {
            journal::edge_changed(ctx, &change);
        }
    }

    /// Once a period: what everyone earned, new shares, new capital.
    fn end_period(&mut self, ctx: &mut Context<'_>) {
        let now_ns = ctx.now_ns();
        for index in 0..self.features.count() {
            let id = InstrumentId(index as u16);
            match ctx.quote(id) {
                Some(quote) => {
                    let mid = ctx.instrument(id).price_f64(quote.mid_doubled()) / 2.0;
                    self.shadows.mark(index, mid);
                }
                // A book that stopped being live says so nowhere else.
                None => self.features.on_quote(index, now_ns, ctx.market(id)),
            }
        }
        let period_ns = self.config.allocator.period_ms * 1_000_000;
        if self.ts_period_ns == 0 {
            self.ts_period_ns = now_ns;
        } else if now_ns - self.ts_period_ns >= period_ns {
            self.ts_period_ns = now_ns;
            self.shadows.end_period(&mut self.earned);
            self.add_quoted(ctx);
            for (total, earned) in self.earned_total.iter_mut().zip(&self.earned) {
                *total += earned;
            }
            self.allocator.on_period(&self.earned);
            journal::shares_set(ctx, &self.allocator, self.agents.len());
        }
        for (id, _) in ctx.instruments().iter() {
            self.rates[id.index()] = ctx.in_account(id, Money::from_units(1)).to_f64();
        }
        let equity = ctx.equity().to_f64();
        let capital = equity.max(0.0) * f64::from(self.config.capital_ppm) * 1e-6;
        self.capital_total = capital;
        for agent in 0..self.agents.len() {
            self.capitals[agent] = capital * self.share(agent);
        }
    }

    /// Adds what agents that quote really earned: a shadow cannot know which quotes would have been filled.
    fn add_quoted(&mut self, ctx: &Context<'_>) {
        for agent in 0..self.agents.len() {
            let is_quoting = (0..self.features.count())
                .any(|index| self.netting.wish(agent, index).quotes != Quotes::default());
            let mark = |id: InstrumentId| ctx.position(id).mark_price;
            let convert = |id: InstrumentId, amount: Money| ctx.in_account(id, amount);
            let profit = self
                .ledger
                .profit(agent + 1, ctx.instruments(), mark, convert)
                .to_f64();
            if is_quoting && self.capitals[agent] > 0.0 {
                self.earned[agent] += (profit - self.quoted_before[agent]) / self.capitals[agent];
            }
            self.quoted_before[agent] = profit;
        }
    }

    /// Share of capital of an agent.
    pub fn share(&self, agent: usize) -> f64 {
        match self.config.fixed_shares.get(agent) {
            Some(share) => *share,
            None => self.allocator.share(agent),
        }
    }

    /// The agents in their order.
    pub fn agents(&self) -> &[AnyAgent] {
        &self.agents
    }

    /// Their books.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What belongs together.
    pub const fn structure(&self) -> &Structure {
        &self.structure
    }

    /// What is measured of each instrument.
    pub const fn features(&self) -> &Features {
        &self.features
    }

    /// Who gets how much, and the bound that goes with it.
    pub const fn allocator(&self) -> &Allocator {
        &self.allocator
    }

    /// What the agents tell one another.
    pub const fn signals(&self) -> &Signals {
        &self.signals
    }

    /// What an agent would have earned after costs with all of its capital, per unit of it, up to the end of the last
    /// period: what the allocator shares by.
    pub fn earned_total(&self, agent: usize) -> f64 {
        self.earned_total[agent]
    }

    /// True when the agents' positions and the house's add up to the hub's in every instrument.
    pub fn is_balanced(&self, position: impl Fn(InstrumentId) -> i64) -> bool {
        (0..self.features.count()).all(|index| {
            let id = InstrumentId(index as u16);
            let sum: i64 = (HOUSE..self.ledger.rows())
                .map(|row| self.ledger.quantity(row, id))
                .sum();
            sum == position(id)
        })
    }
}
