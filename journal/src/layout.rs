//! The two persisted records, byte for byte: segment header and frame header. `FORMAT.md` states the same in prose.
//!
//! Invariant: sizes and offsets are asserted at compile time below each record; all numbers are little-endian; reserved
//! bytes are zero and a reader refuses anything else.

use std::mem::{offset_of, size_of};

use zerocopy::{
    FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{I64, U16, U32, U64},
};

use crate::{
    bounds::{FIRST_USER_KIND, FORMAT_VERSION, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES},
    checksum::header_crc,
    sabotage::{Bug, is_planted},
};

/// First eight bytes of a segment in use; zero in one that is only prepared.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"ACTHJRNL");

/// Written once, when the writer moves into the segment, and never changed.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct SegmentHeader {
    /// `MAGIC`; stored last, it makes the header visible.
    pub(crate) magic: U64,
    pub(crate) format_version: U32,
    pub(crate) header_bytes: U32,
    pub(crate) segment_index: U64,
    /// Sequence of the first frame that takes a number in this segment.
    pub(crate) first_sequence: U64,
    /// Rises at each opening for writing.
    pub(crate) run_id: U64,
    /// The kernel's boot id when the run began.
    pub(crate) boot_id: [u8; 16],
    pub(crate) created_ns: I64,
    /// Size of the file when it was prepared; it may be cut shorter later, never longer.
    pub(crate) segment_bytes: U64,
    /// Checksum of the last frame before this segment, or of the header before it if that segment has no frame; 0 at the
    /// very start.
    pub(crate) chain: U32,
    pub(crate) reserved: [u8; 48],
    /// CRC32C of all bytes above.
    pub(crate) crc: U32,
}

const _: () = assert!(size_of::<SegmentHeader>() == SEGMENT_HEADER_BYTES);
const _: () = assert!(offset_of!(SegmentHeader, format_version) == 8);
const _: () = assert!(offset_of!(SegmentHeader, header_bytes) == 12);
const _: () = assert!(offset_of!(SegmentHeader, segment_index) == 16);
const _: () = assert!(offset_of!(SegmentHeader, first_sequence) == 24);
const _: () = assert!(offset_of!(SegmentHeader, run_id) == 32);
const _: () = assert!(offset_of!(SegmentHeader, boot_id) == 40);
const _: () = assert!(offset_of!(SegmentHeader, created_ns) == 56);
const _: () = assert!(offset_of!(SegmentHeader, segment_bytes) == 64);
const _: () = assert!(offset_of!(SegmentHeader, chain) == 72);
const _: () = assert!(offset_of!(SegmentHeader, reserved) == 76);
const _: () = assert!(offset_of!(SegmentHeader, crc) == 124);

/// What the bytes at the start of a segment are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeaderVerdict {
    /// A header of this version.
    Valid(SegmentHeader),
    /// A whole header of another version.
    OtherVersion(u32),
    /// The first word is zero: prepared, not in use.
    Unused,
    /// Anything else.
    Broken,
}

impl SegmentHeader {
    /// The header with its checksum set.
    pub(crate) fn sealed(mut self) -> Self {
        self.crc = U32::new(self.computed_crc());
        self
    }

    fn computed_crc(&self) -> u32 {
        header_crc(&self.as_bytes()[..offset_of!(SegmentHeader, crc)])
    }

    /// Judges the first bytes of a file. Magic, version and the place of the checksum are the same in every version.
    pub(crate) fn judge(bytes: &[u8]) -> HeaderVerdict {
        let Ok((header, _)) = SegmentHeader::read_from_prefix(bytes) else {
            return if bytes.iter().all(|byte| *byte == 0) {
                HeaderVerdict::Unused
            } else {
                HeaderVerdict::Broken
            };
        };
        if header.magic.get() == 0 {
            return HeaderVerdict::Unused;
        }
        if header.magic.get() != MAGIC || header.crc.get() != header.computed_crc() {
            return HeaderVerdict::Broken;
        }
        if header.format_version.get() != FORMAT_VERSION {
            return HeaderVerdict::OtherVersion(header.format_version.get());
        }
        let whole = header.header_bytes.get() as usize == SEGMENT_HEADER_BYTES;
        if whole && (header.reserved == [0; 48] || is_planted(Bug::ReservedBytesIgnored)) {
            HeaderVerdict::Valid(header)
        } else {
            HeaderVerdict::Broken
        }
    }
}

/// The journal's own frames. Codes are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum ControlKind {
    /// The journal was closed in good order.
    Seal = 1,
    /// The segment is full, the next one goes on.
    Roll = 2,
    /// Says how much is durable and fills the page, so that the page can be synced and is not written to again.
    Watermark = 3,
}

impl ControlKind {
    pub(crate) const fn of(kind: u16) -> Option<Self> {
        match kind {
            1 => Some(Self::Seal),
            2 => Some(Self::Roll),
            3 => Some(Self::Watermark),
            _ => None,
        }
    }
}

/// Header of a frame. Its first eight bytes are stored last, as one word, and make the frame visible.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct FrameHeader {
    /// Bytes of the whole frame: header, payload, padding.
    pub(crate) frame_bytes: U32,
    /// CRC32C of everything behind this field.
    pub(crate) crc: U32,
    pub(crate) sequence: U64,
    pub(crate) time_ns: I64,
    pub(crate) cause: U64,
    pub(crate) kind: U16,
    pub(crate) padding_bytes: u8,
    pub(crate) flags: u8,
    /// Own sequence minus the highest durable one known when the frame was written; `u32::MAX` = unknown.
    pub(crate) durable_lag: U32,
}

const _: () = assert!(size_of::<FrameHeader>() == FRAME_HEADER_BYTES);
const _: () = assert!(offset_of!(FrameHeader, crc) == 4);
const _: () = assert!(offset_of!(FrameHeader, sequence) == 8);
const _: () = assert!(offset_of!(FrameHeader, time_ns) == 16);
const _: () = assert!(offset_of!(FrameHeader, cause) == 24);
const _: () = assert!(offset_of!(FrameHeader, kind) == 32);
const _: () = assert!(offset_of!(FrameHeader, padding_bytes) == 34);
const _: () = assert!(offset_of!(FrameHeader, flags) == 35);
const _: () = assert!(offset_of!(FrameHeader, durable_lag) == 36);

impl FrameHeader {
    /// Header of a whole frame's bytes; all zero if there are fewer than a header's.
    #[inline]
    pub(crate) fn of(frame: &[u8]) -> Self {
        match FrameHeader::read_from_prefix(frame) {
            Ok((header, _)) => header,
            Err(_) => FrameHeader::new_zeroed(),
        }
    }

    /// Whether every field has a value that a writer of this version writes.
    #[inline]
    pub(crate) fn is_well_formed(&self) -> bool {
        let kind = self.kind.get();
        let payload_holds =
            (self.frame_bytes.get() as usize) >= FRAME_HEADER_BYTES + self.padding_bytes as usize;
        let known = kind >= FIRST_USER_KIND || ControlKind::of(kind).is_some();
        self.flags == 0 && self.padding_bytes < 8 && payload_holds && known
    }

    /// Highest sequence that was durable when this frame was written, as far as it tells.
    pub(crate) fn durable_sequence(&self) -> Option<u64> {
        match self.durable_lag.get() {
            u32::MAX => None,
            lag => self.sequence.get().checked_sub(u64::from(lag)),
        }
    }
}
