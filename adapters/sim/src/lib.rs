//! Simulated markets of ACTH: worlds, matching, fills, and venues served on loopback.

#![forbid(unsafe_code)]

pub mod matching;
mod rng;
pub mod world;
