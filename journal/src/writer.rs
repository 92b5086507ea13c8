//! The one writer of a journal.
//!
//! `append` stores a frame straight into the mapped segment: no allocation, no lock, no system call, also when it moves to
//! the next segment, as long as the helper has one ready. Invariant: a frame that `append` has returned survives the death of
//! the process; what survives the death of the machine is told by the durable watermark.

use std::{
    path::Path,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use zerocopy::little_endian::{I64, U32, U64};

use crate::{
    bounds::{
        FIRST_SEQUENCE, FIRST_USER_KIND, FORMAT_VERSION, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES,
        frame_bytes, payload_bytes_max,
    },
    checksum::RunSeed,
    directory::{Directory, WriterLock, boot_id},
    error::JournalError,
    helper::{Helper, Retired},
    layout::{ControlKind, MAGIC, SegmentHeader},
    mapping::FrameFields,
    options::JournalOptions,
    recovery::{Recovery, Resume, recover},
    segment::WritableSegment,
};

/// Appends frames to a journal. One at a time per journal, whatever the process.
///
/// Dropping it without `seal` leaves a valid journal that was not closed in good order.
pub struct Writer {
    // What an append touches comes first.
    segment: WritableSegment,
    position: usize,
    /// Frames end here at the latest; behind it there is room for one control frame.
    limit: usize,
    crc_before: u32,
    next_sequence: u64,
    seed: RunSeed,
    helper: Helper,
    payload_bytes_max: usize,
    run: Run,
    roll_stalls: u64,
    directory: Directory,
    /// Released last.
    _lock: WriterLock,
}

/// What all segments of one run have in common.
struct Run {
    run_id: u64,
    boot_id: [u8; 16],
    segment_bytes: u64,
}

/// What a journal was when it was closed in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Last sequence in the journal; 0 if it has no frame.
    pub last_sequence: u64,
    /// The run that ended.
    pub run_id: u64,
    /// Index of the segment with the end of the journal.
    pub segment: u64,
    /// Length of that segment.
    pub segment_bytes: u64,
    /// How often a roll had to wait for the helper.
    pub roll_stalls: u64,
}

impl Writer {
    /// Starts a new journal in a new or empty directory.
    ///
    /// # Errors
    /// When the directory holds something, another writer is there, or there is no room for the first segment.
    pub fn create(dir: impl AsRef<Path>, options: &JournalOptions) -> Result<Self, JournalError> {
        options.check()?;
        let directory = Directory::new(dir.as_ref());
        directory.make_new()?;
        let lock = directory.lock()?;
        // Again, now that nobody else can begin.
        directory.make_new()?;
        Self::begin(directory, lock, options, Resume::at_the_start())
    }

    /// Opens a journal, recovers it and starts a new run in a new segment.
    ///
    /// Everything is validated first. A torn tail is cut, kept in `quarantine/` and reported.
    ///
    /// # Errors
    /// `Damaged` when no crash explains what is there; otherwise as `create`, or when there is no journal.
    pub fn open(
        dir: impl AsRef<Path>,
        options: &JournalOptions,
    ) -> Result<(Self, Recovery), JournalError> {
        options.check()?;
        let directory = Directory::new(dir.as_ref());
        if !directory.is_journal()? {
            return Err(JournalError::NotFound {
                dir: dir.as_ref().to_path_buf(),
            });
        }
        let lock = directory.lock()?;
        let (recovery, resume) = recover(&directory)?;
        Ok((Self::begin(directory, lock, options, resume)?, recovery))
    }

