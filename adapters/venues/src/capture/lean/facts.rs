//! What a text is of, and how that is traded: venue, steps, fees and clock.
//!
//! The path tells the market: `fxcm` or `oanda` for currencies and metals, `equity`, `equities` or `usa` for shares. A
//! contract month in the name of the text means a future. Fees are assumptions of the time of the recordings, the same for
//! makers and takers where nothing is said; `[fees.VENUE]` of the configuration replaces them.

use std::path::Path;

use acth_core::{
    instrument::{AssetClass, Contract, Instrument},
    port::PortError,
};
use acth_wire::lean::{Layout, PriceForm, RowBody, RowKind, Zone};

use super::archive::LeanText;
use crate::capture::LeanChoice;

/// Units that a quote of currencies is good for: their quotes have no sizes. A standard institutional clip.
const CURRENCY_NOMINAL: i64 = 1_000_000;
/// The same for metals, ounces.
const METAL_NOMINAL: i64 = 1_000;
/// 0.2 basis points.
const CURRENCY_FEE_PPM: i64 = 20;
/// About 1.25 dollars a contract of ES and 2 of GC at the prices of 2013: exchange and clearing.
const FUTURE_FEE_PPM: i64 = 15;
/// The most that a US venue may ask a taker: 0.003 dollars a share (Regulation NMS, rule 610), here in ten-thousandths.
const SHARE_TAKER_FEE: i64 = 30;

/// Futures that are known: root, venue, base, class, price exponent, tick, units of a contract.
///
/// Quantities are in units of the underlying, so that price times quantity is money: one contract is one lot.
const FUTURES: [(&str, &str, &str, AssetClass, u8, i64, i64); 2] = [
    ("ES", "cme", "ES", AssetClass::Equity, 2, 25, 50),
    ("GC", "comex", "XAU", AssetClass::Commodity, 1, 1, 100),
];

/// An instrument as its file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeanInstrument {
    /// Its row in the table.
    pub row: Instrument,
    /// Length of a bar; 0 for ticks.
    pub period_ns: i64,
    /// True when the file has its quotes.
    pub has_quotes: bool,
    /// What the user should know of how it was chosen or completed.
    pub notes: Vec<String>,
}

/// How rows are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowRules {
    pub(super) layout: Layout,
    pub(super) zone: Zone,
    /// Size of a side whose row has none; `None` = such a side is not in the row.
    pub(super) nominal: Option<i64>,
}

/// The kinds of market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Fxcm,
    Oanda,
    Shares,
    /// Row of `FUTURES`.
    Future(usize),
}

/// Finds the instrument of a file.
///
/// # Errors
/// When the file cannot be read, or its market is not told or not known.
pub fn describe(path: &Path, choice: &LeanChoice) -> Result<LeanInstrument, PortError> {
    let text = LeanText::read(path, choice)?;
    let family = Family::of(path, &text)?;
    let row = family.instrument(&text)?;
    let mut notes = Vec::new();
    if let (Some(month), true) = (&text.name.contract, text.contract_count > 1) {
        notes.push(format!(
            "{}: contract {month} of {}",
            text.place, text.contract_count
        ));
    }
    Ok(LeanInstrument {
        row,
        period_ns: text.name.resolution.period_ns(),
        has_quotes: text.name.kind == RowKind::Quote,
        notes,
    })
}

/// The rules of a text, with venue and symbol to find its instrument by.
pub(super) fn rules(
    path: &Path,
    text: &LeanText,
) -> Result<(RowRules, &'static str, String), PortError> {
    let family = Family::of(path, text)?;
    let rules = RowRules {
        layout: family.layout(text),
        zone: family.zone(),
        nominal: match family {
            Family::Fxcm | Family::Oanda => Some(nominal(&text.name.symbol)),
            Family::Shares | Family::Future(_) => None,
        },
    };
    Ok((rules, family.venue(), symbol(text)))
}

fn symbol(text: &LeanText) -> String {
    let month = text.name.contract.as_deref().unwrap_or_default();
    format!("{}{month}", text.name.symbol)
}

fn is_metal(pair: &str) -> bool {
    ["XAU", "XAG", "XPT", "XPD"].contains(&pair.get(..3).unwrap_or_default())
}

fn nominal(pair: &str) -> i64 {
    if is_metal(pair) {
        METAL_NOMINAL
    } else {
        CURRENCY_NOMINAL
    }
}

impl Family {
    fn of(path: &Path, text: &LeanText) -> Result<Self, PortError> {
        if text.name.contract.is_some() {
            let root = text.name.symbol.as_str();
            let index = FUTURES.iter().position(|row| row.0 == root);
            return index.map(Self::Future).ok_or_else(|| {
                let known: Vec<&str> = FUTURES.iter().map(|row| row.0).collect();
                let cause = format!("is of {root}; known futures are {}", known.join(", "));
                PortError::new(text.place.clone(), cause)
            });
        }
        let lower = path.display().to_string().to_ascii_lowercase();
        // The part nearest to the file's name counts.
        let mut words = lower.rsplit(|letter: char| !letter.is_ascii_alphanumeric());
        let family = words.find_map(|word| match word {
            "fxcm" => Some(Self::Fxcm),
            "oanda" => Some(Self::Oanda),
            "equity" | "equities" | "usa" => Some(Self::Shares),
            _ => None,
        });
        family.ok_or_else(|| {
            let cause = "does not tell its market; expected fxcm, oanda or equity in its path";
            PortError::new(text.place.clone(), cause)
        })
    }

