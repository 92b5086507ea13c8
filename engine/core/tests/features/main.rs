//! The features: each against sums over the whole past, known answers by hand, and hostile streams.

#![allow(
    clippy::float_cmp,
    clippy::expect_used,
    reason = "exact zeros are what some of these tests are about; a broken assumption fails a test"
)]

mod carry;
mod known;
mod state;
mod stream;
mod table;
mod twin;
