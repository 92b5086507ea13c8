//! One row of text to one quote or trade.
//!
//! A quote row tells one side or both: a side whose price is empty or zero is not in the row.
//! A bar counts by its closes: the state when it ended. Open, high and low are checked to be numbers and not used.

use super::{Resolution, RowKind};
use crate::decimal::{self, DecimalError};

/// Decimal places of a time in milliseconds that are kept: nanoseconds.
const MILLISECOND_PLACES: u8 = 6;
/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// How prices are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceForm {
    /// As decimals, read at this exponent.
    Decimal(u8),
    /// As whole ten-thousandths: mantissas at exponent 4.
    TenThousandths,
}

/// The columns of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Time, bid, ask: quotes without sizes.
    PlainQuote,
    /// Time, bid, bid size, ask, ask size, exchange, condition, suspicious.
    TickQuote,
    /// Time, price, size, exchange, condition, suspicious.
    TickTrade,
    /// Time, bid open, high, low, close and size, the same of the ask.
    QuoteBar,
    /// Time, open, high, low, close, volume.
    TradeBar,
}

/// One side of a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Price, mantissa.
    pub price: i64,
    /// Size in whole units; 0 where the row has none.
    pub size: i64,
}

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowBody {
    /// The sides that the row tells.
    Quote {
        /// The best bid.
        bid: Option<Quoted>,
        /// The best ask.
        ask: Option<Quoted>,
    },
    /// A trade, or the last trade of a bar with the bar's volume.
    Trade(Quoted),
    /// The source itself marks the row as doubtful.
    Suspicious,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Time since midnight on the market's own clock; of a bar, when it begins.
    pub since_midnight_ns: i64,
    /// What it says.
    pub body: RowBody,
}

/// Why a row is not understood. Columns are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Too few columns or too many.
    #[error("expected {expected} columns, found {found}")]
    Columns {
        /// How many the layout has.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A column is no number.
    #[error("column {column}, {cause}")]
    Number {
        /// Which one.
        column: usize,
        /// What is wrong with it.
        cause: DecimalError,
    },
    /// The time lies beyond the day.
    #[error("column 1, expected milliseconds of one day, below 86400000")]
    Time,
    /// A trade without a price.
    #[error("column {0}, expected a price above zero")]
    Price(usize),
    /// The mark of doubtful rows is neither 0 nor 1.
    #[error("column {0}, expected 0 or 1")]
    Mark(usize),
}

impl Layout {
    /// The columns by what a name says; `has_sizes` is false for currencies and metals, whose ticks have none.
    pub const fn of(resolution: Resolution, kind: RowKind, has_sizes: bool) -> Self {
        match (resolution, kind) {
            (Resolution::Tick, RowKind::Quote) if has_sizes => Self::TickQuote,
            (Resolution::Tick, RowKind::Quote) => Self::PlainQuote,
            (Resolution::Tick, RowKind::Trade) => Self::TickTrade,
            (_, RowKind::Quote) => Self::QuoteBar,
            (_, RowKind::Trade) => Self::TradeBar,
        }
    }

    /// How many columns there are.
    pub const fn columns(self) -> usize {
        match self {
            Self::PlainQuote => 3,
            Self::TickQuote => 8,
            Self::TickTrade | Self::TradeBar => 6,
            Self::QuoteBar => 11,
        }
    }

