//! What can go wrong, each error naming the place and what was expected in one sentence.

use std::{io, path::PathBuf, sync::Arc};

/// Why the journal cannot go on. Cheap to clone, so that a failure of the helper can be told to every caller.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The system refused an operation on a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: Arc<io::Error>,
    },
    /// There is no room for a whole segment.
    #[error("no space for a segment of {bytes} bytes at {}: {source}", path.display())]
    NoSpace {
        /// The segment that could not be prepared.
        path: PathBuf,
        /// How many bytes it needs.
        bytes: u64,
        /// The system's answer.
        source: Arc<io::Error>,
    },
    /// Another writer holds the journal.
    #[error("journal {} is already being written to: a journal has one writer", dir.display())]
    Locked {
        /// The journal.
        dir: PathBuf,
    },
    /// A new journal was asked for in a directory that holds something.
    #[error("directory {} is not empty: a new journal needs a new or empty directory", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// There is no journal here.
    #[error("no journal at {}: expected a directory with segments named NNNNNNNNNN.seg", dir.display())]
    NotFound {
        /// The directory.
        dir: PathBuf,
    },
    /// An option is out of its bounds.
    #[error("segment_bytes is {found}: expected a multiple of {step} from {min} to {max}")]
    SegmentBytes {
        /// What was asked for.
        found: u64,
        /// Granularity.
        step: u64,
        /// Smallest size.
        min: u64,
        /// Largest size.
        max: u64,
    },
    /// The payload does not fit a frame of this journal.
    #[error("payload of {bytes} bytes: this journal takes at most {max}")]
    PayloadTooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// The kind belongs to the journal itself.
    #[error("kind {kind:#06x} is the journal's own: callers' kinds begin at 0x0100")]
    ReservedKind {
        /// The kind that was passed.
        kind: u16,
    },
    /// The segment was written in a format that this program does not know.
    #[error(
        "segment {segment} has format version {found}, this program reads version {supported}: \
         read it with the program that wrote it, or convert it with a program that reads both"
    )]
    UnsupportedVersion {
        /// Index of the segment.
        segment: u64,
        /// Version found.
        found: u32,
        /// Version that this program reads.
        supported: u32,
    },
    /// The bytes are not what was written, and no crash explains it.
    #[error(
        "segment {segment} is damaged at byte {offset}, where sequence {sequence} was expected: {cause}; \
         everything before it is good; restore the segment from a copy, or give up what is behind with \
         `acth journal repair --until SEQUENCE`"
    )]
    Damaged {
        /// Index of the segment.
        segment: u64,
        /// Byte in the segment at which the damage was noticed.
        offset: u64,
        /// The sequence number that was expected there.
        sequence: u64,
        /// What is wrong.
        cause: Damage,
    },
    /// A sync failed in an earlier run, so what is read back may not be on the device.
    #[error(
        "a sync of {} failed: {note}; compare the last orders with the venue, then accept what is there with \
         `acth journal repair --accept-unsynced`", dir.display()
    )]
    SyncFailed {
        /// The journal.
        dir: PathBuf,
        /// What the run that met it wrote down.
        note: String,
    },
    /// A snapshot cannot be used.
    #[error("snapshot {}: {cause}", path.display())]
    Snapshot {
        /// Its file.
        path: PathBuf,
        /// What is wrong and what was expected.
        cause: &'static str,
    },
    /// There is no frame of this sequence.
    #[error("the journal has no frame {sequence}: it holds {first} to {last}")]
    NoSuchSequence {
        /// What was asked for.
        sequence: u64,
        /// First frame that is there.
        first: u64,
        /// Last frame that is there.
        last: u64,
    },
    /// Pruning would take away what recovery needs.
    #[error("cannot prune up to frame {until}: {cause}")]
    Prune {
        /// Last sequence that would be taken away.
        until: u64,
        /// Why not.
        cause: &'static str,
    },
    /// A signed head cannot be used, or does not hold.
    #[error("signed head {}: {cause}", path.display())]
    Head {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        cause: &'static str,
    },
    /// The helper thread ended without saying why.
    #[error("the journal's helper thread has stopped: no further segment can be prepared")]
    HelperStopped,
}

/// What is wrong with damaged bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The segment header fails its checksum or is cut short.
    #[error("the segment header fails its checksum")]
    Header,
    /// The header is intact but contradicts the file's name or size.
    #[error("the segment header contradicts the file's name or size")]
    Misplaced,
    /// The segment does not continue the one before it.
    #[error("the segment does not continue the one before it")]
    Chain,
    /// A segment between two others is not there.
    #[error("the segment is missing")]
    Missing,
    /// The frame's length is impossible here.
    #[error("the frame length is impossible")]
    Length,
    /// The frame fails its checksum.
    #[error("the frame fails its checksum")]
    Checksum,
    /// The checksum holds but a field has a value that no writer of this version writes.
    #[error("a header field has a value that this version never writes")]
    Field,
    /// The sequence number does not follow the one before it.
    #[error("the sequence number does not follow its predecessor")]
    Sequence,
    /// There are bytes behind the frame that closed the segment.
    #[error("there are bytes behind the frame that closed the segment")]
    BytesAfterEnd,
    /// The journal does not begin at its start, nor where its base says.
    #[error(
        "the journal does not begin here: older segments are missing and BASE does not say that they were pruned"
    )]
    Front,
    /// The record of what was pruned fails its checksum.
    #[error("BASE, the record of what was pruned, fails its checksum")]
    Base,
    /// The compressed segment cannot be unpacked.
    #[error("the archived segment does not unpack to what was archived")]
    Archive,
    /// Bytes lie behind the end of the frames that no torn write explains.
    #[error("bytes lie behind the last frame that no torn write explains")]
    Hole,
}

impl JournalError {
    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_path_buf(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn damaged(segment: u64, offset: usize, sequence: u64, cause: Damage) -> Self {
        Self::Damaged {
            segment,
            offset: offset as u64,
            sequence,
            cause,
        }
    }
}
