//! What is known about the venue's instruments: exponents, steps and fees.
//!
//! Three sources, in this order: the answer to `exchangeInfo` where the user has one; the facts of a few well-known
//! symbols built in here; the finest decimals of the recording itself, which is said aloud in a note.
//!
//! Fees are those of the default tier: the account's own tier is not public.

use std::{fs, io::Read, path::Path, time::Duration};

use acth_core::{
    instrument::{AssetClass, Contract, Instrument, Instruments},
    money::MONEY_EXPONENT,
    port::PortError,
};
use acth_wire::binance::{InstrumentRules, Market, exchange_info};
use flate2::bufread::MultiGzDecoder;

use super::{rest::fetch, url, venue_name};
use crate::{
    bytes::find,
    capture::{
        CaptureIdentity, CaptureSpec, Decimals, identify, infer_decimals,
        lean::{LeanInstrument, describe},
    },
};

/// Longest `exchangeInfo` answer, unpacked; the spot one has some 8 MB.
const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Maker and taker fee of the default tier, parts per million.
const fn fees_ppm(market: Market) -> (i64, i64) {
    match market {
        Market::Spot => (1_000, 1_000),
        Market::UsdM => (200, 500),
    }
}

/// Built-in facts, as the venue stated them when the recordings of August 2024 were made: market, base, price exponent,
/// quantity exponent of the texts, tick, lot. The quote is USDT.
const BUILT_IN: [(Market, &str, u8, u8, i64, i64); 4] = [
    (Market::Spot, "BTC", 2, SPOT_QUANTITY_EXPONENT, 1, 1_000),
    (Market::Spot, "ETH", 2, SPOT_QUANTITY_EXPONENT, 1, 10_000),
    // Texts have two decimals, the tick is 0.10.
    (Market::UsdM, "BTC", 2, 3, 10, 1),
    (Market::UsdM, "ETH", 2, 3, 1, 1),
];

/// Spot books hold quantities finer than the lot: the recordings show `2292.22972000` ETH at a lot of 0.0001. So the
/// exponent is that of the texts, not that of the lot.
const SPOT_QUANTITY_EXPONENT: u8 = 8;

/// Quote currencies to split a symbol by, longest first where one ends in another.
const QUOTES: [&str; 12] = [
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "EUR", "GBP", "TRY", "BRL", "BTC", "ETH", "BNB",
];

/// Instruments with what is to be said about where they came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogued {
    /// The table, in the order of the files.
    pub instruments: Instruments,
    /// Sentences about instruments that were not found in a catalogue, or chosen or completed by a rule.
    pub notes: Vec<String>,
    /// Instruments of which bars were recorded, by name, with the length of a bar: their quotes are that old.
    pub bars_ns: Vec<(String, i64)>,
}

/// The rules of all symbols that one `exchangeInfo` answer lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Whose answer it is.
    pub market: Market,
    /// The rules, in the venue's order.
    pub rules: Vec<InstrumentRules>,
}

impl Listing {
    /// Reads the answer from a file, plain or gzip. The market is found by content unless `spec` names it.
    ///
    /// # Errors
    /// When the file cannot be read or is no such answer.
    pub fn read(spec: &CaptureSpec) -> Result<Self, PortError> {
        let body = read_all(&spec.path)?;
        let by_content = || match find(&body, b"\"contractType\"") {
            Some(_) => Market::UsdM,
            None => Market::Spot,
        };
        let market = spec.market.unwrap_or_else(by_content);
        let rules = exchange_info(&body, market)
            .map_err(|error| PortError::new(spec.path.display().to_string(), error.to_string()))?;
        Ok(Self { market, rules })
    }

