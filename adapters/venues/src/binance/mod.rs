//! Binance spot and USD-M futures: market data, and what can be asked of an account.
//!
//! `feed` turns frames into events; `book_sync` decides which of them form a book; `session` brings frames from the
//! venue's sockets; `catalogue` says what is known about its instruments; `account` asks what the account holds and has the
//! venue cancel everything.

pub mod account;
pub mod book_sync;
mod books;
pub mod catalogue;
mod connector;
pub mod diff_buffer;
pub(crate) mod emit;
pub mod feed;
mod feed_stats;
mod link;
mod pacing;
mod refusal;
mod rest;
pub mod session;
mod snapshots;
mod url;

pub use pacing::SessionTiming;

pub use acth_wire::binance::{ApiKey, Holding, Market};

/// Name of the spot venue in the table of instruments.
pub const VENUE_SPOT: &str = "binance-spot";
/// Name of the USD-M futures venue in the table of instruments.
pub const VENUE_USDM: &str = "binance-usdm";

/// Name of a market's venue in the table of instruments.
pub const fn venue_name(market: Market) -> &'static str {
    match market {
        Market::Spot => VENUE_SPOT,
        Market::UsdM => VENUE_USDM,
    }
}
