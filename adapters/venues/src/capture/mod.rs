//! Recordings of Binance market data as a source of events.
//!
//! A recording is a text file, plain or gzip, with one line `recv_ns frame` per frame, of one market and one symbol;
//! REST snapshots stand among the frames as they came. `lines` reads one, `identify` says what it is of, `infer`
//! finds exponents where nothing better is known, `source` plays several as one stream of events.

mod identify;
mod infer;
mod lines;
mod pace;
mod source;

use std::path::PathBuf;

use acth_wire::binance::Market;

pub use identify::{CaptureIdentity, identify};
pub use infer::{Decimals, infer_decimals};
pub use lines::{LINE_BYTES_MAX, LineReader};
pub use pace::Pace;
pub use source::{CaptureProgress, CaptureSource, CaptureStats};

/// One recording to play: a file, and its market where the user named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureSpec {
    /// The file.
    pub path: PathBuf,
    /// The market; `None` = find out from the content.
    pub market: Option<Market>,
}

impl CaptureSpec {
    /// Reads `FILE`, `spot:FILE` or `usdm:FILE`.
    pub fn parse(text: &str) -> Self {
        let named = [("spot:", Market::Spot), ("usdm:", Market::UsdM)];
        for (prefix, market) in named {
            if let Some(path) = text.strip_prefix(prefix) {
                return Self {
                    path: PathBuf::from(path),
                    market: Some(market),
                };
            }
        }
        Self {
            path: PathBuf::from(text),
            market: None,
        }
    }
}
