//! Instruments: what can be traded, with the exponents that make its numbers integers.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::money::{FEE_EXPONENT, MONEY_EXPONENT, Money};

/// Most instruments that one hub handles.
pub const INSTRUMENTS_MAX: usize = 128;

/// Position of an instrument in the hub's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId(pub u16);

impl InstrumentId {
    /// As an index into tables with one row per instrument.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The kind of asset behind an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum AssetClass {
    /// Cryptocurrency.
    Crypto = 1,
    /// Foreign exchange.
    Fx = 2,
    /// Equity or equity index.
    Equity = 3,
    /// Metals, energy, agriculture.
    Commodity = 4,
    /// Bonds and rates.
    Rates = 5,
}

/// The form in which it is traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Contract {
    /// The asset itself.
    Spot = 1,
    /// A perpetual swap, settled in the quote currency.
    Perpetual = 2,
    /// A dated future, settled in the quote currency.
    Future = 3,
}

/// One instrument. Prices and quantities are i64 mantissas: `61800.25` with `price_exponent` 2 is `6180025`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// The venue that lists it, e.g. `binance-spot`.
    pub venue: String,
    /// The venue's symbol, e.g. `BTCUSDT`.
    pub symbol: String,
    /// What is bought, e.g. `BTC`.
    pub base: String,
    /// What it is paid in, e.g. `USDT`.
    pub quote: String,
    /// The kind of asset.
    pub asset_class: AssetClass,
    /// The form.
    pub contract: Contract,
    /// Decimal places of prices.
    pub price_exponent: u8,
    /// Decimal places of quantities.
    pub quantity_exponent: u8,
    /// Smallest price step, price mantissa.
    pub tick: i64,
    /// Smallest quantity step, quantity mantissa.
    pub lot: i64,
    /// Smallest order, quantity mantissa.
    pub quantity_min: i64,
    /// Fee of a passive fill, parts per million of notional; negative = rebate.
    pub maker_fee_ppm: i64,
    /// Fee of an aggressive fill, parts per million of notional.
    pub taker_fee_ppm: i64,
}

/// Why an instrument or a table of them cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentError {
    /// A step is zero or negative.
    #[error("instrument {symbol}: {field} must be positive, not {value}")]
    Step {
        /// Symbol of the instrument.
        symbol: String,
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: i64,
    },
    /// Exponents too large for exact money.
    #[error("instrument {symbol}: price and quantity exponents add up to {sum}, more than 12")]
    Exponents {
        /// Symbol of the instrument.
        symbol: String,
        /// Their sum.
        sum: u8,
    },
    /// The same instrument stands twice in the table.
    #[error("instrument {venue}:{symbol} is listed twice")]
    Duplicate {
        /// Venue of the instrument.
        venue: String,
        /// Symbol of the instrument.
        symbol: String,
    },
    /// Too many instruments.
    #[error("{0} instruments, more than the bound of 128")]
    TooMany(usize),
}

impl Instrument {
    /// `venue:symbol`, the name used in reports.
    pub fn name(&self) -> String {
        alloc::format!("{}:{}", self.venue, self.symbol)
    }

    /// Exact price times quantity. Exponents are checked to fit when the table is built.
    pub const fn notional(&self, price: i64, quantity: i64) -> Money {
        let scale = MONEY_EXPONENT - self.price_exponent - self.quantity_exponent;
        Money(price as i128 * quantity as i128 * 10i128.pow(scale as u32))
    }

    /// The fee of a fill in units of 10^-8, rounded up (against us, rebates towards zero).
    pub const fn fee(&self, price: i64, quantity: i64, is_maker: bool) -> i64 {
        let ppm = if is_maker {
            self.maker_fee_ppm
        } else {
            self.taker_fee_ppm
        };
        let divisor = 1_000_000 * 10i128.pow((MONEY_EXPONENT - FEE_EXPONENT) as u32);
        let exact = self.notional(price, quantity).0 * ppm as i128;
        let floor = exact.div_euclid(divisor);
        let up = if exact.rem_euclid(divisor) == 0 {
            floor
        } else {
            floor + 1
        };
        up as i64
    }

    /// A price mantissa as a float, for statistics.
    pub fn price_f64(&self, price: i64) -> f64 {
        price as f64 / POWERS_OF_TEN[self.price_exponent as usize]
    }

    /// A quantity mantissa as a float, for statistics.
    pub fn quantity_f64(&self, quantity: i64) -> f64 {
        quantity as f64 / POWERS_OF_TEN[self.quantity_exponent as usize]
    }

    fn check(&self) -> Result<(), InstrumentError> {
        let steps = [
            ("tick", self.tick),
            ("lot", self.lot),
            ("quantity_min", self.quantity_min),
        ];
        for (field, value) in steps {
            if value <= 0 {
                return Err(InstrumentError::Step {
                    symbol: self.symbol.clone(),
                    field,
                    value,
                });
            }
        }
        let sum = self.price_exponent.saturating_add(self.quantity_exponent);
        if sum > MONEY_EXPONENT {
            return Err(InstrumentError::Exponents {
                symbol: self.symbol.clone(),
                sum,
            });
        }
        Ok(())
    }
}

/// Exact powers of ten as floats.
const POWERS_OF_TEN: [f64; 13] = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
];

/// The hub's table of instruments; its order gives the ids and never changes during a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Instruments {
    rows: Vec<Instrument>,
}

impl Instruments {
    /// A checked table.
    ///
    /// # Errors
    /// The first row that cannot be used.
    pub fn new(rows: Vec<Instrument>) -> Result<Self, InstrumentError> {
        if rows.len() > INSTRUMENTS_MAX {
            return Err(InstrumentError::TooMany(rows.len()));
        }
        for (index, row) in rows.iter().enumerate() {
            row.check()?;
            let same = |other: &&Instrument| other.venue == row.venue && other.symbol == row.symbol;
            if rows[..index].iter().any(|other| same(&other)) {
                return Err(InstrumentError::Duplicate {
                    venue: row.venue.clone(),
                    symbol: row.symbol.clone(),
                });
            }
        }
        Ok(Self { rows })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The instrument with this id, if the id is of this table.
    pub fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.rows.get(id.index())
    }

    /// The id of a venue's symbol.
    pub fn find(&self, venue: &str, symbol: &str) -> Option<InstrumentId> {
        let index = self
            .rows
            .iter()
            .position(|row| row.venue == venue && row.symbol == symbol)?;
        Some(InstrumentId(index as u16))
    }

    /// All ids with their instruments, in order.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(index, row)| (InstrumentId(index as u16), row))
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[Instrument] {
        &self.rows
    }
}

impl<'de> Deserialize<'de> for Instruments {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
