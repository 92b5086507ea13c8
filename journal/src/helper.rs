//! The helper thread: prepares the next segments and retires full ones, so that the appending thread makes no system
//! call and takes no page fault when it rolls.
//!
//! Topology: `prepared` (helper to writer) and `retired` (writer to helper) are bounded queues of whole segments; three words
//! carry the durable watermark, the failure flag and the request to stop. Invariant: segments are prepared in the order of
//! their indices and retired in the order in which they were written. A failure is final: after a failed sync the kernel may
//! have forgotten which pages were dirty, so nothing is tried again.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam::queue::ArrayQueue;

use crate::{
    bounds::{PREPARED_SEGMENTS, RETIRED_SEGMENTS_MAX},
    directory::Directory,
    error::JournalError,
    options::JournalOptions,
    segment::WritableSegment,
};

/// How long the helper sleeps when there is nothing to do. The writer never wakes it (that would be a system call).
const IDLE_SLEEP: Duration = Duration::from_millis(1);

/// A full segment and the last sequence in it.
pub(crate) struct Retired {
    pub(crate) segment: WritableSegment,
    pub(crate) last_sequence: u64,
}

/// Highest sequence known to be on stable storage.
pub(crate) struct DurableWatermark(AtomicU64);

impl DurableWatermark {
    /// Release: the sync came before.
    pub(crate) fn raise(&self, sequence: u64) {
        self.0.store(sequence, Ordering::Release);
    }

    /// Acquire; on x86-64 a plain load.
    #[inline]
    pub(crate) fn sequence(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A flag that is only ever raised.
#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    /// Release: what led to it is visible to whoever sees it.
    fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Acquire.
    #[inline]
    fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What writer and helper share.
struct Shared {
    prepared: ArrayQueue<WritableSegment>,
    retired: ArrayQueue<Retired>,
    durable: DurableWatermark,
    failed: Flag,
    stop: Flag,
    /// Raised by the helper as its last act, when every retired segment is on the device.
    is_all_synced: Flag,
    failure: Mutex<Option<JournalError>>,
}

impl Shared {
    /// Records why, then raises the flag.
    fn fail(&self, error: JournalError) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.failed.raise();
    }
}

/// The writer's handle on its helper.
pub(crate) struct Helper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    /// Starts the thread; it prepares segments from `next_index` on.
    pub(crate) fn start(
        directory: Directory,
        options: &JournalOptions,
        next_index: u64,
        durable_sequence: u64,
    ) -> Result<Self, JournalError> {
        let shared = Arc::new(Shared {
            prepared: ArrayQueue::new(PREPARED_SEGMENTS),
            retired: ArrayQueue::new(RETIRED_SEGMENTS_MAX),
            durable: DurableWatermark(AtomicU64::new(durable_sequence)),
            failed: Flag::default(),
            stop: Flag::default(),
            is_all_synced: Flag::default(),
            failure: Mutex::new(None),
        });
        let path = directory.path().to_path_buf();
        let worker = Worker {
            shared: Arc::clone(&shared),
            directory,
            options: *options,
            next_index,
        };
        let thread = thread::Builder::new()
            .name("journal-helper".to_owned())
            .spawn(move || worker.run())
            .map_err(|source| JournalError::io("start the helper thread for", &path, source))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    #[inline]
    pub(crate) fn durable_sequence(&self) -> u64 {
        self.shared.durable.sequence()
    }

    /// One load when all is well.
    #[inline]
    pub(crate) fn health(&self) -> Result<(), JournalError> {
        if self.shared.failed.is_raised() {
            Err(self.failure())
        } else {
            Ok(())
        }
    }

    #[cold]
    fn failure(&self) -> JournalError {
        let failure = self
            .shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        failure.clone().unwrap_or(JournalError::HelperStopped)
    }

    /// The next segment, if one is ready.
    pub(crate) fn take_prepared(&self) -> Option<WritableSegment> {
        self.shared.prepared.pop()
    }

    /// Whether a segment can be handed over without waiting.
    pub(crate) fn can_retire(&self) -> bool {
        !self.shared.retired.is_full()
    }

    /// Hands over a full segment. The caller has asked `can_retire` and is the only one to push.
    pub(crate) fn retire(&self, retired: Retired) {
        let refused = self.shared.retired.push(retired).is_err();
        debug_assert!(!refused, "the caller asked for room first");
    }

    /// Lets the helper sync what was handed over, then ends it. Fails if not everything was synced.
    pub(crate) fn stop(&mut self) -> Result<(), JournalError> {
        self.shared.stop.raise();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the helper has raised the failure flag already (see `FailureGuard`).
            let _ = thread.join();
        }
        if self.shared.is_all_synced.is_raised() {
            Ok(())
        } else {
            Err(self.failure())
        }
    }
}

/// What runs in the thread.
struct Worker {
    shared: Arc<Shared>,
    directory: Directory,
    options: JournalOptions,
    next_index: u64,
}

/// Raises the failure flag if the thread ends in a panic.
struct FailureGuard(Arc<Shared>);

impl Drop for FailureGuard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.failed.raise();
        }
    }
}

impl Worker {
    fn run(mut self) {
        let _guard = FailureGuard(Arc::clone(&self.shared));
        if let Err(error) = self.work() {
            self.shared.fail(error);
        }
    }

    fn work(&mut self) -> Result<(), JournalError> {
        self.options
            .helper_cpus
            .release_this_thread()
            .map_err(|source| {
                JournalError::io(
                    "free the helper thread's CPUs for",
                    self.directory.path(),
                    source,
                )
            })?;
        loop {
            // Read before the queues: what was handed over before the request is still done.
            let stopping = self.shared.stop.is_raised();
            let prepared = !stopping && self.prepare_one();
            let retired = self.retire_one()?;
            if !prepared && !retired {
                if stopping {
                    self.shared.is_all_synced.raise();
                    return Ok(());
                }
                thread::park_timeout(IDLE_SLEEP);
            }
        }
    }

    /// A failure here (most likely a full disk) ends preparing, not retiring: what is written can still be closed well.
    fn prepare_one(&mut self) -> bool {
        if self.shared.prepared.is_full() || self.shared.failed.is_raised() {
            return false;
        }
        let bytes = self.options.segment_bytes;
        match WritableSegment::prepare(&self.directory, self.next_index, bytes) {
            Ok(segment) => {
                self.next_index += 1;
                let refused = self.shared.prepared.push(segment).is_err();
                debug_assert!(!refused, "only the helper pushes");
                true
            }
            Err(error) => {
                self.shared.fail(error);
                false
            }
        }
    }

    fn retire_one(&mut self) -> Result<bool, JournalError> {
        let Some(retired) = self.shared.retired.pop() else {
            return Ok(false);
        };
        retired.segment.sync()?;
        self.shared.durable.raise(retired.last_sequence);
        Ok(true)
    }
}
