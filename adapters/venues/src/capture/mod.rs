//! Recordings of market data as a source of events: frames of Binance, and the Lean format for other markets (`lean`).
//!
//! A recording of frames is a text file, plain or gzip, with one line `recv_ns frame` per frame, of one market and one symbol;
//! REST snapshots stand among the frames as they came. `lines` reads one, `identify` says what it is of, `infer`
//! finds exponents where nothing better is known, `source` plays several as one stream of events.

mod identify;
mod infer;
pub mod lean;
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
    /// The market; `None` = find out from the content. Means nothing for the Lean format.
    pub market: Option<Market>,
    /// Set for a file of the Lean format.
    pub lean: Option<LeanChoice>,
}

/// What to take from a zip of the Lean format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeanChoice {
    /// The contract, such as `es_201312`; `None` = the one with most volume, or the only one.
    pub contract: Option<String>,
}

impl CaptureSpec {
    /// Reads `FILE`, `spot:FILE`, `usdm:FILE` or `lean:FILE`, the last also with `#CONTRACT` behind it. A file whose
    /// name ends in `.zip` is of the Lean format without being called so.
    pub fn parse(text: &str) -> Self {
        let named = [("spot:", Market::Spot), ("usdm:", Market::UsdM)];
        for (prefix, market) in named {
            if let Some(path) = text.strip_prefix(prefix) {
                return Self::of_frames(path, Some(market));
            }
        }
        let (rest, is_called_lean) = match text.strip_prefix("lean:") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (path, contract) = match rest.rsplit_once('#') {
            Some((path, contract)) if is_called_lean || is_zip(path) => (path, Some(contract)),
            _ => (rest, None),
        };
        if is_called_lean || is_zip(path) {
            let contract = contract.map(String::from);
            return Self {
                path: PathBuf::from(path),
                market: None,
                lean: Some(LeanChoice { contract }),
            };
        }
        Self::of_frames(text, None)
    }

    /// A recording of Binance frames.
    pub fn of_frames(path: impl Into<PathBuf>, market: Option<Market>) -> Self {
        Self {
            path: path.into(),
            market,
            lean: None,
        }
    }
}

fn is_zip(path: &str) -> bool {
    let ending = path.len().checked_sub(4).and_then(|at| path.get(at..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(".zip"))
}