    /// Columns with prices, from 0.
    const fn prices(self) -> &'static [usize] {
        match self {
            Self::PlainQuote => &[1, 2],
            Self::TickQuote => &[1, 3],
            Self::TickTrade => &[1],
            Self::QuoteBar => &[1, 2, 3, 4, 6, 7, 8, 9],
            Self::TradeBar => &[1, 2, 3, 4],
        }
    }

    /// Reads one row, without its line end.
    ///
    /// # Errors
    /// `RowError` names the column and what was expected there.
    pub fn parse(self, line: &[u8], form: PriceForm) -> Result<Row, RowError> {
        let columns = Columns::split(line, self.columns())?;
        let since_midnight_ns = columns.time()?;
        let price = |column| columns.price(column, form);
        for &column in self.prices() {
            price(column)?;
        }
        let side = |price_column: usize, size_column: usize| {
            let (price, size) = (price(price_column)?, columns.number(size_column, 0)?);
            Ok((price > 0).then_some(Quoted { price, size }))
        };
        let body = match self {
            Self::PlainQuote => {
                let plain = |price: i64| (price > 0).then_some(Quoted { price, size: 0 });
                let (bid, ask) = (plain(price(1)?), plain(price(2)?));
                RowBody::Quote { bid, ask }
            }
            Self::TickQuote => {
                let (bid, ask) = (side(1, 2)?, side(3, 4)?);
                columns.unless_suspicious(7, RowBody::Quote { bid, ask })?
            }
            Self::QuoteBar => {
                let (bid, ask) = (side(4, 5)?, side(9, 10)?);
                RowBody::Quote { bid, ask }
            }
            Self::TickTrade => {
                let trade = RowBody::Trade(columns.trade(1, 2, form)?);
                columns.unless_suspicious(5, trade)?
            }
            Self::TradeBar => RowBody::Trade(columns.trade(4, 5, form)?),
        };
        Ok(Row {
            since_midnight_ns,
            body,
        })
    }

    /// Decimal places that the prices of a row need.
    ///
    /// # Errors
    /// As `parse`, for the columns and the prices.
    pub fn price_places(self, line: &[u8]) -> Result<u8, RowError> {
        let columns = Columns::split(line, self.columns())?;
        let mut most = 0;
        for &column in self.prices() {
            let text = columns.fields[column];
            if !text.is_empty() {
                let refuse = |cause| RowError::Number {
                    column: column + 1,
                    cause,
                };
                most = most.max(decimal::places(text).map_err(refuse)?);
            }
        }
        Ok(most)
    }
}

/// Most columns of any layout.
const COLUMNS_MAX: usize = 11;

/// The fields of one row.
struct Columns<'a> {
    fields: [&'a [u8]; COLUMNS_MAX],
}

impl<'a> Columns<'a> {
    fn split(line: &'a [u8], expected: usize) -> Result<Self, RowError> {
        let mut fields: [&[u8]; COLUMNS_MAX] = [&[]; COLUMNS_MAX];
        let mut found = 0;
        for field in line.split(|&byte| byte == b',') {
            if let Some(slot) = fields.get_mut(found) {
                *slot = field;
            }
            found += 1;
        }
        if found == expected {
            Ok(Self { fields })
        } else {
            Err(RowError::Columns { expected, found })
        }
    }

    fn time(&self) -> Result<i64, RowError> {
        let ns = self.number(0, MILLISECOND_PLACES)?;
        if self.fields[0].is_empty() || ns >= DAY_NS {
            return Err(RowError::Time);
        }
        Ok(ns)
    }

    /// A number at this exponent; nothing is zero.
    fn number(&self, column: usize, exponent: u8) -> Result<i64, RowError> {
        let text = self.fields[column];
        if text.is_empty() {
            return Ok(0);
        }
        decimal::parse(text, exponent).map_err(|cause| RowError::Number {
            column: column + 1,
            cause,
        })
    }

    fn price(&self, column: usize, form: PriceForm) -> Result<i64, RowError> {
        let exponent = match form {
            PriceForm::Decimal(exponent) => exponent,
            PriceForm::TenThousandths => 0,
        };
        self.number(column, exponent)
    }

    fn trade(&self, price: usize, size: usize, form: PriceForm) -> Result<Quoted, RowError> {
        let trade = Quoted {
            price: self.price(price, form)?,
            size: self.number(size, 0)?,
        };
        if trade.price == 0 {
            return Err(RowError::Price(price + 1));
        }
        Ok(trade)
    }

    fn unless_suspicious(&self, column: usize, body: RowBody) -> Result<RowBody, RowError> {
        match self.fields[column] {
            b"0" => Ok(body),
            b"1" => Ok(RowBody::Suspicious),
            _ => Err(RowError::Mark(column + 1)),
        }
    }
}
