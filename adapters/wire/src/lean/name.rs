//! Names of the texts inside a zip, such as `20131008_spy_second_quote.csv` or `20131008_es_minute_trade_201312.csv`.

use super::Day;

/// Time that one row covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Every change on its own.
    Tick,
    /// Bars of a second.
    Second,
    /// Bars of a minute.
    Minute,
}

impl Resolution {
    /// Length of a bar; 0 for ticks.
    pub const fn period_ns(self) -> i64 {
        match self {
            Self::Tick => 0,
            Self::Second => 1_000_000_000,
            Self::Minute => 60_000_000_000,
        }
    }
}

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Best bids and asks.
    Quote,
    /// Trades.
    Trade,
}

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryName {
    /// The day on the market's own clock.
    pub day: Day,
    /// The symbol in upper case; of a future its root.
    pub symbol: String,
    /// Time that one row covers.
    pub resolution: Resolution,
    /// What the rows are.
    pub kind: RowKind,
    /// Month of a futures contract, `YYYYMM`.
    pub contract: Option<String>,
}

/// Why a name is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no `.csv` at its end.
    #[error("expected a name that ends in .csv")]
    Ending,
    /// It does not begin with a day.
    #[error("expected a name that begins with a day such as 20131008")]
    Day,
    /// There is no symbol behind the day.
    #[error("expected a symbol of letters and digits behind the day")]
    Symbol,
    /// No part of it is a resolution that is read.
    #[error("expected one of `tick`, `second` and `minute` in the name")]
    Resolution,
    /// No part of it is a kind that is read.
    #[error("expected one of `quote` and `trade` in the name")]
    Kind,
    /// A part has no meaning here.
    #[error("expected nothing but a contract such as 201312 besides; options are not read")]
    Part,
}

impl EntryName {
    /// Reads a name.
    ///
    /// # Errors
    /// `NameError` when a part is missing or has no meaning here.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let lower = text.to_ascii_lowercase();
        let stem = lower.strip_suffix(".csv").ok_or(NameError::Ending)?;
        let mut parts = stem.split('_');
        let day = parts.next().and_then(Day::parse).ok_or(NameError::Day)?;
        let symbol = parts.next().unwrap_or_default();
        if symbol.is_empty() || !symbol.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(NameError::Symbol);
        }
        let (mut resolution, mut kind, mut contract) = (None, None, None);
        for part in parts {
            match part {
                "tick" => resolution = Some(Resolution::Tick),
                "second" => resolution = Some(Resolution::Second),
                "minute" => resolution = Some(Resolution::Minute),
                "quote" => kind = Some(RowKind::Quote),
                "trade" => kind = Some(RowKind::Trade),
                _ => contract = Some(month_of(part).ok_or(NameError::Part)?),
            }
        }
        Ok(Self {
            day,
            symbol: symbol.to_ascii_uppercase(),
            resolution: resolution.ok_or(NameError::Resolution)?,
            kind: kind.ok_or(NameError::Kind)?,
            contract,
        })
    }
}

/// `201312`, or the first six digits of an expiry `20131220`.
fn month_of(part: &str) -> Option<String> {
    let is_date = matches!(part.len(), 6 | 8) && part.bytes().all(|byte| byte.is_ascii_digit());
    is_date.then(|| String::from(&part[..6]))
}
