//! What is kept of one instrument.

use super::BasisLeadLagConfig;
use crate::{
    prelude::*,
    stats::{Ewma, EwmaPair, LAG_MAX, StatsError},
};

/// Ticks of prices kept: the longest lag and the newest.
pub(super) const PAST_TICKS: usize = LAG_MAX + 1;

/// What is known of one instrument.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) log_price: f64,
    pub(super) is_live: bool,
    /// Log prices at the last ticks, as a ring; `ticks` modulo its length is the newest.
    pub(super) past: [f64; PAST_TICKS],
    /// Slow mean and variance of perpetual minus spot; used at the perpetual only.
    pub(super) basis: Ewma,
    pub(super) ts_basis_ns: i64,
    /// Own return on the distance of the basis a tick before.
    pub(super) correction: EwmaPair,
    /// That distance; 0 while unknown.
    pub(super) distance_before: f64,
    /// Index of the other half of a spot-perpetual pair.
    pub(super) partner: Option<usize>,
    pub(super) is_perpetual: bool,
    pub(super) leader: Option<Leader>,
    pub(super) ts_entered_ns: i64,
    pub(super) entry_price: i64,
    pub(super) resting: Option<ClientOrderId>,
    pub(super) ts_rested_ns: i64,
}

impl Tracked {
    pub(super) fn new(
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
pub(super) struct Leader {
    pub(super) index: usize,
    pub(super) lag_ticks: usize,
    /// Return of the follower per return of the leader.
    pub(super) beta: f64,
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
