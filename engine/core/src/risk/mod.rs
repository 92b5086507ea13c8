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
//! | OrderNotional                            | the one order is too large in money                     | no              |
//! | OpenOrders                               | hub's table full; share for growth used up              | all but table   |
//! | Reducing                                 | only reducing orders are allowed                        | yes             |
//! | Drawdown                                 | equity too far below its peak                           | yes             |
//! | PositionLimit                            | position + open of that side + order > share of equity  | yes             |
//! | OrderQuantity                            | the order > share of the largest position               | yes             |
//! | OrderRisk                                | loss at the assumed stop > share of equity              | yes             |
//! | GrossExposure                            | gross + all open + order > share of equity              | yes             |
//! | CorrelationLimit                         | moves too much like what is held                        | yes             |
//! | VolumeTooLow                             | too little traded in 24 hours                           | yes             |
//! | Overflow                                 | an amount beyond `MONEY_MAX`, wherever it arises        | no              |
//!
//! Invariant: amounts are valued at the worse of the order's price and the reference. With no equity left nothing
//! may grow.

mod denial;
mod limits;
mod rate;
mod request;
mod sizing;
mod state;
mod terms;
mod view;

pub use denial::Denial;
pub use limits::{Limits, LimitsError};
pub use rate::{ORDER_RATE_MAX, ORDER_RATE_WINDOW_NS, OrderRate};
pub use request::OrderRequest;
pub use sizing::quantity_for_risk;
pub use state::{StateReason, TradingState};
pub use terms::{MONEY_MAX, Terms};
pub use view::RiskView;

use crate::{
    decision::{OrderType, TimeInForce},
    event::Side,
    money::Money,
    orders::OPEN_ORDERS_MAX,
};

/// Parts in a whole, for ppm.
const MILLION: i128 = 1_000_000;

/// Judges one order.
///
/// # Errors
/// The first limit that it breaks, in the order of the table above.
pub fn check(request: &OrderRequest, view: &RiskView, limits: &Limits) -> Result<(), Denial> {
    if view.trading_state == TradingState::Halted {
        return Err(Denial::Halted);
    }
    let terms = view.terms.as_ref().ok_or(Denial::UnknownInstrument)?;
    if view.decisions_room == 0 {
        return Err(Denial::DecisionsFull);
    }
    if view.is_id_used {
        return Err(Denial::DuplicateId);
    }
    check_form(request, terms)?;
    check_book(view, limits)?;
    check_price(request, view, limits)?;
    if view.orders_last_second >= limits.orders_per_second {
        return Err(Denial::OrderRate);
    }
    let is_reducing = view.is_reducing(request.side, request.quantity);
    let price = request.price.max(view.reference_price);
    let notional = terms
        .notional(price, request.quantity)
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

/// The limits that guard growth, in money. `price` is the worse of the order's and the reference.
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
    let equity = bounded(view.equity)?;
    let equity_max = bounded(view.equity_max)?;
    // Amounts are below 2^94 and shares below 2^32, so no product below can leave 127 bits.
    if (equity_max - equity) * MILLION > equity_max.max(0) * i128::from(limits.drawdown_ppm) {
        return Err(Denial::Drawdown);
    }
    let position_max = equity * i128::from(limits.position_share_ppm);
    let worst = view.worst_position(request.side, request.quantity);
    let worst = terms.notional_wide(price, worst).ok_or(Denial::Overflow)?;
    if worst.0 * MILLION > position_max {
        return Err(Denial::PositionLimit);
    }
    let order_max = bounded(Money(position_max / MILLION))? * i128::from(limits.order_share_ppm);
    if notional.0 * MILLION > order_max {
        return Err(Denial::OrderQuantity);
    }
    let loss = notional.0 * i128::from(limits.stop_distance_ppm);
    if loss > equity * i128::from(limits.risk_per_trade_ppm) {
        return Err(Denial::OrderRisk);
    }
    let gross = bounded(view.gross_exposure)? + bounded(view.open_notional)? + notional.0;
    let gross = bounded(Money(gross))?;
    if gross * MILLION > equity * i128::from(limits.gross_exposure_ppm) {
        return Err(Denial::GrossExposure);
    }
    if view.correlation_ppm > i64::from(limits.correlation_ppm) {
        return Err(Denial::CorrelationLimit);
    }
    if view.volume_24h < limits.volume_24h_min {
        return Err(Denial::VolumeTooLow);
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
