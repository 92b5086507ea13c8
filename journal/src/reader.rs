//! Reads a journal from its first segment, and follows it while another process writes.
//!
//! A reader is harmless: it opens files for reading only and takes no lock. Every frame is verified before it is delivered:
//! checksum, place, predecessor, sequence, run; what does not verify is reported and never skipped. Invariant: the
//! mapping is looked at only up to and including the first unwritten word.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use crate::{
    bounds::{
        FIRST_SEQUENCE, FIRST_USER_KIND, FRAME_HEADER_BYTES, SEGMENT_BYTES_MAX,
        SEGMENT_HEADER_BYTES,
    },
    checksum::RunSeed,
    directory::{Directory, boot_id},
    error::{Damage, JournalError},
    layout::{ControlKind, FrameHeader, HeaderVerdict, SegmentHeader},
    mapping::{Published, ReadableMapping, Slot},
    rules::Rule,
    tail::{Ending, Stop, Tail, read_from, used_bytes},
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

/// A segment in use.
struct Open {
    index: u64,
    header: SegmentHeader,
    mapping: ReadableMapping,
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
    Control(Published),
    /// A frame of a caller's.
    Data(Published),
    /// Nothing more now.
    Nothing,
}

/// Reads the frames of a journal in order.
pub struct Reader {
    segment: Option<Open>,
    position: usize,
    crc_before: u32,
    next_sequence: u64,
    seed: RunSeed,
    end: End,
    /// The last judgement of the place at which there was nothing more.
    ending: Ending,
    /// Whether everything that was there at the opening has been looked at. From then on the reader follows and takes an
    /// unwritten word for the end.
    is_following: bool,
    directory: Directory,
    boot_id: [u8; 16],
}

