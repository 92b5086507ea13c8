//! Ends of segments and of the journal: going on to the next segment, or judging that there is nothing more.

use super::{
    Advance, End, Reader,
    entry::{Entry, begins, look_at},
};
use crate::{
    base::Base,
    bounds::{SEGMENT_BYTES_MIN, SEGMENT_HEADER_BYTES},
    checksum::RunSeed,
    error::{Damage, JournalError},
    layout::{HeaderVerdict, SegmentHeader},
    mapping::Slot,
    rules::Rule,
    tail::{Ending, Stop, Tail, used_bytes},
};

impl Reader {
    /// The segment has its end frame: go on to the next one if it is in use.
    pub(super) fn pass_end(&mut self) -> Result<Advance, JournalError> {
        let Some((index, _)) = self.place() else {
            return Ok(Advance::Nothing);
        };
        if let Some(entry) = look_at(&self.directory, index + 1)? {
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
    pub(super) fn pass_unwritten(&mut self) -> Result<Advance, JournalError> {
        let Some((index, _)) = self.place() else {
            return Ok(Advance::Nothing);
        };
        let entry = look_at(&self.directory, index + 1)?;
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
                // It was not here before, so a writer is at work at this very place and nothing older lies behind it.
                // Judging again would never end: that takes longer than a busy writer needs for its next frame.
                self.is_following = true;
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
        let rest = self.directory.read_segment(index, self.position as u64)?;
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
    pub(super) fn stop_at(&mut self, cause: Damage) -> Result<Advance, JournalError> {
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
        if look_at(&self.directory, next_index)?.is_some() {
            // The writer has moved on since.
            return self.advance();
        }
        if self.directory.has_segment(next_index) {
            self.check_unused(next_index)?;
        } else {
            for index in self.directory.segments()? {
                let is_begun = index > next_index && look_at(&self.directory, index)?.is_some();
                if is_begun && !self.directory.has_segment(next_index) {
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
        let bytes = self.directory.read_segment(index, 0)?;
        let is_unused = matches!(SegmentHeader::judge(&bytes), HeaderVerdict::Unused);
        // A writer that has begun the segment since the header was read explains what lies behind it.
        let is_odd = is_unused && used_bytes(&bytes) > SEGMENT_HEADER_BYTES;
        if is_odd && look_at(&self.directory, index)?.is_none() {
            let judged = self
                .stop()
                .map(|stop| stop.judge_segment(index, Damage::Header));
            if let Some(ending) = judged {
                self.ending = ending?;
            }
        }
        Ok(())
    }

    pub(super) fn enter_first(&mut self) -> Result<Advance, JournalError> {
        let mut indices = self.directory.segments()?;
        if self.first_index.is_none() {
            // What is left of a pruning that died is no part of the journal: any of it may be there.
            let base = Base::read(&self.directory)?.map_or(0, |base| base.segment);
            indices.retain(|index| *index >= base);
        }
        let Some(first) = self.first_index.or_else(|| indices.first().copied()) else {
            return Ok(Advance::Nothing);
        };
        match look_at(&self.directory, first)? {
            Some(Entry::Broken(_)) if self.first_index.is_none() => {}
            Some(entry) => return self.enter(first, entry),
            None => {}
        }
        // Not begun, or the machine died while the very first header was written, which is durable before the first frame is: then
        // there are no frames in it, and no segment behind it has begun either.
        let bytes = self.directory.read_segment(first, 0)?;
        let mut is_begun = used_bytes(&bytes) > SEGMENT_HEADER_BYTES;
        // That death leaves the file as long as it was made: a shorter one has lost its frames.
        let is_short = (bytes.len() as u64) < SEGMENT_BYTES_MIN;
        for index in indices.into_iter().filter(|index| *index > first) {
            is_begun |= look_at(&self.directory, index)?.is_some();
        }
        match look_at(&self.directory, first)? {
            Some(entry @ Entry::Usable(_)) => self.enter(first, entry),
            Some(entry) if is_begun || is_short || first > 0 => self.enter(first, entry),
            None if is_begun => Err(JournalError::damaged(
                first,
                0,
                self.next_sequence,
                Damage::Header,
            )),
            Some(_) | None => Ok(Advance::Nothing),
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
        if self.segment.is_none() && self.first_index.is_none() {
            self.check_base(&open.header)?;
        }
        if open.header.run_id.get() > self.run_id() {
            // Everything before a run was made durable before the run began.
            self.durable_lag = 0;
        }
        self.position = SEGMENT_HEADER_BYTES;
        self.verified_until = 0;
        self.crc_before = open.header.crc.get();
        self.next_sequence = open.header.first_sequence.get();
        self.seed = RunSeed::of(open.header.run_id.get());
        self.end = End::None;
        self.segment = Some(*open);
        Ok(Advance::Segment)
    }

    /// A journal that does not begin at its start begins where its base says.
    fn check_base(&self, header: &SegmentHeader) -> Result<(), JournalError> {
        let index = header.segment_index.get();
        let is_there = match Base::read(&self.directory)? {
            None => index == 0,
            Some(base) => base.fits(header),
        };
        if is_there {
            Ok(())
        } else {
            let sequence = header.first_sequence.get();
            Err(JournalError::damaged(index, 0, sequence, Damage::Front))
        }
    }

    fn continues(&self, before: &SegmentHeader, next: &SegmentHeader) -> bool {
        let run_id_min = before.run_id.get() + u64::from(self.end != End::Rolled);
        next.chain.get() == self.crc_before
            && next.first_sequence.get() == self.next_sequence
            && next.run_id.get() >= run_id_min
    }

    pub(super) fn stop_at_segment(
        &mut self,
        index: u64,
        cause: Damage,
    ) -> Result<Advance, JournalError> {
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
