//! From what the agents together lack to orders: one child at a time in each group of equal instruments.
//!
//! | what is lacking | how |
//! |---|---|
//! | an edge larger than the cost of crossing, or urgent | cross: immediate-or-cancel at the venue cheapest after fees |
//! | a way out that has waited for `improve_ms` | improve: one tick inside a wider spread, as maker |
//! | a way out that has waited for `cross_ms` | cross |
//! | anything else | join: at the touch as maker, at the venue with the lowest maker's fee, then the shortest queue |
//!
//! A child takes at most its share of the volume that is traded until the next one, so a large target is spread over time.
//!
//! Invariant: one order of execution per group; it is cancelled before another one is placed.

use alloc::{vec, vec::Vec};

use super::{
    config::ExecutionConfig,
    groups::{Group, Groups},
    netting::Net,
};
use crate::{
    features::Features,
    prelude::*,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// The agent number of orders that several agents share.
pub(super) const HUB_AGENT: u16 = 1;

/// How a child order goes about it; its number is in the order's reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Manner {
    /// At the touch.
    Join = 1,
    /// Inside the spread.
    Improve = 2,
    /// Across the spread.
    Cross = 3,
}

/// What execution keeps of one group.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// The working child; 0 = none.
    working: u64,
    ts_rested_ns: i64,
    /// No child before this time.
    ts_next_ns: i64,
    /// Since when something lacks in the present direction; 0 = nothing does.
    ts_lacking_ns: i64,
    /// That direction.
    direction: i8,
}

/// The children of all groups.
#[derive(Debug)]
pub(super) struct Execution {
    config: ExecutionConfig,
    rows: Vec<Row>,
}

const MILLISECOND_NS: i64 = 1_000_000;

impl Execution {
    pub(super) fn new(config: &ExecutionConfig, group_count: usize) -> Self {
        Self {
            config: *config,
            rows: vec![Row::default(); group_count],
        }
    }

    /// An order of ours came to its end; one that the venue refused is not sent again at once. True when it was the group's
    /// working one.
    pub(super) fn forget(&mut self, group: usize, update: &OrderUpdate, now_ns: i64) -> bool {
        let row = &mut self.rows[group];
        let is_working = row.working == update.id.0;
        if is_working {
            row.working = 0;
            if update.state == OrderState::Rejected {
                row.ts_next_ns = now_ns + self.config.rest_ms_min * MILLISECOND_NS;
            }
        }
        is_working
    }

    /// True while a group has a child.
    pub(super) fn is_working(&self, group: usize) -> bool {
        self.rows[group].working != 0
    }

    /// Places, keeps or cancels the child of one group. Units and side of one that was placed.
    pub(super) fn pursue(
        &mut self,
        ctx: &mut Context<'_>,
        features: &Features,
        groups: &Groups,
        group: usize,
        net: &Net,
    ) -> Option<(i64, Side)> {
        let now_ns = ctx.now_ns();
        let members = groups.row(group);
        let row = &mut self.rows[group];
        let direction = net.units.signum() as i8;
        if direction != row.direction {
            row.direction = direction;
            row.ts_lacking_ns = if direction == 0 { 0 } else { now_ns };
        }
        if row.working != 0 {
            self.tend(ctx, members, group, net);
            return None;
        }
        if direction == 0 || now_ns < row.ts_next_ns || ctx.trading_state() == TradingState::Halted
        {
            return None;
        }
        let side = if direction > 0 { Side::Bid } else { Side::Ask };
        let lacking_ns = now_ns - row.ts_lacking_ns;
        let plan = self.plan(ctx, members, side, net, lacking_ns)?;
        let (quantity, is_cut) = self.size(ctx, features, members, &plan, net);
        if quantity == 0 {
            // What is too little for an order does not wait for one either.
            self.rows[group].ts_lacking_ns = now_ns;
            return None;
        }
        let sent = self.send(ctx, group, &plan, quantity, is_cut, net)?;
        let factor = members.factor(ctx.instrument(id_of(plan.index)));
        Some((sent.saturating_mul(factor), side))
    }

