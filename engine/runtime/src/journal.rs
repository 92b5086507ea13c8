//! The journal as the runtime sees it: something that numbers and keeps frames, and something that gives them back.
//!
//! Real files implement these traits below; tests put memory and failing versions in their place.

use std::error::Error;

use acth_journal::{Condition, FlushStats, Reader, SyncMode, Writer};

use crate::durable::DurableGate;

/// Any error of a journal; its sentence names the place.
pub type JournalFault = Box<dyn Error + Send + Sync>;

/// The writing end. There is one writer, and it belongs to the core thread.
pub trait Journal: Send {
    /// The sequence that the next append will return.
    fn next_sequence(&self) -> u64;

    /// Appends one frame and returns its sequence.
    ///
    /// # Errors
    /// When the frame was not written; the journal can then take no more.
    fn append(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
    ) -> Result<u64, JournalFault>;

    /// Whether the journal can go on (a segment ahead is ready and syncs succeed), and what it is short of. Cheap; asked in every
    /// duty cycle.
    ///
    /// # Errors
    /// The failure that will stop it.
    fn poll_health(&mut self) -> Result<Condition, JournalFault>;

    /// What egress waits at before it sends a command.
    fn durable_gate(&self) -> DurableGate {
        DurableGate::Open
    }

    /// Called when something that was appended is about to be waited for at the gate.
    fn prepare_wait(&mut self) {}

    /// Closes the journal for good.
    ///
    /// # Errors
    /// When what was written could not be completed or synced.
    fn seal(self) -> Result<JournalEnd, JournalFault>;
}

/// What a journal was when it was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalEnd {
    /// Highest sequence on stable storage.
    pub durable_sequence: u64,
    /// How often the core had to wait for a segment.
    pub roll_stalls: u64,
    /// What the flusher measured; zero where nothing is synced while running.
    pub flush: FlushStats,
}

/// One frame read back.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    /// Its place in history.
    pub sequence: u64,
    /// The time it was given, ns since the Unix epoch.
    pub time_ns: i64,
    /// Sequence of the input that led to it; 0 = none.
    pub cause: u64,
    /// See `frames`.
    pub kind: u16,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// The reading end.
pub trait Frames: Send {
    /// The next frame, or `None` at the end.
    ///
    /// # Errors
    /// When the journal is damaged or cannot be read.
    fn next(&mut self) -> Result<Option<FrameView<'_>>, JournalFault>;
}

impl Journal for Writer {
    #[inline]
    fn next_sequence(&self) -> u64 {
        Self::next_sequence(self)
    }

    #[inline]
    fn append(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
    ) -> Result<u64, JournalFault> {
        Ok(Self::append(self, kind, time_ns, cause, payload)?)
    }

    #[inline]
    fn poll_health(&mut self) -> Result<Condition, JournalFault> {
        Ok(Self::poll_health(self)?)
    }

    fn durable_gate(&self) -> DurableGate {
        match self.sync() {
            SyncMode::Gated { .. } => DurableGate::Waits(self.durability()),
            SyncMode::Process | SyncMode::Interval { .. } => DurableGate::Open,
        }
    }

    fn prepare_wait(&mut self) {
        self.end_page();
    }

    fn seal(self) -> Result<JournalEnd, JournalFault> {
        let durability = self.durability();
        let sealed = Self::seal(self)?;
        Ok(JournalEnd {
            durable_sequence: sealed.last_sequence,
            roll_stalls: sealed.roll_stalls,
            flush: durability.stats(),
        })
    }
}

impl Frames for Reader {
    // Always, as `Reader::next` is.
    #[inline(always)]
    fn next(&mut self) -> Result<Option<FrameView<'_>>, JournalFault> {
        let frame = Self::next(self)?;
        Ok(frame.map(|frame| FrameView {
            sequence: frame.sequence,
            time_ns: frame.time_ns,
            cause: frame.cause,
            kind: frame.kind,
            payload: frame.payload,
        }))
    }
}
