//! The floor: the same bytes there, as many as an order has back, and nothing in between.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use acth_engine::wait::Waiter;

use super::{
    THREADS,
    stream::{Tickers, pair, read_some, write_all},
};
use crate::{Failure, floor::Stand, pace::Pace, placement, record::Record};

/// Bytes of an order's frame.
const ORDER_BYTES: usize = 272;

/// Runs one window and adds it to `record`. The next frame leaves when the answer to the one before is back, but counts from
/// its intended start all the same.
pub(super) fn run(stand: Stand<'_>, record: &mut Record) -> Result<(), Failure> {
    let (mut ask_near, mut ask_far) = pair()?;
    let (mut answer_far, mut answer_near) = pair()?;
    let is_over = AtomicBool::new(false);
    let mut tickers = Tickers::new();
    let frame_bytes = tickers.frame_bytes();
    thread::scope(|scope| {
        let far = scope.spawn(|| -> std::io::Result<()> {
            placement::settle(stand.cores.of(1, THREADS));
            let (mut room, order) = ([0; 4096], [7; ORDER_BYTES]);
            let (mut seen, mut waiter) = (0, Waiter::new(stand.wait));
            while !is_over.load(Ordering::Acquire) {
                let count = read_some(&mut ask_far, &mut room)?;
                if count == 0 {
                    waiter.idle();
                    continue;
                }
                waiter.reset();
                seen += count;
                while seen >= frame_bytes {
                    seen -= frame_bytes;
                    write_all(&mut answer_far, &order)?;
                }
            }
            Ok(())
        });
        placement::settle(stand.cores.of(0, THREADS));
        let mut near = || -> std::io::Result<()> {
            let clock = stand.clock;
            let mut room = [0; 4096];
            let mut waiter = Waiter::new(stand.wait);
            let mut pace = Pace::new(stand.window, clock.now_ns());
            record.record_from(pace.recorded_from_ns());
            while !pace.is_done() && clock.now_ns() <= pace.deadline_ns() {
                let Some(intended_ns) = pace.due(clock.now_ns()) else {
                    waiter.idle();
                    continue;
                };
                write_all(&mut ask_near, tickers.next())?;
                pace.advance();
                let mut came = 0;
                while came < ORDER_BYTES {
                    came += read_some(&mut answer_near, &mut room)?;
                }
                record.add(intended_ns, clock.now_ns());
            }
            record.missing_count += stand.window.event_count() - pace.sent_count();
            Ok(())
        };
        let outcome = near();
        is_over.store(true, Ordering::Release);
        match far.join() {
            Ok(far) => outcome.and(far).map_err(Failure::from),
            Err(_) => Err("the echo's thread panicked".into()),
        }
    })
}
