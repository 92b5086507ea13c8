//! Reads a journal from its first segment, and follows it while another process writes.
//!
//! A reader is harmless: it opens files for reading only and takes no lock. Every frame is verified before it is delivered:
//! checksum, place, predecessor, sequence, run; what does not verify is reported and never skipped. Invariant: the
//! mapping is looked at only up to and including the first unwritten word.

#[cfg(target_arch = "x86_64")]
mod ahead;
mod end;
mod entry;

#[cfg(target_arch = "x86_64")]
use crate::checksum::has_instruction;
use crate::{
    bounds::{FIRST_SEQUENCE, FIRST_USER_KIND, FRAME_HEADER_BYTES},
    checksum::RunSeed,
    directory::Directory,
    error::{Damage, JournalError},
    layout::{ControlKind, FrameHeader, SegmentHeader},
    mapping::{Published, ReadableMapping, Slot},
    place::Place,
    reader::entry::Open,
    rules::Rule,
    sabotage::{Bug, is_planted},
    tail::{Ending, Tail, used_bytes},
    verify,
};

/// One frame of a caller's own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number: exactly one more than its predecessor's.
    pub sequence: u64,
    /// The time that the writer was given.
    pub time_ns: i64,
    /// Sequence of what caused it; the writer's caller defines its meaning.
    pub cause: u64,
    /// The caller's kind, 0x0100 or above.
    pub kind: u16,
    /// The payload; begins at a multiple of 8 in memory.
    pub payload: &'a [u8],
}

/// How the segment at hand has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// No end frame yet.
    None,
    Rolled,
    Sealed,
}

/// What a step forward met.
#[derive(Clone, Copy)]
pub(crate) enum Advance {
    /// Moved into the next segment.
    Segment,
    /// A frame of the journal's own.
    Control,
    /// A frame of a caller's: `taken` has its bytes.
    Data,
    /// Nothing more now.
    Nothing,
}

/// Reads the frames of a journal in order.
pub struct Reader {
    segment: Option<Open>,
    position: usize,
    /// Frames between the position and here were verified; nothing is known of what is behind. See `ahead`.
    verified_until: usize,
    /// Where the last frame of a caller's began.
    taken_at: usize,
    crc_before: u32,
    next_sequence: u64,
    seed: RunSeed,
    end: End,
    /// The last judgement of the place at which there was nothing more.
    ending: Ending,
    /// Whether everything that was there at the opening has been looked at. From then on the reader follows and takes an
    /// unwritten word for the end.
    is_following: bool,
    /// The segment to begin with; `None` = the first there is.
    first_index: Option<u64>,
    /// Of the last frame: how far durability was behind it.
    durable_lag: u32,
    directory: Directory,
    boot_id: [u8; 16],
}

impl Reader {
    /// Opens a journal at its first frame. It may be in use by a writer, and it may still be empty.
    ///
    /// # Errors
    /// When there is no journal.
    pub fn open(place: impl Into<Place>) -> Result<Self, JournalError> {
        Self::over(Directory::new(place.into()))
    }

    pub(crate) fn over(directory: Directory) -> Result<Self, JournalError> {
        directory.expect_journal()?;
        Ok(Self {
            segment: None,
            position: 0,
            verified_until: 0,
            taken_at: 0,
            crc_before: 0,
            next_sequence: FIRST_SEQUENCE,
            seed: RunSeed::of(0),
            end: End::None,
            ending: Ending {
                tail: Tail::Open,
                rule: Rule::R3,
            },
            is_following: false,
            first_index: None,
            durable_lag: u32::MAX,
            boot_id: directory.boot_id()?,
            directory,
        })
    }

