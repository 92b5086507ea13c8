//! Cross-asset structure: against Python's libraries, against naive twins, and against worlds with a planted answer.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken assumption of a test fails the test"
)]

mod asynchronous;
mod changes;
mod cointegrated;
mod contrast;
mod edges;
mod golden;
mod lags;
mod market;
mod matrices;
mod random;
mod regimes;
mod stored;
mod world;
mod worlds;
