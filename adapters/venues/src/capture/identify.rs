//! What a recording is of: market and symbol, by its first lines.
//!
//! A diff with `pu` is USD-M, one without is spot; a best bid and offer names its event type only on USD-M. The
//! symbol stands before the `@` of the stream name, or in the frame's own symbol field.

use std::sync::{Arc, atomic::AtomicU64};

use acth_core::port::PortError;
use acth_wire::binance::Market;

use super::{CaptureSpec, lines::LineReader};
use crate::bytes::{find, text_after};

/// Lines that are looked at before giving up; a diff comes several times a second.
const LINES_MAX: u64 = 10_000;

/// What a recording is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureIdentity {
    /// The market.
    pub market: Market,
    /// The symbol in upper case.
    pub symbol: String,
}

/// Finds market and symbol of a recording. A market that `spec` names is not questioned.
///
/// # Errors
/// When the file is damaged before both are known, or its first lines do not tell.
pub fn identify(spec: &CaptureSpec) -> Result<CaptureIdentity, PortError> {
    let mut lines = LineReader::open(&spec.path, Arc::new(AtomicU64::new(0)))?;
    let mut market = spec.market;
    let mut symbol = None;
    while lines.line_number() < LINES_MAX && lines.advance()? {
        let frame = lines.frame();
        market = market.or_else(|| market_of(frame));
        symbol = symbol.or_else(|| symbol_of(frame));
        if let (Some(market), Some(symbol)) = (market, &symbol) {
            let symbol = symbol.clone();
            return Ok(CaptureIdentity { market, symbol });
        }
    }
    let missing = match (market, symbol) {
        (None, _) => "its market; expected a depth change, or `spot:FILE` or `usdm:FILE`",
        (Some(_), _) => "its symbol; expected stream names such as `btcusdt@trade`",
    };
    let cause = format!(
        "the first {} lines do not tell {missing}",
        lines.line_number()
    );
    Err(PortError::new(lines.place(), cause))
}

fn market_of(frame: &[u8]) -> Option<Market> {
    let has = |wanted: &[u8]| find(frame, wanted).is_some();
    if has(b"\"depthUpdate\"") {
        let is_usdm = has(b"\"pu\":");
        return Some(if is_usdm { Market::UsdM } else { Market::Spot });
    }
    if has(b"@bookTicker\"") {
        let is_usdm = has(b"\"e\":\"bookTicker\"");
        return Some(if is_usdm { Market::UsdM } else { Market::Spot });
    }
    None
}

fn symbol_of(frame: &[u8]) -> Option<String> {
    let text = text_after(frame, b"\"stream\":\"", b'@')
        .or_else(|| text_after(frame, b"\"s\":\"", b'"'))?;
    let symbol = std::str::from_utf8(text).ok()?.to_ascii_uppercase();
    let is_symbol = !symbol.is_empty() && symbol.bytes().all(|byte| byte.is_ascii_graphic());
    is_symbol.then_some(symbol)
}
