//! What can be traded and in which steps, from the answer to `exchangeInfo`.
//!
//! The exponents of an instrument are those of its steps as the venue writes them, trailing zeros cut:
//! `"tickSize":"0.01000000"` gives exponent 2 and tick 1. The venue's `pricePrecision` is something else and is not
//! used where a tick is stated.
//!
//! Spot quantities are the exception: orders that rest from before a change of the step keep their finer quantity, and
//! a book must hold them exactly (the 2024 recordings have some). There the exponent is the precision of the asset, as
//! far as exact money has room for it beside the price.

use acth_core::money::MONEY_EXPONENT;
use serde::Deserialize;

use crate::decimal::{DecimalError, EXPONENT_MAX, Fixed};

use super::{FRAME_BYTES_MAX, Market, error::DecodeError};

/// Most symbols of one answer; spot had some 3,500 in 2026.
pub const SYMBOLS_LISTED_MAX: usize = 20_000;

/// The rules of one symbol, exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentRules {
    /// The venue's symbol.
    pub symbol: String,
    /// The venue's state of it; `TRADING` is the normal one.
    pub status: String,
    /// What is bought.
    pub base: String,
    /// What it is paid in.
    pub quote: String,
    /// `PERPETUAL`, `CURRENT_QUARTER` and so on; empty on spot.
    pub contract_type: String,
    /// Decimal places of prices.
    pub price_exponent: u8,
    /// Decimal places of quantities: of those in the book, which may be finer than the step.
    pub quantity_exponent: u8,
    /// Smallest price step at `price_exponent`; 0 when the venue states none.
    pub tick: i64,
    /// Smallest quantity step at `quantity_exponent`; 0 when the venue states none.
    pub step: i64,
    /// Smallest quantity of an order at `quantity_exponent`.
    pub quantity_min: i64,
    /// Smallest price times quantity of an order; 0 when the venue states none.
    pub notional_min: Fixed,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    symbols: Vec<Listing<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing<'a> {
    symbol: &'a str,
    status: &'a str,
    base_asset: &'a str,
    quote_asset: &'a str,
    contract_type: Option<&'a str>,
    base_asset_precision: Option<u8>,
    price_precision: Option<u8>,
    quantity_precision: Option<u8>,
    #[serde(borrow)]
    filters: Vec<Filter<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    filter_type: &'a str,
    tick_size: Option<&'a str>,
    step_size: Option<&'a str>,
    min_qty: Option<&'a str>,
    min_notional: Option<&'a str>,
    notional: Option<&'a str>,
}

/// One text of a filter.
type FilterText = for<'a> fn(&Filter<'a>) -> Option<&'a str>;

/// Decimal places where a listing states neither step nor precision.
const EXPONENT_DEFAULT: u8 = 8;

/// Reads the rules of all listed symbols, in the venue's order. A filter that is missing leaves zeros: the table of
/// instruments refuses those by name, so that a strange listing stops only whoever wants to trade it.
///
/// # Errors
/// `DecodeError` when the answer is not of the documented form or a number is not exact.
pub fn exchange_info(body: &[u8], market: Market) -> Result<Vec<InstrumentRules>, DecodeError> {
    if body.len() > FRAME_BYTES_MAX {
        return Err(DecodeError::TooLong(body.len()));
    }
    let mut bytes = body.to_vec();
    let answer: Answer<'_> =
        simd_json::serde::from_slice(&mut bytes).map_err(|error| DecodeError::Shape {
            offset: error.index().min(body.len()),
            expected: "exchange information with a list of symbols and their filters",
        })?;
    if answer.symbols.len() > SYMBOLS_LISTED_MAX {
        return Err(DecodeError::Field {
            offset: 0,
            field: "symbols",
            expected: "at most 20000 symbols",
        });
    }
    answer
        .symbols
        .iter()
        .map(|listing| rules_of(listing, market, body))
        .collect()
}

fn rules_of(
    listing: &Listing<'_>,
    market: Market,
    body: &[u8],
) -> Result<InstrumentRules, DecodeError> {
    let exact = |filter: &str, field: &'static str, text: FilterText| {
        let mut filters = listing.filters.iter();
        let text = filters
            .find(|candidate| candidate.filter_type == filter)
            .and_then(text);
        text.map_or(Ok(Fixed::default()), |text| {
            Fixed::from_text(text.as_bytes()).map_err(|source| wrong(body, listing, field, source))
        })
    };
    let tick = exact("PRICE_FILTER", "tickSize", |filter| filter.tick_size)?;
    let step = exact("LOT_SIZE", "stepSize", |filter| filter.step_size)?;
    let quantity_min = exact("LOT_SIZE", "minQty", |filter| filter.min_qty)?;
    let notional_min = match market {
        Market::UsdM => exact("MIN_NOTIONAL", "notional", |filter| filter.notional)?,
        Market::Spot => {
            let newer = exact("NOTIONAL", "minNotional", |filter| filter.min_notional)?;
            let older = exact("MIN_NOTIONAL", "minNotional", |filter| filter.min_notional)?;
            if newer.mantissa > 0 { newer } else { older }
        }
    };
    let price_exponent = exponent_of(tick, listing.price_precision);
    let stated = exponent_of(step, listing.quantity_precision).max(quantity_min.exponent);
    let room = match market {
        Market::Spot => MONEY_EXPONENT.saturating_sub(price_exponent),
        Market::UsdM => 0,
    };
    let finest = listing.base_asset_precision.unwrap_or(stated).min(room);
    let quantity_exponent = stated.max(finest);
    let scaled = |value: Fixed, exponent: u8, field: &'static str| {
        value
            .rescaled(exponent)
            .ok_or_else(|| wrong(body, listing, field, DecimalError::Overflow(exponent)))
    };
    Ok(InstrumentRules {
        symbol: listing.symbol.to_owned(),
        status: listing.status.to_owned(),
        base: listing.base_asset.to_owned(),
        quote: listing.quote_asset.to_owned(),
        contract_type: listing.contract_type.unwrap_or_default().to_owned(),
        price_exponent,
        quantity_exponent,
        tick: scaled(tick, price_exponent, "tickSize")?,
        step: scaled(step, quantity_exponent, "stepSize")?,
        quantity_min: scaled(quantity_min, quantity_exponent, "minQty")?,
        notional_min,
    })
}

/// The places of the step, or of the stated precision where the step is switched off.
fn exponent_of(step: Fixed, precision: Option<u8>) -> u8 {
    if step.mantissa > 0 {
        step.exponent
    } else {
        precision.unwrap_or(EXPONENT_DEFAULT).min(EXPONENT_MAX)
    }
}

/// An error at the place of the symbol's listing.
fn wrong(
    body: &[u8],
    listing: &Listing<'_>,
    field: &'static str,
    source: DecimalError,
) -> DecodeError {
    let name = format!("\"symbol\":\"{}\"", listing.symbol);
    let offset = body
        .windows(name.len())
        .position(|window| window == name.as_bytes());
    DecodeError::Decimal {
        offset: offset.unwrap_or(body.len()),
        field,
        source,
    }
}
