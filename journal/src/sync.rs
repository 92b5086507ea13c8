//! Atomics and locks: the standard ones, or those of the model checker when the words are checked.

#[cfg(feature = "loom")]
pub(crate) use loom::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering},
};
#[cfg(not(feature = "loom"))]
pub(crate) use std::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use crate::sabotage::{Bug, is_planted};

/// What came before is visible to whoever loads with `acquire`. The bug that a model must notice takes the order away.
#[inline(always)]
pub(crate) fn release(bug: Bug) -> Ordering {
    if is_planted(bug) {
        Ordering::Relaxed
    } else {
        Ordering::Release
    }
}

/// The other side of `release`.
#[inline(always)]
pub(crate) fn acquire(bug: Bug) -> Ordering {
    if is_planted(bug) {
        Ordering::Relaxed
    } else {
        Ordering::Acquire
    }
}