    /// Asks a venue for its listing; `rest_url` as in a session's configuration. Blocks up to `timeout`.
    ///
    /// # Errors
    /// When the address cannot be used, no answer comes in time, or it is no exchangeInfo answer.
    pub fn fetch(market: Market, rest_url: &str, timeout: Duration) -> Result<Self, PortError> {
        let endpoint = url::parse(rest_url, "http")?;
        let target = url::listing_target(&endpoint, market);
        let refuse = |cause: String| PortError::new(format!("{rest_url}: exchangeInfo"), cause);
        let body = fetch(&endpoint, &target, timeout).map_err(|error| refuse(error.to_string()))?;
        let rules = exchange_info(&body, market).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { market, rules })
    }

    /// The instrument of a symbol, if it is listed.
    pub fn find(&self, symbol: &str) -> Option<Instrument> {
        let rules = self.rules.iter().find(|rules| rules.symbol == symbol)?;
        Some(listed(self.market, rules))
    }
}

fn read_all(path: &Path) -> Result<Vec<u8>, PortError> {
    let place = || path.display().to_string();
    let refuse =
        |error: std::io::Error| PortError::new(place(), format!("cannot be read: {error}"));
    let packed = fs::read(path).map_err(refuse)?;
    if !packed.starts_with(&[0x1f, 0x8b]) {
        return Ok(packed);
    }
    let mut body = Vec::new();
    let mut reader = MultiGzDecoder::new(packed.as_slice()).take(ANSWER_BYTES_MAX + 1);
    reader.read_to_end(&mut body).map_err(refuse)?;
    if body.len() as u64 > ANSWER_BYTES_MAX {
        return Err(PortError::new(place(), "unpacks to more than 32 MiB"));
    }
    Ok(body)
}

/// An instrument by the venue's own rules; on spot with the quantity exponent of the texts, as far as exact money
/// leaves room for it.
pub fn listed(market: Market, rules: &InstrumentRules) -> Instrument {
    let (maker_fee_ppm, taker_fee_ppm) = fees_ppm(market);
    let room = MONEY_EXPONENT.saturating_sub(rules.price_exponent);
    let quantity_exponent = match market {
        Market::Spot => SPOT_QUANTITY_EXPONENT
            .min(room)
            .max(rules.quantity_exponent),
        Market::UsdM => rules.quantity_exponent,
    };
    // At most 8 places more than the venue's own exponent; what would not fit has no place in a table either.
    let places = u32::from(quantity_exponent - rules.quantity_exponent);
    let rescaled = |steps: i64| steps.saturating_mul(10i64.pow(places));
    Instrument {
        venue: venue_name(market).to_owned(),
        symbol: rules.symbol.clone(),
        base: rules.base.clone(),
        quote: rules.quote.clone(),
        asset_class: AssetClass::Crypto,
        contract: contract_of(market, &rules.symbol),
        price_exponent: rules.price_exponent,
        quantity_exponent,
        tick: rules.tick,
        lot: rescaled(rules.step),
        quantity_min: rescaled(rules.quantity_min.max(rules.step)),
        maker_fee_ppm,
        taker_fee_ppm,
    }
}

/// An instrument whose facts are built in.
pub fn built_in(market: Market, symbol: &str) -> Option<Instrument> {
    let base_wanted = symbol.strip_suffix("USDT")?;
    let facts = BUILT_IN
        .iter()
        .find(|(of, base, ..)| *of == market && *base == base_wanted)?;
    let (_, _, price, quantity, tick, lot) = *facts;
    let decimals = Decimals { price, quantity };
    Some(Instrument {
        tick,
        lot,
        quantity_min: lot,
        ..inferred(market, symbol, decimals)
    })
}

/// An instrument of which only the decimals in use are known: tick and lot are one unit of them.
pub fn inferred(market: Market, symbol: &str, decimals: Decimals) -> Instrument {
    let (maker_fee_ppm, taker_fee_ppm) = fees_ppm(market);
    // Dated futures carry their date behind an underscore.
    let pair = symbol.split('_').next().unwrap_or(symbol);
    let split = |quote: &&str| pair.strip_suffix(*quote).filter(|base| !base.is_empty());
    let quote = QUOTES.iter().copied().find(|quote| split(quote).is_some());
    let (base, quote) = match quote {
        Some(quote) => (&pair[..pair.len() - quote.len()], quote),
        None => (pair, "UNKNOWN"),
    };
    Instrument {
        venue: venue_name(market).to_owned(),
        symbol: symbol.to_owned(),
        base: base.to_owned(),
        quote: quote.to_owned(),
        asset_class: AssetClass::Crypto,
        contract: contract_of(market, symbol),
        price_exponent: decimals.price,
        quantity_exponent: decimals.quantity,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm,
        taker_fee_ppm,
    }
}

