//! Mapped segments: all `unsafe` of reading and writing them is here, below a safe surface.
//!
//! Invariant of the bytes: a prepared file is all zero; one writer stores each frame once, in order, and never touches it
//! again; the word in front of a frame is stored last (`commit.rs`). So bytes behind an observed word do not change.
//! Invariant of the length: a file in use is never made shorter than the page of the first byte behind its last frame
//! (`FORMAT.md`, tail rules), and a reader looks at no byte behind the first unwritten word: no bus error.

use std::sync::Arc;

#[cfg(target_arch = "x86_64")]
use crate::checksum::Running;
use zerocopy::IntoBytes;

use crate::{
    bounds::{FRAME_ALIGN_BYTES, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES},
    checksum::RunSeed,
    commit::{Commit, CommitWord},
    layout::SegmentHeader,
    sabotage::{Bug, is_planted},
    storage::Mapping,
};

/// Everything of a frame but its place.
pub(crate) struct FrameFields<'a> {
    pub(crate) sequence: u64,
    pub(crate) time_ns: i64,
    pub(crate) cause: u64,
    pub(crate) kind: u16,
    pub(crate) durable_lag: u32,
    pub(crate) payload: &'a [u8],
}

impl FrameFields<'_> {
    /// The last word of the header: kind, padding, no flags, lag.
    #[inline]
    fn last_word(&self) -> u64 {
        let padding_bytes = self.payload.len().wrapping_neg() % FRAME_ALIGN_BYTES;
        u64::from(self.kind) | (padding_bytes as u64) << 16 | u64::from(self.durable_lag) << 32
    }
}

/// A segment mapped for writing, owned by the writer. Others may look at it through a `ReadableMapping` of their own.
pub(crate) struct WritableMapping {
    /// Of `owner`, kept here so that an append calls nothing.
    base: *mut u8,
    length: usize,
    _owner: Arc<dyn Mapping>,
}

// SAFETY: the address belongs to `_owner`, which may be used from any thread and lives as long; nothing in it is bound to a
// thread.
unsafe impl Send for WritableMapping {}

impl WritableMapping {
    /// Over a mapping of a whole file, all zero, that nobody else writes to.
    pub(crate) fn over(owner: Arc<dyn Mapping>) -> Self {
        Self {
            base: owner.base(),
            length: owner.length(),
            _owner: owner,
        }
    }

    /// Stores the segment header, its first word last.
    pub(crate) fn put_header(&mut self, header: &SegmentHeader) {
        assert!(self.length >= SEGMENT_HEADER_BYTES);
        let bytes = header.as_bytes();
        // SAFETY:
        // - the mapping holds a whole header (asserted) and is page-aligned;
        // - `&mut self`: this is the one writer; readers look at the first word only until it is published.
        unsafe {
            let base = self.base;
            std::ptr::copy_nonoverlapping(bytes[8..].as_ptr(), base.add(8), bytes.len() - 8);
            (*base.cast::<CommitWord>()).publish_word(header.magic.get());
        }
    }

