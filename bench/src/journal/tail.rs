//! The worst appends: an open loop across many rolls, while the journal's own threads prepare and sync beside it.
//!
//! Each event is stamped before and after its append, and the same stamps lie around a plain copy of as many bytes, first one,
//! then the other: what the machine takes away falls on both. The third row counts from the intended start of the event, so a
//! stall is charged to all events that it held up, whatever it was in.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use acth_engine::clock::WallClock;
use acth_journal::{
    Durability, JournalOptions, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN, SyncMode, Writer,
};

use super::{JournalReport, KIND, Sources, frame_bytes, place, report::Times, touched};
use crate::{
    Failure,
    args::Args,
    machine::Machine,
    pace::{Pace, Window},
    report::Bar,
};

/// Rolls that every window sees at least.
const ROLLS: u64 = 22;
const PAYLOAD_BYTES: usize = 64;
const FRAME_BYTES: usize = frame_bytes(PAYLOAD_BYTES);
/// Time for the journal's threads to get ahead before the first event.
const HEAD_START: Duration = Duration::from_millis(500);
/// In gated mode somebody waits for the newest event this often.
const WAIT_EVERY_NS: i64 = 1_000_000;
/// How often the one who waits looks. It sleeps in between: spinning, it would take the time that it measures.
const LOOK_EVERY: Duration = Duration::from_micros(20);
/// Bound of an append at p99.99 where the machine is quiet.
const APPEND_NS_MAX: f64 = 1000.0;

/// One report for every mode and rate.
pub(super) fn measure(
    args: &Args,
    machine: &Machine,
    tell: &mut dyn FnMut(&JournalReport) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for rate_per_second in args.rates() {
        let window = Window::even(rate_per_second, args.length_ns());
        for (name, sync) in [
            ("process", SyncMode::Process),
            ("interval", SyncMode::INTERVAL_DEFAULT),
            ("gated", SyncMode::GATED_DEFAULT),
        ] {
            let taken = run(args, window, sync)?;
            tell(&taken.report(format!("{name} at {rate_per_second}/s"), sync, machine))?;
        }
    }
    Ok(())
}

/// What one window showed.
struct Taken {
    copied: Times,
    appended: Times,
    rolled: Times,
    intended: Times,
    waited: Times,
    facts: Vec<(&'static str, f64)>,
    missing_count: u64,
}

impl Taken {
    fn report(&self, case: String, sync: SyncMode, machine: &Machine) -> JournalReport {
        let mut rows = vec![
            self.copied.row("copy (the machine's own tail)", 1),
            self.appended.row("append", 1),
            self.rolled.row("of these, appends that roll", 1),
            self.intended.row("append, from the intended start", 1),
        ];
        if matches!(sync, SyncMode::Gated { .. }) {
            rows.push(self.waited.row("wait for durability", 1));
        }
        let (copied, appended) = (rows[0].p9999, rows[1].p9999);
        let mut report = JournalReport::new("journal-tail", case, rows, machine);
        report.facts.extend(self.facts.iter().copied());
        report.facts.insert("ratio_p9999", appended / copied);
        if matches!(sync, SyncMode::Interval { .. }) {
            report.bars.push(Bar::at_most(
                "p99.99 of an append at most 1000 ns on a quiet machine (one whose copy keeps it)",
                appended,
                APPEND_NS_MAX,
            ));
        }
        if self.missing_count > 0 {
            report.warnings.push(format!(
                "the rate was not kept, {} events were never sent",
                self.missing_count
            ));
        }
        report
    }
}

/// A segment that the window fills `ROLLS` times.
fn segment_bytes(window: Window) -> u64 {
    let bytes = window.event_count() * FRAME_BYTES as u64 / (ROLLS + 1);
    (bytes / SEGMENT_BYTES_MIN * SEGMENT_BYTES_MIN).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_DEFAULT)
}

fn run(args: &Args, window: Window, sync: SyncMode) -> Result<Taken, Failure> {
    let place = place(args.journal_dir.as_deref())?;
    let options = JournalOptions {
        segment_bytes: segment_bytes(window),
        sync,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(place.path().join("journal"), &options)?;
    let durability = writer.durability();
    let clock = WallClock::start();
    let wish = Wish::default();
    let mut load = Load::new(&clock, options.segment_bytes as usize)?;
    thread::sleep(HEAD_START);
    let waited = thread::scope(|scope| {
        let waiting = matches!(sync, SyncMode::Gated { .. })
            .then(|| scope.spawn(|| wait(&wish, &durability, &clock)));
        let loaded = load.run(&mut writer, window, waiting.is_some().then_some(&wish));
        wish.is_over.store(true, Ordering::Release);
        let waited = waiting.map_or_else(Times::new, |thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("the waiting thread panicked".into()))
        });
        loaded.and(waited)
    })?;
    let stats = durability.stats();
    let sealed = writer.seal()?;
    Ok(Taken {
        copied: load.copied,
        appended: load.appended,
        rolled: load.rolled,
        intended: load.intended,
        waited,
        facts: vec![
            ("rolls", sealed.segment as f64),
            ("roll_stalls", sealed.roll_stalls as f64),
            ("syncs", stats.syncs as f64),
            ("sync_ns_max", stats.sync_ns_max as f64),
            ("lag_frames_max", stats.lag_frames_max as f64),
            ("lag_ns_max", stats.lag_ns_max as f64),
        ],
        missing_count: load.missing_count,
    })
}

