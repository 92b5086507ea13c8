//! The ring: nothing lost, doubled or out of order; a dead peer is seen on both sides; a broken batch breaks the ring.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};

use acth_engine::{
    ring::{
        Consumer, Producer, PublishError, RING_SLOTS_MAX, RING_SLOTS_MIN, RingSizeError, Taken,
        ring,
    },
    wait::{WaitStrategy, Waiter},
};
use proptest::prelude::*;

const NEVER: fn() -> bool = || false;

/// Takes up to `limit` items into `into`, checking that the batch counts down to its end.
fn take_into(consumer: &mut Consumer<u64>, limit: u64, into: &mut Vec<u64>) -> Taken {
    let mut last_left = None;
    let taken = consumer
        .take(limit, |item, left| {
            if let Some(last_left) = last_left {
                assert_eq!(left + 1, last_left);
            }
            last_left = Some(left);
            into.push(*item);
            Ok::<(), Infallible>(())
        })
        .unwrap_or_else(|never| match never {});
    assert!(
        matches!(last_left, None | Some(0)),
        "the last item knows that it is"
    );
    taken
}

fn publish(producer: &mut Producer<u64>, item: u64) -> Result<(), PublishError> {
    producer.try_publish(|slot| *slot = item)
}

#[test]
fn sizes_are_checked() {
    for slots in [
        0,
        1,
        RING_SLOTS_MIN - 1,
        100,
        RING_SLOTS_MAX * 2,
        usize::MAX,
    ] {
        assert_eq!(ring(slots, 0u64).err(), Some(RingSizeError(slots)));
    }
    assert!(ring(RING_SLOTS_MIN, 0u64).is_ok());
}

#[test]
fn every_slot_can_be_used_and_a_full_ring_says_so() {
    let (mut producer, mut consumer) = ring(64, 0u64).unwrap();
    let gauge = producer.gauge();
    for item in 0..64 {
        assert_eq!(publish(&mut producer, item), Ok(()));
        assert_eq!(gauge.lag_count(), item + 1);
    }
    assert_eq!(publish(&mut producer, 64), Err(PublishError::Full));
    let mut items = Vec::new();
    assert_eq!(take_into(&mut consumer, 10, &mut items), Taken::Items(10));
    assert_eq!(consumer.gauge().lag_count(), 54);
    for item in 64..74 {
        assert_eq!(publish(&mut producer, item), Ok(()));
    }
    assert_eq!(publish(&mut producer, 74), Err(PublishError::Full));
    assert_eq!(
        take_into(&mut consumer, u64::MAX, &mut items),
        Taken::Items(64)
    );
    assert_eq!(take_into(&mut consumer, 1, &mut items), Taken::Empty);
    assert_eq!(items, (0..74).collect::<Vec<_>>());
}

#[test]
fn a_dead_producer_is_seen_after_everything_is_read() {
    let (mut producer, mut consumer) = ring(64, 0u64).unwrap();
    (0..5).for_each(|item| publish(&mut producer, item).unwrap());
    assert!(!consumer.is_abandoned());
    drop(producer);
    assert!(consumer.is_abandoned());
    let mut items = Vec::new();
    assert_eq!(take_into(&mut consumer, 3, &mut items), Taken::Items(3));
    assert_eq!(take_into(&mut consumer, 3, &mut items), Taken::Items(2));
    assert_eq!(take_into(&mut consumer, 3, &mut items), Taken::Ended);
    assert_eq!(items, [0, 1, 2, 3, 4]);
}

#[test]
fn a_dead_consumer_is_seen_even_by_a_producer_that_waits() {
    let (mut producer, consumer) = ring(64, 0u64).unwrap();
    (0..64).for_each(|item| publish(&mut producer, item).unwrap());
    let killer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        drop(consumer);
    });
    let mut waiter = Waiter::new(WaitStrategy::Park);
    let outcome = producer.publish(&mut waiter, |slot| *slot = 64, NEVER);
    assert_eq!(outcome, Err(PublishError::Abandoned));
    killer.join().unwrap();
    assert!(producer.is_abandoned());
    assert_eq!(publish(&mut producer, 65), Err(PublishError::Abandoned));
}

