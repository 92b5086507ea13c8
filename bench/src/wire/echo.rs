//! The floor: the same bytes there, as many as an order has back, and nothing in between.

use std::{
    io,
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use acth_engine::wait::Waiter;

use super::{
    THREADS,
    stream::{Tickers, pair, read_some, write_all},
};
use crate::{
    Failure,
    floor::Stand,
    pace::{Pace, Window},
    placement,
    record::Record,
};

/// Bytes of an order's frame.
const ORDER_BYTES: usize = 272;

/// Most round trips a second: the next one starts when the one before is long back, so no queue is in the floor.
const RATE_MAX: u64 = 10_000;

/// Runs one window and adds it to `record`.
///
/// # Errors
/// When a connection ends.
pub(super) fn run(stand: Stand<'_>, record: &mut Record) -> Result<(), Failure> {
    let window = stand.window.at_most(RATE_MAX);
    let (mut ask_near, mut ask_far) = pair()?;
    let (mut answer_far, mut answer_near) = pair()?;
    let is_over = AtomicBool::new(false);
    let tickers = Tickers::new();
    let frame_bytes = tickers.frame_bytes();
    thread::scope(|scope| {
        let far = scope.spawn(|| -> io::Result<()> {
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
        let near = scope.spawn(|| {
            placement::settle(stand.cores.of(0, THREADS));
            let outcome = ask(
                stand,
                window,
                &mut ask_near,
                &mut answer_near,
                tickers,
                record,
            );
            is_over.store(true, Ordering::Release);
            outcome
        });
        match (near.join(), far.join()) {
            (Ok(near), Ok(far)) => near.and(far).map_err(Failure::from),
            _ => Err("a thread of the echo panicked".into()),
        }
    })
}

/// The near side: a frame at each intended time, and the wait for what comes back.
fn ask(
    stand: Stand<'_>,
    window: Window,
    target: &mut TcpStream,
    source: &mut TcpStream,
    mut tickers: Tickers,
    record: &mut Record,
) -> io::Result<()> {
    let clock = stand.clock;
    let mut room = [0; 4096];
    let mut waiter = Waiter::new(stand.wait);
    let mut pace = Pace::new(window, clock.now_ns());
    record.record_from(pace.recorded_from_ns());
    while !pace.is_done() && clock.now_ns() <= pace.deadline_ns() {
        let Some(intended_ns) = pace.due(clock.now_ns()) else {
            waiter.idle();
            continue;
        };
        write_all(target, tickers.next())?;
        pace.advance();
        let mut came = 0;
        while came < ORDER_BYTES {
            came += read_some(source, &mut room)?;
        }
        record.add(intended_ns, clock.now_ns());
    }
    record.missing_count += window.event_count() - pace.sent_count();
    Ok(())
}
