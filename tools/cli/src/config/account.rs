//! The account, and what differs by instrument or venue: currency and rates, fee tiers, margins, limits of single instruments.

use std::collections::BTreeMap;

use acth_core::{
    config::{AccountConfig, InstrumentLimits, StartRate},
    fees::{FeeTier, VenueFees},
    instrument::{Contract, Instrument},
    risk::Limits,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Config, duration_ns, money, nearest::nearest, ppm};
use crate::exit::Failure;

/// The account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// Cash at the start, in the account's currency.
    pub cash: Decimal,
    /// The currency that equity is reckoned in; empty = what most instruments are paid in.
    pub currency: String,
    /// What other currencies are worth in it at the start, e.g. `EUR = 1.085`. Where a spot instrument of the hub trades the two,
    /// its market gives the rate from then on.
    pub rates: BTreeMap<String, Decimal>,
    /// Most by which the cash of one currency at a spot venue may differ from the hub's books when it is re-armed, in the
    /// account's currency; a currency without a rate is beyond any. Absent = a difference is told and stops nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cash_tolerance: Option<Decimal>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            cash: Decimal::from(1_000_000),
            currency: String::new(),
            rates: BTreeMap::new(),
            cash_tolerance: None,
        }
    }
}

/// Fees of one venue, in parts per million of notional; negative = rebate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// Of passive fills.
    pub maker_ppm: i64,
    /// Of aggressive fills.
    pub taker_ppm: i64,
    /// Lower fees from a traded volume on, by rising volume: what strategies expect. The fee that is booked is the venue's own.
    #[serde(default)]
    pub tiers: Vec<Tier>,
}

/// Fees from one volume on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Traded at the venue since the start, in the account's currency.
    pub volume: Decimal,
    /// Of passive fills.
    pub maker_ppm: i64,
    /// Of aggressive fills.
    pub taker_ppm: i64,
}

/// Initial margin by contract, as a share of notional; 0 = none is reckoned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Margin {
    /// Of spot positions.
    pub spot: Decimal,
    /// Of perpetual swaps.
    pub perpetual: Decimal,
    /// Of dated futures.
    pub future: Decimal,
}

/// Limits that differ from those in `risk`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitTables {
    /// By instrument, under its name `venue:symbol`.
    pub instrument: BTreeMap<String, OwnLimits>,
}

/// Limits of one instrument; what is absent is as in `risk`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnLimits {
    /// As `risk.max_position_size`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_position_size: Option<Decimal>,
    /// As `risk.risk_per_trade`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_per_trade: Option<Decimal>,
    /// As `risk.stop_distance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_distance: Option<Decimal>,
    /// As `risk.max_correlation_threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_correlation_threshold: Option<Decimal>,
    /// As `risk.min_volume_threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_volume_threshold: Option<Decimal>,
    /// As `risk.max_order_notional`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_order_notional: Option<Decimal>,
    /// As `risk.price_collar`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_collar: Option<Decimal>,
    /// Most open orders of this instrument that grow risk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_orders: Option<u32>,
    /// As `risk.stale_after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<String>,
    /// Initial margin as a share of notional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Decimal>,
}

impl OwnLimits {
    /// The limits of the instrument called `name`, from those of all.
    fn applied(&self, name: &str, mut limits: Limits) -> Result<Limits, Failure> {
        let place = |field: &str| format!("limits.instrument.\"{name}\".{field}");
        let shares = [
            (
                "max_position_size",
                self.max_position_size,
                100,
                &mut limits.position_share_ppm,
            ),
            (
                "risk_per_trade",
                self.risk_per_trade,
                1,
                &mut limits.risk_per_trade_ppm,
            ),
            (
                "stop_distance",
                self.stop_distance,
                1,
                &mut limits.stop_distance_ppm,
            ),
            (
                "max_correlation_threshold",
                self.max_correlation_threshold,
                1,
                &mut limits.correlation_ppm,
            ),
            ("price_collar", self.price_collar, 1, &mut limits.collar_ppm),
            ("margin", self.margin, 1, &mut limits.margin_ppm),
        ];
        for (field, given, most, limit) in shares {
            if let Some(share) = given {
                *limit = ppm(&place(field), share, most)?;
            }
        }
        let amounts = [
            (
                "min_volume_threshold",
                self.min_volume_threshold,
                &mut limits.volume_24h_min,
            ),
            (
                "max_order_notional",
                self.max_order_notional,
                &mut limits.order_notional_max,
            ),
        ];
        for (field, given, limit) in amounts {
            if let Some(amount) = given {
                *limit = money(&place(field), amount)?;
            }
        }
        if let Some(text) = &self.stale_after {
            limits.stale_after_ns = duration_ns(&place("stale_after"), text)?;
        }
        limits.open_orders_per_instrument = self
            .open_orders
            .unwrap_or(limits.open_orders_per_instrument);
        Ok(limits)
    }
}

