//! Simulated markets of ACTH: worlds, matching, fills, and venues served on loopback.

#![forbid(unsafe_code)]

pub mod account;
pub mod encode;
pub mod matching;
pub mod paper;
mod rng;
pub mod server;
pub mod source;
pub mod world;