    /// Stores a frame at `position` and publishes it. Returns its checksum.
    ///
    /// Fields go straight into the mapping: building the frame elsewhere and copying it costs a store-forwarding stall.
    ///
    /// # Panics
    /// When the frame does not fit: the caller checked the room.
    #[inline]
    pub(crate) fn put_frame(
        &mut self,
        position: usize,
        seed: RunSeed,
        crc_before: u32,
        fields: &FrameFields<'_>,
    ) -> Commit {
        let payload_bytes = fields.payload.len();
        let frame_bytes = crate::bounds::frame_bytes(payload_bytes);
        assert!(position.is_multiple_of(FRAME_ALIGN_BYTES));
        assert!(position + frame_bytes <= self.length);
        // SAFETY:
        // - the whole frame lies inside the mapping and is 8-aligned (asserted; the mapping is page-aligned);
        // - `&mut self`: this is the one writer; readers look at nothing behind the first word until it is published;
        // - the covered bytes are initialised: header and payload just now, the padding is zero since preparation.
        unsafe {
            let frame = self.base.add(position);
            let words = frame.cast::<u64>();
            words.add(1).write(fields.sequence.to_le());
            words.add(2).write(fields.time_ns.to_le().cast_unsigned());
            words.add(3).write(fields.cause.to_le());
            words.add(4).write(fields.last_word().to_le());
            std::ptr::copy_nonoverlapping(
                fields.payload.as_ptr(),
                frame.add(FRAME_HEADER_BYTES),
                payload_bytes,
            );
            let covered = std::slice::from_raw_parts(frame.add(8), frame_bytes - 8);
            let crc = seed.frame_crc(position, crc_before, covered);
            let commit = Commit {
                frame_bytes: frame_bytes as u32,
                crc,
            };
            if is_planted(Bug::CommitBeforePayload) {
                frame.add(FRAME_HEADER_BYTES).write_bytes(0, payload_bytes);
                (*frame.cast::<CommitWord>()).publish(commit);
                std::thread::yield_now();
                std::ptr::copy_nonoverlapping(
                    fields.payload.as_ptr(),
                    frame.add(FRAME_HEADER_BYTES),
                    payload_bytes,
                );
                return commit;
            }
            (*frame.cast::<CommitWord>()).publish(commit);
            commit
        }
    }

    /// Asks for the lines that frames a little further on will be stored into, for writing and without waiting. Fresh memory is in no
    /// cache of this core, and a store to such a line holds back every later one, the publication of an order among them.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn claim_ahead(&self, position: usize) {
        /// Some five frames: what a burst appends while a line comes from memory.
        const AHEAD_BYTES: usize = 512;
        let line = self.base.wrapping_add(position + AHEAD_BYTES);
        // SAFETY: a prefetch reads and writes nothing and cannot fault, wherever it points; behind the end of the mapping it is lost.
        unsafe {
            // Not `_mm_prefetch`: the ordinary build makes a prefetch for reading of it. A processor that does not know this one takes it
            // for none.
            std::arch::asm!(
                "prefetchw [{line}]",
                "prefetchw [{line} + 64]",
                line = in(reg) line,
                options(nostack, preserves_flags)
            );
        }
    }

    /// As `put_frame`, in one pass: every word goes into the checksum from the register that it is stored from, and nothing
    /// is called.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn put_short_frame(
        &mut self,
        position: usize,
        seed: RunSeed,
        chain: &mut u32,
        fields: &FrameFields<'_>,
        add: impl Fn(Running, u64) -> Running,
    ) {
        let payload_bytes = fields.payload.len();
        let frame_bytes = crate::bounds::frame_bytes(payload_bytes);
        assert!(position.is_multiple_of(FRAME_ALIGN_BYTES));
        assert!(position + frame_bytes <= self.length);
        let running = Running::begin(seed.frame(position, frame_bytes as u32));
        let (whole, rest) = fields.payload.as_chunks::<8>();
        let header = [
            fields.sequence,
            fields.time_ns.cast_unsigned(),
            fields.cause,
            fields.last_word(),
        ];
        // SAFETY:
        // - the whole frame lies inside the mapping and is 8-aligned (asserted; the mapping is page-aligned); its words are the first
        //   one, four of the header, each whole one of the payload and one more if there is a rest;
        // - `&mut self`: this is the one writer; readers look at nothing behind the first word until it is published.
        unsafe {
            let first = self.base.add(position).cast::<u64>();
            let mut row = Row {
                place: first.add(1),
                running,
                add,
            };
            for word in header {
                row.put(word);
            }
            for bytes in whole {
                row.put(u64::from_le_bytes(*bytes));
            }
            if !rest.is_empty() {
                row.put(word_of(rest));
            }
            *chain ^= row.running.end();
            (*first.cast::<CommitWord>()).publish(Commit {
                frame_bytes: frame_bytes as u32,
                crc: *chain,
            });
        }
    }
}

/// Words of a frame in the making, and the checksum over them.
#[cfg(target_arch = "x86_64")]
struct Row<A> {
    place: *mut u64,
    running: Running,
    add: A,
}

