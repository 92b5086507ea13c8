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
