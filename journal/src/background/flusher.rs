//! Makes durable what the writer stored, and says how far it is.
//!
//! It follows the frames as a reader does, so the writer tells it nothing but which segments it began and left. Only pages that
//! the writer has left for good are synced while it is at work: a sync write-protects its pages, and the next store into one
//! would fault. What lies in the page in use is made durable by asking the writer for a watermark frame that fills the rest
//! of the page; a writer that does not answer within one cycle is idle, and then the page itself is synced.
//!
//! Invariant: the durable watermark rises only behind a sync that covered every frame up to it, and all before.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Retired, Shared};
use crate::{
    bounds::{FIRST_USER_KIND, SEGMENT_HEADER_BYTES},
    error::JournalError,
    layout::FrameHeader,
    mapping::{ReadableMapping, Slot},
    options::SyncMode,
    sabotage::{Bug, is_planted},
    segment::Segment,
    words::ConditionWord,
};

/// A wait for durability of this length is far from any bound that makes sense: the hub should reduce its risk.
const BEHIND_NS: u64 = 3_000_000_000;
/// How often the pages ahead of the writer are touched again.
const TOUCH_NS: u64 = 1_000_000_000;

/// Shortest and longest sleep of the flusher.
const NAP_MIN: Duration = Duration::from_micros(100);
const NAP_MAX: Duration = Duration::from_millis(1);

/// A place between two frames and the last sequence before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    position: usize,
    sequence: u64,
}

/// The segment that the writer is in, or was when the flusher last took one.
struct Active {
    segment: Arc<Segment>,
    view: ReadableMapping,
    /// Behind the last frame seen.
    end: Mark,
    /// Behind the last frame that lies in whole pages that the writer has left.
    whole: Mark,
    /// Everything before it is on the device.
    durable: Mark,
    /// Highest sequence that a frame seen here says was durable.
    attested_sequence: u64,
}

impl Active {
    fn new(segment: Arc<Segment>, last_sequence: u64) -> Self {
        let mark = Mark {
            position: SEGMENT_HEADER_BYTES,
            sequence: last_sequence,
        };
        Self {
            view: segment.view(),
            segment,
            end: mark,
            whole: mark,
            durable: Mark {
                position: 0,
                ..mark
            },
            attested_sequence: 0,
        }
    }

    /// Walks over the frames stored since the last time.
    fn follow(&mut self, page_bytes: usize) {
        while let Slot::Published(published) = self.view.slot(self.end.position) {
            let bytes = self.view.frame(published);
            let header = FrameHeader::of(bytes);
            let before = self.end;
            self.end.position += bytes.len();
            if header.kind.get() >= FIRST_USER_KIND {
                self.end.sequence = header.sequence.get();
            }
            let attested = header.durable_sequence().unwrap_or(0);
            self.attested_sequence = self.attested_sequence.max(attested);
            if self.end.position / page_bytes > before.position / page_bytes {
                let ends_page = self.end.position.is_multiple_of(page_bytes);
                self.whole = if ends_page { self.end } else { before };
            }
        }
    }
}

pub(crate) struct Flusher {
    shared: Arc<Shared>,
    sync: SyncMode,
    page_bytes: usize,
    active: Option<Active>,
    last_sequence: u64,
    /// When the oldest frame that is not durable was seen.
    waiting_since_ns: Option<u64>,
    /// How many frames were not durable at the last look.
    waiting_frames: u64,
    /// Where the writer was when it was last asked for a watermark frame.
    asked_at: Option<usize>,
    next_touch_ns: u64,
}

impl Flusher {
    pub(crate) fn new(
        shared: Arc<Shared>,
        sync: SyncMode,
        page_bytes: usize,
        last_sequence: u64,
    ) -> Self {
        Self {
            shared,
            sync,
            page_bytes,
            active: None,
            last_sequence,
            waiting_since_ns: None,
            waiting_frames: 0,
            asked_at: None,
            next_touch_ns: 0,
        }
    }

    /// How long to sleep when nothing is due: a small part of the bound, and shorter while frames come so fast that their number
    /// will be what counts.
    pub(crate) fn nap(&self) -> Duration {
        let (time_ns, frames) = match self.sync {
            SyncMode::Process => return NAP_MAX,
            SyncMode::Interval { time_ns, frames } => (time_ns, frames),
            SyncMode::Gated { time_ns } => (time_ns, u64::MAX),
        };
        if self.waiting_frames > frames / 8 {
            return NAP_MIN;
        }
        Duration::from_nanos(time_ns / 8).clamp(NAP_MIN, NAP_MAX)
    }

    /// Does what is due; true when it did something. An error is final.
    pub(crate) fn cycle(&mut self, now_ns: u64) -> Result<bool, JournalError> {
        if let Some(retired) = self.shared.retired.take() {
            self.retire(retired, now_ns)?;
            return Ok(true);
        }
        self.begin();
        if self.active.is_none() {
            return Ok(false);
        }
        self.touch_ahead(now_ns);
        match self.sync {
            SyncMode::Process => Ok(false),
            SyncMode::Interval { time_ns, frames } => self.flush(now_ns, time_ns / 2, frames / 2),
            // Whoever waits has asked; the rest may take as long as with an interval.
            SyncMode::Gated { time_ns } => self.flush(now_ns, time_ns / 2, u64::MAX),
        }
    }

