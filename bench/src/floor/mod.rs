//! The least that a hand-over can cost: what the scenarios are compared with.
//!
//! Two threads, as in a hub whose ingress and egress share one: the near one sends at the intended times and takes back,
//! the far one stands where the core would.

pub(crate) mod hop;
pub(crate) mod line;

use acth_engine::{clock::WallClock, wait::WaitStrategy};

use crate::{pace::Window, placement::Cores};

/// Busy threads of every floor.
pub(crate) const THREADS: usize = 2;

/// What a window needs to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand<'a> {
    pub(crate) clock: &'a WallClock,
    pub(crate) cores: &'a Cores,
    pub(crate) wait: WaitStrategy,
    pub(crate) window: Window,
}
