//! CRC32C of frames and segment headers.
//!
//! A frame's checksum starts from a seed made of the run id, the byte position in the segment and the frame's length, and is
//! combined at its end with the checksum of the frame before it. So a frame that is intact but in the wrong place, in the
//! wrong order, of another run or with another predecessor does not verify. The predecessor comes in last, and as it is
//! *stored*: neither verifying nor making a checksum waits for the arithmetic of the frame before, so those of
//! neighbouring frames overlap in the processor.

#[cfg(target_arch = "x86_64")]
use crate::bounds::{LINE_PAYLOAD_BYTES, RECORD_BYTES, frame_bytes};
use crate::sabotage::{Bug, is_planted};

/// Odd multipliers with well-spread bits (those of SplitMix64).
const FACTOR_RUN: u64 = 0xbf58_476d_1ce4_e5b9;
const FACTOR_PLACE: u64 = 0x94d0_49bb_1331_11eb;

/// The part of the seed that is the same for a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunSeed(u64);

impl RunSeed {
    pub(crate) const fn of(run_id: u64) -> Self {
        let mixed = (run_id ^ (run_id >> 29)).wrapping_mul(FACTOR_RUN);
        Self(mixed ^ (mixed >> 32))
    }

    /// The seed of the frame of `frame_bytes` at `position`.
    #[inline]
    pub(crate) fn frame(self, position: usize, frame_bytes: u32) -> u32 {
        let position = if is_planted(Bug::ChecksumWithoutPosition) {
            0
        } else {
            position
        };
        let place = ((position as u64) << 32) | frame_bytes as u64;
        ((self.0 ^ place).wrapping_mul(FACTOR_PLACE) >> 32) as u32
    }

    /// Checksum of a frame: `covered` is everything behind its first 8 bytes, `crc_before` the stored checksum of its
    /// predecessor.
    #[inline]
    pub(crate) fn frame_crc(self, position: usize, crc_before: u32, covered: &[u8]) -> u32 {
        let frame_bytes = covered.len() as u32 + 8;
        append(self.frame(position, frame_bytes), covered) ^ crc_before
    }

    /// As `frame_crc`, for a short frame on a CPU with the instruction: becomes part of its caller.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "sse4.2")]
    pub(crate) fn short_frame_crc(self, position: usize, crc_before: u32, covered: &[u8]) -> u32 {
        let frame_bytes = covered.len() as u32 + 8;
        append_words(self.frame(position, frame_bytes), covered) ^ crc_before
    }
}

/// Up to this many bytes one instruction after the other is faster than the crate's three streams.
#[cfg(target_arch = "x86_64")]
pub(crate) const SHORT_BYTES: usize = 512;

/// Whether the CPU has the instruction for CRC32C: one load and a test, known at compile time where the build says so. Planted bugs
/// stand in the general code, so with them everything takes that.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_instruction() -> bool {
    !cfg!(feature = "sabotage") && std::arch::is_x86_feature_detected!("sse4.2")
}

/// A checksum in the making, one word after the other: for whoever has the words in registers anyway.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Running(u64);

#[cfg(target_arch = "x86_64")]
impl Running {
    #[inline]
    pub(crate) fn begin(crc: u32) -> Self {
        Self(u64::from(!crc))
    }

    /// The word has the value that little-endian bytes have.
    #[inline]
    #[target_feature(enable = "sse4.2")]
    pub(crate) fn add(self, word: u64) -> Self {
        Self(std::arch::x86_64::_mm_crc32_u64(self.0, word))
    }

    #[inline]
    pub(crate) fn end(self) -> u32 {
        !(self.0 as u32)
    }
}

/// `crc32c_append` for whole words. The frames of the hot path are short: without the crate's splitting and dispatch, 96
/// bytes took 4.2 ns instead of 7.9.
#[inline]
fn append(crc: u32, covered: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if covered.len() <= SHORT_BYTES && has_instruction() {
        // SAFETY: the CPU has the feature (checked just now).
        return unsafe { append_words(crc, covered) };
    }
    crc32c::crc32c_append(crc, covered)
}