/// The account's part of the core's configuration, for these instruments.
pub(super) fn read(config: &Config, instruments: &[Instrument]) -> Result<AccountConfig, Failure> {
    expect_reachable(config, instruments)?;
    Ok(AccountConfig {
        currency: config.account.currency.clone(),
        rates: rates(config, instruments)?,
        instrument_limits: instrument_limits(config, instruments)?,
        fees: fees(config, instruments)?,
    })
}

/// An account in a currency that nothing leads to could trade nothing: more likely it is a typing error.
fn expect_reachable(config: &Config, instruments: &[Instrument]) -> Result<(), Failure> {
    let (account, rates) = (&config.account.currency, &config.account.rates);
    let names = |row: &Instrument| row.quote == *account || row.base == *account;
    if account.is_empty() || !rates.is_empty() || instruments.iter().any(names) {
        return Ok(());
    }
    let known = instruments.iter().map(|row| row.quote.as_str());
    Err(unknown("account.currency", "currency", account, known))
}

fn rates(config: &Config, instruments: &[Instrument]) -> Result<Vec<StartRate>, Failure> {
    let known = || instruments.iter().map(|row| row.quote.as_str());
    let rates = config.account.rates.iter().map(|(currency, rate)| {
        if !known().any(|name| name == currency) {
            return Err(unknown("account.rates", "currency", currency, known()));
        }
        let rate = rate.normalize();
        let mantissa = i64::try_from(rate.mantissa())
            .ok()
            .filter(|value| *value > 0);
        let mantissa = mantissa.filter(|_| rate.scale() <= 18);
        let refuse = || {
            Failure::could_not(format!(
                "account.rates.{currency}: {rate} is not a positive rate of at most 18 digits"
            ))
        };
        Ok(StartRate {
            currency: currency.clone(),
            mantissa: mantissa.ok_or_else(refuse)?,
            exponent: rate.scale(),
        })
    });
    rates.collect()
}

/// Only what differs from the limits of all is written down.
fn instrument_limits(
    config: &Config,
    instruments: &[Instrument],
) -> Result<Vec<InstrumentLimits>, Failure> {
    let own = &config.limits.instrument;
    let names: Vec<String> = instruments.iter().map(Instrument::name).collect();
    for name in own.keys() {
        if !names.contains(name) {
            let known = names.iter().map(String::as_str);
            return Err(unknown("limits.instrument", "instrument", name, known));
        }
    }
    let common = config.limits()?;
    let mut table = Vec::new();
    for (row, name) in instruments.iter().zip(names) {
        let (place, margin) = match row.contract {
            Contract::Spot => ("margin.spot", config.margin.spot),
            Contract::Perpetual => ("margin.perpetual", config.margin.perpetual),
            Contract::Future => ("margin.future", config.margin.future),
        };
        let mut limits = Limits {
            margin_ppm: ppm(place, margin, 1)?,
            ..common
        };
        if let Some(own) = own.get(&name) {
            limits = own.applied(&name, limits)?;
        }
        if limits != common {
            table.push(InstrumentLimits {
                instrument: name,
                limits,
            });
        }
    }
    Ok(table)
}

/// The tiers of venues that have instruments; fees of others are no mistake, one file may serve several hubs.
fn fees(config: &Config, instruments: &[Instrument]) -> Result<Vec<VenueFees>, Failure> {
    let is_here = |venue: &str| instruments.iter().any(|row| row.venue == venue);
    let mut table = Vec::new();
    for (venue, fees) in &config.fees {
        let mut tiers = Vec::with_capacity(fees.tiers.len());
        for tier in &fees.tiers {
            tiers.push(FeeTier {
                volume: money(&format!("fees.{venue}.tiers.volume"), tier.volume)?,
                maker_ppm: tier.maker_ppm,
                taker_ppm: tier.taker_ppm,
            });
        }
        if !tiers.is_empty() && is_here(venue) {
            let venue = venue.clone();
            table.push(VenueFees { venue, tiers });
        }
    }
    Ok(table)
}

/// Checks what can be checked before the instruments are known.
pub(super) fn check(config: &Config) -> Result<(), Failure> {
    let common = config.limits()?;
    for (name, own) in &config.limits.instrument {
        let limits = own.applied(name, common)?;
        limits.check().map_err(|error| {
            Failure::could_not(format!("limits.instrument.\"{name}\": {error}"))
        })?;
    }
    let margin = &config.margin;
    for (place, share) in [
        ("margin.spot", margin.spot),
        ("margin.perpetual", margin.perpetual),
        ("margin.future", margin.future),
    ] {
        ppm(place, share, 1)?;
    }
    for (venue, fees) in &config.fees {
        if !fees
            .tiers
            .is_sorted_by(|one, next| one.volume < next.volume)
        {
            return Err(Failure::could_not(format!(
                "fees.{venue}.tiers: expected tiers of rising volume"
            )));
        }
    }
    Ok(())
}

fn unknown<'a>(
    place: &str,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Failure {
    let hint =
        nearest(name, known).map_or(String::new(), |found| format!("; did you mean `{found}`?"));
    Failure::could_not(format!("{place}: unknown {what} `{name}`{hint}"))
}

#[cfg(test)]
mod tests {
    use acth_core::instrument::AssetClass;
    use acth_core::money::Money;

