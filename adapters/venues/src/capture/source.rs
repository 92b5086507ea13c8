//! Several recordings as one source of events, merged by receive time.
//!
//! Each file of frames has its own feed of one instrument; rows of the Lean format go through the market of theirs. A poll plays a bounded number of lines that are due; among lines of
//! the same time the file that was named first comes first, and within a file the order of its lines is kept.
//!
//! `ts_ingress_ns` of every event is the recorded receive time, at every pace: whatever the core derives from time
//! then depends on the recording alone. A clock of the run that should fit is event time (the stamp of the newest
//! event), not the wall clock. Latencies from `ts_ingress_ns` to later stages mean nothing for a recording.
//!
//! Invariant: after an error no line is played that comes later than the damage; everything before it was.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use acth_core::{
    instrument::Instruments,
    port::{EventSink, EventSource, PortError, Progress},
};

use super::{
    CaptureSpec,
    identify::identify,
    lean::{LeanMarket, LeanReader, LeanStats},
    lines::LineReader,
    pace::{Pace, Pacer},
};
use crate::binance::{
    feed::{Feed, FeedStats},
    venue_name,
};

/// Lines played in one poll: some ten microseconds of work.
const LINES_PER_POLL: u32 = 32;

/// How far the playing is; shared with whoever shows it.
#[derive(Debug, Default)]
pub struct CaptureProgress {
    bytes_read: Arc<AtomicU64>,
    bytes_total: AtomicU64,
    lines: AtomicU64,
}

impl CaptureProgress {
    /// Bytes read from the files so far, as they lie on disk; of a zip, of the unpacked text.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Bytes of all files together.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total.load(Ordering::Relaxed)
    }

    /// Lines played so far.
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }
}

/// What was played, all files together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureStats {
    /// Lines played.
    pub lines: u64,
    /// What the feeds made of them.
    pub feeds: FeedStats,
}

/// What stands next in one file.
#[derive(Debug)]
enum Head {
    Line,
    Ended,
    /// Damage behind the last good line, whose time it keeps.
    Damaged(PortError),
}

/// One file.
#[derive(Debug)]
enum Reader {
    Frames { lines: LineReader, feed: Box<Feed> },
    Lean(LeanReader),
}

#[derive(Debug)]
struct Track {
    reader: Reader,
    head: Head,
}

impl Track {
    fn new(reader: Reader) -> Self {
        let head = Head::Ended;
        let mut track = Self { reader, head };
        track.advance();
        track
    }

    fn advance(&mut self) {
        let advanced = match &mut self.reader {
            Reader::Frames { lines, .. } => lines.advance(),
            Reader::Lean(rows) => rows.advance(),
        };
        self.head = match advanced {
            Ok(true) => Head::Line,
            Ok(false) => Head::Ended,
            Err(error) => Head::Damaged(error),
        };
    }

    /// When the head of the file is to be handled; damage sorts at the time of the line before it.
    fn ts_next_ns(&self) -> Option<i64> {
        match self.head {
            Head::Ended => None,
            Head::Line | Head::Damaged(_) => Some(match &self.reader {
                Reader::Frames { lines, .. } => lines.ts_recorded_ns(),
                Reader::Lean(rows) => rows.ts_ns(),
            }),
        }
    }
}

/// Plays recordings.
#[derive(Debug)]
pub struct CaptureSource {
    tracks: Vec<Track>,
    /// By instrument; used by rows of the Lean format only.
    lean_markets: Vec<LeanMarket>,
    pacer: Pacer,
    progress: Arc<CaptureProgress>,
    lines_played: u64,
}

