//! Verifying ahead: short frames of a caller's kind, a stretch at a time, before they are delivered one by one.
//!
//! The checksum instruction takes one word a cycle but gives its sum only three cycles later, and the sum of a frame is one
//! chain of words. Frames of one length that stand in a row are summed side by side, which fills the gaps. A loop that does nothing
//! else also runs ahead of the memory that it reads.
//!
//! Invariant: what is verified ahead changes nothing that a caller sees. The stretch ends before the first frame that is not
//! ordinary in every way; that one is judged when the reader comes to it.

use super::Reader;
use crate::{
    bounds::{FIRST_USER_KIND, LINE_PAYLOAD_BYTES, RECORD_BYTES, frame_bytes},
    checksum::{RunSeed, SHORT_BYTES, sum_abreast},
    layout::FrameHeader,
    mapping::{ReadableMapping, Slot},
};

/// Frames verified at once: long enough to fill the processor, and still in its first cache when they are delivered.
const FRAMES_AHEAD: u64 = 64;
/// Frames summed side by side.
const ABREAST: usize = 4;
/// How far ahead memory is asked for: some hundred ns of frames. The processor's own prefetching ends with each page.
const FETCH_DISTANCE_BYTES: usize = 2048;
/// And how much at a time: what `ABREAST` frames of the engine take.
const FETCH_BYTES: usize = ABREAST * RECORD_FRAME;
const RECORD_FRAME: usize = frame_bytes(RECORD_BYTES);
const LINE_FRAME: usize = frame_bytes(LINE_PAYLOAD_BYTES);

/// A walk over frames that verify.
struct Walk<'a> {
    mapping: &'a ReadableMapping,
    seed: RunSeed,
    position: usize,
    crc_before: u32,
    sequence: u64,
}

impl Reader {
    /// Verifies a stretch of frames from the position on. False when not even the first one is ordinary.
    #[inline(never)]
    #[target_feature(enable = "sse4.2")]
    pub(super) fn verify_ahead(&mut self) -> bool {
        let Some(segment) = &self.segment else {
            return false;
        };
        let mut walk = Walk {
            mapping: &segment.mapping,
            seed: self.seed,
            position: self.position,
            crc_before: self.crc_before,
            sequence: self.next_sequence,
        };
        let sequence_max = walk.sequence + FRAMES_AHEAD;
        while walk.sequence < sequence_max {
            if !walk.pass_row() && !walk.pass_one() {
                break;
            }
        }
        self.verified_until = walk.position;
        self.verified_until > self.position
    }
}

impl Walk<'_> {
    /// Passes several frames of one of the usual lengths.
    #[inline]
    #[target_feature(enable = "sse4.2")]
    fn pass_row(&mut self) -> bool {
        match self.mapping.slot(self.position) {
            Slot::Published(first) if first.frame_bytes() == RECORD_FRAME => {
                self.pass_abreast::<RECORD_FRAME>()
            }
            Slot::Published(first) if first.frame_bytes() == LINE_FRAME => {
                self.pass_abreast::<LINE_FRAME>()
            }
            _ => false,
        }
    }

    /// Passes `ABREAST` frames of `BYTES`, if all of them are there and ordinary.
    #[inline]
    #[target_feature(enable = "sse4.2")]
    fn pass_abreast<const BYTES: usize>(&mut self) -> bool {
        let Some(frames) = self.mapping.row::<ABREAST, BYTES>(self.position) else {
            return false;
        };
        self.mapping
            .fetch_ahead::<FETCH_BYTES>(self.position + FETCH_DISTANCE_BYTES);
        let seeds = std::array::from_fn(|index| {
            let position = self.position + index * BYTES;
            self.seed.frame(position, BYTES as u32)
        });
        let sums = sum_abreast(seeds, frames);
        let mut is_ordinary = true;
        let (mut crc_before, mut sequence) = (self.crc_before, self.sequence);
        for (frame, sum) in frames.into_iter().zip(sums) {
            let header = FrameHeader::of(frame);
            is_ordinary &= sum ^ crc_before == header.crc.get();
            is_ordinary &= is_next(&header, sequence);
            crc_before = header.crc.get();
            sequence += 1;
        }
        if is_ordinary {
            self.position += ABREAST * BYTES;
            self.crc_before = crc_before;
            self.sequence = sequence;
        }
        is_ordinary
    }

    /// Passes one short frame of any length.
    #[inline]
    #[target_feature(enable = "sse4.2")]
    fn pass_one(&mut self) -> bool {
        let Slot::Published(published) = self.mapping.slot(self.position) else {
            return false;
        };
        let bytes = self.mapping.frame(published);
        if bytes.len() > SHORT_BYTES {
            return false;
        }
        let header = FrameHeader::of(bytes);
        let crc = self
            .seed
            .short_frame_crc(self.position, self.crc_before, &bytes[8..]);
        let is_ordinary = crc == published.crc && is_next(&header, self.sequence);
        if is_ordinary {
            self.position += bytes.len();
            self.crc_before = crc;
            self.sequence += 1;
        }
        is_ordinary
    }
}

/// Whether this is the header of a caller's frame with this number.
#[inline]
fn is_next(header: &FrameHeader, sequence: u64) -> bool {
    header.sequence.get() == sequence
        && header.kind.get() >= FIRST_USER_KIND
        && header.is_well_formed()
}