/// The thread that appends.
struct Load<'a> {
    clock: &'a WallClock,
    payloads: Sources,
    frames: Sources,
    copies: Vec<u8>,
    copied_bytes: usize,
    copied: Times,
    appended: Times,
    rolled: Times,
    intended: Times,
    missing_count: u64,
}

impl<'a> Load<'a> {
    fn new(clock: &'a WallClock, segment_bytes: usize) -> Result<Self, Failure> {
        Ok(Self {
            clock,
            payloads: Sources::new(PAYLOAD_BYTES),
            frames: Sources::new(FRAME_BYTES),
            copies: touched(segment_bytes),
            copied_bytes: 0,
            copied: Times::new()?,
            appended: Times::new()?,
            rolled: Times::new()?,
            intended: Times::new()?,
            missing_count: 0,
        })
    }

    fn run(
        &mut self,
        writer: &mut Writer,
        window: Window,
        wish: Option<&Wish>,
    ) -> Result<(), Failure> {
        let mut pace = Pace::new(window, self.clock.now_ns());
        let mut next_wish_ns = pace.recorded_from_ns();
        while !pace.is_done() {
            let now_ns = self.clock.now_ns();
            if now_ns > pace.deadline_ns() {
                break;
            }
            let Some(intended_ns) = pace.due(now_ns) else {
                // What a hub does between two events.
                writer.poll_health()?;
                continue;
            };
            let number = pace.sent_count();
            pace.advance();
            let is_recorded = intended_ns >= pace.recorded_from_ns();
            let done_ns = self.one(writer, number, is_recorded)?;
            if is_recorded {
                self.intended.add(done_ns - intended_ns);
            }
            if let Some(wish) = wish
                && done_ns >= next_wish_ns
            {
                next_wish_ns = done_ns + WAIT_EVERY_NS;
                writer.end_page();
                wish.sequence
                    .store(writer.next_sequence() - 1, Ordering::Release);
            }
        }
        self.missing_count += window.event_count() - pace.sent_count();
        Ok(())
    }

    /// One append and one copy, each first every other time. Returns when the append was done.
    #[inline]
    fn one(&mut self, writer: &mut Writer, number: u64, is_recorded: bool) -> Result<i64, Failure> {
        let is_copy_first = number % 2 == 1;
        let is_roll = writer.room_bytes() < FRAME_BYTES;
        let start_ns = self.clock.now_ns();
        if is_copy_first {
            self.copy(number);
        } else {
            self.append(writer, number)?;
        }
        let middle_ns = self.clock.now_ns();
        if is_copy_first {
            self.append(writer, number)?;
        } else {
            self.copy(number);
        }
        let end_ns = self.clock.now_ns();
        let (first_ns, second_ns) = (middle_ns - start_ns, end_ns - middle_ns);
        let (copied_ns, appended_ns, done_ns) = if is_copy_first {
            (first_ns, second_ns, end_ns)
        } else {
            (second_ns, first_ns, middle_ns)
        };
        if is_recorded {
            self.copied.add(copied_ns);
            self.appended.add(appended_ns);
            if is_roll {
                self.rolled.add(appended_ns);
            }
        }
        Ok(done_ns)
    }

    #[inline]
    fn append(&self, writer: &mut Writer, number: u64) -> Result<(), Failure> {
        let payload = self.payloads.record(number as usize);
        writer.append(KIND, number.cast_signed(), number, payload)?;
        Ok(())
    }

    #[inline]
    fn copy(&mut self, number: u64) {
        if self.copied_bytes + FRAME_BYTES > self.copies.len() {
            self.copied_bytes = 0;
        }
        let place = &mut self.copies[self.copied_bytes..][..FRAME_BYTES];
        place.copy_from_slice(self.frames.record(number as usize));
        black_box(place);
        self.copied_bytes += FRAME_BYTES;
    }
}

/// What the appending thread wants to be durable, for the one who waits for it.
#[derive(Default)]
struct Wish {
    sequence: AtomicU64,
    is_over: AtomicBool,
}

/// Waits for one wish after the other; wishes that come meanwhile are one.
fn wait(wish: &Wish, durability: &Durability, clock: &WallClock) -> Result<Times, Failure> {
    let mut waited = Times::new()?;
    let mut seen = 0;
    loop {
        let is_over = wish.is_over.load(Ordering::Acquire);
        let sequence = wish.sequence.load(Ordering::Acquire);
        if sequence == seen {
            if is_over {
                return Ok(waited);
            }
            thread::sleep(LOOK_EVERY);
            continue;
        }
        seen = sequence;
        let start_ns = clock.now_ns();
        durability.ask(sequence);
        while durability.sequence() < sequence {
            if durability.has_failed() {
                return Err("the journal has failed: what is not durable now will never be".into());
            }
            thread::sleep(LOOK_EVERY);
        }
        waited.add(clock.now_ns() - start_ns);
    }
}
