//! Judges the place where reading must stop: the end of the journal, a torn tail, or damage.
//!
//! One judge for readers, recovery and verification. It reads the file with plain reads, never through the mapping, so a file
//! that becomes shorter meanwhile is no bus error. The rules are in `rules.rs`.

use crate::{
    bounds::{FRAME_ALIGN_BYTES, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES},
    checksum::RunSeed,
    directory::Directory,
    error::{Damage, JournalError},
    layout::{HeaderVerdict, SegmentHeader},
    rules::Rule,
    sabotage::{Bug, is_planted},
    salvage::{Region, Salvage},
};

/// How the journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Closed in good order.
    Sealed,
    /// Ends cleanly behind a whole frame; a writer may be going on.
    Open,
    /// Ends in a write that did not complete. Nothing of it is delivered; opening for writing cuts it.
    Torn {
        /// Segment with the first byte of it.
        segment: u64,
        /// Where in that segment it begins.
        offset: u64,
        /// How many bytes of that segment it comprises.
        bytes: u64,
    },
}

/// An end, and the rule that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) tail: Tail,
    pub(crate) rule: Rule,
}

/// The place at which reading stops and what was known when it was reached.
pub(crate) struct Stop<'a> {
    pub(crate) directory: &'a Directory,
    /// Boot id of this machine now.
    pub(crate) boot_id: &'a [u8; 16],
    /// The last segment whose header is valid.
    pub(crate) header: &'a SegmentHeader,
    pub(crate) position: usize,
    pub(crate) crc_before: u32,
    pub(crate) next_sequence: u64,
}

impl Stop<'_> {
    fn index(&self) -> u64 {
        self.header.segment_index.get()
    }

    fn damaged(&self, cause: Damage) -> JournalError {
        JournalError::damaged(self.index(), self.position, self.next_sequence, cause)
    }

    /// Whether the machine has died since the run of the last valid segment began.
    fn machine_died(&self) -> bool {
        self.header.boot_id != *self.boot_id
    }

    /// Judges a place inside a segment that has no end frame. `cause` is what to call it if it is damage.
    pub(crate) fn judge(&self, cause: Damage) -> Result<Ending, JournalError> {
        let rest = self
            .directory
            .read_segment(self.index(), self.position as u64)?;
        let bytes = used_bytes(&rest);
        let torn = Tail::Torn {
            segment: self.index(),
            offset: self.position as u64,
            bytes: bytes as u64,
        };
        let later = self.later(self.index() + 1)?;
        if bytes == 0 && !later.is_begun {
            return Ok(Ending {
                tail: Tail::Open,
                rule: Rule::R3,
            });
        }
        let region = Region {
            bytes: &rest,
            position: self.position,
            seed: RunSeed::of(self.header.run_id.get()),
            next_sequence: self.next_sequence,
        };
        let behind = region.search(self.crc_before).join(later.salvage);
        if !later.is_begun
            && !behind.has_frames
            && let Some(rule) = self.partial_frame(&rest, bytes)
        {
            return Ok(Ending { tail: torn, rule });
        }
        self.judge_loss(torn, behind, cause)
    }

    /// Judges a segment behind a finished one, or behind an abandoned one, whose header cannot be used.
    pub(crate) fn judge_segment(&self, index: u64, cause: Damage) -> Result<Ending, JournalError> {
        let rest = self.directory.read_segment(index, 0)?;
        let torn = Tail::Torn {
            segment: index,
            offset: 0,
            bytes: used_bytes(&rest) as u64,
        };
        let mut behind = self.later(index + 1)?.salvage;
        for run_id in [self.header.run_id.get(), self.header.run_id.get() + 1] {
            let region = Region {
                bytes: rest.get(SEGMENT_HEADER_BYTES..).unwrap_or(&[]),
                position: SEGMENT_HEADER_BYTES,
                seed: RunSeed::of(run_id),
                next_sequence: self.next_sequence,
            };
            behind = behind.join(region.search(0));
        }
        self.judge_loss(torn, behind, cause)
            .map_err(|_| JournalError::damaged(index, 0, self.next_sequence, cause))
    }

    /// More than a partial frame is bad: only the death of the machine explains it, and only behind the watermark.
    fn judge_loss(
        &self,
        torn: Tail,
        behind: Salvage,
        cause: Damage,
    ) -> Result<Ending, JournalError> {
        let is_behind =
            self.next_sequence > behind.durable_sequence || is_planted(Bug::CutInDurablePart);
        if self.machine_died() && is_behind {
            Ok(Ending {
                tail: torn,
                rule: Rule::R6,
            })
        } else {
            Err(self.damaged(cause))
        }
    }

    /// The rule by which the bytes are one partial last frame, if they are.
    fn partial_frame(&self, rest: &[u8], bytes: usize) -> Option<Rule> {
        if bytes > FRAME_BYTES_MAX {
            return None;
        }
        let Some(word) = rest.first_chunk::<8>() else {
            return Some(Rule::R5);
        };
        let word = u64::from_le_bytes(*word);
        if word == 0 {
            return Some(Rule::R4);
        }
        let frame_bytes = (word as u32) as usize;
        let is_possible = (FRAME_HEADER_BYTES..=FRAME_BYTES_MAX).contains(&frame_bytes)
            && frame_bytes.is_multiple_of(FRAME_ALIGN_BYTES)
            && self.position + frame_bytes <= self.header.segment_bytes.get() as usize;
        (is_possible && frame_bytes > rest.len()).then_some(Rule::R5)
    }

    /// What the segments from `first` on attest.
    fn later(&self, first: u64) -> Result<Later, JournalError> {
        let mut later = Later::default();
        let mut run_id = self.header.run_id.get();
        for index in self.directory.segments()? {
            if index < first {
                continue;
            }
            let bytes = self.directory.read_segment(index, 0)?;
            match SegmentHeader::judge(&bytes) {
                HeaderVerdict::Unused => {}
                HeaderVerdict::Valid(header) => {
                    later.is_begun = true;
                    later.salvage = later.salvage.join(attested(&bytes, &header, run_id));
                    run_id = header.run_id.get();
                }
                HeaderVerdict::Broken | HeaderVerdict::OtherVersion(_) => later.is_begun = true,
            }
        }
        Ok(later)
    }
}

/// What segments behind the place say.
#[derive(Default)]
struct Later {
    /// A segment behind is in use.
    is_begun: bool,
    salvage: Salvage,
}

/// What one whole segment attests: its frames, and its header if a run begins with it, because everything before a run is synced
/// before the run begins.
fn attested(bytes: &[u8], header: &SegmentHeader, run_id_before: u64) -> Salvage {
    let region = Region {
        bytes: bytes.get(SEGMENT_HEADER_BYTES..).unwrap_or(&[]),
        position: SEGMENT_HEADER_BYTES,
        seed: RunSeed::of(header.run_id.get()),
        next_sequence: header.first_sequence.get(),
    };
    let mut found = region.search(header.crc.get());
    if header.run_id.get() > run_id_before {
        let before = header.first_sequence.get().saturating_sub(1);
        found.durable_sequence = found.durable_sequence.max(before);
    }
    found
}

/// Bytes up to the last one that is not zero.
pub(crate) fn used_bytes(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}
