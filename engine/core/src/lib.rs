//! The deterministic core of ACTH.
//!
//! Everything here is a pure state machine: the same inputs in the same order give the same decisions, bit for bit,
//! on any CPU and in any build. The core owns no thread, clock, file, socket or random seed; time reaches it only
//! inside inputs. See `core::Core::apply` for the one way in.
//!
//! Invariant: no allocation after construction except when a model is promoted, no hash-order iteration, no float in prices, quantities or money.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod agents;
pub mod allocator;
pub mod blocks;
pub mod book;
pub mod config;
pub mod core;
pub mod currency;
pub mod decision;
pub mod event;
pub mod features;
pub mod fees;
pub mod findings;
pub mod groups;
pub mod hash;
pub mod instrument;
pub mod market;
pub mod money;
pub mod orders;
pub mod port;
pub mod portfolio;
pub mod predict;
pub mod prelude;
pub mod returns;
pub mod risk;
pub mod snapshot;
pub mod state;
pub mod stats;
pub mod strategies;
pub mod strategy;
pub mod structure;

#[cfg(not(target_endian = "little"))]
compile_error!(
    "events and decisions are stored little-endian as they lie in memory; this target is big-endian"
);
