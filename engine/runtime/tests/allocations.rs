//! No allocation after warm-up: on the core thread, per event, with a real journal; and in the ring.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use acth_core::{decision::Decisions, event::Event};
use acth_engine::{
    clock::Clock, config::ThreadMode, control::Control, machine::Machine, monitor::Monitor,
    pipeline, ring::ring,
};
use support::{config, script, toy::Toy, venue::venue, writer};

/// Counts what each thread asks of the system's allocator.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count_one() {
    // A thread that is ending has no counter any more; it is not measured either.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        // SAFETY: `pointer` came from `alloc` above with this layout; `size` is the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    COUNT.with(Cell::get)
}

/// Inputs before the counting starts.
const WARM_UP: u64 = 200;

/// Notes the core thread's allocations between the end of the warm-up and the last trade.
struct Watched {
    toy: Toy,
    at_warm: u64,
    since_warm: u64,
    measured_count: u64,
    leaks: bool,
}

impl Machine for Watched {
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        self.toy.apply(sequence, ts_core_ns, event, decisions);
        if self.leaks && self.toy.applied == WARM_UP + 50 {
            drop(std::hint::black_box(Box::new(5)));
        }
        if self.toy.applied == WARM_UP {
            self.at_warm = allocations();
        } else if self.toy.applied > WARM_UP && self.toy.actions.is_empty() {
            self.since_warm = allocations() - self.at_warm;
            self.measured_count += 1;
        }
    }

    fn state_hash(&self) -> u64 {
        self.toy.state_hash()
    }
}

fn allocations_of_a_run(leaks: bool) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    // One segment of 1 MiB holds some 10,000 frames: the run crosses into the next ones.
    let (source, sink) = venue(script(20_000));
    let mut config = config(ThreadMode::Multi, Clock::Wall);
    config.reduces_when_behind = false;
    let outcome = pipeline::run(
        &config,
        Watched {
            toy: Toy::default(),
            at_warm: 0,
            since_warm: 0,
            measured_count: 0,
            leaks,
        },
        source,
        sink,
        writer(dir.path()),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    assert!(outcome.machine.measured_count > 20_000);
    outcome.machine.since_warm
}

#[test]
fn the_core_thread_allocates_nothing_after_warm_up() {
    assert_eq!(allocations_of_a_run(false), 0);
}

#[test]
fn the_counter_sees_one_planted_allocation() {
    assert_eq!(allocations_of_a_run(true), 1);
}

#[test]
fn the_ring_allocates_nothing() {
    let (mut producer, mut consumer) = ring(64, 0u64).unwrap();
    let before = allocations();
    for item in 0..10_000u64 {
        producer.try_publish(|slot| *slot = item).unwrap();
        let taken = consumer.take(1, |seen, _| {
            assert_eq!(*seen, item);
            Ok::<(), ()>(())
        });
        assert!(taken.is_ok());
    }
    assert_eq!(allocations() - before, 0);
}
