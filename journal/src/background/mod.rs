//! What works beside the writer: the preparer makes segments ready ahead of it, the flusher makes durable what it wrote. So the
//! appending thread makes no system call and takes no page fault.
//!
//! Topology:
//!
//! ```text
//!   preparer ── prepared ──▶ writer ── begun, retired ──▶ flusher ── durable watermark ──▶ writer, readers of this process
//! ```
//!
//! Each is a function called over and over (`cycle`): on a thread of its own, or by whoever drives a simulation on one thread.
//! Invariant: segments are prepared in the order of their indices, begun and retired in the order in which they were written.
//! A failure is final: after a failed sync the kernel may have forgotten which pages were dirty, so nothing is tried again.

mod flusher;
mod handover;
mod preparer;
mod shared;
mod threads;

pub(crate) use self::{
    handover::Handover,
    preparer::remove_prepared,
    shared::{Retired, Shared},
    threads::Background,
};
pub use self::{shared::Durability, threads::HelperMode};
