//! A bounded single-producer single-consumer ring over the `disruptor` crate, polled on our own threads.
//!
//! The crate's hop is within about 15 % of the smallest hand-written ring, so no unsafe ring of our own. What it leaves
//! open is closed here:
//! - a dead peer is seen: `publish` fails with `Abandoned` after the consumer is gone, `take` says `Ended` after the
//!   producer is gone and everything is read;
//! - a full ring is waited for with a wait strategy and a way to give up, never with a bare endless spin;
//! - a batch is bounded, because the ring frees the slots of a whole batch at once, and its end is known;
//! - a consumer that panics or fails inside a batch breaks the ring for good: the crate would count the rest of the
//!   batch as read and go on;
//! - the lag can be asked for from any thread.
//!
//! Slots are aligned to a cache line, so a 64-byte event is one line. Nothing is allocated after `ring`. Each publication asks for the next
//! slot's lines, which the consumer's core holds from the lap before.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crossbeam::utils::CachePadded;
use disruptor::{
    EventPoller, Polling, Producer as _, SingleConsumerBarrier, SingleProducer,
    SingleProducerBarrier,
};

use crate::{memory, wait::Waiter};

/// Slots of a ring unless configured otherwise: 256 KiB of events.
pub const RING_SLOTS_DEFAULT: usize = 4096;
/// Fewest slots a ring may have.
pub const RING_SLOTS_MIN: usize = 64;
/// Most slots a ring may have.
pub const RING_SLOTS_MAX: usize = 1 << 20;

/// A ring could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ring of {0} slots: must be a power of two from {RING_SLOTS_MIN} to {RING_SLOTS_MAX}")]
pub struct RingSizeError(pub usize);

/// Why nothing was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No free slot; the caller did not want to wait longer.
    #[error("the ring is full")]
    Full,
    /// The consumer is gone or broke inside a batch.
    #[error("the ring's consumer is gone")]
    Abandoned,
}

/// What `take` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// This many items were handled.
    Items(usize),
    /// Nothing just now.
    Empty,
    /// Nothing now and never again: the producer is gone and everything is read.
    Ended,
}

/// One slot, on its own cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Slot<T>(T);

/// What both ends and the gauge share. Each counter has one writer and its own cache line.
#[derive(Debug, Default)]
struct Shared {
    published_count: CachePadded<AtomicU64>,
    consumed_count: CachePadded<AtomicU64>,
    /// Written once, read on every publish: stays a clean shared line.
    consumer_is_gone: CachePadded<AtomicBool>,
    producer_is_gone: AtomicBool,
}

/// The writing end.
pub struct Producer<T> {
    inner: SingleProducer<Slot<T>, SingleConsumerBarrier>,
    shared: Arc<Shared>,
    published_count: u64,
}

/// The reading end.
pub struct Consumer<T> {
    inner: EventPoller<Slot<T>, SingleProducerBarrier>,
    shared: Arc<Shared>,
    consumed_count: u64,
}

/// How far a ring's consumer is behind; may be read on any thread.
#[derive(Clone, Debug)]
pub struct LagGauge {
    shared: Arc<Shared>,
}

/// Both ends of a new ring of `slots` copies of `empty`; every slot is touched here, not later.
///
/// # Errors
/// When `slots` is not a power of two within the bounds.
pub fn ring<T: Copy + Send + Sync + 'static>(
    slots: usize,
    empty: T,
) -> Result<(Producer<T>, Consumer<T>), RingSizeError> {
    if !slots.is_power_of_two() || !(RING_SLOTS_MIN..=RING_SLOTS_MAX).contains(&slots) {
        return Err(RingSizeError(slots));
    }
    let builder = disruptor::build_single_producer(slots, || Slot(empty), disruptor::BusySpin);
    let (poller, builder) = builder.new_event_poller();
    let shared = Arc::new(Shared::default());
    let producer = Producer {
        inner: builder.build(),
        shared: Arc::clone(&shared),
        published_count: 0,
    };
    let consumer = Consumer {
        inner: poller,
        shared,
        consumed_count: 0,
    };
    Ok((producer, consumer))
}