impl Reader {
    /// Opens a journal at its first frame. It may be in use by a writer, and it may still be empty.
    ///
    /// # Errors
    /// When there is no journal, or its first segment is damaged or of another version.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, JournalError> {
        let directory = Directory::new(dir.as_ref());
        if !directory.is_journal()? {
            return Err(JournalError::NotFound {
                dir: dir.as_ref().to_path_buf(),
            });
        }
        Ok(Self {
            segment: None,
            position: 0,
            crc_before: 0,
            next_sequence: FIRST_SEQUENCE,
            seed: RunSeed::of(0),
            end: End::None,
            ending: Ending {
                tail: Tail::Open,
                rule: Rule::R3,
            },
            is_following: false,
            directory,
            boot_id: boot_id()?,
        })
    }

    /// The next frame, or `None` if there is nothing more now: ask again later to follow a writer, or ask `tail` how the
    /// journal ends.
    ///
    /// # Errors
    /// `Damaged` and `UnsupportedVersion` are final: asking again gives the same answer.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend from itself"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, JournalError> {
        let published = loop {
            match self.advance()? {
                Advance::Data(published) => break published,
                Advance::Nothing => return Ok(None),
                Advance::Segment | Advance::Control(_) => {}
            }
        };
        Ok(Some(frame_of(self.bytes(published))))
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
    pub(crate) fn crc_before(&self) -> u32 {
        self.crc_before
    }

    /// The header of the segment at hand.
    pub(crate) fn header(&self) -> Option<&SegmentHeader> {
        self.segment.as_ref().map(|segment| &segment.header)
    }

    /// Bytes of a frame that `advance` has just returned.
    #[inline]
    pub(crate) fn bytes(&self, published: Published) -> &[u8] {
        match &self.segment {
            Some(segment) => segment.mapping.frame(published),
            None => &[],
        }
    }

    /// One step. Here is only what nearly every frame takes: it verifies and has the expected number.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<Advance, JournalError> {
        if let (Some(segment), End::None) = (&self.segment, self.end)
            && let Slot::Published(published) = segment.mapping.slot(self.position)
        {
            let bytes = segment.mapping.frame(published);
            let crc = self
                .seed
                .frame_crc(self.position, self.crc_before, &bytes[8..]);
            let header = FrameHeader::of(bytes);
            if crc == published.crc
                && header.sequence.get() == self.next_sequence
                && header.kind.get() >= FIRST_USER_KIND
                && header.is_well_formed()
            {
                self.position += bytes.len();
                self.crc_before = crc;
                self.next_sequence += 1;
                return Ok(Advance::Data(published));
            }
        }
        self.advance_slowly()
    }

    /// Everything else: control frames, ends of segments, the end of the journal, damage.
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
            Slot::Published(published) => self.take_odd(published),
        }
    }

    /// A published frame that is not an ordinary one.
    fn take_odd(&mut self, published: Published) -> Result<Advance, JournalError> {
        let bytes = self.bytes(published);
        let frame_bytes = bytes.len();
        let crc = self
            .seed
            .frame_crc(self.position, self.crc_before, &bytes[8..]);
        let header = FrameHeader::of(bytes);
        if crc != published.crc {
            return self.stop_at(Damage::Checksum);
        }
        // The checksum holds: whatever is wrong now was written so, and no crash explains it.
        let (true, Some(kind)) = (header.is_well_formed(), ControlKind::of(header.kind.get()))
        else {
            let is_data = header.is_well_formed() && header.kind.get() >= FIRST_USER_KIND;
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
        if frame_bytes != FRAME_HEADER_BYTES {
            return Err(self.damaged(Damage::Field));
        }
        self.check_nothing_behind(self.position + frame_bytes)?;
        self.position += frame_bytes;
        self.crc_before = crc;
        self.end = match kind {
            ControlKind::Roll => End::Rolled,
            ControlKind::Seal => End::Sealed,
        };
        Ok(Advance::Control(published))
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
        let rest = read_from(&self.directory.segment_path(index), position as u64)?;
        if used_bytes(&rest) == 0 {
            Ok(())
        } else {
            Err(self.damaged(Damage::BytesAfterEnd))
        }
    }

    /// The segment has its end frame: go on to the next one if it is in use.
    fn pass_end(&mut self) -> Result<Advance, JournalError> {
        let Some((index, _)) = self.place() else {
            return Ok(Advance::Nothing);
        };
        if let Some(entry) = self.look_at(index + 1)? {
            return self.enter(index + 1, entry);
        }
        self.ending = match self.end {
            End::Sealed => Ending {
                tail: Tail::Sealed,
                rule: Rule::R1,
            },
            _ => Ending {
                tail: Tail::Open,
                rule: Rule::R2,
            },
        };
        self.look_behind_the_end(index + 1)
    }

    /// No word here yet: either the end for now, or a run that died and was followed by another one.
    fn pass_unwritten(&mut self) -> Result<Advance, JournalError> {
        let Some((index, _)) = self.place() else {
            return Ok(Advance::Nothing);
        };
        let entry = self.look_at(index + 1)?;
        // Only now is the word's absence final: if the next segment is in use, no frame will come here any more.
        if self.is_published_here() {
            return self.advance();
        }
        if let Some(entry) = entry {
            return self.pass_abandoned(index, entry);
        }
        if !self.is_following {
            let judged = self
                .stop()
                .map_or(Ok(self.ending), |stop| stop.judge(Damage::Hole));
            // A writer that went on meanwhile explains whatever was found.
            std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
            if self.is_published_here() {
                return self.advance();
            }
            self.ending = judged?;
            return self.look_behind_the_end(index + 1);
        }
        if !self.is_torn_at(index, self.position) {
            self.ending = Ending {
                tail: Tail::Open,
                rule: Rule::R3,
            };
        }
        Ok(Advance::Nothing)
    }

    /// Whether the tail was judged torn at this very place before: judging reads the rest of the file.
    fn is_torn_at(&self, index: u64, position: usize) -> bool {
        matches!(self.ending.tail, Tail::Torn { segment, offset, .. }
            if segment == index && offset == position as u64)
    }

    fn is_published_here(&self) -> bool {
        let slot = self
            .segment
            .as_ref()
            .map(|segment| segment.mapping.slot(self.position));
        matches!(slot, Some(Slot::Published(_) | Slot::Impossible))
    }

    /// The run died here; a later one goes on in the next segment, if that is what its header says.
    fn pass_abandoned(&mut self, index: u64, entry: Entry) -> Result<Advance, JournalError> {
        let Some(segment) = &self.segment else {
            return Ok(Advance::Nothing);
        };
        let rest = read_from(&self.directory.segment_path(index), self.position as u64)?;
        let continues = match &entry {
            Entry::Usable(open) => self.continues(&segment.header, &open.header),
            Entry::Broken(_) => false,
        };
        if continues && used_bytes(&rest) == 0 {
            return self.enter(index + 1, entry);
        }
        self.stop_at(if continues {
            Damage::Hole
        } else {
            Damage::Chain
        })
    }

    /// Judges an unreadable place. Torn = nothing more, else an error.
    fn stop_at(&mut self, cause: Damage) -> Result<Advance, JournalError> {
        if self
            .place()
            .is_some_and(|(index, position)| self.is_torn_at(index, position))
        {
            return Ok(Advance::Nothing);
        }
        if let Some(stop) = self.stop() {
            self.ending = stop.judge(cause)?;
        }
        Ok(Advance::Nothing)
    }

    fn stop(&self) -> Option<Stop<'_>> {
        let segment = self.segment.as_ref()?;
        Some(Stop {
            directory: &self.directory,
            boot_id: &self.boot_id,
            header: &segment.header,
            position: self.position,
            crc_before: self.crc_before,
            next_sequence: self.next_sequence,
        })
    }

    /// Once, at the end of what was there at the opening: nothing may be in use behind the end.
    fn look_behind_the_end(&mut self, next_index: u64) -> Result<Advance, JournalError> {
        if self.is_following {
            return Ok(Advance::Nothing);
        }
        if self.look_at(next_index)?.is_some() {
            // The writer has moved on since.
            return self.advance();
        }
        if self.directory.segment_path(next_index).exists() {
            self.check_unused(next_index)?;
        } else {
            for index in self.directory.segments()? {
                let is_begun = index > next_index && self.look_at(index)?.is_some();
                if is_begun && !self.directory.segment_path(next_index).exists() {
                    let cause = Damage::Missing;
                    return Err(JournalError::damaged(
                        next_index,
                        0,
                        self.next_sequence,
                        cause,
                    ));
                }
            }
        }
        self.is_following = true;
        Ok(Advance::Nothing)
    }

    /// An unused segment may hold parts of a header that was being written, and nothing else.
    fn check_unused(&mut self, index: u64) -> Result<(), JournalError> {
        let bytes = read_from(&self.directory.segment_path(index), 0)?;
        let is_unused = matches!(SegmentHeader::judge(&bytes), HeaderVerdict::Unused);
        if is_unused && used_bytes(&bytes) > SEGMENT_HEADER_BYTES {
            let judged = self
                .stop()
                .map(|stop| stop.judge_segment(index, Damage::Header));
            if let Some(ending) = judged {
                self.ending = ending?;
            }
        }
        Ok(())
    }

    fn enter_first(&mut self) -> Result<Advance, JournalError> {
        let indices = self.directory.segments()?;
        let Some(first) = indices.first().copied() else {
            return Ok(Advance::Nothing);
        };
        if let Some(entry) = self.look_at(first)? {
            return self.enter(first, entry);
        }
        // Not begun: then there are no frames in it, and no segment behind it has begun either.
        let bytes = read_from(&self.directory.segment_path(first), 0)?;
        let mut is_begun = used_bytes(&bytes) > SEGMENT_HEADER_BYTES;
        for index in indices {
            is_begun |= self.look_at(index)?.is_some();
        }
        match self.look_at(first)? {
            Some(entry) => self.enter(first, entry),
            None if is_begun => Err(JournalError::damaged(
                first,
                0,
                self.next_sequence,
                Damage::Header,
            )),
            None => Ok(Advance::Nothing),
        }
    }

    /// Looks at a segment: `None` if it is absent or not in use.
    fn look_at(&self, index: u64) -> Result<Option<Entry>, JournalError> {
        let path = self.directory.segment_path(index);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JournalError::io("open", &path, source)),
        };
        let fail = |action, source| JournalError::io(action, &path, source);
        let bytes = file
            .metadata()
            .map_err(|source| fail("look at", source))?
            .len();
        // A file that is not in use is not worth a mapping: followers ask often.
        if bytes >= SEGMENT_HEADER_BYTES as u64 {
            let mut word = [0; 8];
            let count = file
                .read_at(&mut word, 0)
                .map_err(|source| fail("read", source))?;
            if count < word.len() || word == [0; 8] {
                return Ok(None);
            }
        }
        if bytes < SEGMENT_HEADER_BYTES as u64 {
            let is_unused = used_bytes(&read_from(&path, 0)?) == 0;
            return Ok((!is_unused).then_some(Entry::Broken(Damage::Header)));
        }
        let mapped_bytes = bytes.min(SEGMENT_BYTES_MAX) as usize;
        let mapping =
            ReadableMapping::new(&file, mapped_bytes).map_err(|source| fail("map", source))?;
        let Some(header_bytes) = mapping.header_bytes() else {
            return Ok(None);
        };
        match SegmentHeader::judge(header_bytes) {
            HeaderVerdict::Unused => Ok(None),
            HeaderVerdict::Broken => Ok(Some(Entry::Broken(Damage::Header))),
            HeaderVerdict::OtherVersion(found) => Err(JournalError::UnsupportedVersion {
                segment: index,
                found,
                supported: crate::bounds::FORMAT_VERSION,
            }),
            HeaderVerdict::Valid(header)
                if header.segment_index.get() != index || header.segment_bytes.get() < bytes =>
            {
                Ok(Some(Entry::Broken(Damage::Misplaced)))
            }
            HeaderVerdict::Valid(header) => Ok(Some(Entry::Usable(Box::new(Open {
                index,
                header,
                mapping,
            })))),
        }
    }

    /// Moves into a segment that is in use.
    fn enter(&mut self, index: u64, entry: Entry) -> Result<Advance, JournalError> {
        let open = match entry {
            Entry::Usable(open) => open,
            Entry::Broken(cause) => return self.stop_at_segment(index, cause),
        };
        let continues = match &self.segment {
            Some(segment) => self.continues(&segment.header, &open.header),
            None => begins(&open.header),
        };
        if !continues {
            return self.stop_at_segment(index, Damage::Chain);
        }
        self.position = SEGMENT_HEADER_BYTES;
        self.crc_before = open.header.crc.get();
        self.next_sequence = open.header.first_sequence.get();
        self.seed = RunSeed::of(open.header.run_id.get());
        self.end = End::None;
        open.mapping.populate();
        self.segment = Some(*open);
        Ok(Advance::Segment)
    }

    fn continues(&self, before: &SegmentHeader, next: &SegmentHeader) -> bool {
        let run_id_min = before.run_id.get() + u64::from(self.end != End::Rolled);
        next.chain.get() == self.crc_before
            && next.first_sequence.get() == self.next_sequence
            && next.run_id.get() >= run_id_min
    }

    fn stop_at_segment(&mut self, index: u64, cause: Damage) -> Result<Advance, JournalError> {
        if self.is_torn_at(index, 0) {
            return Ok(Advance::Nothing);
        }
        let Some(stop) = self.stop() else {
            return Err(JournalError::damaged(index, 0, self.next_sequence, cause));
        };
        self.ending = stop.judge_segment(index, cause)?;
        Ok(Advance::Nothing)
    }
}

/// A segment that is in use.
enum Entry {
    Usable(Box<Open>),
    Broken(Damage),
}

/// Whether a journal may begin with this segment: at the very start, or where older segments were taken away.
fn begins(header: &SegmentHeader) -> bool {
    let first_sequence = header.first_sequence.get();
    if header.segment_index.get() > 0 {
        return first_sequence >= FIRST_SEQUENCE;
    }
    first_sequence == FIRST_SEQUENCE && header.chain.get() == 0
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