    fn begin(&mut self) {
        if self.active.is_none() {
            let segment = self.shared.begun.take();
            self.active = segment.map(|segment| Active::new(segment, self.last_sequence));
        }
    }

    /// A segment that the writer has left: all of it becomes durable, then the next one is followed.
    fn retire(&mut self, retired: Retired, now_ns: u64) -> Result<(), JournalError> {
        self.begin();
        let begin = self
            .active
            .take()
            .map_or(0, |active| active.durable.position);
        let from = begin - begin % self.page_bytes;
        let to = retired.used_bytes.next_multiple_of(self.page_bytes);
        if is_planted(Bug::WatermarkBeforeSync) {
            self.raise(retired.last_sequence, now_ns);
        }
        let took_ns = self.timed(|| retired.segment.facts.sync_pages(from, to))?;
        self.last_sequence = retired.last_sequence;
        self.raise(retired.last_sequence, now_ns + took_ns);
        self.waiting_since_ns = None;
        self.asked_at = None;
        Ok(())
    }

    /// Pages that wait long for the writer are written back by the kernel meanwhile, and would fault.
    fn touch_ahead(&mut self, now_ns: u64) {
        if now_ns < self.next_touch_ns {
            return;
        }
        self.next_touch_ns = now_ns.saturating_add(TOUCH_NS);
        if let Some(active) = &self.active {
            let ahead = active.end.position.next_multiple_of(self.page_bytes);
            active.segment.touch_ahead(ahead);
        }
    }

    /// Syncs what waited for `time_ns`, or any of it when `frames` wait, or what somebody asked for.
    fn flush(&mut self, now_ns: u64, time_ns: u64, frames: u64) -> Result<bool, JournalError> {
        let durable_sequence = self.shared.words.durable.sequence();
        let Some(active) = &mut self.active else {
            return Ok(false);
        };
        let end_before = active.end;
        active.follow(self.page_bytes);
        let (end, whole, durable) = (active.end, active.whole, active.durable);
        if end.position == durable.position {
            return Ok(self.attest(end_before == end, durable_sequence));
        }
        let since_ns = *self.waiting_since_ns.get_or_insert(now_ns);
        let waiting = end.sequence.saturating_sub(durable_sequence);
        self.waiting_frames = waiting;
        self.shared.stats.lagged_frames(waiting);
        let wish = self.shared.wish.sequence();
        let is_wished = wish > durable_sequence;
        let waited_ns = now_ns.saturating_sub(since_ns);
        if waited_ns >= BEHIND_NS {
            self.shared.words.condition.add(ConditionWord::BEHIND);
        }
        if waited_ns < time_ns && waiting <= frames && !is_wished {
            return Ok(false);
        }
        if whole.position > durable.position {
            self.sync_to(whole, whole.position, now_ns)?;
            return Ok(true);
        }
        if is_wished && wish > whole.sequence {
            self.sync_to(end, end.position, now_ns)?;
            return Ok(true);
        }
        if self.asked_at != Some(end.position) {
            self.asked_at = Some(end.position);
            self.shared.words.request.ask();
            return Ok(false);
        }
        self.sync_to(end, end.position, now_ns)?;
        Ok(true)
    }

    /// All is durable; when the writer is idle it is asked to say so in a frame, once, which shrinks what a death of the
    /// machine leaves in doubt.
    fn attest(&mut self, is_idle: bool, durable_sequence: u64) -> bool {
        let Some(active) = &self.active else {
            return false;
        };
        let is_said = active.attested_sequence >= durable_sequence;
        if is_idle && !is_said && self.asked_at != Some(active.end.position) {
            self.asked_at = Some(active.end.position);
            self.shared.words.request.ask();
        }
        false
    }

    fn sync_to(&mut self, mark: Mark, position: usize, now_ns: u64) -> Result<(), JournalError> {
        let Some(active) = &self.active else {
            return Ok(());
        };
        let segment = Arc::clone(&active.segment);
        let from = active.durable.position - active.durable.position % self.page_bytes;
        let to = if is_planted(Bug::FlusherSkipsLastPage) {
            position - position % self.page_bytes
        } else {
            position.next_multiple_of(self.page_bytes)
        };
        let took_ns = self.timed(|| segment.sync_pages(from, to))?;
        self.raise(mark.sequence, now_ns + took_ns);
        if let Some(active) = &mut self.active {
            active.durable = mark;
            self.last_sequence = mark.sequence;
            let is_all = active.end.position == mark.position;
            // What is left was seen at this cycle at the earliest.
            self.waiting_since_ns = (!is_all).then_some(now_ns);
        }
        Ok(())
    }

    fn raise(&self, sequence: u64, now_ns: u64) {
        if let Some(since_ns) = self.waiting_since_ns {
            self.shared.stats.lagged_ns(now_ns.saturating_sub(since_ns));
        }
        if sequence > self.shared.words.durable.sequence() {
            self.shared.words.durable.raise(sequence);
        }
    }

    /// Syncs and says how long it took, ns.
    fn timed(&self, sync: impl FnOnce() -> Result<(), JournalError>) -> Result<u64, JournalError> {
        let start = Instant::now();
        sync()?;
        let took_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.shared.stats.synced(took_ns);
        Ok(took_ns)
    }
}
