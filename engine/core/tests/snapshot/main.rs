//! Snapshots: a restored core is the same core for ever, and bytes that are no snapshot are refused.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod announced;
mod binding;
mod continuation;
mod corruption;
mod feed;
mod hectic;
mod hub;
