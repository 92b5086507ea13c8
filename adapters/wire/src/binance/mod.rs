//! Binance spot and USD-M futures: market-data frames, REST depth, exchange information, subscribe requests, signed requests
//! and what the venue says of the account.
//!
//! Hot messages (depth changes, best bid and ask, trades, mark prices) go through a scanner that knows the documented order of
//! fields and checks every byte it skips. Whatever it does not recognise goes through `simd-json`, which accepts any
//! order of fields; both give the same `Message` or an error. See `scan` and `oracle`.
//!
//! Invariant: a frame for which both answer gives equal messages. `tests/binance_differential.rs` and
//! `tests/binance_damage.rs` hold the two against each other.

mod account;
mod cursor;
mod decoder;
mod error;
mod message;
mod oracle;
mod order;
mod request;
mod rules;
mod scan;
mod scratch;
mod signing;
mod symbols;
mod time;

pub use account::{
    AccountUpdate, Holding, UpdateReason, account_update, balances, positions, refusal, server_time,
};
pub use decoder::{DecodeStats, Decoder};
pub use error::DecodeError;
pub use message::{Depth, Message, Snapshot};
pub use order::{OrderSymbol, OrderTextError, order_request};
pub use request::{RequestError, STREAMS_MAX, subscribe_request, unsubscribe_request};
pub use rules::{InstrumentRules, SYMBOLS_LISTED_MAX, exchange_info};
pub use signing::{ApiKey, ApiKeyError, RECV_WINDOW_MS};
pub use symbols::{SYMBOL_BYTES_MAX, SYMBOLS_MAX, Symbol, SymbolError, Symbols};

/// Most levels on one side of one message: the deepest REST snapshot has as many.
pub const LEVELS_PER_MESSAGE_MAX: usize = 5_000;

/// Longest frame or REST answer that is looked at: a snapshot of two times `LEVELS_PER_MESSAGE_MAX` levels of 40 bytes
/// is 400 kB, the exchange information of all spot symbols some 8 MB.
pub const FRAME_BYTES_MAX: usize = 32 << 20;

/// Longest text of a venue's error that is kept; the rest is cut off.
pub const ERROR_TEXT_BYTES_MAX: usize = 256;

/// Which of the two markets a connection reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    /// Spot.
    Spot,
    /// Futures settled in USD coins.
    UsdM,
}