    const fn venue(self) -> &'static str {
        match self {
            Self::Fxcm => "fxcm",
            Self::Oanda => "oanda",
            Self::Shares => "us-equities",
            Self::Future(index) => FUTURES[index].1,
        }
    }

    /// Measured, see `DESIGN.md`.
    const fn zone(self) -> Zone {
        match self {
            Self::Fxcm => Zone::EasternStandard,
            Self::Shares => Zone::NewYork,
            Self::Oanda | Self::Future(_) => Zone::Utc,
        }
    }

    fn layout(self, text: &LeanText) -> Layout {
        let has_sizes = !matches!(self, Self::Fxcm | Self::Oanda);
        Layout::of(text.name.resolution, text.name.kind, has_sizes)
    }

    fn instrument(self, text: &LeanText) -> Result<Instrument, PortError> {
        match self {
            Self::Fxcm | Self::Oanda => self.pair(text),
            Self::Shares => self.share(text),
            Self::Future(index) => Ok(future(index, text)),
        }
    }

    /// A pair of currencies, or a metal. Its tick is the finest place in use.
    fn pair(self, text: &LeanText) -> Result<Instrument, PortError> {
        let pair = text.name.symbol.as_str();
        let (Some(base), Some(quote), 6) = (pair.get(..3), pair.get(3..), pair.len()) else {
            let cause = "is of no pair of currencies; expected a symbol such as EURUSD";
            return Err(PortError::new(text.place.clone(), cause));
        };
        let layout = self.layout(text);
        // Rows that cannot be read are the reader's to tell.
        let places = lines(text).filter_map(|line| layout.price_places(line).ok());
        let is_micro_lots = self == Self::Fxcm && !is_metal(pair);
        let lot = if is_micro_lots { 1_000 } else { 1 };
        Ok(Instrument {
            venue: self.venue().to_owned(),
            symbol: pair.to_owned(),
            base: base.to_owned(),
            quote: quote.to_owned(),
            asset_class: if is_metal(pair) {
                AssetClass::Commodity
            } else {
                AssetClass::Fx
            },
            contract: Contract::Spot,
            price_exponent: places.max().unwrap_or_default(),
            quantity_exponent: 0,
            tick: 1,
            lot,
            quantity_min: lot,
            maker_fee_ppm: CURRENCY_FEE_PPM,
            taker_fee_ppm: CURRENCY_FEE_PPM,
        })
    }

    /// A share. Its tick is a cent, or a ten-thousandth where quotes lie between cents.
    fn share(self, text: &LeanText) -> Result<Instrument, PortError> {
        let layout = self.layout(text);
        let form = PriceForm::TenThousandths;
        let mut first_price = None;
        let mut is_in_cents = true;
        for row in lines(text).filter_map(|line| layout.parse(line, form).ok()) {
            let (bid, ask) = match row.body {
                RowBody::Quote { bid, ask } => (bid, ask),
                RowBody::Trade(trade) => {
                    first_price.get_or_insert(trade.price);
                    break;
                }
                RowBody::Suspicious => (None, None),
            };
            for side in bid.into_iter().chain(ask) {
                first_price.get_or_insert(side.price);
                is_in_cents &= side.price % 100 == 0;
            }
        }
        let price = first_price.ok_or_else(|| {
            let cause = "has no price; expected rows of quotes or trades";
            PortError::new(text.place.clone(), cause)
        })?;
        let taker_fee_ppm = (SHARE_TAKER_FEE * 1_000_000 + price - 1) / price;
        Ok(Instrument {
            venue: self.venue().to_owned(),
            symbol: text.name.symbol.clone(),
            base: text.name.symbol.clone(),
            quote: String::from("USD"),
            asset_class: AssetClass::Equity,
            contract: Contract::Spot,
            price_exponent: 4,
            quantity_exponent: 0,
            tick: if is_in_cents { 100 } else { 1 },
            lot: 1,
            quantity_min: 1,
            maker_fee_ppm: 0,
            taker_fee_ppm,
        })
    }
}

fn future(index: usize, text: &LeanText) -> Instrument {
    let (_, venue, base, asset_class, price_exponent, tick, units) = FUTURES[index];
    Instrument {
        venue: venue.to_owned(),
        symbol: symbol(text),
        base: base.to_owned(),
        quote: String::from("USD"),
        asset_class,
        contract: Contract::Future,
        price_exponent,
        quantity_exponent: 0,
        tick,
        lot: units,
        quantity_min: units,
        maker_fee_ppm: FUTURE_FEE_PPM,
        taker_fee_ppm: FUTURE_FEE_PPM,
    }
}

fn lines(text: &LeanText) -> impl Iterator<Item = &[u8]> {
    let lines = text.bytes.split(|&byte| byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
