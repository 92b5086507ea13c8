//! Looks for valid frames behind a place that cannot be read, and for what they attest about durability.
//!
//! Used only to judge: nothing found here is ever delivered.

use crate::{
    bounds::{FRAME_ALIGN_BYTES, FRAME_BYTES_MAX, FRAME_HEADER_BYTES},
    checksum::RunSeed,
    layout::FrameHeader,
};

/// What lies behind an unreadable place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Salvage {
    /// At least one frame verifies.
    pub(crate) has_frames: bool,
    /// Highest sequence that a valid frame (or header) says was durable.
    pub(crate) durable_sequence: u64,
}

impl Salvage {
    /// Takes the larger claims of both.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            has_frames: self.has_frames || other.has_frames,
            durable_sequence: self.durable_sequence.max(other.durable_sequence),
        }
    }

    fn take(&mut self, header: &FrameHeader) {
        self.has_frames = true;
        let durable = header.durable_sequence().unwrap_or(0);
        self.durable_sequence = self.durable_sequence.max(durable);
    }
}

/// Bytes of a segment from an unreadable place (or from the first frame) to the end of the file.
pub(crate) struct Region<'a> {
    pub(crate) bytes: &'a [u8],
    /// Position of the first byte in the segment.
    pub(crate) position: usize,
    pub(crate) seed: RunSeed,
    /// Sequence expected at the first byte.
    pub(crate) next_sequence: u64,
}

impl Region<'_> {
    /// Walks valid frames, finding its way back where the chain breaks: a frame verifies with the checksum stored in the
    /// frame before it, and that one is taken on trust if its header is plausible. `crc_before` is the checksum that the first
    /// frame must chain to.
    pub(crate) fn search(&self, crc_before: u32) -> Salvage {
        let mut found = Salvage::default();
        let mut offset = 0;
        let mut crc_before = crc_before;
        let mut is_lost = false;
        while offset + FRAME_HEADER_BYTES <= self.bytes.len() {
            let Some(header) = self.plausible(offset) else {
                if !is_lost {
                    (crc_before, is_lost) =
                        (FrameHeader::of(&self.bytes[offset..]).crc.get(), true);
                }
                offset += FRAME_ALIGN_BYTES;
                continue;
            };
            let next = offset + header.frame_bytes.get() as usize;
            let crc = header.crc.get();
            if self.verifies(offset, &header, crc_before) {
                found.take(&header);
                (offset, crc_before, is_lost) = (next, crc, false);
                continue;
            }
            let successor = self
                .plausible(next)
                .filter(|other| self.verifies(next, other, crc));
            if successor.is_some() {
                // The successor is taken in the next turn.
                (offset, crc_before, is_lost) = (next, crc, false);
                continue;
            }
            if !is_lost {
                // The frame in which the chain broke: its length may be wrong and its checksum right.
                (crc_before, is_lost) = (crc, true);
            }
            offset += FRAME_ALIGN_BYTES;
        }
        found
    }

    /// The header at `offset` if a frame of this region could have it.
    fn plausible(&self, offset: usize) -> Option<FrameHeader> {
        let rest = self.bytes.get(offset..)?;
        if rest.len() < FRAME_HEADER_BYTES {
            return None;
        }
        let header = FrameHeader::of(rest);
        let frame_bytes = header.frame_bytes.get() as usize;
        let fits = (FRAME_HEADER_BYTES..=rest.len().min(FRAME_BYTES_MAX)).contains(&frame_bytes)
            && frame_bytes.is_multiple_of(FRAME_ALIGN_BYTES);
        let sequence_max = self.next_sequence + (offset / FRAME_HEADER_BYTES) as u64 + 1;
        let near =
            (self.next_sequence.saturating_sub(1)..=sequence_max).contains(&header.sequence.get());
        (fits && near && header.is_well_formed()).then_some(header)
    }

    fn verifies(&self, offset: usize, header: &FrameHeader, crc_before: u32) -> bool {
        let end = offset + header.frame_bytes.get() as usize;
        let covered = &self.bytes[offset + 8..end];
        self.seed
            .frame_crc(self.position + offset, crc_before, covered)
            == header.crc.get()
    }
}
