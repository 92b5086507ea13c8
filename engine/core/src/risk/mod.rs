//! The pre-trade gate: a pure function over what is asked, what is known and what is allowed.
//!
//! Every order passes `check` and there is no way around it. It keeps no state, so the same three arguments always
//! give the same verdict. All arithmetic is integer; what would overflow is denied as `Overflow`.
//!
//! An order is *reducing* when it shrinks the position whatever else of that side may still trade: it stands against
//! the position, and with all open quantity of its side it is no larger than the position. Limits that only guard
//! growth let it pass, so that a hub in trouble can always get out.
//!
//! The checks, in the order in which they are made; the first that fails names the verdict:
//!
//! | verdict                                  | denied when                                             | reducing passes |
//! |------------------------------------------|---------------------------------------------------------|-----------------|
//! | Halted                                   | the hub is halted                                       | no              |
//! | UnknownInstrument                        | the view has no terms                                   | no              |
//! | UnknownAgent                             | the agent's number is not one of 1 to 16                | no              |
//! | DecisionsFull                            | no room for one more decision                           | no              |
//! | DuplicateId                              | the id was used before                                  | no              |
//! | BadTick, BadLot, BelowMinimum            | not positive, not a multiple, too small                 | no              |
//! | Contradiction                            | post-only and immediate at once                         | no              |
//! | StaleBook                                | not live, too old, or crossed                           | no              |
//! | NoReference                              | no positive reference price                             | no              |
//! | PriceCollar                              | too far above or below the reference                    | no              |
//! | WouldTake                                | post-only, but would trade at once                      | no              |
//! | OwnCross                                 | would trade with our own resting order                  | no              |
//! | OrderRate                                | too many orders in the last second                      | no              |
//! | MessageRate, VenueMessageRate            | too many orders and cancels in the last second          | no              |
//! | OrderNotional                            | the one order is too large in money                     | no              |
//! | OpenOrders                               | hub's table full; share for growth used up              | all but table   |
//! | Reducing                                 | only reducing orders are allowed                        | yes             |
//! | NoRate                                   | the quote currency has no rate to the account's         | yes             |
//! | Drawdown                                 | equity too far below its peak                           | yes             |
//! | DailyLoss                                | equity too far below the day's first                    | yes             |
//! | AgentLoss                                | the agent lost too much this day                        | yes             |
//! | PositionLimit                            | position + open of that side + order > share of equity  | yes             |
//! | OrderQuantity                            | the order > share of the largest position               | yes             |
//! | OrderRisk                                | loss at the assumed stop > share of equity              | yes             |
//! | GrossExposure                            | gross + all open + order > share of equity              | yes             |
//! | NetExposure                              | net + open of that side + order > share of equity       | yes             |
//! | VenueExposure                            | venue's gross + its open + order > share of equity      | yes             |
//! | AgentExposure                            | agent's gross + its open + order > share of equity      | yes             |
//! | Concentration                            | base netted + its open side + order > share of equity   | yes             |
//! | Margin                                   | margin of positions, open orders and order > equity     | yes             |
//! | CorrelationLimit                         | moves too much like what is held                        | yes             |
//! | VolumeTooLow                             | too little traded in 24 hours                           | yes             |
//! | Overflow                                 | an amount beyond `MONEY_MAX`, wherever it arises        | no              |
//!
//! Amounts of money are in the account's currency; the order's own are converted by `RiskView::rate`.
//!
//! Invariant: amounts are valued at the worse of the order's price and the reference. With no equity left nothing
//! may grow.

mod day;
mod denial;
mod limits;
mod messages;
mod rate;
mod request;
mod sizing;
mod state;
mod terms;
mod view;

pub(crate) use day::DayStart;
pub use day::NS_PER_DAY;
pub use denial::Denial;
pub use limits::{Limits, LimitsError};
pub(crate) use messages::Messages;
pub use rate::{ORDER_RATE_MAX, ORDER_RATE_WINDOW_NS, OrderRate};
pub use request::OrderRequest;
pub use sizing::{largest_allowed, quantity_for_risk};
pub use state::{StateReason, TradingState};
pub use terms::{MONEY_MAX, Terms};
pub use view::RiskView;

use crate::{
    decision::{OrderType, TimeInForce},
    event::Side,
    money::Money,
    orders::{AGENTS_MAX, OPEN_ORDERS_MAX},
};

/// Parts in a whole, for ppm.
const MILLION: i128 = 1_000_000;
/// Largest margin that the gate reckons with, in millionths.
const MARGIN_MAX: i128 = MONEY_MAX.0 * MILLION;