#[test]
fn a_waiting_producer_can_give_up() {
    let (mut producer, _consumer) = ring(64, 0u64).unwrap();
    (0..64).for_each(|item| publish(&mut producer, item).unwrap());
    let mut looks = 0;
    let outcome = producer.publish(
        &mut Waiter::new(WaitStrategy::Spin),
        |slot| *slot = 64,
        || {
            looks += 1;
            looks == 5
        },
    );
    assert_eq!((outcome, looks), (Err(PublishError::Full), 5));
}

#[test]
fn a_batch_that_fails_or_panics_breaks_the_ring_instead_of_losing_the_rest_in_silence() {
    let (mut producer, mut consumer) = ring(64, 0u64).unwrap();
    (0..10).for_each(|item| publish(&mut producer, item).unwrap());
    let outcome = consumer.take(10, |item, _| if *item == 4 { Err("four") } else { Ok(()) });
    assert_eq!(outcome, Err("four"));
    assert_eq!(publish(&mut producer, 10), Err(PublishError::Abandoned));

    let (mut producer, mut consumer) = ring(64, 0u64).unwrap();
    (0..10).for_each(|item| publish(&mut producer, item).unwrap());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        consumer.take(10, |item, _| {
            assert!(*item != 4, "planted");
            Ok::<(), Infallible>(())
        })
    }));
    assert!(outcome.is_err());
    assert_eq!(publish(&mut producer, 10), Err(PublishError::Abandoned));
}

#[test]
fn a_fill_that_panics_publishes_nothing() {
    let (mut producer, mut consumer) = ring(64, 0u64).unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        producer.try_publish(|_| panic!("planted"))
    }));
    assert!(outcome.is_err());
    publish(&mut producer, 7).unwrap();
    let mut items = Vec::new();
    assert_eq!(take_into(&mut consumer, 9, &mut items), Taken::Items(1));
    assert_eq!(items, [7]);
}

proptest! {
    /// Against a plain queue: any mix of publishing and taking, over many wraps.
    #[test]
    fn behaves_like_a_bounded_queue(
        slots_log in 6u32..9,
        steps in proptest::collection::vec((0u64..200, 1u64..200), 1..60),
    ) {
        let slots = 1usize << slots_log;
        let (mut producer, mut consumer) = ring(slots, 0u64).unwrap();
        let mut twin = std::collections::VecDeque::new();
        let mut next = 0;
        for (publish_count, limit) in steps {
            for _ in 0..publish_count {
                let outcome = publish(&mut producer, next);
                if twin.len() == slots {
                    prop_assert_eq!(outcome, Err(PublishError::Full));
                } else {
                    prop_assert_eq!(outcome, Ok(()));
                    twin.push_back(next);
                    next += 1;
                }
            }
            let mut items = Vec::new();
            let taken = take_into(&mut consumer, limit, &mut items);
            let expected: Vec<_> = twin.drain(..twin.len().min(limit as usize)).collect();
            let due = if expected.is_empty() { Taken::Empty } else { Taken::Items(expected.len()) };
            prop_assert_eq!(taken, due);
            prop_assert_eq!(items, expected);
            prop_assert_eq!(producer.gauge().lag_count(), twin.len() as u64);
        }
    }

    /// Across threads with a consumer that dawdles: everything arrives once, in order.
    #[test]
    fn a_slow_consumer_loses_nothing(limit in 1u64..100, nap in 1u64..400, count in 1u64..4000) {
        let (mut producer, mut consumer) = ring(64, 0u64).unwrap();
        let writer = thread::spawn(move || {
            let mut waiter = Waiter::new(WaitStrategy::Park);
            for item in 0..count {
                producer.publish(&mut waiter, |slot| *slot = item, NEVER).unwrap();
            }
        });
        let mut items = Vec::new();
        let mut waiter = Waiter::new(WaitStrategy::Yield);
        loop {
            match take_into(&mut consumer, limit, &mut items) {
                Taken::Items(_) if (items.len() as u64).is_multiple_of(nap) => {
                    thread::sleep(Duration::from_micros(30));
                }
                Taken::Items(_) => {}
                Taken::Empty => waiter.idle(),
                Taken::Ended => break,
            }
        }
        writer.join().unwrap();
        prop_assert_eq!(items, (0..count).collect::<Vec<_>>());
    }
}
