//! The parts of the network of agents, each held against what it promises.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a broken assumption of a test fails the test"
)]

mod execution;
mod ledger;
mod legs;
mod sharing;
mod support;
mod venues;
