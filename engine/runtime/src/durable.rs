//! What egress waits at before a send: in the gated mode a command leaves only when its decision is on stable storage.

use acth_journal::Durability;

/// Whether sends wait for durability.
#[derive(Clone, Debug)]
pub enum DurableGate {
    /// They do not.
    Open,
    /// They do. Many wait with one sync: whoever comes while one is running is covered by the next.
    Waits(Durability),
}

impl DurableGate {
    /// Whether the decision of this sequence may leave as far as durability goes.
    #[inline]
    pub fn passes(&self, sequence: u64) -> bool {
        match self {
            Self::Open => true,
            Self::Waits(durability) => durability.sequence() >= sequence,
        }
    }

    /// Whether anything ever waits here.
    #[inline]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Asks for everything up to this sequence to become durable.
    pub fn ask(&self, sequence: u64) {
        if let Self::Waits(durability) = self {
            durability.ask(sequence);
        }
    }

    /// Whether waiting is in vain: the journal failed.
    pub fn has_failed(&self) -> bool {
        match self {
            Self::Open => false,
            Self::Waits(durability) => durability.has_failed(),
        }
    }
}