    fn begin(
        directory: Directory,
        lock: WriterLock,
        options: &JournalOptions,
        resume: Resume,
    ) -> Result<Self, JournalError> {
        let run = Run {
            run_id: resume.run_id,
            boot_id: boot_id()?,
            segment_bytes: options.segment_bytes,
        };
        let segment =
            WritableSegment::prepare(&directory, resume.segment_index, run.segment_bytes)?;
        let durable_sequence = resume.next_sequence - 1;
        let helper = Helper::start(
            directory.clone(),
            options,
            resume.segment_index + 1,
            durable_sequence,
        )?;
        let mut writer = Self {
            segment,
            position: 0,
            limit: run.segment_bytes as usize - FRAME_HEADER_BYTES,
            crc_before: resume.chain,
            next_sequence: resume.next_sequence,
            seed: RunSeed::of(run.run_id),
            helper,
            payload_bytes_max: payload_bytes_max(run.segment_bytes),
            run,
            roll_stalls: 0,
            directory,
            _lock: lock,
        };
        writer.begin_segment();
        Ok(writer)
    }

    /// The number that the next `append` will return.
    #[inline]
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// The number of this run: rises at each opening for writing.
    pub fn run_id(&self) -> u64 {
        self.run.run_id
    }

    /// Highest sequence known to be on stable storage.
    #[inline]
    pub fn durable_sequence(&self) -> u64 {
        self.helper.durable_sequence()
    }

    /// How often a roll had to wait for the helper. Should be 0: larger segments help.
    pub fn roll_stalls(&self) -> u64 {
        self.roll_stalls
    }

    /// Largest payload that `append` takes.
    pub fn payload_bytes_max(&self) -> usize {
        self.payload_bytes_max
    }

    /// Bytes of frames that still fit into the segment in use, whatever becomes of the helper.
    #[inline]
    pub fn room_bytes(&self) -> usize {
        self.limit - self.position
    }

    /// Appends one frame and returns its sequence.
    ///
    /// # Errors
    /// When the kind is the journal's own, the payload too large, or the segment full and no next one can be had. Nothing
    /// was written then.
    #[inline]
    pub fn append(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
    ) -> Result<u64, JournalError> {
        if kind < FIRST_USER_KIND || payload.len() > self.payload_bytes_max {
            return Err(self.refusal(kind, payload.len()));
        }
        if frame_bytes(payload.len()) > self.room_bytes() {
            self.roll()?;
        }
        let sequence = self.next_sequence;
        self.put(sequence, kind, time_ns, cause, payload);
        self.next_sequence = sequence + 1;
        Ok(sequence)
    }

    /// Says whether the helper is well: one load. When it is not, what is in the segment in use is safe, but no further segment
    /// will come: stop while there is room for what stopping takes (`room_bytes`).
    ///
    /// # Errors
    /// What the helper met: no space for a segment, or a failed sync.
    #[inline]
    pub fn poll_health(&self) -> Result<(), JournalError> {
        self.helper.health()
    }

    /// Closes the journal in good order: everything is on stable storage when this returns.
    ///
    /// # Errors
    /// When something could not be synced. The journal is then valid but not sealed.
    pub fn seal(mut self) -> Result<Sealed, JournalError> {
        self.helper.stop()?;
        self.segment.sync()?;
        let last_sequence = self.next_sequence - 1;
        // The seal itself attests that all before it is durable.
        self.put_control(ControlKind::Seal, 0);
        let path = &self.segment.path;
        self.segment
            .file
            .set_len(self.position as u64)
            .map_err(|source| JournalError::io("cut", path, source))?;
        self.segment.sync()?;
        self.remove_prepared()?;
        self.directory.sync()?;
        Ok(Sealed {
            last_sequence,
            run_id: self.run.run_id,
            segment: self.segment.index,
            segment_bytes: self.position as u64,
            roll_stalls: self.roll_stalls,
        })
    }

    #[inline]
    fn put(&mut self, sequence: u64, kind: u16, time_ns: i64, cause: u64, payload: &[u8]) {
        let durable_lag = sequence.saturating_sub(self.helper.durable_sequence());
        let durable_lag = u32::try_from(durable_lag).unwrap_or(u32::MAX);
        let fields = FrameFields {
            sequence,
            time_ns,
            cause,
            kind,
            durable_lag,
            payload,
        };
        self.put_fields(&fields);
    }

