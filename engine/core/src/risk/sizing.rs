//! How much to trade for a given risk.

use super::{
    Limits, OrderRequest, RiskView, check,
    terms::{MONEY_MAX, Terms},
};
use crate::{instrument::Instrument, money::Money};

/// The largest quantity whose loss over `stop_distance` (price mantissa) is at most `risk_ppm` of `equity`: whole lots,
/// and 0 when that is less than the venue's smallest order or when there is no equity or no distance.
pub fn quantity_for_risk(
    equity: Money,
    risk_ppm: u32,
    stop_distance: i64,
    instrument: &Instrument,
) -> i64 {
    let terms = Terms::of(instrument);
    if equity <= Money::ZERO || stop_distance <= 0 || terms.lot <= 0 {
        return 0;
    }
    // Both products fit: 2^94 * 2^32, and 2^20 * 2^63 * 2^40.
    let budget = equity.min(MONEY_MAX).0 * i128::from(risk_ppm);
    let loss_of_one = 1_000_000 * i128::from(stop_distance) * i128::from(terms.scale);
    let quantity = i64::try_from(budget / loss_of_one).unwrap_or(i64::MAX);
    let quantity = quantity - quantity % terms.lot;
    if quantity < terms.quantity_min {
        return 0;
    }
    quantity
}

/// The largest quantity, in whole lots and no more than `request` asks for, with which the order passes; 0 when none does.
///
/// A smaller order breaks no limit that a larger one keeps: the limits of money grow with the quantity, and an order that
/// is small enough to be reducing passes more of them. Only the venue's smallest quantity works the other way, so the
/// search begins there. At most 63 verdicts.
pub fn largest_allowed(request: &OrderRequest, view: &RiskView, limits: &Limits) -> i64 {
    let Some(terms) = view.terms.filter(|terms| terms.lot > 0) else {
        return 0;
    };
    let passes = |lots: i64| {
        let quantity = lots * terms.lot;
        let cut = OrderRequest {
            quantity,
            ..*request
        };
        check(&cut, view, limits).is_ok()
    };
    // Lots below the first that the venue takes, and the most that are asked for.
    let smallest = terms.quantity_min.max(1);
    let mut passing = smallest / terms.lot + i64::from(smallest % terms.lot != 0);
    let mut most = request.quantity / terms.lot;
    if most < passing || !passes(passing) {
        return 0;
    }
    while passing < most {
        let middle = passing + (most - passing) / 2 + (most - passing) % 2;
        if passes(middle) {
            passing = middle;
        } else {
            most = middle - 1;
        }
    }
    passing * terms.lot
}
