//! What the venue says of the account: balances, positions, its clock, refusals, and updates of the user stream.
//!
//! These answers are rare, so they are read by `simd-json` in any order of fields. Numbers are exact.

use serde::Deserialize;

use super::{ERROR_TEXT_BYTES_MAX, FRAME_BYTES_MAX, error::DecodeError};
use crate::decimal::{DecimalError, EXPONENT_MAX, Fixed};

/// How much of something an account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The asset of a balance, the symbol of a position.
    pub name: String,
    /// How much; negative = short.
    pub quantity: Fixed,
}

/// Why the account changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateReason {
    /// An order of ours was filled.
    Order,
    /// Funding was paid or received.
    FundingFee,
    /// Anything else: deposits, transfers, changes of margin.
    Other,
}

/// An `ACCOUNT_UPDATE` of the USD-M user stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountUpdate {
    /// Why.
    pub reason: UpdateReason,
    /// When the engine made it, ms since the Unix epoch.
    pub ts_engine_ms: i64,
    /// By how much the balance of each asset changed, other than by trades.
    pub changes: Vec<Holding>,
    /// The positions that it names. Funding names one only where its margin is isolated; with crossed margin it names none.
    pub positions: Vec<Holding>,
}

#[derive(Deserialize)]
struct SpotAccount<'a> {
    #[serde(borrow)]
    balances: Vec<SpotBalance<'a>>,
}

#[derive(Deserialize)]
struct SpotBalance<'a> {
    asset: &'a str,
    free: &'a str,
    locked: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PositionRisk<'a> {
    symbol: &'a str,
    position_amt: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerTime {
    server_time: i64,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    code: i64,
    msg: &'a str,
}

#[derive(Deserialize)]
struct UserMessage<'a> {
    e: &'a str,
    #[serde(rename = "T")]
    ts_engine_ms: Option<i64>,
    #[serde(borrow)]
    a: Option<UserAccount<'a>>,
}

#[derive(Deserialize)]
struct UserAccount<'a> {
    m: &'a str,
    #[serde(borrow, rename = "B", default)]
    balances: Vec<UserBalance<'a>>,
    #[serde(borrow, rename = "P", default)]
    positions: Vec<UserPosition<'a>>,
}

#[derive(Deserialize)]
struct UserBalance<'a> {
    a: &'a str,
    bc: &'a str,
}

#[derive(Deserialize)]
struct UserPosition<'a> {
    s: &'a str,
    pa: &'a str,
}

/// The balances of a spot account, free and locked together, from the answer to `account`.
///
/// # Errors
/// `DecodeError` when the answer is not of the documented form or a number is not exact.
pub fn balances(body: &[u8]) -> Result<Vec<Holding>, DecodeError> {
    let mut bytes = bounded(body)?;
    let account: SpotAccount<'_> = parse(&mut bytes, "an account with a list of balances")?;
    let sum = |row: &SpotBalance<'_>| {
        let (free, locked) = (signed(row.free, "free")?, signed(row.locked, "locked")?);
        Ok(Holding {
            name: row.asset.to_owned(),
            quantity: add(free, locked)?,
        })
    };
    account.balances.iter().map(sum).collect()
}

/// The positions of a USD-M account from the answer to `positionRisk`; the two legs of a symbol in hedge mode together.
///
/// # Errors
/// As `balances`.
pub fn positions(body: &[u8]) -> Result<Vec<Holding>, DecodeError> {
    let mut bytes = bounded(body)?;
    let rows: Vec<PositionRisk<'_>> = parse(&mut bytes, "a list of positions")?;
    let mut found: Vec<Holding> = Vec::with_capacity(rows.len());
    for row in rows {
        let quantity = signed(row.position_amt, "positionAmt")?;
        match found.iter_mut().find(|known| known.name == row.symbol) {
            Some(known) => known.quantity = add(known.quantity, quantity)?,
            None => found.push(Holding {
                name: row.symbol.to_owned(),
                quantity,
            }),
        }
    }
    Ok(found)
}

