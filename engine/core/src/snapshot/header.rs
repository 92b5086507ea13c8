//! The first bytes: enough to choose among snapshots without reading them.

use super::{Decoder, Encoder, SNAPSHOT_FORMAT, SnapshotError, Tag};
use crate::hash::StateHasher;

/// Bytes before the first section.
pub const HEADER_BYTES: usize = 40;
/// Where the content hash stands: last in the header.
const CONTENT_HASH_OFFSET: usize = HEADER_BYTES - 8;
const HEADER: Tag = Tag(*b"HEAD");

/// What a snapshot says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// Sequence of the last input applied; 0 before the first. Its decisions follow it in the journal: the tail to
    /// replay begins at the next *input*.
    pub sequence: u64,
    /// The core's time.
    pub now_ns: i64,
    /// `Core::state_hash` when it was taken.
    pub state_hash: u64,
    content_hash: u64,
}

impl SnapshotHeader {
    pub(crate) const fn new(sequence: u64, now_ns: i64, state_hash: u64) -> Self {
        Self {
            sequence,
            now_ns,
            state_hash,
            content_hash: 0,
        }
    }

    /// Reads the header alone; the content may still be damaged.
    ///
    /// # Errors
    /// Too few bytes, or another format.
    pub fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut from = Decoder::new(bytes, 0, HEADER);
        let found = from.u32()?;
        if found != SNAPSHOT_FORMAT {
            return Err(SnapshotError::Format {
                expected: SNAPSHOT_FORMAT,
                found,
            });
        }
        let reserved = from.u32()?;
        from.expect(reserved == 0, "zero after the format")?;
        Ok(Self {
            sequence: from.count()?,
            now_ns: from.time_ns()?,
            state_hash: from.u64()?,
            content_hash: from.u64()?,
        })
    }

    /// Reads the header, holds the content against its hash and gives a decoder for the sections.
    pub(crate) fn open(bytes: &[u8]) -> Result<(Self, Decoder<'_>), SnapshotError> {
        let header = Self::read(bytes)?;
        let found = content_hash(bytes);
        if found != header.content_hash {
            return Err(SnapshotError::Content {
                expected: header.content_hash,
                found,
            });
        }
        Ok((header, Decoder::new(bytes, HEADER_BYTES, HEADER)))
    }

    pub(crate) fn save(&self, out: &mut Encoder) {
        out.u32(SNAPSHOT_FORMAT);
        out.u32(0);
        out.u64(self.sequence);
        out.i64(self.now_ns);
        out.u64(self.state_hash);
        // Known only when all sections are written.
        out.u64(0);
    }

    /// Writes the content hash into a snapshot that is otherwise finished.
    pub(crate) fn seal(bytes: &mut [u8]) {
        let hash = content_hash(bytes);
        bytes[CONTENT_HASH_OFFSET..HEADER_BYTES].copy_from_slice(&hash.to_le_bytes());
    }
}

/// Hash of all bytes but those that hold it. The caller has seen that there is a whole header.
fn content_hash(bytes: &[u8]) -> u64 {
    let mut hash = StateHasher::new();
    hash.bytes(&bytes[..CONTENT_HASH_OFFSET]);
    hash.bytes(&bytes[HEADER_BYTES..]);
    hash.finish()
}

/// Sequence of the last input that a snapshot includes, from its header alone.
///
/// # Errors
/// As `SnapshotHeader::read`.
pub fn snapshot_sequence(bytes: &[u8]) -> Result<u64, SnapshotError> {
    SnapshotHeader::read(bytes).map(|header| header.sequence)
}