    /// The next frame, or `None` if there is nothing more now: ask again later to follow a writer, or ask `tail` how the
    /// journal ends.
    ///
    /// # Errors
    /// `Damaged` and `UnsupportedVersion` are final: asking again gives the same answer.
    // Always: a frame that is returned in memory is read back in other widths than it was written in, which stalls.
    #[inline(always)]
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend from itself"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, JournalError> {
        loop {
            match self.advance()? {
                Advance::Data => break,
                Advance::Nothing => return Ok(None),
                Advance::Segment | Advance::Control => {}
            }
        }
        Ok(Some(frame_of(self.taken())))
    }

    /// Opens a journal right behind the frame of this sequence: the next frame is the one after it, if there is one yet. Only the
    /// segment with that frame is read. 0 = from the first frame.
    ///
    /// # Errors
    /// `NoSuchSequence` when that frame is not there; otherwise as `open` and `next`.
    pub fn open_behind(place: impl Into<Place>, sequence: u64) -> Result<Self, JournalError> {
        let directory = Directory::new(place.into());
        if sequence == 0 {
            return Self::over(directory);
        }
        directory.expect_journal()?;
        let index = verify::segment_of(&directory, sequence)?;
        let mut reader = Self::starting_at(directory, index)?;
        while reader.segment.is_none() || reader.next_sequence <= sequence {
            if matches!(reader.advance()?, Advance::Nothing) {
                return Err(JournalError::NoSuchSequence {
                    sequence,
                    first: 1,
                    last: reader.next_sequence - 1,
                });
            }
        }
        Ok(reader)
    }

    /// A reader that begins with this segment, whatever is before it.
    pub(crate) fn starting_at(directory: Directory, index: u64) -> Result<Self, JournalError> {
        let mut reader = Self::over(directory)?;
        reader.first_index = Some(index);
        Ok(reader)
    }

    /// How the journal ended when `next` last returned `None`.
    ///
    /// A live writer caught inside an append may look torn for as long as that append takes.
    pub fn tail(&self) -> Tail {
        self.ending.tail
    }

    /// The rule behind `tail`.
    pub fn rule(&self) -> Rule {
        self.ending.rule
    }

    /// The sequence that the next frame will have.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Highest sequence that the frames read so far say was durable; 0 = none yet.
    pub fn durable_sequence(&self) -> u64 {
        match self.durable_lag {
            u32::MAX => 0,
            lag => (self.next_sequence - 1).saturating_sub(u64::from(lag)),
        }
    }

    /// The run that wrote the segment at hand; 0 before the first.
    pub fn run_id(&self) -> u64 {
        self.segment
            .as_ref()
            .map_or(0, |segment| segment.header.run_id.get())
    }

    /// Index of the segment at hand and the position in it.
    pub(crate) fn place(&self) -> Option<(u64, usize)> {
        self.segment
            .as_ref()
            .map(|segment| (segment.index, self.position))
    }

    /// Checksum that the next frame or header chains to.
    ///
    /// Right after `open_behind` and `next` it is the stored checksum of the last frame, which stands for all that is before.
    pub fn chain(&self) -> u32 {
        self.crc_before
    }

    /// As `chain`.
    pub(crate) fn crc_before(&self) -> u32 {
        self.crc_before
    }

    /// Lets go of the segment at hand: its file is about to be cut.
    pub(crate) fn release(&mut self) {
        self.segment = None;
        self.verified_until = 0;
    }

    /// Whether the segment at hand has its end frame.
    pub(crate) fn is_at_segment_end(&self) -> bool {
        self.end != End::None
    }

    /// A view of the segment at hand: everything before the position was published.
    pub(crate) fn view(&self) -> Option<ReadableMapping> {
        self.segment.as_ref().map(|segment| segment.mapping.clone())
    }

    /// The header of the segment at hand.
    pub(crate) fn header(&self) -> Option<&SegmentHeader> {
        self.segment.as_ref().map(|segment| &segment.header)
    }

    /// Bytes of a published frame of the segment at hand.
    fn bytes(&self, published: Published) -> &[u8] {
        match &self.segment {
            Some(segment) => segment.mapping.frame(published),
            None => &[],
        }
    }

    /// Bytes of the frame that `advance` has just taken.
    #[inline]
    fn taken(&self) -> &[u8] {
        match &self.segment {
            Some(segment) => segment
                .mapping
                .published_bytes(self.taken_at, self.position),
            None => &[],
        }
    }

    /// One step. Here is only what nearly every frame takes.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<Advance, JournalError> {
        #[cfg(target_arch = "x86_64")]
        if self.position < self.verified_until || self.has_verified_ahead() {
            self.take_verified();
            return Ok(Advance::Data);
        }
        self.advance_slowly()
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn has_verified_ahead(&mut self) -> bool {
        // SAFETY: the CPU has the instruction (asked just now).
        has_instruction() && self.end == End::None && unsafe { self.verify_ahead() }
    }

    /// Takes the frame here, which was verified ahead.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn take_verified(&mut self) {
        let header = match &self.segment {
            Some(segment) => segment.mapping.verified_header(self.position),
            None => return,
        };
        self.taken_at = self.position;
        self.position += header.frame_bytes.get() as usize;
        self.crc_before = header.crc.get();
        self.next_sequence += 1;
        self.durable_lag = header.durable_lag.get();
    }

    /// Everything else: long frames, control frames, ends of segments, the end of the journal, damage.
    #[cold]
    #[inline(never)]
    fn advance_slowly(&mut self) -> Result<Advance, JournalError> {
        let Some(segment) = &self.segment else {
            return self.enter_first();
        };
        if self.end != End::None {
            return self.pass_end();
        }
        match segment.mapping.slot(self.position) {
            Slot::Unwritten | Slot::EndOfFile => self.pass_unwritten(),
            Slot::Impossible => self.stop_at(Damage::Length),
            Slot::Published(published) => self.take_any(published),
        }
    }

    /// Any published frame.
    fn take_any(&mut self, published: Published) -> Result<Advance, JournalError> {
        let bytes = self.bytes(published);
        let frame_bytes = bytes.len();
        let crc = self
            .seed
            .frame_crc(self.position, self.crc_before, &bytes[8..]);
        let header = FrameHeader::of(bytes);
        if crc != published.crc && !is_planted(Bug::SkipChecksum) {
            return self.stop_at(Damage::Checksum);
        }
        let is_data = header.is_well_formed() && header.kind.get() >= FIRST_USER_KIND;
        if is_data && header.sequence.get() == self.next_sequence {
            self.taken_at = self.position;
            self.position += frame_bytes;
            self.crc_before = crc;
            self.next_sequence += 1;
            self.durable_lag = header.durable_lag.get();
            return Ok(Advance::Data);
        }
        if !header.is_well_formed() && is_planted(Bug::SkipOddFrame) {
            self.position += frame_bytes;
            self.crc_before = crc;
            return Ok(Advance::Control);
        }
        // The checksum holds: whatever is wrong now was written so, and no crash explains it.
        let (true, Some(kind)) = (header.is_well_formed(), ControlKind::of(header.kind.get()))
        else {
            let cause = if is_data {
                Damage::Sequence
            } else {
                Damage::Field
            };
            return Err(self.damaged(cause));
        };
        if header.sequence.get() != self.next_sequence - 1 {
            return Err(self.damaged(Damage::Sequence));
        }
        let end = match kind {
            ControlKind::Roll => End::Rolled,
            ControlKind::Seal => End::Sealed,
            ControlKind::Watermark => End::None,
        };
        let payload = &self.bytes(published)[FRAME_HEADER_BYTES..];
        let is_as_written = if end == End::None {
            header.padding_bytes == 0 && payload.iter().all(|byte| *byte == 0)
        } else {
            payload.is_empty()
        };
        if !is_as_written {
            return Err(self.damaged(Damage::Field));
        }
        if end != End::None {
            self.check_nothing_behind(self.position + frame_bytes)?;
        }
        self.position += frame_bytes;
        self.crc_before = crc;
        self.durable_lag = header.durable_lag.get();
        self.end = end;
        Ok(Advance::Control)
    }

    fn damaged(&self, cause: Damage) -> JournalError {
        let index = self.place().map_or(0, |(index, _)| index);
        JournalError::damaged(index, self.position, self.next_sequence, cause)
    }

    /// Behind an end frame there are only zeros.
    fn check_nothing_behind(&self, position: usize) -> Result<(), JournalError> {
        let Some((index, _)) = self.place() else {
            return Ok(());
        };
        let rest = self.directory.read_segment(index, position as u64)?;
        if used_bytes(&rest) == 0 {
            Ok(())
        } else {
            Err(self.damaged(Damage::BytesAfterEnd))
        }
    }
}

#[inline]
fn frame_of(bytes: &[u8]) -> Frame<'_> {
    let header = FrameHeader::of(bytes);
    let end = bytes.len() - usize::from(header.padding_bytes);
    Frame {
        sequence: header.sequence.get(),
        time_ns: header.time_ns.get(),
        cause: header.cause.get(),
        kind: header.kind.get(),
        payload: &bytes[FRAME_HEADER_BYTES..end],
    }
}
