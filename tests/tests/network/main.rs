//! The network of agents on simulated worlds whose structure is known: what it finds, what it earns, what it loses.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a broken assumption of a test fails the test"
)]

mod played;
mod seasons;
mod walks;
mod wide;
