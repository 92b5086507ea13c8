//! Recordings of the Lean format: zips of rows, of equities, futures, currencies and metals.
//!
//! `archive` unpacks the text of one instrument, `facts` says what it is and how it trades, `reader` goes through its
//! rows in order of time, `market` makes events of them.
//!
//! Invariant: a bar is told when it has ended, by its closes, and never before.

mod archive;
mod facts;
mod market;
mod reader;

pub use facts::{LeanInstrument, describe};
pub(super) use market::LeanMarket;
pub use market::LeanStats;
pub(super) use reader::LeanReader;