    /// Where, how and at which price.
    fn plan(
        &self,
        ctx: &Context<'_>,
        group: &Group,
        side: Side,
        net: &Net,
        lacking_ns: i64,
    ) -> Option<Plan> {
        let cheapest = best_of(ctx, group, |quote, rules| {
            price_to_cross(quote, rules, side)
        })?;
        let quote = ctx.quote(id_of(cheapest))?;
        // Against what the thing is worth on all venues together: a better price elsewhere pays for a fee.
        let worth = mean_mid(ctx, group)?;
        let paid = price_to_cross(&quote, ctx.instrument(id_of(cheapest)), side);
        let cost = (paid - side.sign() as f64 * worth) / worth;
        let pays = net.edge > cost + self.config.margin_ppm * 1e-6 || net.urgent > 0.5;
        let is_out = net.leaving > 0.5;
        let is_late = is_out && lacking_ns > self.config.cross_ms * MILLISECOND_NS;
        if pays || is_late {
            return Some(Plan {
                index: cheapest,
                side,
                price: quote.level(side.opposite()).price,
                manner: Manner::Cross,
            });
        }
        let index = best_of(ctx, group, |quote, rules| price_to_rest(quote, rules, side))?;
        let quote = ctx.quote(id_of(index))?;
        let touch = quote.level(side).price;
        let tick = ctx.instrument(id_of(index)).tick;
        let may_improve = is_out && lacking_ns > self.config.improve_ms * MILLISECOND_NS;
        if may_improve && quote.spread() > tick {
            return Some(Plan {
                index,
                side,
                price: touch + side.sign() * tick,
                manner: Manner::Improve,
            });
        }
        Some(Plan {
            index,
            side,
            price: touch,
            manner: Manner::Join,
        })
    }

    /// Quantity of the child, and whether the target needs more than one.
    fn size(
        &self,
        ctx: &Context<'_>,
        features: &Features,
        group: &Group,
        plan: &Plan,
        net: &Net,
    ) -> (i64, bool) {
        let rules = ctx.instrument(id_of(plan.index));
        let wanted = net.units.abs() / group.factor(rules);
        let seconds = self.config.child_ms as f64 / 1_000.0;
        let volume = features.row(plan.index).volume_per_second() * seconds;
        let part = (volume * self.config.participation).min(9e15) as i64;
        // What is worth crossing for may take what stands there; a market in which nothing trades is still worth the
        // smallest order.
        let offered = match (plan.manner, ctx.quote(id_of(plan.index))) {
            (Manner::Cross, Some(quote)) => quote.level(plan.side.opposite()).quantity,
            _ => 0,
        };
        let cap = part.max(offered).max(rules.quantity_min);
        let quantity = wanted.min(cap);
        let quantity = quantity - quantity % rules.lot;
        let least = ctx.equity().share_ppm(i64::from(self.config.order_ppm_min));
        let is_small = rules.notional(plan.price, quantity) < least;
        let is_all = quantity >= wanted - wanted % rules.lot;
        // What leaves a position is never too small, as long as the venue takes it.
        let is_dust = is_small && is_all && net.leaving <= 0.5;
        if quantity < rules.quantity_min || is_dust {
            return (0, false);
        }
        (quantity, !is_all)
    }

    /// The quantity of the order that was placed.
    fn send(
        &mut self,
        ctx: &mut Context<'_>,
        group: usize,
        plan: &Plan,
        quantity: i64,
        is_cut: bool,
        net: &Net,
    ) -> Option<i64> {
        let id = id_of(plan.index);
        if clear_way(ctx, id, plan.side, plan.price) {
            return None;
        }
        let request = OrderRequest::limit(id, plan.side, plan.price, quantity);
        let request = match plan.manner {
            Manner::Cross => request.immediate_or_cancel(),
            Manner::Join | Manner::Improve => request.post_only(),
        };
        // Why: how, and for whom above all.
        let reason = plan.manner as u16 | (net.row as u16) << 8;
        let request = request.by(HUB_AGENT).because(reason, net.edge);
        let now_ns = ctx.now_ns();
        let quantity_allowed = ctx.largest_allowed(&request);
        let row = &mut self.rows[group];
        if quantity_allowed == 0 {
            // The gate says why, once in a while.
            let _ = ctx.place(request);
            row.ts_next_ns = now_ns + self.config.denied_ms * MILLISECOND_NS;
            return None;
        }
        let request = OrderRequest {
            quantity: quantity.min(quantity_allowed),
            ..request
        };
        match ctx.place(request) {
            Ok(id) => {
                row.working = id.0;
                row.ts_rested_ns = now_ns;
                // A passive child of a large target is followed by the next one after a while; one that crosses goes on as long
                // as it pays.
                let is_part =
                    (is_cut || quantity_allowed < quantity) && plan.manner != Manner::Cross;
                let wait_ms = if is_part { self.config.child_ms } else { 0 };
                row.ts_next_ns = now_ns + wait_ms * MILLISECOND_NS;
                Some(request.quantity)
            }
            Err(_) => {
                row.ts_next_ns = now_ns + self.config.denied_ms * MILLISECOND_NS;
                None
            }
        }
    }

    /// Cancels a child that the market or the agents have left behind.
    fn tend(&mut self, ctx: &mut Context<'_>, members: &Group, group: usize, net: &Net) {
        let row = &mut self.rows[group];
        let id = ClientOrderId(row.working);
        let Some(order) = ctx.order(id).copied() else {
            row.working = 0;
            return;
        };
        let row = *row;
        if ctx.now_ns() - row.ts_rested_ns < self.config.rest_ms_min * MILLISECOND_NS {
            return;
        }
        let Some(quote) = ctx.quote(order.instrument) else {
            return;
        };
        let rules = ctx.instrument(order.instrument);
        // For more than is still lacked, or in the wrong direction.
        let lacked = net.units.saturating_mul(order.side.sign());
        let is_wanted = order.remaining().saturating_mul(members.factor(rules)) <= lacked;
        if !is_wanted || self.should_move(&row, &order, &quote, rules, net, ctx.now_ns()) {
            ctx.cancel(id);
        }
    }