impl<T> Producer<T> {
    /// Fills the next slot in place, waiting while the ring is full until `gives_up` says so. The slot's old content is
    /// undefined: `fill` must set every field.
    ///
    /// # Errors
    /// `Full` when the caller gave up, `Abandoned` when nobody will read; nothing was published.
    #[inline]
    pub fn publish(
        &mut self,
        waiter: &mut Waiter,
        fill: impl FnOnce(&mut T),
        mut gives_up: impl FnMut() -> bool,
    ) -> Result<(), PublishError> {
        let mut fill = Some(fill);
        loop {
            match self.attempt(&mut fill) {
                Err(PublishError::Full) if !gives_up() => waiter.idle(),
                result => {
                    waiter.reset();
                    return result;
                }
            }
        }
    }

    /// Fills the next slot in place if one is free.
    ///
    /// # Errors
    /// As `publish`, without waiting.
    #[inline]
    pub fn try_publish(&mut self, fill: impl FnOnce(&mut T)) -> Result<(), PublishError> {
        self.attempt(&mut Some(fill))
    }

    #[inline]
    fn attempt<F: FnOnce(&mut T)>(&mut self, fill: &mut Option<F>) -> Result<(), PublishError> {
        // Acquire pairs with the Release of a dying consumer; on x86 both are plain moves.
        if self.shared.consumer_is_gone.load(Ordering::Acquire) {
            return Err(PublishError::Abandoned);
        }
        let mut place = std::ptr::null();
        let outcome = self.inner.try_publish(|slot| {
            if let Some(fill) = fill.take() {
                fill(&mut slot.0);
            }
            place = std::ptr::from_ref(slot);
        });
        if outcome.is_err() {
            return Err(PublishError::Full);
        }
        // Behind the last slot lies nothing of ours, which does no harm.
        memory::claim_next(place);
        self.published_count += 1;
        self.shared
            .published_count
            .store(self.published_count, Ordering::Relaxed);
        Ok(())
    }

    /// True when nobody will read what is published.
    pub fn is_abandoned(&self) -> bool {
        self.shared.consumer_is_gone.load(Ordering::Acquire)
    }

    /// A gauge of the consumer's lag.
    pub fn gauge(&self) -> LagGauge {
        LagGauge {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.shared.producer_is_gone.store(true, Ordering::Release);
    }
}

/// Breaks the ring unless the whole batch was handled.
struct Batch<'a> {
    shared: &'a Shared,
    is_complete: bool,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.is_complete {
            self.shared.consumer_is_gone.store(true, Ordering::Release);
        }
    }
}

impl<T> Consumer<T> {
    /// Handles up to `limit` items. `handle` gets the item and how many of the batch follow it: 0 = end of batch.
    ///
    /// # Errors
    /// The first error of `handle`. The ring is then broken for good, since the rest of the batch is lost to it: the
    /// producer sees `Abandoned`. A panic in `handle` breaks it the same way.
    #[inline]
    pub fn take<E>(
        &mut self,
        limit: u64,
        mut handle: impl FnMut(&T, usize) -> Result<(), E>,
    ) -> Result<Taken, E> {
        debug_assert!(limit > 0, "a batch of nothing would never end");
        let mut guard = match self.inner.take(limit) {
            Ok(guard) => guard,
            Err(Polling::NoEvents) => return Ok(Taken::Empty),
            Err(Polling::Shutdown) => return Ok(Taken::Ended),
        };
        let count = ExactSizeIterator::len(&&mut guard);
        let mut batch = Batch {
            shared: &self.shared,
            is_complete: false,
        };
        let mut left = count;
        for slot in &mut guard {
            left -= 1;
            handle(&slot.0, left)?;
        }
        batch.is_complete = true;
        drop(batch);
        drop(guard);
        self.consumed_count += count as u64;
        self.shared
            .consumed_count
            .store(self.consumed_count, Ordering::Relaxed);
        Ok(Taken::Items(count))
    }

    /// True when no more items will be published; published ones may still be unread.
    pub fn is_abandoned(&self) -> bool {
        self.shared.producer_is_gone.load(Ordering::Acquire)
    }

    /// A gauge of this consumer's lag.
    pub fn gauge(&self) -> LagGauge {
        LagGauge {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.shared.consumer_is_gone.store(true, Ordering::Release);
    }
}

impl LagGauge {
    /// Items published and not yet handled; a moment's value, since both ends move on.
    pub fn lag_count(&self) -> u64 {
        let consumed_count = self.shared.consumed_count.load(Ordering::Relaxed);
        let published_count = self.shared.published_count.load(Ordering::Relaxed);
        published_count.saturating_sub(consumed_count)
    }
}
