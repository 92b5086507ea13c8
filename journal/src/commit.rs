//! The one word through which a frame becomes visible to readers in other threads and processes.
//!
//! Invariant: everything else of the frame is stored before the word; a reader looks at nothing else of the frame before
//! it has seen the word. The word never changes again.

use crate::{
    sabotage::Bug,
    sync::{AtomicU64, acquire, release},
};

/// Length and checksum of a frame, as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) frame_bytes: u32,
    pub(crate) crc: u32,
}

/// The first eight bytes of a frame (length, checksum) or of a segment (magic).
#[repr(transparent)]
pub(crate) struct CommitWord(AtomicU64);

impl CommitWord {
    /// Not yet written. Elsewhere a word is a place in a mapping.
    #[cfg(all(test, feature = "loom"))]
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Release: whoever observes the word also sees all that was stored before it.
    #[inline]
    pub(crate) fn publish(&self, commit: Commit) {
        self.publish_word(u64::from(commit.frame_bytes) | (u64::from(commit.crc) << 32));
    }

    /// Acquire: what the publisher stored before is visible afterwards. `None` = not yet written.
    #[inline]
    pub(crate) fn observe(&self) -> Option<Commit> {
        match self.observe_word() {
            0 => None,
            word => Some(Commit {
                frame_bytes: word as u32,
                crc: (word >> 32) as u32,
            }),
        }
    }

    /// As `publish`, for a word of another meaning.
    #[inline]
    pub(crate) fn publish_word(&self, word: u64) {
        self.0.store(word.to_le(), release(Bug::RelaxedCommit));
    }

    /// As `observe`, for a word of another meaning.
    #[inline]
    pub(crate) fn observe_word(&self) -> u64 {
        u64::from_le(self.0.load(acquire(Bug::RelaxedCommit)))
    }
}