#[cfg(target_arch = "x86_64")]
impl<A: Fn(Running, u64) -> Running> Row<A> {
    /// Stores the next word. Volatile, else the compiler makes two loops of a frame, one of them a call of memcpy. Words of 8
    /// bytes, as a payload that was just made of smaller stores would stall wider loads.
    ///
    /// # Safety
    /// `place` is a word of the mapping that no reader looks at yet.
    #[inline(always)]
    unsafe fn put(&mut self, word: u64) {
        // SAFETY: as the caller promises.
        unsafe {
            self.place.write_volatile(word.to_le());
            self.place = self.place.add(1);
        }
        self.running = (self.add)(self.running, word);
    }
}

/// Up to seven bytes and zeros behind them.
#[inline]
#[cfg(target_arch = "x86_64")]
fn word_of(rest: &[u8]) -> u64 {
    let bytes = rest.iter().rev();
    bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// A segment mapped for reading. Clones are views of the same mapping.
#[derive(Clone)]
pub(crate) struct ReadableMapping {
    /// Of `owner`, kept here so that reading a frame calls nothing.
    base: *const u8,
    length: usize,
    _owner: Arc<dyn Mapping>,
}

// SAFETY: the address belongs to `_owner`, which may be used from any thread and lives as long; nothing in it is bound to a
// thread.
unsafe impl Send for ReadableMapping {}

/// What stands at a position.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    /// Not yet written.
    Unwritten,
    /// No word fits before the end of the file.
    EndOfFile,
    /// A word is there, but no frame of that length can be.
    Impossible,
    /// A whole frame was published; its bytes no longer change.
    Published(Published),
}

/// Proof that a frame's word was observed and that the frame lies inside the mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    position: usize,
    frame_bytes: usize,
    pub(crate) crc: u32,
}

#[cfg(target_arch = "x86_64")]
impl Published {
    #[inline]
    pub(crate) fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }
}

impl ReadableMapping {
    /// Over a mapping of the part of the file that is there.
    pub(crate) fn over(owner: Arc<dyn Mapping>) -> Self {
        Self {
            base: owner.base(),
            length: owner.length(),
            _owner: owner,
        }
    }

    /// The header's bytes, once its first word is published.
    pub(crate) fn header_bytes(&self) -> Option<&[u8]> {
        if self.length < SEGMENT_HEADER_BYTES || self.word(0).observe_word() == 0 {
            return None;
        }
        // SAFETY: inside the mapping (checked); published, so it no longer changes.
        Some(unsafe { std::slice::from_raw_parts(self.base, SEGMENT_HEADER_BYTES) })
    }

    /// Looks at the word at `position`, which must be the end of the frame before it.
    #[inline]
    pub(crate) fn slot(&self, position: usize) -> Slot {
        let room = self.room_at(position);
        if room < 8 {
            return Slot::EndOfFile;
        }
        let Some(commit) = self.word(position).observe() else {
            return Slot::Unwritten;
        };
        let frame_bytes = commit.frame_bytes as usize;
        if frame_bytes < FRAME_HEADER_BYTES
            || (frame_bytes > room && !is_planted(Bug::TrustLength))
            || !frame_bytes.is_multiple_of(FRAME_ALIGN_BYTES)
        {
            return Slot::Impossible;
        }
        Slot::Published(Published {
            position,
            frame_bytes,
            crc: commit.crc,
        })
    }

    /// All bytes of a published frame.
    #[inline]
    pub(crate) fn frame(&self, frame: Published) -> &[u8] {
        assert!(frame.frame_bytes <= self.room_at(frame.position));
        // SAFETY: inside the mapping (asserted); published, so the writer no longer changes it.
        unsafe { std::slice::from_raw_parts(self.base.add(frame.position), frame.frame_bytes) }
    }