    #[inline]
    fn put_fields(&mut self, fields: &FrameFields<'_>) {
        let commit =
            self.segment
                .mapping
                .put_frame(self.position, self.seed, self.crc_before, fields);
        self.position += commit.frame_bytes as usize;
        self.crc_before = commit.crc;
    }

    /// Writes a frame of the journal's own: it repeats the last sequence. There is always room for one.
    fn put_control(&mut self, kind: ControlKind, durable_lag: u32) {
        self.put_fields(&FrameFields {
            sequence: self.next_sequence - 1,
            time_ns: 0,
            cause: 0,
            kind: kind as u16,
            durable_lag,
            payload: &[],
        });
    }

    #[cold]
    fn refusal(&self, kind: u16, bytes: usize) -> JournalError {
        if kind < FIRST_USER_KIND {
            JournalError::ReservedKind { kind }
        } else {
            JournalError::PayloadTooLarge {
                bytes,
                max: self.payload_bytes_max,
            }
        }
    }

    /// Moves to the next segment.
    #[cold]
    fn roll(&mut self) -> Result<(), JournalError> {
        let next = self.next_segment()?;
        let last_sequence = self.next_sequence - 1;
        let lag = last_sequence.saturating_sub(self.helper.durable_sequence());
        self.put_control(ControlKind::Roll, u32::try_from(lag).unwrap_or(u32::MAX));
        let segment = std::mem::replace(&mut self.segment, next);
        self.helper.retire(Retired {
            segment,
            last_sequence,
        });
        self.begin_segment();
        Ok(())
    }

    /// Takes a prepared segment, waiting for the helper if need be.
    fn next_segment(&mut self) -> Result<WritableSegment, JournalError> {
        let mut has_waited = false;
        loop {
            if self.helper.can_retire()
                && let Some(segment) = self.helper.take_prepared()
            {
                return Ok(segment);
            }
            self.helper.health()?;
            if !has_waited {
                has_waited = true;
                self.roll_stalls += 1;
            }
            thread::yield_now();
        }
    }

    /// Writes the header of the segment just taken.
    fn begin_segment(&mut self) {
        let header = SegmentHeader {
            magic: U64::new(MAGIC),
            format_version: U32::new(FORMAT_VERSION),
            header_bytes: U32::new(SEGMENT_HEADER_BYTES as u32),
            segment_index: U64::new(self.segment.index),
            first_sequence: U64::new(self.next_sequence),
            run_id: U64::new(self.run.run_id),
            boot_id: self.run.boot_id,
            created_ns: I64::new(wall_clock_ns()),
            segment_bytes: U64::new(self.run.segment_bytes),
            chain: U32::new(self.crc_before),
            reserved: [0; 48],
            crc: U32::new(0),
        }
        .sealed();
        self.segment.mapping.put_header(&header);
        self.position = SEGMENT_HEADER_BYTES;
        self.crc_before = header.crc.get();
    }

    /// Removes segments that were prepared in vain, and all behind the segment in use are that.
    fn remove_prepared(&self) -> Result<(), JournalError> {
        // Last ones first: a reader must never see a gap.
        for index in self.directory.segments()?.into_iter().rev() {
            if index > self.segment.index {
                let path = self.directory.segment_path(index);
                std::fs::remove_file(&path)
                    .map_err(|source| JournalError::io("remove", &path, source))?;
            }
        }
        Ok(())
    }
}

impl Drop for Writer {
    /// Leaves a valid journal; what cannot be tidied up here, the next recovery does.
    fn drop(&mut self) {
        let _ = self.helper.stop();
        let _ = self.remove_prepared();
    }
}

/// Only a fact about the segment: nothing depends on it. Reading it is no system call (vDSO).
fn wall_clock_ns() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}

const _: () = assert!(FIRST_SEQUENCE > 0, "a sequence of 0 means none");
