//! Venue sessions of ACTH: sockets, captures, book synchronisation.
//!
//! Bytes come in from a venue's socket (`binance::session`) or from a recording of one (`capture`); both go through
//! the same `binance::feed::Feed`, which decodes them, keeps the books in sync with the venue's own update ids and
//! puts events into the sink of the runtime. `multi` joins several sources into one.
//!
//! Invariant: what comes from outside is counted or refused with a sentence, never a panic; the polling thread never
//! waits for the network.

#![forbid(unsafe_code)]

pub mod binance;
mod bytes;
pub mod capture;
mod helper;
pub mod kernel_delay;
pub mod multi;

pub use acth_net::SocketOptions;
