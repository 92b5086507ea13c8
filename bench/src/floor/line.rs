//! One cache line there and back: no ring, no record, no queue. The next event leaves when the one before is back, but
//! counts from its intended start all the same.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use acth_engine::wait::Waiter;

use super::{Stand, THREADS};
use crate::{pace::Pace, placement, record::Record};

/// A counter on a line of its own; 128 bytes since processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU64);

#[derive(Debug, Default)]
struct Lines {
    there: Line,
    back: Line,
    is_over: AtomicBool,
}

/// Runs one window and adds it to `record`.
pub(crate) fn run(stand: Stand<'_>, record: &mut Record) {
    let lines = Lines::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            placement::settle(stand.cores.of(1, THREADS));
            answer(&lines, Waiter::new(stand.wait));
        });
        scope.spawn(|| {
            placement::settle(stand.cores.of(0, THREADS));
            ask(&lines, stand, record);
            lines.is_over.store(true, Ordering::Release);
        });
    });
}

fn answer(lines: &Lines, mut waiter: Waiter) {
    let mut seen = 0;
    while !lines.is_over.load(Ordering::Acquire) {
        let asked = lines.there.0.load(Ordering::Acquire);
        if asked == seen {
            waiter.idle();
            continue;
        }
        waiter.reset();
        lines.back.0.store(asked, Ordering::Release);
        seen = asked;
    }
}

fn ask(lines: &Lines, stand: Stand<'_>, record: &mut Record) {
    let mut waiter = Waiter::new(stand.wait);
    let mut pace = Pace::new(stand.window, stand.clock.now_ns());
    record.record_from(pace.recorded_from_ns());
    while !pace.is_done() {
        let now_ns = stand.clock.now_ns();
        if now_ns > pace.deadline_ns() {
            break;
        }
        let Some(intended_ns) = pace.due(now_ns) else {
            waiter.idle();
            continue;
        };
        pace.advance();
        lines.there.0.store(pace.sent_count(), Ordering::Release);
        while lines.back.0.load(Ordering::Acquire) != pace.sent_count() {
            waiter.idle();
        }
        waiter.reset();
        record.add(intended_ns, stand.clock.now_ns());
    }
    record.missing_count += stand.window.event_count() - pace.sent_count();
}
