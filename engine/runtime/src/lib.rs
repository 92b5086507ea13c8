//! Threads, rings, clocks and wiring of ACTH; the only crate that spawns threads on the path.
//!
//! It joins a source of events, a deterministic machine, a journal and a sink of commands into a run (`pipeline`), and
//! drives the same machine from a journal again (`replay`). It knows the ports and the frames, no venue and no strategy.

pub mod clock;
pub mod config;
pub mod control;
mod counter;
pub mod durable;
pub mod error;
pub mod frames;
pub mod journal;
pub mod latency;
pub mod machine;
pub mod manifest;
mod memory;
pub mod models;
pub mod monitor;
pub mod pipeline;
pub mod placement;
pub mod reconcile;
pub mod recover;
pub mod replay;
pub mod resume;
pub mod ring;
pub mod snapshot;
pub mod snapshotter;
pub mod topology;
pub mod wait;