    /// True when a child that is wanted would do better elsewhere: at another price, inside the spread, or across it.
    fn should_move(
        &self,
        row: &Row,
        order: &Order,
        quote: &Quote,
        rules: &Instrument,
        net: &Net,
        now_ns: i64,
    ) -> bool {
        let is_out_for = |now_ns: i64, wait_ms: i64| {
            net.leaving > 0.5 && now_ns - row.ts_lacking_ns > wait_ms * MILLISECOND_NS
        };
        let pays = net.edge > cross_cost(quote, rules) + self.config.margin_ppm * 1e-6;
        if net.urgent > 0.5 || pays || is_out_for(now_ns, self.config.cross_ms) {
            return true;
        }
        // How far the touch is better than the order, in its direction.
        let behind = (quote.level(order.side).price - order.price) * order.side.sign();
        // One that was placed inside the spread stays there until someone is before it.
        if is_out_for(row.ts_rested_ns, self.config.improve_ms) {
            return behind > 0;
        }
        let may_improve = is_out_for(now_ns, self.config.improve_ms) && quote.spread() > rules.tick;
        behind != 0 || may_improve
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        for row in &self.rows {
            out.u64(row.working);
            out.i64(row.ts_rested_ns);
            out.i64(row.ts_next_ns);
            out.i64(row.ts_lacking_ns);
            out.u8(row.direction.cast_unsigned());
        }
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for row in &mut self.rows {
            *row = Row {
                working: from.u64()?,
                ts_rested_ns: from.time_ns()?,
                ts_next_ns: from.time_ns()?,
                ts_lacking_ns: from.time_ns()?,
                direction: from.u8()?.cast_signed(),
            };
            from.expect((-1..=1).contains(&row.direction), "a direction")?;
        }
        Ok(())
    }
}

/// One child order before its size.
#[derive(Clone, Copy, Debug)]
struct Plan {
    index: usize,
    side: Side,
    price: i64,
    manner: Manner,
}

const fn id_of(index: usize) -> InstrumentId {
    InstrumentId(index as u16)
}

/// The mean of the members' mids, those that have one.
fn mean_mid(ctx: &Context<'_>, group: &Group) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for &index in &group.members {
        if let Some(quote) = ctx.quote(id_of(index)) {
            sum += ctx.instrument(id_of(index)).price_f64(quote.mid_doubled()) / 2.0;
            count += 1.0;
        }
    }
    (count > 0.0).then(|| sum / count)
}

/// Half the spread and the taker's fee, as a log return.
fn cross_cost(quote: &Quote, rules: &Instrument) -> f64 {
    quote.spread() as f64 / quote.mid_doubled() as f64 + rules.taker_fee_ppm as f64 * 1e-6
}

/// What one unit costs, or a sale forgoes, when it crosses here: the price after the fee, negative for sales.
fn price_to_cross(quote: &Quote, rules: &Instrument, side: Side) -> f64 {
    let sign = side.sign() as f64;
    let price = rules.price_f64(quote.level(side.opposite()).price);
    price * (sign + rules.taker_fee_ppm as f64 * 1e-6)
}

/// How dear it is to wait here: the fee, and in so small a part that it only breaks ties, the queue before us.
fn price_to_rest(quote: &Quote, rules: &Instrument, side: Side) -> f64 {
    let queue = rules.quantity_f64(quote.level(side).quantity);
    rules.maker_fee_ppm as f64 + queue / (1.0 + queue)
}

/// The member with a live quote where this is least; the first of equals.
fn best_of(
    ctx: &Context<'_>,
    group: &Group,
    measure: impl Fn(&Quote, &Instrument) -> f64,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for &index in &group.members {
        let Some(quote) = ctx.quote(id_of(index)) else {
            continue;
        };
        let found = measure(&quote, ctx.instrument(id_of(index)));
        if best.is_none_or(|(_, least)| found < least) {
            best = Some((index, found));
        }
    }
    best.map(|(index, _)| index)
}

/// Cancels resting orders of our own that an order at this price would trade with. True when there were any: then the order
/// has to wait for the reports.
fn clear_way(ctx: &mut Context<'_>, id: InstrumentId, side: Side, price: i64) -> bool {
    let mut found = false;
    loop {
        let crosses = |order: &&Order| {
            order.side == side.opposite()
                && order.state != OrderState::PendingCancel
                && (order.price - price) * side.sign() <= 0
        };
        let Some(order) = ctx.open_orders(id).find(crosses).map(|order| order.id) else {
            break;
        };
        found = true;
        if !ctx.cancel(order) {
            break;
        }
    }
    found
}
