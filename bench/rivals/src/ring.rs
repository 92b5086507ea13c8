//! Hand-over of 64 bytes between two threads: our ring, the disruptor's poller that it is built on, and rtrb.
//!
//! Two figures each. Saturated: as many as go through, back to back. One way: one item there and one back through two rings, halved, so
//! that no clock of another core is read.

use std::{
    fmt, thread,
    time::{Duration, Instant},
};

use acth_engine::{
    ring::{Consumer, Producer, ring},
    wait::{WaitStrategy, Waiter},
};
use disruptor::{EventPoller, Polling, Producer as _, SingleConsumerBarrier, SingleProducer};
use serde::Serialize;

use crate::{Failure, times::Times};

/// Slots of every ring.
const SLOTS: usize = 4096;
/// Items of one saturated pass.
const SATURATED_ITEMS: u64 = 2_000_000;
/// Round trips of one pass.
const ROUND_TRIPS: u64 = 100_000;
/// Items taken at once.
const BATCH: u64 = 64;

type Item = [u64; 8];

/// One end that puts.
trait Source: Send {
    /// Puts one, spinning while the ring is full.
    fn put(&mut self, item: Item);
}

/// One end that takes.
trait Sink: Send {
    /// Takes some, spinning while there is none; calls `each` with the first word.
    fn take(&mut self, each: &mut impl FnMut(u64));
}

struct Ours<E>(E, Waiter);

impl Source for Ours<Producer<Item>> {
    #[inline]
    fn put(&mut self, item: Item) {
        // The other end lives as long as the pass.
        let _ = self.0.publish(&mut self.1, |slot| *slot = item, || false);
    }
}

impl Sink for Ours<Consumer<Item>> {
    #[inline]
    fn take(&mut self, each: &mut impl FnMut(u64)) {
        let _ = self.0.take(BATCH, |item, _| {
            each(item[0]);
            Ok::<(), std::convert::Infallible>(())
        });
    }
}

type DisruptorSource = SingleProducer<Item, SingleConsumerBarrier>;
type DisruptorSink = EventPoller<Item, disruptor::SingleProducerBarrier>;

impl Source for DisruptorSource {
    #[inline]
    fn put(&mut self, item: Item) {
        self.publish(|slot| *slot = item);
    }
}

impl Sink for DisruptorSink {
    #[inline]
    fn take(&mut self, each: &mut impl FnMut(u64)) {
        match EventPoller::take(self, BATCH) {
            Ok(mut items) => (&mut items).for_each(|item| each(item[0])),
            Err(Polling::NoEvents | Polling::Shutdown) => std::hint::spin_loop(),
        }
    }
}

impl Source for rtrb::Producer<Item> {
    #[inline]
    fn put(&mut self, item: Item) {
        while self.push(item).is_err() {
            std::hint::spin_loop();
        }
    }
}

impl Sink for rtrb::Consumer<Item> {
    #[inline]
    fn take(&mut self, each: &mut impl FnMut(u64)) {
        match self.pop() {
            Ok(item) => each(item[0]),
            Err(_) => std::hint::spin_loop(),
        }
    }
}

fn ours() -> Result<(impl Source, impl Sink), Failure> {
    let (producer, consumer) = ring(SLOTS, [0; 8])?;
    let waiter = || Waiter::new(WaitStrategy::SpinHint);
    Ok((Ours(producer, waiter()), Ours(consumer, waiter())))
}

fn disruptor_ends() -> Result<(DisruptorSource, DisruptorSink), Failure> {
    let builder = disruptor::build_single_producer(SLOTS, || [0; 8], disruptor::BusySpin);
    let (poller, builder) = builder.new_event_poller();
    Ok((builder.build(), poller))
}

fn rtrb_ends() -> Result<(impl Source, impl Sink), Failure> {
    Ok(rtrb::RingBuffer::new(SLOTS))
}

