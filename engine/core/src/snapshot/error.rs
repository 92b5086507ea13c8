//! Why bytes are no snapshot of this core.

use alloc::string::String;
use core::fmt;

use crate::config::CoreError;

/// The four bytes that a section begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub [u8; 4]);

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

/// Why bytes are no snapshot of this core: the section, and what was expected there.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// Another version wrote it, or it is no snapshot.
    #[error("snapshot header: expected format {expected}, found {found}")]
    Format {
        /// What this version reads.
        expected: u32,
        /// What stands there.
        found: u32,
    },
    /// The bytes differ from those that were written.
    #[error("snapshot header: the content hashes to {found:016x}, expected {expected:016x}")]
    Content {
        /// As the header says.
        expected: u64,
        /// As computed from the bytes.
        found: u64,
    },
    /// The bytes end too early.
    #[error(
        "snapshot section {section}: expected {needed} more bytes at byte {offset}, found {left}"
    )]
    Truncated {
        /// The section.
        section: Tag,
        /// Where in the snapshot.
        offset: usize,
        /// How many bytes the value takes.
        needed: usize,
        /// How many there are.
        left: usize,
    },
    /// Another section begins here, or none.
    #[error("snapshot: expected section {expected} at byte {offset}, found {found}")]
    Section {
        /// The section that must begin here.
        expected: Tag,
        /// What stands there.
        found: Tag,
        /// Where in the snapshot.
        offset: usize,
    },
    /// A value that no core can have written.
    #[error("snapshot section {section}: expected {expected} before byte {offset}")]
    Value {
        /// The section.
        section: Tag,
        /// What was expected.
        expected: &'static str,
        /// Where the value ends.
        offset: usize,
    },
    /// More bytes than a snapshot has.
    #[error("snapshot: expected its end at byte {offset}, found {left} more bytes")]
    Trailing {
        /// Where it ends.
        offset: usize,
        /// How many follow.
        left: usize,
    },
    /// It was taken under a configuration that does not fit the present one.
    #[error("the snapshot belongs to another configuration: {0}")]
    Config(String),
    /// It holds the state of another strategy.
    #[error("the snapshot holds the strategy `{found}`, expected `{expected}`")]
    Strategy {
        /// The strategy of this core.
        expected: &'static str,
        /// The one that was saved.
        found: String,
    },
    /// All was read and yet the state is another.
    #[error(
        "the restored state hashes to {found:016x}, expected {expected:016x}: the strategy does not save all that it \
         digests, or its parameters differ from those that the snapshot was taken with"
    )]
    StateHash {
        /// As the header says.
        expected: u64,
        /// Of the restored core.
        found: u64,
    },
    /// No core can be built from the configuration.
    #[error(transparent)]
    Core(#[from] CoreError),
}
