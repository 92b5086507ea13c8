//! Two bare rings and two bare copies of a record: what ingress ring, journal and egress ring cost with nothing in them.
//!
//! ```text
//!   near thread ── ring ──▶ far thread: copy, copy
//!        ▲                        │
//!        └───────── ring ─────────┘
//! ```

use std::{convert::Infallible, hint::black_box, thread};

use acth_core::event::Event;
use acth_engine::{
    ring::{Consumer, Producer, RING_SLOTS_DEFAULT, Taken, ring},
    wait::Waiter,
};

use super::{Stand, THREADS};
use crate::{
    Failure,
    pace::{BURST_MAX, Pace},
    placement,
    record::Record,
};

/// Records that the copies go round in: warm, as a journal's tail is.
const COPIES: usize = 1024;
/// Items taken at once, as the core does.
const BATCH: u64 = 64;

/// Runs one window and adds it to `record`.
///
/// # Errors
/// When a ring cannot be made.
pub(crate) fn run(stand: Stand<'_>, record: &mut Record) -> Result<(), Failure> {
    let (there_in, there_out) = ring(RING_SLOTS_DEFAULT, Event::EMPTY)?;
    let (back_in, back_out) = ring(RING_SLOTS_DEFAULT, Event::EMPTY)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            placement::settle(stand.cores.of(1, THREADS));
            far(there_out, back_in, Waiter::new(stand.wait));
        });
        scope.spawn(|| {
            placement::settle(stand.cores.of(0, THREADS));
            near(there_in, back_out, stand, record);
        });
    });
    Ok(())
}

fn far(mut events: Consumer<Event>, mut back: Producer<Event>, mut waiter: Waiter) {
    let mut copies = vec![Event::EMPTY; COPIES];
    let mut place = 0;
    let mut publish_waiter = waiter.clone();
    loop {
        let taken = events.take(BATCH, |event, _| {
            copies[place] = *event;
            copies[place + 1] = *event;
            black_box(&copies[place..place + 2]);
            place = (place + 2) % COPIES;
            // The near thread always takes back before it sends more; one that is gone needs no answer.
            let _ = back.publish(&mut publish_waiter, |slot| *slot = *event, || false);
            Ok::<(), Infallible>(())
        });
        match taken {
            Ok(Taken::Items(_)) => waiter.reset(),
            Ok(Taken::Empty) => waiter.idle(),
            Ok(Taken::Ended) => return,
            Err(never) => match never {},
        }
    }
}

fn near(
    mut events: Producer<Event>,
    mut back: Consumer<Event>,
    stand: Stand<'_>,
    record: &mut Record,
) {
    let clock = stand.clock;
    let mut waiter = Waiter::new(stand.wait);
    let mut pace = Pace::new(stand.window, clock.now_ns());
    record.record_from(pace.recorded_from_ns());
    let mut back_count = 0;
    while back_count < stand.window.event_count() {
        let mut now_ns = clock.now_ns();
        if now_ns > pace.deadline_ns() {
            break;
        }
        let mut is_busy = false;
        for _ in 0..BURST_MAX {
            let Some(intended_ns) = pace.due(now_ns) else {
                break;
            };
            let fill = |slot: &mut Event| *slot = Event::EMPTY.at(0, intended_ns);
            if events.try_publish(fill).is_err() {
                break;
            }
            pace.advance();
            is_busy = true;
            now_ns = clock.now_ns();
        }
        let taken = back.take(BATCH, |event, _| {
            record.add(event.ts_ingress_ns, clock.now_ns());
            Ok::<(), Infallible>(())
        });
        match taken {
            Ok(Taken::Items(count)) => back_count += count as u64,
            Ok(Taken::Empty) if !is_busy => waiter.idle(),
            Ok(Taken::Empty) => waiter.reset(),
            Ok(Taken::Ended) => break,
            Err(never) => match never {},
        }
    }
    record.missing_count += stand.window.event_count() - back_count;
}
