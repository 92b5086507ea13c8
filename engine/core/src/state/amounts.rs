//! Rates, fees and limits that differ by instrument or venue: how the configuration becomes tables by index, and how rates
//! follow the markets.

use alloc::{vec, vec::Vec};

use super::State;
use crate::{
    config::{CoreConfig, CoreError},
    currency::{Rate, RateSource},
    event::RateChanged,
    fees::{FeeTier, tier_at},
    groups::Groups,
    instrument::InstrumentId,
    market::Market,
    money::Money,
    portfolio::{Portfolio, PortfolioError},
    risk::Limits,
};

/// The limits of every instrument.
pub(super) fn limits_by_instrument(config: &CoreConfig) -> Result<Vec<Limits>, CoreError> {
    let mut table = vec![config.limits; config.instruments.count()];
    for own in &config.account.instrument_limits {
        let mut rows = config.instruments.iter();
        let found = rows.find(|(_, row)| row.name() == own.instrument);
        let Some((id, _)) = found else {
            return Err(CoreError::UnknownInstrument(own.instrument.clone()));
        };
        own.limits.check()?;
        table[id.index()] = own.limits;
    }
    Ok(table)
}

/// The fee tiers of every venue.
pub(super) fn fees_by_venue(
    groups: &Groups,
    config: &CoreConfig,
) -> Result<Vec<Vec<FeeTier>>, CoreError> {
    let mut table = vec![Vec::new(); groups.venues().len()];
    for fees in &config.account.fees {
        let venue = groups.venues().iter().position(|name| *name == fees.venue);
        let Some(venue) = venue.filter(|_| fees.is_rising()) else {
            return Err(CoreError::Fees(fees.venue.clone()));
        };
        table[venue].clone_from(&fees.tiers);
    }
    Ok(table)
}

/// What other currencies are worth before anything happened.
pub(super) fn set_start_rates(
    portfolio: &mut Portfolio,
    groups: &Groups,
    config: &CoreConfig,
) -> Result<(), CoreError> {
    for start in &config.account.rates {
        let refuse = || CoreError::Rate(start.currency.clone());
        let mut names = groups.currencies().iter();
        let currency = names.position(|name| *name == start.currency);
        let rate = Rate::new(start.mantissa, start.exponent).filter(|rate| rate.is_known());
        let (Some(currency), Some(rate)) = (currency, rate) else {
            return Err(refuse());
        };
        portfolio
            .set_rate(currency, rate, RateSource::Configuration)
            .map_err(|_| refuse())?;
    }
    Ok(())
}

impl State {
    /// An amount in an instrument's currency in the account's; zero while there is no rate, or where it leaves its integer.
    pub(crate) fn in_account(&self, id: InstrumentId, amount: Money) -> Money {
        let rate = self.portfolio.rates().get(self.groups.of(id).currency);
        rate.convert(amount).unwrap_or(Money::ZERO)
    }

    /// Takes over a rate from outside. False when it is not taken: the currency is unknown or the account's own, an
    /// instrument of the hub gives its rate, or it is no rate.
    pub(crate) fn change_rate(&mut self, changed: &RateChanged) -> Result<bool, PortfolioError> {
        let currency = changed.currency as usize;
        let is_foreign = currency > 0 && currency < self.portfolio.rates().count();
        let Some(rate) = Rate::new(changed.mantissa, changed.exponent) else {
            return Ok(false);
        };
        if !is_foreign || self.groups.link(currency).is_some() {
            return Ok(false);
        }
        self.portfolio
            .set_rate(currency, rate, RateSource::Event)
            .map(|()| true)
    }

    /// Takes the rates that markets of the hub give, by the middle of their quotes. On the timer, not with every quote, so
    /// that a rate moves as seldom as limits are looked at. A market without a quote leaves the rate as it was.
    pub(crate) fn refresh_rates(&mut self) -> Result<(), PortfolioError> {
        for currency in 1..self.portfolio.rates().count() {
            let Some(link) = self.groups.link(currency) else {
                continue;
            };
            let market = self.markets.get(link.instrument.index());
            let (Some(quote), Some(row)) = (
                market.and_then(Market::quote),
                self.instruments.get(link.instrument),
            ) else {
                continue;
            };
            let exponent = u32::from(row.price_exponent);
            let rate = if link.is_reciprocal {
                Rate::reciprocal(quote.mid(), exponent)
            } else {
                Rate::new(quote.mid(), exponent)
            };
            let rates = self.portfolio.rates();
            let present = (rates.get(currency), rates.source(currency));
            if let Some(rate) = rate
                && (rate, RateSource::Market) != present
            {
                self.portfolio
                    .set_rate(currency, rate, RateSource::Market)?;
            }
        }
        Ok(())
    }

    /// The fee that a fill is expected to cost, parts per million of notional.
    pub(crate) fn expected_fee_ppm(&self, id: InstrumentId, is_maker: bool) -> i64 {
        let row = &self.instruments.rows()[id.index()];
        let venue = self.groups.of(id).venue;
        let tier = tier_at(&self.fees[venue], self.portfolio.venue_volume(venue));
        match (tier, is_maker) {
            (Some(tier), true) => tier.maker_ppm,
            (Some(tier), false) => tier.taker_ppm,
            (None, true) => row.maker_fee_ppm,
            (None, false) => row.taker_fee_ppm,
        }
    }
}
