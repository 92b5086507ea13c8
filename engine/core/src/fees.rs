//! What a fill is expected to cost: a venue's fees fall with what was traded there.
//!
//! Only an expectation, for strategies that weigh an edge against its costs. What is booked is the fee of the venue's own
//! report.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// Fees from one volume on, parts per million of notional; negative = rebate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeTier {
    /// Traded at the venue since the start, in the account's currency.
    pub volume: Money,
    /// Of passive fills.
    pub maker_ppm: i64,
    /// Of aggressive fills.
    pub taker_ppm: i64,
}

/// The tiers of one venue, by rising volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueFees {
    /// The venue.
    pub venue: String,
    /// Its tiers. Below the first one's volume the instrument's own fees hold.
    pub tiers: Vec<FeeTier>,
}

impl VenueFees {
    /// False when a tier does not begin above the one before.
    pub fn is_rising(&self) -> bool {
        self.tiers
            .is_sorted_by(|one, next| one.volume < next.volume)
    }
}

/// The tier that holds at `volume`, if it has reached any.
pub(crate) fn tier_at(tiers: &[FeeTier], volume: Money) -> Option<&FeeTier> {
    tiers.iter().rev().find(|tier| tier.volume <= volume)
}