/// Back to back through one ring; the sum proves that every item came.
fn saturated<S: Source, K: Sink>(ends: (S, K)) -> Result<Duration, Failure> {
    let (mut source, mut sink) = ends;
    let start = Instant::now();
    let sum = thread::scope(|scope| {
        scope.spawn(move || (1..=SATURATED_ITEMS).for_each(|number| source.put([number; 8])));
        let (mut sum, mut count) = (0u64, 0);
        while count < SATURATED_ITEMS {
            sink.take(&mut |number| {
                sum += number;
                count += 1;
            });
        }
        sum
    });
    let elapsed = start.elapsed();
    if sum != SATURATED_ITEMS * (SATURATED_ITEMS + 1) / 2 {
        return Err("a ring lost an item".into());
    }
    Ok(elapsed)
}

/// There and back, one at a time.
fn round_trips<S: Source, K: Sink>(there: (S, K), back: (S, K)) -> Duration {
    let ((mut source, mut far_sink), (mut far_source, mut sink)) = (there, back);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut count = 0;
            while count < ROUND_TRIPS {
                far_sink.take(&mut |number| {
                    far_source.put([number; 8]);
                    count += 1;
                });
            }
        });
        let start = Instant::now();
        for number in 0..ROUND_TRIPS {
            source.put([number; 8]);
            let mut is_back = false;
            while !is_back {
                sink.take(&mut |came| is_back |= came == number);
            }
        }
        start.elapsed()
    })
}

/// What the comparison found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    scenario: &'static str,
    passes: u32,
    rows: Vec<Row>,
    /// Fewer cores than two: the threads take turns and the figures are the scheduler's.
    is_one_core: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    ring: &'static str,
    /// One way of a round trip, mean of the median pass.
    one_way_ns: f64,
    one_way_ns_best: f64,
    saturated_items_per_second: f64,
    saturated_items_per_second_best: f64,
}

impl Row {
    fn of(ring: &'static str, one_way: Vec<Duration>, full: Vec<Duration>) -> Self {
        let (one_way, full) = (Times::of(one_way), Times::of(full));
        let each_ns = |seconds: f64| seconds * 1e9 / (2.0 * ROUND_TRIPS as f64);
        Self {
            ring,
            one_way_ns: each_ns(one_way.median),
            one_way_ns_best: each_ns(one_way.best),
            saturated_items_per_second: SATURATED_ITEMS as f64 / full.median,
            saturated_items_per_second_best: SATURATED_ITEMS as f64 / full.best,
        }
    }
}

/// Runs the three in turn.
pub(crate) fn compare(passes: u32) -> Result<Report, Failure> {
    let mut one_way = [const { Vec::new() }; 3];
    let mut full = [const { Vec::new() }; 3];
    for _ in 0..passes {
        one_way[0].push(round_trips(ours()?, ours()?));
        one_way[1].push(round_trips(disruptor_ends()?, disruptor_ends()?));
        one_way[2].push(round_trips(rtrb_ends()?, rtrb_ends()?));
        full[0].push(saturated(ours()?)?);
        full[1].push(saturated(disruptor_ends()?)?);
        full[2].push(saturated(rtrb_ends()?)?);
    }
    let names = ["acth", "disruptor", "rtrb"];
    let figures = names.into_iter().zip(one_way.into_iter().zip(full));
    Ok(Report {
        scenario: "ring",
        passes,
        rows: figures
            .map(|(name, (one_way, full))| Row::of(name, one_way, full))
            .collect(),
        is_one_core: thread::available_parallelism().map_or(true, |cores| cores.get() < 2),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12}{:>14}{:>10}{:>16}{:>10}",
            "ring, 64 B", "one way ns", "best", "saturated M/s", "best"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:<12}{:>14.1}{:>10.1}{:>16.2}{:>10.2}",
                row.ring,
                row.one_way_ns,
                row.one_way_ns_best,
                row.saturated_items_per_second / 1e6,
                row.saturated_items_per_second_best / 1e6
            )?;
        }
        if self.is_one_core {
            writeln!(f, "one core only: these figures are the scheduler's")?;
        }
        Ok(())
    }
}