/// Whole 8-byte words of `covered`, which has nothing else (frames are multiples of 8). The lengths of most frames are laid out
/// in a row.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse4.2")]
pub(crate) fn append_words(crc: u32, covered: &[u8]) -> u32 {
    const RECORD: usize = frame_bytes(RECORD_BYTES) - 8;
    const LINE: usize = frame_bytes(LINE_PAYLOAD_BYTES) - 8;
    let mut running = Running::begin(crc);
    let mut add = |words: &[[u8; 8]]| {
        for word in words {
            running = running.add(u64::from_le_bytes(*word));
        }
    };
    if let Ok(covered) = <&[u8; RECORD]>::try_from(covered) {
        add(covered.as_chunks::<8>().0);
    } else if let Ok(covered) = <&[u8; LINE]>::try_from(covered) {
        add(covered.as_chunks::<8>().0);
    } else {
        let (words, rest) = covered.as_chunks::<8>();
        debug_assert!(rest.is_empty());
        add(words);
    }
    running.end()
}

/// Checksums of several frames of one length, each from its own seed over everything behind its first 8 bytes, as `append_words` would
/// make them. A word of each frame in turn: the processor can begin one sum a cycle, but each word of a sum waits for the one before.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse4.2")]
pub(crate) fn sum_abreast<const FRAMES: usize, const BYTES: usize>(
    seeds: [u32; FRAMES],
    frames: [&[u8; BYTES]; FRAMES],
) -> [u32; FRAMES] {
    let mut running = seeds.map(Running::begin);
    for word in 1..BYTES / 8 {
        for (running, frame) in running.iter_mut().zip(frames) {
            *running = running.add(u64::from_le_bytes(frame.as_chunks::<8>().0[word]));
        }
    }
    running.map(Running::end)
}

/// Checksum of a segment header without its last four bytes, where the checksum itself stands.
pub(crate) fn header_crc(covered: &[u8]) -> u32 {
    crc32c::crc32c(covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_seed_counts() {
        let covered = [7u8; 96];
        let crc = RunSeed::of(1).frame_crc(128, 5, &covered);
        assert_eq!(crc, RunSeed::of(1).frame_crc(128, 5, &covered));
        assert_ne!(crc, RunSeed::of(2).frame_crc(128, 5, &covered), "run id");
        assert_ne!(crc, RunSeed::of(1).frame_crc(136, 5, &covered), "position");
        assert_ne!(
            crc,
            RunSeed::of(1).frame_crc(128, 6, &covered),
            "predecessor"
        );
        assert_ne!(
            crc,
            RunSeed::of(1).frame_crc(128, 5, &covered[..88]),
            "length"
        );
    }

    #[test]
    fn crc32c_is_the_published_polynomial() {
        assert_eq!(header_crc(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn short_and_long_agree_with_the_crate() {
        let bytes: Vec<u8> = (0..2048u32).map(|index| (index * 31 % 251) as u8).collect();
        for length in (0..bytes.len()).step_by(8) {
            let expected = crc32c::crc32c_append(length as u32, &bytes[..length]);
            assert_eq!(
                append(length as u32, &bytes[..length]),
                expected,
                "{length} bytes"
            );
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn sums_abreast_are_the_sums_of_each() {
        if !has_instruction() {
            return;
        }
        let bytes: Vec<u8> = (0..4 * 104u32)
            .map(|index| (index * 37 % 249) as u8)
            .collect();
        let (frames, _) = bytes.as_chunks::<104>();
        let frames = [&frames[0], &frames[1], &frames[2], &frames[3]];
        let seeds = [1, u32::MAX, 0, 77];
        // SAFETY: the CPU has the instruction (asked above).
        let sums = unsafe { sum_abreast(seeds, frames) };
        let each = [0, 1, 2, 3].map(|index| append(seeds[index], &frames[index][8..]));
        assert_eq!(sums, each);
    }

    #[test]
    fn places_of_one_segment_have_different_seeds() {
        let mut seeds: Vec<u32> = (0..20_000)
            .map(|slot| RunSeed::of(3).frame(128 + slot * 104, 104))
            .collect();
        seeds.sort_unstable();
        let all = seeds.len();
        seeds.dedup();
        assert!(
            all - seeds.len() < 4,
            "{} equal seeds among {all}",
            all - seeds.len()
        );
    }
}
