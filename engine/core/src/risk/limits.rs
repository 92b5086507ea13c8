//! What is allowed, all integers: one set of limits for every instrument, equal unless the configuration says otherwise.

use serde::{Deserialize, Serialize};

use super::rate::ORDER_RATE_MAX;
use crate::{money::Money, orders::OPEN_ORDERS_MAX};

/// The limits. Shares are in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// MAX_POSITION_SIZE: largest position of one instrument, as a share of equity.
    pub position_share_ppm: u32,
    /// Largest single order, as a share of the largest position.
    pub order_share_ppm: u32,
    /// Largest single order in money.
    pub order_notional_max: Money,
    /// RISK_PER_TRADE: largest loss of one order at its stop, as a share of equity.
    pub risk_per_trade_ppm: u32,
    /// Assumed distance of the stop, as a share of the price.
    pub stop_distance_ppm: u32,
    /// How far beyond the reference a buy may pay or a sell may give in, as a share of the reference.
    pub collar_ppm: u32,
    /// How far on the passive side an order may lie: farther is a typing error, not an intention.
    pub collar_passive_ppm: u32,
    /// Most orders within one second.
    pub orders_per_second: u32,
    /// Most open orders of the hub that grow risk; the rest of the table is kept for reducing ones.
    pub open_orders: u32,
    /// Most open orders of one instrument that grow risk.
    pub open_orders_per_instrument: u32,
    /// Oldest quote that may be acted on.
    pub stale_after_ns: i64,
    /// Largest correlation with what is held.
    pub correlation_ppm: u32,
    /// Smallest 24-hour volume in money; 0 admits every instrument.
    pub volume_24h_min: Money,
    /// Largest sum of all positions, as a share of equity.
    pub gross_exposure_ppm: u32,
    /// Largest fall of equity below its peak, as a share of the peak.
    pub drawdown_ppm: u32,
    /// Largest sum of all positions netted, either way, as a share of equity.
    pub net_exposure_ppm: u32,
    /// Largest sum of all positions at one venue, as a share of equity.
    pub venue_exposure_ppm: u32,
    /// Largest sum of all positions of one agent, as a share of equity.
    pub agent_exposure_ppm: u32,
    /// Largest position in one base asset, netted over all venues and contracts, as a share of equity.
    pub concentration_ppm: u32,
    /// Largest fall of equity below its value at the start of the UTC day, as a share of that.
    pub daily_loss_ppm: u32,
    /// Largest loss of one agent since the start of the UTC day, as a share of the account's equity then.
    pub agent_loss_ppm: u32,
    /// Most orders and cancels of the hub within one second; cancels count but are never held back.
    pub messages_per_second: u32,
    /// Most orders and cancels to one venue within one second.
    pub venue_messages_per_second: u32,
    /// Margin that a position or an order takes up, as a share of its notional; 0 = none is reckoned.
    pub margin_ppm: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            position_share_ppm: 100_000,
            order_share_ppm: 500_000,
            order_notional_max: Money::from_units(100_000),
            risk_per_trade_ppm: 10_000,
            stop_distance_ppm: 20_000,
            collar_ppm: 20_000,
            collar_passive_ppm: 200_000,
            orders_per_second: 50,
            open_orders: 192,
            open_orders_per_instrument: 16,
            stale_after_ns: 2_000_000_000,
            correlation_ppm: 850_000,
            volume_24h_min: Money::ZERO,
            gross_exposure_ppm: 1_000_000,
            drawdown_ppm: 100_000,
            net_exposure_ppm: 1_000_000,
            venue_exposure_ppm: 1_000_000,
            agent_exposure_ppm: 1_000_000,
            concentration_ppm: 1_000_000,
            daily_loss_ppm: 100_000,
            agent_loss_ppm: 100_000,
            messages_per_second: 200,
            venue_messages_per_second: 200,
            margin_ppm: 0,
        }
    }
}

/// A limit that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit {field}: expected {expected}, not {found}")]
pub struct LimitsError {
    /// Which limit.
    pub field: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// What it is.
    pub found: i128,
}

/// Share above which a limit on exposure is taken for a typing error: a hundredfold.
const LEVERAGE_MAX_PPM: u32 = 100_000_000;
const _: () = assert!(ORDER_RATE_MAX == 1024 && OPEN_ORDERS_MAX == 256);

impl Limits {
    /// Refuses limits that cannot be meant; done once, when the configuration is read.
    ///
    /// # Errors
    /// The first such limit.
    pub fn check(&self) -> Result<(), LimitsError> {
        let leverages = [
            ("position_share_ppm", self.position_share_ppm),
            ("gross_exposure_ppm", self.gross_exposure_ppm),
            ("net_exposure_ppm", self.net_exposure_ppm),
            ("venue_exposure_ppm", self.venue_exposure_ppm),
            ("agent_exposure_ppm", self.agent_exposure_ppm),
            ("concentration_ppm", self.concentration_ppm),
        ];
        at_most(&leverages, LEVERAGE_MAX_PPM, "at most 100000000")?;
        let parts = [
            ("order_share_ppm", self.order_share_ppm),
            ("risk_per_trade_ppm", self.risk_per_trade_ppm),
            ("stop_distance_ppm", self.stop_distance_ppm),
            ("collar_ppm", self.collar_ppm),
            ("collar_passive_ppm", self.collar_passive_ppm),
            ("correlation_ppm", self.correlation_ppm),
            ("drawdown_ppm", self.drawdown_ppm),
            ("daily_loss_ppm", self.daily_loss_ppm),
            ("agent_loss_ppm", self.agent_loss_ppm),
            ("margin_ppm", self.margin_ppm),
        ];
        at_most(&parts, 1_000_000, "at most 1000000")?;
        let rates = [
            ("orders_per_second", self.orders_per_second),
            ("messages_per_second", self.messages_per_second),
            ("venue_messages_per_second", self.venue_messages_per_second),
        ];
        at_most(&rates, ORDER_RATE_MAX as u32, "at most 1024")?;
        // The table of orders is shared: one instrument can have no more open than fit into all of it.
        let open = [
            ("open_orders", self.open_orders),
            (
                "open_orders_per_instrument",
                self.open_orders_per_instrument,
            ),
        ];
        at_most(&open, OPEN_ORDERS_MAX as u32, "at most 256")?;
        if self.stale_after_ns < 0 {
            let found = i128::from(self.stale_after_ns);
            return Err(refused("stale_after_ns", "not negative", found));
        }
        if self.stop_distance_ppm == 0 {
            return Err(refused("stop_distance_ppm", "positive", 0));
        }
        let amounts = [
            ("order_notional_max", self.order_notional_max),
            ("volume_24h_min", self.volume_24h_min),
        ];
        for (field, amount) in amounts {
            if amount < Money::ZERO {
                return Err(refused(field, "not negative", amount.0));
            }
        }
        Ok(())
    }
}

/// Refuses the first limit above `most`.
fn at_most(
    limits: &[(&'static str, u32)],
    most: u32,
    expected: &'static str,
) -> Result<(), LimitsError> {
    let mut limits = limits.iter();
    match limits.find(|(_, found)| *found > most) {
        None => Ok(()),
        Some((field, found)) => Err(refused(field, expected, i128::from(*found))),
    }
}

const fn refused(field: &'static str, expected: &'static str, found: i128) -> LimitsError {
    LimitsError {
        field,
        expected,
        found,
    }
}
