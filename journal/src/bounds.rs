//! Every bound of the journal, with its reason.
//!
//! Invariant: the relations between the bounds are asserted here at compile time.

/// Version of the format that this program writes, and the only one that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Bytes of a segment header; frames begin right behind it.
pub const SEGMENT_HEADER_BYTES: usize = 128;

/// Bytes of a frame header.
pub const FRAME_HEADER_BYTES: usize = 40;

/// Frames begin at multiples of this and so do payloads: the payload may be read as words in place.
pub(crate) const FRAME_ALIGN_BYTES: usize = 8;

/// Largest payload of one frame: room for a run manifest, small enough that a torn frame stays small.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// Payloads whose frames have paths of their own, laid out in a row: the engine's records, and what makes a frame of one
/// cache line.
#[cfg(target_arch = "x86_64")]
pub(crate) const RECORD_BYTES: usize = 64;
#[cfg(target_arch = "x86_64")]
pub(crate) const LINE_PAYLOAD_BYTES: usize = 64 - FRAME_HEADER_BYTES;

/// Largest frame.
pub(crate) const FRAME_BYTES_MAX: usize = FRAME_HEADER_BYTES + PAYLOAD_BYTES_MAX;

/// Kinds below this belong to the journal itself and take no sequence number of their own.
pub const FIRST_USER_KIND: u16 = 0x0100;

/// The sequence number of the first frame that a journal ever gets; 0 means "none".
pub const FIRST_SEQUENCE: u64 = 1;

/// Default size of a segment: 0.6 s at a million frames a second, prepared in tens of milliseconds.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;

/// Smallest segment: one page of frames beside the header's.
pub const SEGMENT_BYTES_MIN: u64 = 8192;

/// Largest segment: positions inside one fit 32 bits, which the checksum's seed relies on.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 31;

/// Segment sizes are multiples of this (a page on x86-64).
pub(crate) const SEGMENT_BYTES_STEP: u64 = 4096;

/// Segments that are kept ready ahead of the writer: one to roll into, one while the next is being prepared.
pub(crate) const PREPARED_SEGMENTS: usize = 2;

/// Segments that may wait to be synced and unmapped before a roll has to wait.
pub(crate) const RETIRED_SEGMENTS_MAX: usize = 64;

/// Largest watermark frame: it ends the page in use, or the next one when less than a frame header is left of it. Pages of up to
/// 64 KiB are in use.
pub(crate) const WATERMARK_BYTES_MAX: usize = (64 << 10) + FRAME_HEADER_BYTES;

/// Frame bytes for a payload, padding included.
#[inline]
pub(crate) const fn frame_bytes(payload_bytes: usize) -> usize {
    FRAME_HEADER_BYTES + payload_bytes.next_multiple_of(FRAME_ALIGN_BYTES)
}

/// Largest payload that a segment of this size can hold beside its header and its end frame.
pub(crate) const fn payload_bytes_max(segment_bytes: u64) -> usize {
    let room = segment_bytes as usize - SEGMENT_HEADER_BYTES - 2 * FRAME_HEADER_BYTES;
    if room < PAYLOAD_BYTES_MAX {
        room
    } else {
        PAYLOAD_BYTES_MAX
    }
}

const _: () = assert!(SEGMENT_HEADER_BYTES.is_multiple_of(FRAME_ALIGN_BYTES));
const _: () = assert!(FRAME_HEADER_BYTES.is_multiple_of(FRAME_ALIGN_BYTES));
const _: () = assert!(PAYLOAD_BYTES_MAX.is_multiple_of(FRAME_ALIGN_BYTES));
const _: () = assert!(SEGMENT_BYTES_MIN.is_multiple_of(SEGMENT_BYTES_STEP));
const _: () = assert!(SEGMENT_BYTES_DEFAULT.is_multiple_of(SEGMENT_BYTES_STEP));
const _: () = assert!(SEGMENT_BYTES_MAX <= u32::MAX as u64);
const _: () = assert!(payload_bytes_max(SEGMENT_BYTES_DEFAULT) == PAYLOAD_BYTES_MAX);