    /// Frames of `BYTES` each that stand in a row from `position` on, if all of them are published. A word is looked at only when
    /// the frame before it was published.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn row<const FRAMES: usize, const BYTES: usize>(
        &self,
        position: usize,
    ) -> Option<[&[u8; BYTES]; FRAMES]> {
        let mut frames = [&[0; BYTES]; FRAMES];
        for (index, frame) in frames.iter_mut().enumerate() {
            let Slot::Published(published) = self.slot(position + index * BYTES) else {
                return None;
            };
            *frame = self.frame(published).try_into().ok()?;
        }
        Some(frames)
    }

    /// Asks for the memory from here on, `BYTES` of it, without waiting and without looking at it. Behind the end of the mapping it asks for
    /// nothing.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn fetch_ahead<const BYTES: usize>(&self, position: usize) {
        const LINE_BYTES: usize = 64;
        if self.room_at(position) < BYTES {
            return;
        }
        for offset in (0..BYTES).step_by(LINE_BYTES) {
            // SAFETY: inside the mapping (checked); a prefetch reads nothing, it only fills a cache.
            unsafe {
                let line = self.base.add(position + offset).cast();
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line);
            }
        }
    }

    /// Header of a frame that was published and read before.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn verified_header(&self, position: usize) -> crate::layout::FrameHeader {
        let end = position + FRAME_HEADER_BYTES;
        crate::layout::FrameHeader::of(self.published_bytes(position, end))
    }

    /// Bytes between two frame borders, every frame of which was published and read.
    #[inline]
    pub(crate) fn published_bytes(&self, from: usize, to: usize) -> &[u8] {
        assert!(from <= to && to <= self.length);
        // SAFETY: inside the mapping (asserted); published, as the caller has read it, so the writer no longer changes it.
        unsafe { std::slice::from_raw_parts(self.base.add(from), to - from) }
    }

    /// Bytes from here to the end of the mapping.
    #[inline]
    fn room_at(&self, position: usize) -> usize {
        self.length.saturating_sub(position)
    }

    #[inline]
    fn word(&self, position: usize) -> &CommitWord {
        assert!(position.is_multiple_of(FRAME_ALIGN_BYTES) && self.room_at(position) >= 8);
        // SAFETY: inside the mapping and 8-aligned (asserted; the mapping is page-aligned); only accessed as an atomic.
        unsafe { &*self.base.add(position).cast::<CommitWord>() }
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;
    use crate::{
        checksum::{SHORT_BYTES, has_instruction},
        storage::{Access, Disk, Storage},
    };

    const PLACE: usize = 128;

    /// The frame that `put` stores, as a reader sees it.
    fn stored(put: impl FnOnce(&mut WritableMapping)) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let file = Disk.create(&dir.path().join("frame")).unwrap();
        file.allocate(4096).unwrap();
        let mapping = file.map(4096, Access::ReadWrite).unwrap();
        put(&mut WritableMapping::over(Arc::clone(&mapping)));
        let view = ReadableMapping::over(mapping);
        let Slot::Published(published) = view.slot(PLACE) else {
            panic!("no frame: {:?}", view.slot(PLACE));
        };
        view.frame(published).to_vec()
    }

    #[test]
    fn both_ways_to_store_a_frame_store_the_same() {
        if !has_instruction() {
            return;
        }
        let seed = RunSeed::of(3);
        let payload: Vec<u8> = (0..SHORT_BYTES).map(|index| (index % 253) as u8).collect();
        for length in (0..=72).chain([SHORT_BYTES - 3, SHORT_BYTES]) {
            let fields = FrameFields {
                sequence: 0x0102_0304_0506_0708,
                time_ns: -9,
                cause: 10,
                kind: 0x0b0c,
                durable_lag: 0x0d0e_0f10,
                payload: &payload[..length],
            };
            let general = stored(|mapping| {
                mapping.put_frame(PLACE, seed, 17, &fields);
            });
            let short = stored(|mapping| {
                // SAFETY: the CPU has the instruction (asked above).
                let add = |crc: Running, word| unsafe { crc.add(word) };
                mapping.put_short_frame(PLACE, seed, &mut 17, &fields, add);
            });
            assert_eq!(general, short, "{length} bytes");
        }
    }
}
