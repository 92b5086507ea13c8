//! The one writer of a journal.
//!
//! `append` stores a frame straight into the mapped segment: no allocation, no lock, no system call, also when it moves to
//! the next segment, as long as one is ready. Invariant: a frame that `append` has returned survives the death of
//! the process; what survives the death of the machine is told by the durable watermark.

use zerocopy::little_endian::{I64, U32, U64};

use crate::{
    background::{Background, Durability, Retired, Shared, remove_prepared},
    bounds::{
        FIRST_SEQUENCE, FIRST_USER_KIND, FORMAT_VERSION, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES,
        WATERMARK_BYTES_MAX, frame_bytes, payload_bytes_max,
    },
    checksum::RunSeed,
    condition::Condition,
    directory::{Directory, WriterLock},
    error::JournalError,
    layout::{ControlKind, MAGIC, SegmentHeader},
    mapping::FrameFields,
    options::{JournalOptions, SyncMode},
    place::Place,
    recovery::{Recovery, Resume, recover},
    sabotage::{Bug, is_planted},
    segment::WritableSegment,
    words::ConditionWord,
};
#[cfg(target_arch = "x86_64")]
use crate::{
    bounds::{LINE_PAYLOAD_BYTES, RECORD_BYTES, SEGMENT_BYTES_MIN},
    checksum::{Running, SHORT_BYTES, has_instruction},
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
    /// Requests for a watermark frame that were answered.
    answered: u64,
    shared: std::sync::Arc<Shared>,
    background: Background,
    payload_bytes_max: usize,
    run: Run,
    roll_stalls: u64,
    directory: Directory,
    page_bytes: usize,
    sync: SyncMode,
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
    pub fn create(place: impl Into<Place>, options: &JournalOptions) -> Result<Self, JournalError> {
        options.check()?;
        let directory = Directory::new(place.into());
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
        place: impl Into<Place>,
        options: &JournalOptions,
    ) -> Result<(Self, Recovery), JournalError> {
        options.check()?;
        let directory = Directory::new(place.into());
        directory.expect_journal()?;
        let lock = directory.lock()?;
        let (recovery, resume) = recover(&directory, options.validate)?;
        Ok((Self::begin(directory, lock, options, resume)?, recovery))
    }

    pub(crate) fn begin(
        directory: Directory,
        lock: WriterLock,
        options: &JournalOptions,
        resume: Resume,
    ) -> Result<Self, JournalError> {
        let run = Run {
            run_id: resume.run_id,
            boot_id: directory.boot_id()?,
            segment_bytes: options.segment_bytes,
        };
        let segment = WritableSegment::prepare(
            &directory,
            resume.segment_index,
            run.segment_bytes,
            options.sync,
        )?;
        let durable_sequence = resume.next_sequence - 1;
        let next_index = resume.segment_index + 1;
        let background = Background::start(&directory, options, next_index, durable_sequence)?;
        let mut writer = Self {
            segment,
            position: 0,
            limit: run.segment_bytes as usize - end_room_bytes(),
            crc_before: resume.chain,
            next_sequence: resume.next_sequence,
            seed: RunSeed::of(run.run_id),
            answered: 0,
            shared: std::sync::Arc::clone(&background.shared),
            background,
            payload_bytes_max: payload_bytes_max(run.segment_bytes),
            run,
            roll_stalls: 0,
            page_bytes: directory.storage().page_bytes(),
            sync: options.sync,
            directory,
            _lock: lock,
        };
        writer.begin_segment();
        writer.sync_header()?;
        Ok(writer)
    }

    /// The header of a run is durable before its first frame is there: so a first header that is torn never had frames.
    fn sync_header(&mut self) -> Result<(), JournalError> {
        let facts = std::sync::Arc::clone(&self.segment.facts);
        let synced = facts.sync_pages(0, self.page_bytes);
        synced.inspect_err(|error| self.shared.fail_sync(error.clone()))
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
        self.shared.words.durable.sequence()
    }

    /// When what is appended becomes durable.
    pub fn sync(&self) -> SyncMode {
        self.sync
    }

    /// A handle on the durability of this journal for other threads.
    pub fn durability(&self) -> Durability {
        self.background.durability()
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
        #[cfg(target_arch = "x86_64")]
        if has_instruction() {
            // SAFETY: the CPU has the instruction (asked just now).
            let sequence = unsafe {
                if let Ok(payload) = payload.try_into() {
                    self.append_fixed::<RECORD_BYTES>(kind, time_ns, cause, payload)
                } else if let Ok(payload) = payload.try_into() {
                    self.append_fixed::<LINE_PAYLOAD_BYTES>(kind, time_ns, cause, payload)
                } else {
                    self.append_short(kind, time_ns, cause, payload)
                }
            };
            if sequence != 0 {
                return Ok(sequence);
            }
        }
        self.append_any(kind, time_ns, cause, payload)
    }

    /// As `append_short`, for payloads of one length: the compiler lays all of it out in a row.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "sse4.2")]
    #[inline(never)]
    fn append_fixed<const BYTES: usize>(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8; BYTES],
    ) -> u64 {
        self.append_ordinary(kind, time_ns, cause, payload, |crc, word| crc.add(word))
    }

    /// As `append_ordinary`, for any payload that is not long.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "sse4.2")]
    #[inline(never)]
    fn append_short(&mut self, kind: u16, time_ns: i64, cause: u64, payload: &[u8]) -> u64 {
        // Every segment takes a short payload.
        if payload.len() > SHORT_BYTES {
            return 0;
        }
        self.append_ordinary(kind, time_ns, cause, payload, |crc, word| crc.add(word))
    }

    /// An append to which nothing special happens, without a call: 0 = something does, and nothing was done. It becomes part of
    /// its callers, whose CPU has the instruction that `add` is.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn append_ordinary(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
        add: impl Fn(Running, u64) -> Running,
    ) -> u64 {
        let position = self.position;
        let end = position + frame_bytes(payload.len());
        let words = &self.shared.words;
        if kind < FIRST_USER_KIND || end > self.limit || words.request.count() != self.answered {
            return 0;
        }
        let sequence = self.next_sequence;
        let fields = FrameFields {
            sequence,
            time_ns,
            cause,
            kind,
            durable_lag: lag_between(words.durable.sequence(), sequence),
            payload,
        };
        let mapping = &mut self.segment.mapping;
        mapping.claim_ahead(position);
        mapping.put_short_frame(position, self.seed, &mut self.crc_before, &fields, add);
        self.position = end;
        self.next_sequence = sequence + 1;
        sequence
    }

    /// Any append.
    #[inline(never)]
    fn append_any(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
    ) -> Result<u64, JournalError> {
        if kind < FIRST_USER_KIND || payload.len() > self.payload_bytes_max {
            return Err(self.refusal(kind, payload.len()));
        }
        if self.shared.words.request.count() != self.answered {
            self.answer_request();
        }
        if frame_bytes(payload.len()) > self.room_bytes() {
            self.roll()?;
        }
        let sequence = self.next_sequence;
        self.put(sequence, kind, time_ns, cause, payload);
        self.next_sequence = sequence + 1;
        Ok(sequence)
    }

    /// What is not as it should be: one load when all is well. It answers the flusher's request for a watermark frame as well,
    /// so call it while there is nothing to append.
    ///
    /// # Errors
    /// What the background met: no space for a segment, or a failed sync. What is in the segment in use is safe, but no further
    /// segment will come: stop while there is room for what stopping takes (`room_bytes`).
    #[inline]
    pub fn poll_health(&mut self) -> Result<Condition, JournalError> {
        if self.shared.words.request.count() != self.answered {
            self.answer_request();
        }
        let bits = self.shared.words.condition.bits();
        if bits & ConditionWord::FAILED != 0 {
            return Err(self.shared.failure());
        }
        Ok(Condition::of(bits))
    }

    /// Ends the page in use with a watermark frame, so that everything appended so far lies in pages that are not written to
    /// again: to be called before somebody waits for durability. Without it the sync would write-protect the page in use.
    pub fn end_page(&mut self) {
        if !self.position.is_multiple_of(self.page_bytes) {
            self.put_watermark();
        }
    }

    /// Lets a background without threads of its own (`HelperMode::Inline`) take a step.
    pub fn assist(&mut self) {
        self.background.assist();
    }

    /// Closes the journal in good order: everything is on stable storage when this returns.
    ///
    /// # Errors
    /// When something could not be synced. The journal is then valid but not sealed.
    pub fn seal(mut self) -> Result<Sealed, JournalError> {
        self.background.stop()?;
        let facts = std::sync::Arc::clone(&self.segment.facts);
        if let Err(error) = facts.sync() {
            self.shared.fail_sync(error.clone());
            return Err(error);
        }
        let last_sequence = self.next_sequence - 1;
        // The seal itself attests that all before it is durable.
        self.put_control(ControlKind::Seal, 0, &[]);
        facts.cut(self.position as u64)?;
        if let Err(error) = facts.sync() {
            self.shared.fail_sync(error.clone());
            return Err(error);
        }
        self.shared.words.durable.raise(last_sequence);
        remove_prepared(&self.directory, facts.index)?;
        self.directory.sync()?;
        Ok(Sealed {
            last_sequence,
            run_id: self.run.run_id,
            segment: facts.index,
            segment_bytes: self.position as u64,
            roll_stalls: self.roll_stalls,
        })
    }

    #[inline]
    fn put(&mut self, sequence: u64, kind: u16, time_ns: i64, cause: u64, payload: &[u8]) {
        let durable_lag = self.lag_of(sequence);
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

    fn lag_of(&self, sequence: u64) -> u32 {
        lag_between(self.durable_sequence(), sequence)
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

    /// Writes a frame of the journal's own: it repeats the last sequence. There is always room for one without payload.
    fn put_control(&mut self, kind: ControlKind, durable_lag: u32, payload: &[u8]) {
        self.put_fields(&FrameFields {
            sequence: self.next_sequence - 1,
            time_ns: 0,
            cause: 0,
            kind: kind as u16,
            durable_lag,
            payload,
        });
    }

    /// The flusher wants the page in use, or wants what is durable to be said.
    #[cold]
    fn answer_request(&mut self) {
        self.answered = self.shared.words.request.count();
        self.put_watermark();
    }

    /// Says how much is durable in a frame that ends with the page. Where the segment has no room for it, it is about to end
    /// anyway.
    #[cold]
    fn put_watermark(&mut self) {
        static ZEROS: [u8; WATERMARK_BYTES_MAX] = [0; WATERMARK_BYTES_MAX];
        let first_end = self.position + FRAME_HEADER_BYTES;
        let end = first_end.next_multiple_of(self.page_bytes);
        if end <= self.limit {
            let lag = self.lag_of(self.next_sequence - 1);
            self.put_control(ControlKind::Watermark, lag, &ZEROS[..end - first_end]);
        }
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
        let lag = self.lag_of(last_sequence);
        self.put_control(ControlKind::Roll, lag, &[]);
        let segment = std::mem::replace(&mut self.segment, next);
        let retired = Retired {
            segment,
            last_sequence,
            used_bytes: self.position,
        };
        let refused = self.shared.retired.push(retired).is_err();
        debug_assert!(!refused, "there was room, and only the writer pushes");
        self.begin_segment();
        Ok(())
    }

    /// Takes a prepared segment, waiting for the background if need be.
    fn next_segment(&mut self) -> Result<WritableSegment, JournalError> {
        let mut has_waited = false;
        loop {
            if !self.shared.retired.is_full()
                && !self.shared.begun.is_full()
                && let Some(segment) = self.shared.prepared.take()
            {
                return Ok(segment);
            }
            if self.shared.words.condition.has(ConditionWord::FAILED) {
                return Err(self.shared.failure());
            }
            if !has_waited {
                has_waited = true;
                self.roll_stalls += 1;
            }
            self.background.assist();
        }
    }

    /// Writes the header of the segment just taken.
    fn begin_segment(&mut self) {
        let header = SegmentHeader {
            magic: U64::new(MAGIC),
            format_version: U32::new(FORMAT_VERSION),
            header_bytes: U32::new(SEGMENT_HEADER_BYTES as u32),
            segment_index: U64::new(self.segment.facts.index),
            first_sequence: U64::new(self.next_sequence),
            run_id: U64::new(self.run.run_id),
            boot_id: self.run.boot_id,
            created_ns: I64::new(self.directory.storage().wall_clock_ns()),
            segment_bytes: U64::new(self.run.segment_bytes),
            chain: U32::new(self.crc_before),
            reserved: [0; 48],
            crc: U32::new(0),
        }
        .sealed();
        self.segment.mapping.put_header(&header);
        self.position = SEGMENT_HEADER_BYTES;
        self.crc_before = header.crc.get();
        let facts = std::sync::Arc::clone(&self.segment.facts);
        let refused = self.shared.begun.push(facts).is_err();
        debug_assert!(!refused, "there was room, and only the writer pushes");
    }
}

/// Room that is kept for the frame that ends a segment.
fn end_room_bytes() -> usize {
    if is_planted(Bug::RollOffByOne) {
        0
    } else {
        FRAME_HEADER_BYTES
    }
}

/// How far durability is behind this sequence, as a frame says it.
#[inline]
fn lag_between(durable: u64, sequence: u64) -> u32 {
    let lag = sequence.saturating_sub(durable);
    lag.min(u64::from(u32::MAX)) as u32
}

impl Drop for Writer {
    /// Leaves a valid journal; what cannot be tidied up here, the next recovery does.
    fn drop(&mut self) {
        let _ = self.background.stop();
        // Nobody will ever make durable what is not: whoever waits for it must not wait on.
        self.shared.words.condition.add(ConditionWord::FAILED);
        let _ = remove_prepared(&self.directory, self.segment.facts.index);
    }
}

const _: () = assert!(FIRST_SEQUENCE > 0, "a sequence of 0 means none");
#[cfg(target_arch = "x86_64")]
const _: () = assert!(SHORT_BYTES <= payload_bytes_max(SEGMENT_BYTES_MIN));