fn contract_of(market: Market, symbol: &str) -> Contract {
    match market {
        Market::Spot => Contract::Spot,
        Market::UsdM if symbol.contains('_') => Contract::Future,
        Market::UsdM => Contract::Perpetual,
    }
}

/// The table of instruments for a set of recordings, one row for each market and symbol, in the order of the files.
///
/// # Errors
/// When a recording cannot be read or identified, or its instrument cannot be used.
pub fn for_captures(specs: &[CaptureSpec], listings: &[Listing]) -> Result<Catalogued, PortError> {
    let mut gathered = Gathered::default();
    for spec in specs {
        match &spec.lean {
            Some(choice) => gathered.add_lean(describe(&spec.path, choice)?),
            None => gathered.add_frames(spec, listings)?,
        }
    }
    gathered.finish()
}

/// A table that grows file by file.
#[derive(Default)]
struct Gathered {
    rows: Vec<Instrument>,
    notes: Vec<String>,
    bars_ns: Vec<(String, i64)>,
    /// Names of instruments of the Lean format, and whether a file has their quotes.
    are_quoted: Vec<(String, bool)>,
}

impl Gathered {
    fn add_frames(&mut self, spec: &CaptureSpec, listings: &[Listing]) -> Result<(), PortError> {
        let CaptureIdentity { market, symbol } = identify(spec)?;
        let venue = venue_name(market);
        let is_same = |row: &Instrument| row.venue == venue && row.symbol == symbol;
        if self.rows.iter().any(is_same) {
            return Ok(());
        }
        let mut of_market = listings.iter().filter(|listing| listing.market == market);
        let known = of_market
            .find_map(|listing| listing.find(&symbol))
            .or_else(|| built_in(market, &symbol));
        if let Some(row) = known {
            self.rows.push(row);
            return Ok(());
        }
        let decimals = infer_decimals(spec)?;
        self.notes.push(format!(
            "{venue}:{symbol} is in no catalogue: tick 10^-{} and lot 10^-{} are the finest decimals of {}, fees are \
             those of the default tier",
            decimals.price,
            decimals.quantity,
            spec.path.display()
        ));
        self.rows.push(inferred(market, &symbol, decimals));
        Ok(())
    }

    /// Several files of one instrument: the finest of their steps counts, and the longest of their bars.
    fn add_lean(&mut self, found: LeanInstrument) {
        let name = found.row.name();
        self.notes.extend(found.notes);
        match self.are_quoted.iter_mut().find(|row| row.0 == name) {
            Some((_, is_quoted)) => *is_quoted |= found.has_quotes,
            None => self.are_quoted.push((name.clone(), found.has_quotes)),
        }
        if found.has_quotes && found.period_ns > 0 {
            match self.bars_ns.iter_mut().find(|bar| bar.0 == name) {
                Some((_, period_ns)) => *period_ns = (*period_ns).max(found.period_ns),
                None => self.bars_ns.push((name.clone(), found.period_ns)),
            }
        }
        match self.rows.iter_mut().find(|row| row.name() == name) {
            Some(row) => {
                row.tick = row.tick.min(found.row.tick);
                row.price_exponent = row.price_exponent.max(found.row.price_exponent);
            }
            None => self.rows.push(found.row),
        }
    }

    fn finish(mut self) -> Result<Catalogued, PortError> {
        let unquoted = self.are_quoted.iter().filter(|(_, is_quoted)| !is_quoted);
        self.notes.extend(unquoted.map(|(name, _)| {
            format!("{name} has trades only: its quotes are a tick below and above the last trade")
        }));
        let instruments = Instruments::new(self.rows)
            .map_err(|error| PortError::new("instruments of the recordings", error.to_string()))?;
        Ok(Catalogued {
            instruments,
            notes: self.notes,
            bars_ns: self.bars_ns,
        })
    }
}