    use super::*;
    use crate::config::file::parse;

    fn row(venue: &str, quote: &str, contract: Contract) -> Instrument {
        Instrument {
            venue: venue.into(),
            symbol: format!("BTC{quote}"),
            base: "BTC".into(),
            quote: quote.into(),
            asset_class: AssetClass::Crypto,
            contract,
            price_exponent: 2,
            quantity_exponent: 3,
            tick: 1,
            lot: 1,
            quantity_min: 1,
            maker_fee_ppm: 0,
            taker_fee_ppm: 0,
        }
    }

    fn read_text(text: &str) -> Result<AccountConfig, String> {
        let config: Config = parse("t", text).map_err(|error| error.to_string())?;
        let rows = [
            row("one", "USD", Contract::Spot),
            row("two", "EUR", Contract::Perpetual),
        ];
        check(&config).map_err(|error| error.to_string())?;
        read(&config, &rows).map_err(|error| error.to_string())
    }

    #[test]
    fn an_instrument_gets_its_own_limits_and_its_contract_s_margin() {
        let text = "[margin]\nperpetual = 0.1\n[limits.instrument.\"one:BTCUSD\"]\nmax_position_size = 0.03\n\
                    max_order_notional = 5000\nstale_after = \"1s\"\nmargin = 0.5\nopen_orders = 3\n";
        let account = read_text(text).expect("can be meant");
        let common = Config::default().limits().expect("can be meant");
        let own = Limits {
            position_share_ppm: 30_000,
            order_notional_max: Money::from_units(5000),
            stale_after_ns: 1_000_000_000,
            margin_ppm: 500_000,
            open_orders_per_instrument: 3,
            ..common
        };
        let margined = Limits {
            margin_ppm: 100_000,
            ..common
        };
        let found: Vec<(&str, Limits)> = account
            .instrument_limits
            .iter()
            .map(|own| (own.instrument.as_str(), own.limits))
            .collect();
        assert_eq!(found, [("one:BTCUSD", own), ("two:BTCEUR", margined)]);
        assert_eq!(read_text("").expect("empty"), AccountConfig::default());
    }

    #[test]
    fn what_is_not_traded_is_refused_with_the_nearest_name() {
        for (text, expected) in [
            (
                "[limits.instrument.\"one:BTCUSDT\"]\nmargin = 0.5\n",
                "limits.instrument: unknown instrument `one:BTCUSDT`; did you mean `one:BTCUSD`?",
            ),
            (
                "[limits.instrument.\"one:BTCUSD\"]\nopen_orders = 257\n",
                "limits.instrument.\"one:BTCUSD\": limit open_orders_per_instrument: expected at most 256, not 257",
            ),
            (
                "[account]\ncurrency = \"EURO\"\n",
                "account.currency: unknown currency `EURO`; did you mean `EUR`?",
            ),
            (
                "[account.rates]\nEURO = 1.1\n",
                "account.rates: unknown currency `EURO`; did you mean `EUR`?",
            ),
            (
                "[account.rates]\nEUR = 0\n",
                "account.rates.EUR: 0 is not a positive rate of at most 18 digits",
            ),
            (
                "[limits.instrument.\"one:BTCUSD\"]\nmargin = 1.5\n",
                "limits.instrument.\"one:BTCUSD\".margin: 1.5 is not a share between 0 and 1 (0.10 means 10 %)",
            ),
            (
                "[fees.one]\nmaker_ppm = 1\ntaker_ppm = 2\ntiers = [{ volume = 5, maker_ppm = 0, taker_ppm = 1 }, \
                 { volume = 5, maker_ppm = 0, taker_ppm = 1 }]\n",
                "fees.one.tiers: expected tiers of rising volume",
            ),
        ] {
            assert_eq!(read_text(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn an_account_may_be_in_any_currency_that_something_leads_to() {
        for text in [
            "[account]\ncurrency = \"EUR\"\n",
            "[account]\ncurrency = \"BTC\"\n",
            "[account]\ncurrency = \"GBP\"\nrates = { EUR = 0.85 }\n",
        ] {
            let wanted = text.split('"').nth(1);
            let account = read_text(text).expect("can be meant");
            assert_eq!(Some(account.currency.as_str()), wanted);
        }
    }

    #[test]
    fn rates_and_tiers_reach_the_core_exactly() {
        let text = "[account]\ncurrency = \"USD\"\nrates = { EUR = 1.0850 }\n[fees.two]\nmaker_ppm = 1\ntaker_ppm = 2\n\
                    tiers = [{ volume = 1000.5, maker_ppm = -1, taker_ppm = 1 }]\n";
        let account = read_text(text).expect("can be meant");
        assert_eq!(account.currency, "USD");
        let rate = &account.rates[0];
        assert_eq!((rate.mantissa, rate.exponent), (1085, 3));
        let tier = account.fees[0].tiers[0];
        assert_eq!(tier.volume.to_string(), "1000.5");
        assert_eq!((tier.maker_ppm, tier.taker_ppm), (-1, 1));
    }
}