/// Judges one order.
///
/// # Errors
/// The first limit that it breaks, in the order of the table above.
pub fn check(request: &OrderRequest, view: &RiskView, limits: &Limits) -> Result<(), Denial> {
    if view.trading_state == TradingState::Halted {
        return Err(Denial::Halted);
    }
    let terms = view.terms.as_ref().ok_or(Denial::UnknownInstrument)?;
    if request.agent == 0 || request.agent as usize > AGENTS_MAX {
        return Err(Denial::UnknownAgent);
    }
    if view.decisions_room == 0 {
        return Err(Denial::DecisionsFull);
    }
    if view.is_id_used {
        return Err(Denial::DuplicateId);
    }
    check_form(request, terms)?;
    check_book(view, limits)?;
    check_price(request, view, limits)?;
    check_rates(view, limits)?;
    let is_reducing = view.is_reducing(request.side, request.quantity);
    let price = request.price.max(view.reference_price);
    let notional = terms
        .notional(price, request.quantity)
        .and_then(|notional| view.rate.convert(notional))
        .filter(|notional| notional.0 <= MONEY_MAX.0)
        .ok_or(Denial::Overflow)?;
    if notional > limits.order_notional_max {
        return Err(Denial::OrderNotional);
    }
    if view.open_orders as usize >= OPEN_ORDERS_MAX {
        return Err(Denial::OpenOrders);
    }
    if is_reducing {
        return Ok(());
    }
    check_growth(request, view, limits, terms, price, notional)
}

/// How much was sent within the last second.
const fn check_rates(view: &RiskView, limits: &Limits) -> Result<(), Denial> {
    if view.orders_last_second >= limits.orders_per_second {
        return Err(Denial::OrderRate);
    }
    if view.messages_last_second >= limits.messages_per_second {
        return Err(Denial::MessageRate);
    }
    if view.venue_messages_last_second >= limits.venue_messages_per_second {
        return Err(Denial::VenueMessageRate);
    }
    Ok(())
}

/// What the order says of itself: increments, minimum, and no contradiction.
fn check_form(request: &OrderRequest, terms: &Terms) -> Result<(), Denial> {
    if request.price <= 0 || !is_multiple(request.price, terms.tick) {
        return Err(Denial::BadTick);
    }
    if request.quantity <= 0 || !is_multiple(request.quantity, terms.lot) {
        return Err(Denial::BadLot);
    }
    if request.quantity < terms.quantity_min {
        return Err(Denial::BelowMinimum);
    }
    let is_immediate = request.time_in_force != TimeInForce::GoodTillCancelled;
    if request.order_type == OrderType::PostOnly && is_immediate {
        return Err(Denial::Contradiction);
    }
    Ok(())
}

/// What we know of the market must be fresh and sane. A quote from the future is as doubtful as an old one.
fn check_book(view: &RiskView, limits: &Limits) -> Result<(), Denial> {
    let is_crossed = view.best_ask > 0 && view.best_bid >= view.best_ask;
    let is_old = view.quote_age_ns.unsigned_abs() > limits.stale_after_ns.max(0).unsigned_abs();
    if !view.is_book_live || is_old || is_crossed {
        return Err(Denial::StaleBook);
    }
    if view.reference_price <= 0 {
        return Err(Denial::NoReference);
    }
    Ok(())
}

/// The price against the reference, the opposite quote and our own resting orders.
fn check_price(request: &OrderRequest, view: &RiskView, limits: &Limits) -> Result<(), Denial> {
    let (price, reference) = (i128::from(request.price), i128::from(view.reference_price));
    // How much worse than the reference we would pay or get; negative = passive. Both factors are below 2^64.
    let beyond = i128::from(request.side.sign()) * (price - reference) * MILLION;
    let aggressive = reference * i128::from(limits.collar_ppm);
    let passive = reference * i128::from(limits.collar_passive_ppm);
    if beyond > aggressive || -beyond > passive {
        return Err(Denial::PriceCollar);
    }
    let quote = match request.side {
        Side::Bid => view.best_ask,
        Side::Ask => view.best_bid,
    };
    let crosses = |other: i64| match request.side {
        Side::Bid => request.price >= other,
        Side::Ask => request.price <= other,
    };
    if request.order_type == OrderType::PostOnly && quote > 0 && crosses(quote) {
        return Err(Denial::WouldTake);
    }
    if view.own_opposite_price.is_some_and(crosses) {
        return Err(Denial::OwnCross);
    }
    Ok(())
}

