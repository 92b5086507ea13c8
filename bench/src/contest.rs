//! Things that take turns on one thread: a batch of each, and again, for as long as asked for.
//!
//! A batch lasts tens of microseconds: long against the steps of the clock, short against what interrupts. Each contender
//! begins every so many rounds, so none is always the one behind a pause.

use acth_engine::clock::WallClock;

use crate::{Failure, allocations, hiccup::Hiccups, record::Record};

/// Time between two idle windows.
const HICCUP_EVERY_NS: i64 = 40_000_000;
/// Length of one.
const HICCUP_NS: i64 = 10_000_000;
/// Part of the time that warms up only.
const WARM_UP_PARTS: i64 = 10;

/// One contender.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    /// Messages of one call.
    batch: u64,
    run: Box<dyn FnMut() + 'a>,
    pub(crate) record: Record,
}

impl<'a> Contender<'a> {
    /// `run` handles `batch` messages a call.
    ///
    /// # Errors
    /// As `Record::new`.
    pub(crate) fn new(
        name: &'static str,
        batch: u64,
        run: impl FnMut() + 'a,
    ) -> Result<Self, Failure> {
        Ok(Self {
            name,
            batch,
            run: Box::new(run),
            record: Record::new()?,
        })
    }
}

/// Lets them take turns for `length_ns`.
pub(crate) fn run(contenders: &mut [Contender<'_>], length_ns: i64, hiccups: &mut Hiccups) {
    let clock = WallClock::start();
    let start_ns = clock.now_ns();
    let recorded_from_ns = start_ns + length_ns / WARM_UP_PARTS;
    let mut hiccup_due_ns = recorded_from_ns;
    let mut first = 0;
    loop {
        let round_ns = clock.now_ns();
        if round_ns - start_ns >= length_ns {
            return;
        }
        if round_ns >= hiccup_due_ns {
            hiccups.watch(&clock, HICCUP_NS);
            hiccup_due_ns = round_ns + HICCUP_EVERY_NS;
        }
        let is_recorded = round_ns >= recorded_from_ns;
        for place in 0..contenders.len() {
            let index = (first + place) % contenders.len();
            let contender = &mut contenders[index];
            let allocated = allocations::of_this_thread();
            let begin_ns = clock.now_ns();
            (contender.run)();
            let elapsed_ns = clock.now_ns() - begin_ns;
            if is_recorded {
                let allocated = allocations::of_this_thread() - allocated;
                contender.record.add_batch(elapsed_ns, contender.batch);
                contender.record.allocations += allocated;
            }
        }
        first += 1;
    }
}