/// The venue's clock, ms since the Unix epoch, from the answer to `time`.
///
/// # Errors
/// `DecodeError` when the answer is not of the documented form.
pub fn server_time(body: &[u8]) -> Result<i64, DecodeError> {
    let mut bytes = bounded(body)?;
    let time: ServerTime = parse(&mut bytes, "the venue's time")?;
    Ok(time.server_time)
}

/// Code and words of a refusal, if an answer is one.
pub fn refusal(body: &[u8]) -> Option<(i64, String)> {
    let mut bytes = bounded(body).ok()?;
    let refusal: Refusal<'_> = parse(&mut bytes, "a code and a message").ok()?;
    let words = refusal.msg.chars().take(ERROR_TEXT_BYTES_MAX).collect();
    Some((refusal.code, words))
}

/// An update of the account from a message of the USD-M user stream; `None` for every other message of it.
///
/// # Errors
/// As `balances`.
pub fn account_update(message: &[u8]) -> Result<Option<AccountUpdate>, DecodeError> {
    let mut bytes = bounded(message)?;
    let read: UserMessage<'_> = parse(&mut bytes, "a message of the user stream")?;
    if read.e != "ACCOUNT_UPDATE" {
        return Ok(None);
    }
    let missing = |field, expected| DecodeError::Field {
        offset: message.len(),
        field,
        expected,
    };
    let account = read.a.ok_or_else(|| missing("a", "the account"))?;
    let ts_engine_ms = read
        .ts_engine_ms
        .ok_or_else(|| missing("T", "the time of the change"))?;
    let holding = |name: &str, text: &str, field| {
        signed(text, field).map(|quantity| Holding {
            name: name.to_owned(),
            quantity,
        })
    };
    let changes = account.balances.iter();
    let positions = account.positions.iter();
    Ok(Some(AccountUpdate {
        reason: match account.m {
            "ORDER" => UpdateReason::Order,
            "FUNDING_FEE" => UpdateReason::FundingFee,
            _ => UpdateReason::Other,
        },
        ts_engine_ms,
        changes: changes
            .map(|row| holding(row.a, row.bc, "bc"))
            .collect::<Result<_, _>>()?,
        positions: positions
            .map(|row| holding(row.s, row.pa, "pa"))
            .collect::<Result<_, _>>()?,
    }))
}

fn bounded(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    if body.len() > FRAME_BYTES_MAX {
        return Err(DecodeError::TooLong(body.len()));
    }
    Ok(body.to_vec())
}

fn parse<'a, T: Deserialize<'a>>(
    bytes: &'a mut [u8],
    expected: &'static str,
) -> Result<T, DecodeError> {
    let length = bytes.len();
    simd_json::serde::from_slice(bytes).map_err(|error| DecodeError::Shape {
        offset: error.index().min(length),
        expected,
    })
}

/// A decimal that may be negative.
fn signed(text: &str, field: &'static str) -> Result<Fixed, DecodeError> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let fixed = Fixed::from_text(digits.as_bytes()).map_err(|source| wrong(field, source))?;
    Ok(if is_negative {
        Fixed {
            mantissa: -fixed.mantissa,
            ..fixed
        }
    } else {
        fixed
    })
}

fn add(one: Fixed, other: Fixed) -> Result<Fixed, DecodeError> {
    let exponent = one.exponent.max(other.exponent).min(EXPONENT_MAX);
    let sum = || {
        let one = one.rescaled(exponent)?;
        one.checked_add(other.rescaled(exponent)?)
    };
    let mantissa = sum().ok_or_else(|| wrong("sum", DecimalError::Overflow(exponent)))?;
    Ok(Fixed { mantissa, exponent })
}

const fn wrong(field: &'static str, source: DecimalError) -> DecodeError {
    DecodeError::Decimal {
        offset: 0,
        field,
        source,
    }
}