/// The limits that guard growth. `price` is the worse of the order's and the reference, `notional` the order's at that price
/// in the account's currency.
fn check_growth(
    request: &OrderRequest,
    view: &RiskView,
    limits: &Limits,
    terms: &Terms,
    price: i64,
    notional: Money,
) -> Result<(), Denial> {
    if view.open_orders >= limits.open_orders
        || view.open_orders_instrument >= limits.open_orders_per_instrument
    {
        return Err(Denial::OpenOrders);
    }
    if view.trading_state == TradingState::Reducing {
        return Err(Denial::Reducing);
    }
    if !view.rate.is_known() {
        return Err(Denial::NoRate);
    }
    let equity = bounded(view.equity)?;
    check_losses(view, limits, equity)?;
    let worst = view.worst_position(request.side, request.quantity);
    let worst = terms
        .notional_wide(price, worst)
        .and_then(|worst| view.rate.convert(worst))
        .ok_or(Denial::Overflow)?;
    check_size(limits, equity, bounded(worst)?, notional.0)?;
    check_levels(request.side, view, limits, equity, notional.0)?;
    if view.correlation_ppm > i64::from(limits.correlation_ppm) {
        return Err(Denial::CorrelationLimit);
    }
    if view.volume_24h < limits.volume_24h_min {
        return Err(Denial::VolumeTooLow);
    }
    Ok(())
}

/// What was lost: by the account since its peak and since the day began, and by the agent since the day began.
///
/// Here and below amounts are at most 2^94 and shares below 2^32, so sums of a few and their products fit 127 bits.
fn check_losses(view: &RiskView, limits: &Limits, equity: i128) -> Result<(), Denial> {
    let equity_max = bounded(view.equity_max)?;
    if (equity_max - equity) * MILLION > equity_max.max(0) * i128::from(limits.drawdown_ppm) {
        return Err(Denial::Drawdown);
    }
    let equity_day = bounded(view.equity_day)?;
    if (equity_day - equity) * MILLION > equity_day.max(0) * i128::from(limits.daily_loss_ppm) {
        return Err(Denial::DailyLoss);
    }
    let agent_loss = bounded(view.agent_loss)?;
    if agent_loss * MILLION > equity_day.max(0) * i128::from(limits.agent_loss_ppm) {
        return Err(Denial::AgentLoss);
    }
    Ok(())
}

/// The size of the position that may come of it, and of the order itself.
fn check_size(limits: &Limits, equity: i128, worst: i128, notional: i128) -> Result<(), Denial> {
    let position_max = equity * i128::from(limits.position_share_ppm);
    if worst * MILLION > position_max {
        return Err(Denial::PositionLimit);
    }
    let order_max = bounded(Money(position_max / MILLION))? * i128::from(limits.order_share_ppm);
    if notional * MILLION > order_max {
        return Err(Denial::OrderQuantity);
    }
    let loss = notional * i128::from(limits.stop_distance_ppm);
    if loss > equity * i128::from(limits.risk_per_trade_ppm) {
        return Err(Denial::OrderRisk);
    }
    Ok(())
}

/// The levels above the instrument: hub, venue, agent, base asset and margin.
fn check_levels(
    side: Side,
    view: &RiskView,
    limits: &Limits,
    equity: i128,
    notional: i128,
) -> Result<(), Denial> {
    let sign = i128::from(side.sign());
    let exceeds = |held: Money, open: Money, ppm: u32| {
        let sum = bounded(held)? + bounded(open)? + notional;
        Ok(bounded(Money(sum))? * MILLION > equity * i128::from(ppm))
    };
    // What a hedge takes away is netted; only what grows towards the order's side counts against it.
    let towards = |held: Money| bounded(held).map(|held| Money(held * sign));
    if exceeds(
        view.gross_exposure,
        view.open_notional,
        limits.gross_exposure_ppm,
    )? {
        return Err(Denial::GrossExposure);
    }
    let net = towards(view.net_exposure)?;
    if exceeds(net, view.open_notional_side, limits.net_exposure_ppm)? {
        return Err(Denial::NetExposure);
    }
    if exceeds(view.venue_exposure, Money::ZERO, limits.venue_exposure_ppm)? {
        return Err(Denial::VenueExposure);
    }
    if exceeds(view.agent_exposure, Money::ZERO, limits.agent_exposure_ppm)? {
        return Err(Denial::AgentExposure);
    }
    let base = towards(view.base_exposure)?;
    if exceeds(base, view.base_open_side, limits.concentration_ppm)? {
        return Err(Denial::Concentration);
    }
    let margin = view.margin_millionths.0;
    if margin.unsigned_abs() > MARGIN_MAX.unsigned_abs() {
        return Err(Denial::Overflow);
    }
    if limits.margin_ppm > 0 && margin + notional * i128::from(limits.margin_ppm) > equity * MILLION
    {
        return Err(Denial::Margin);
    }
    Ok(())
}

/// `step` is positive in every checked table of instruments; a zero here must deny, not divide.
const fn is_multiple(value: i64, step: i64) -> bool {
    step > 0 && value % step == 0
}

/// The amount, if it is small enough to multiply by a share.
const fn bounded(amount: Money) -> Result<i128, Denial> {
    if amount.0 > MONEY_MAX.0 || amount.0 < -MONEY_MAX.0 {
        return Err(Denial::Overflow);
    }
    Ok(amount.0)
}
