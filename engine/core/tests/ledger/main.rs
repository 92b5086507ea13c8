//! Orders, portfolio and risk: unit tables, boundaries, and property tests against naive twins.

// Helpers outside of test functions may fail a test by panicking too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod order_rate;
mod orders_digest;
mod orders_levels;
mod orders_lifecycle;
mod orders_table;
mod portfolio_books;
mod portfolio_currencies;
mod portfolio_twin;
mod risk_denials;
mod risk_edges;
mod risk_limits;
mod risk_twin;
mod support;
