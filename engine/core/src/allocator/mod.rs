//! Who gets how much of the capital, by what each agent earned.
//!
//! `Hedge` keeps one weight an expert and has a bound on its regret that holds for every sequence of losses; `Allocator`
//! turns what agents earned into losses and weights into shares of the capital, with a floor and a cap.
//!
//! Invariant: shares are finite, within floor and cap, and together with cash they are the whole capital. No allocation
//! after construction.

mod config;
mod hedge;
mod shares;

pub use config::{AllocatorConfig, AllocatorError};
pub use hedge::{EXPERTS_MAX, Hedge, HedgeError};
pub use shares::{AGENTS_MAX, Allocator};
