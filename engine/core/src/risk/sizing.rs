//! How much to trade for a given risk.

use super::terms::{MONEY_MAX, Terms};
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