impl CaptureSource {
    /// Opens the recordings. Their instruments must be in the table under the venue names of
    /// `binance::venue_name`; events of the first file carry `source_number`, of the second the number after it.
    ///
    /// # Errors
    /// When a file cannot be read, is not what it should be, or its instrument is not in the table. Damage further
    /// down in a file is reported by `poll`, when everything before it was played.
    pub fn open(
        specs: &[CaptureSpec],
        instruments: &Instruments,
        pace: Pace,
        source_number: u16,
    ) -> Result<Self, PortError> {
        let progress = Arc::new(CaptureProgress::default());
        let mut tracks = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            let number = source_number.saturating_add(u16::try_from(index).unwrap_or(u16::MAX));
            let bytes_read = Arc::clone(&progress.bytes_read);
            let (reader, bytes_total) = match &spec.lean {
                Some(choice) => {
                    let rows =
                        LeanReader::open(&spec.path, choice, instruments, number, bytes_read)?;
                    let bytes_total = rows.bytes_total();
                    (Reader::Lean(rows), bytes_total)
                }
                None => open_frames(spec, instruments, number, bytes_read)?,
            };
            progress
                .bytes_total
                .fetch_add(bytes_total, Ordering::Relaxed);
            tracks.push(Track::new(reader));
        }
        let lean_markets = lean_markets(&tracks, instruments);
        Ok(Self {
            tracks,
            lean_markets,
            pacer: Pacer::new(pace),
            progress,
            lines_played: 0,
        })
    }

    /// Paces by this monotonic clock, ns since any moment, instead of real time.
    #[must_use]
    pub fn paced_by(mut self, clock: impl Fn() -> i64 + Send + 'static) -> Self {
        self.pacer.set_clock(Box::new(clock));
        self
    }

    /// How far it is, readable from another thread.
    pub fn progress(&self) -> Arc<CaptureProgress> {
        Arc::clone(&self.progress)
    }

    /// What was played so far.
    pub fn stats(&self) -> CaptureStats {
        let mut stats = CaptureStats {
            lines: self.lines_played,
            feeds: FeedStats::default(),
        };
        for of_file in self.feed_stats() {
            stats.feeds.add(&of_file);
        }
        stats
    }

    /// What each file's feed has seen, in the order of the files; of the Lean format, how many rows.
    pub fn feed_stats(&self) -> impl Iterator<Item = FeedStats> + '_ {
        self.tracks.iter().map(|track| match &track.reader {
            Reader::Frames { feed, .. } => feed.stats(),
            Reader::Lean(rows) => FeedStats {
                frames: rows.rows_played(),
                ..FeedStats::default()
            },
        })
    }

    /// What was made of rows of the Lean format, by instrument.
    pub fn lean_stats(&self) -> impl Iterator<Item = LeanStats> + '_ {
        self.lean_markets.iter().map(LeanMarket::stats)
    }

    /// The file whose head is next, and the time of that head.
    fn next_track(&self) -> Option<(usize, i64)> {
        let heads = self.tracks.iter().enumerate();
        heads
            .filter_map(|(index, track)| Some((track.ts_next_ns()?, index)))
            .min()
            .map(|(ts_next_ns, index)| (index, ts_next_ns))
    }
}

fn open_frames(
    spec: &CaptureSpec,
    instruments: &Instruments,
    source_number: u16,
    bytes_read: Arc<AtomicU64>,
) -> Result<(Reader, u64), PortError> {
    let identity = identify(spec)?;
    let venue = venue_name(identity.market);
    let id = instruments.find(venue, &identity.symbol).ok_or_else(|| {
        let cause = format!("is of {venue}:{}, which is no instrument", identity.symbol);
        PortError::new(spec.path.display().to_string(), cause)
    })?;
    let feed = Feed::with_instruments(identity.market, instruments, &[id], source_number)?;
    let lines = LineReader::open(&spec.path, bytes_read)?;
    let bytes_total = lines.bytes_total();
    let feed = Box::new(feed);
    Ok((Reader::Frames { lines, feed }, bytes_total))
}

/// One market an instrument; where no file has its quotes, they are made from its trades.
fn lean_markets(tracks: &[Track], instruments: &Instruments) -> Vec<LeanMarket> {
    let has_quotes = |id| {
        let is_quoted = |track: &Track| match &track.reader {
            Reader::Lean(rows) => rows.instrument() == id && rows.has_quotes(),
            Reader::Frames { .. } => false,
        };
        tracks.iter().any(is_quoted)
    };
    let markets = instruments.iter();
    markets
        .map(|(id, row)| LeanMarket::new((!has_quotes(id)).then_some(row.tick)))
        .collect()
}

impl EventSource for CaptureSource {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let lines_before = self.lines_played;
        let mut progress = Progress::Busy;
        for _ in 0..LINES_PER_POLL {
            let Some((index, ts_next_ns)) = self.next_track() else {
                progress = Progress::Ended;
                break;
            };
            let track = &mut self.tracks[index];
            if let Head::Damaged(error) = &track.head {
                return Err(error.clone());
            }
            if !self.pacer.is_due(ts_next_ns) {
                progress = Progress::Idle;
                break;
            }
            let played = match &mut track.reader {
                Reader::Frames { lines, feed } => feed.on_frame(lines.frame(), ts_next_ns, sink),
                Reader::Lean(rows) => {
                    let market = &mut self.lean_markets[rows.instrument().index()];
                    rows.count_played();
                    market.on_row(&rows.stamp(), rows.row(), sink)
                }
            };
            if played.is_err() {
                return Ok(Progress::Ended);
            }
            self.lines_played += 1;
            track.advance();
        }
        let lines = self.lines_played;
        self.progress.lines.store(lines, Ordering::Relaxed);
        let has_played = lines > lines_before;
        Ok(if has_played { Progress::Busy } else { progress })
    }
}
