//! Who drives the preparer and the flusher: a thread each, or the caller of the writer, one step at a time.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{Durability, Shared, flusher::Flusher, preparer::Preparer};
use crate::{
    directory::Directory, error::JournalError, options::JournalOptions, words::ConditionWord,
};

/// How long the preparer sleeps when there is nothing to do. The writer never wakes it (that would be a system call).
const IDLE_SLEEP: Duration = Duration::from_millis(1);
/// A step of a simulation lasts this long for the flusher: whatever may wait has waited long enough.
const STEP_NS: u64 = 60_000_000_000;

/// Who drives the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HelperMode {
    /// Two threads.
    #[default]
    Threads,
    /// The thread that owns the writer: whenever it must wait, and when `Writer::assist` is called. For simulations, in which
    /// the order of all that happens must be the caller's.
    Inline,
}

/// The background of one writer.
pub(crate) struct Background {
    pub(crate) shared: Arc<Shared>,
    drive: Drive,
}

enum Drive {
    Threads(Vec<JoinHandle<()>>),
    Inline(Box<Workers>),
}

struct Workers {
    preparer: Preparer,
    flusher: Flusher,
    now_ns: u64,
    /// The flusher's error was final; a failure of the preparer does not end syncing.
    has_sync_failed: bool,
}

impl Background {
    /// Starts it; segments are prepared from `next_index` on.
    pub(crate) fn start(
        directory: &Directory,
        options: &JournalOptions,
        next_index: u64,
        durable_sequence: u64,
    ) -> Result<Self, JournalError> {
        let shared = Arc::new(Shared::new(directory.clone(), durable_sequence));
        let preparer = Preparer::new(Arc::clone(&shared), directory.clone(), options, next_index);
        let flusher = Flusher::new(
            Arc::clone(&shared),
            options.sync,
            directory.storage().page_bytes(),
            durable_sequence,
        );
        let drive = match options.helpers {
            HelperMode::Inline => Drive::Inline(Box::new(Workers {
                preparer,
                flusher,
                now_ns: 0,
                has_sync_failed: false,
            })),
            HelperMode::Threads => {
                Drive::Threads(spawn(&shared, directory, options, preparer, flusher)?)
            }
        };
        Ok(Self { shared, drive })
    }

    pub(crate) fn durability(&self) -> Durability {
        Durability {
            shared: Arc::clone(&self.shared),
        }
    }

    /// What a thread would do meanwhile: a step of each worker when they have none of their own.
    pub(crate) fn assist(&mut self) {
        match &mut self.drive {
            Drive::Threads(_) => thread::yield_now(),
            Drive::Inline(workers) => workers.step(&self.shared),
        }
    }

    /// Lets the flusher sync what was handed over, then ends both. Fails if not everything was synced.
    pub(crate) fn stop(&mut self) -> Result<(), JournalError> {
        self.shared.words.condition.add(ConditionWord::STOPPING);
        match &mut self.drive {
            Drive::Threads(threads) => {
                for thread in threads.drain(..) {
                    thread.thread().unpark();
                    // A panic has raised the failure flag already (see `FailureGuard`).
                    let _ = thread.join();
                }
            }
            Drive::Inline(workers) => workers.finish(&self.shared),
        }
        if self.shared.words.condition.has(ConditionWord::ALL_SYNCED) {
            Ok(())
        } else {
            Err(self.shared.failure())
        }
    }
}

impl Workers {
    fn step(&mut self, shared: &Shared) {
        self.now_ns += STEP_NS;
        self.preparer.cycle(self.now_ns);
        self.flush(shared);
    }

    /// One cycle of the flusher; true when it did something.
    fn flush(&mut self, shared: &Shared) -> bool {
        if self.has_sync_failed {
            return false;
        }
        self.flusher.cycle(self.now_ns).unwrap_or_else(|error| {
            self.has_sync_failed = true;
            shared.fail_sync(error);
            false
        })
    }

    fn finish(&mut self, shared: &Shared) {
        if shared.words.condition.has(ConditionWord::ALL_SYNCED) {
            // Stopped before: what failed since then must not be synced as if nothing had been.
            return;
        }
        while self.flush(shared) {}
        if !self.has_sync_failed {
            shared.words.condition.add(ConditionWord::ALL_SYNCED);
        }
    }
}

fn spawn(
    shared: &Arc<Shared>,
    directory: &Directory,
    options: &JournalOptions,
    mut preparer: Preparer,
    mut flusher: Flusher,
) -> Result<Vec<JoinHandle<()>>, JournalError> {
    let start = Instant::now();
    let now = move || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let preparing = start_thread(
        "journal-prepare",
        shared,
        directory,
        options,
        move |shared| {
            while !shared.words.condition.has(ConditionWord::STOPPING) {
                if !preparer.cycle(now()) {
                    thread::park_timeout(IDLE_SLEEP);
                }
            }
        },
    )?;
    let flushing = start_thread("journal-flush", shared, directory, options, move |shared| {
        let _ = shared.flusher.set(thread::current());
        loop {
            // Read before the queues: what was handed over before the request is still done.
            let is_stopping = shared.words.condition.has(ConditionWord::STOPPING);
            match flusher.cycle(now()) {
                Ok(true) => {}
                Ok(false) if is_stopping => {
                    return shared.words.condition.add(ConditionWord::ALL_SYNCED);
                }
                Ok(false) => thread::park_timeout(flusher.nap()),
                Err(error) => return shared.fail_sync(error),
            }
        }
    });
    match flushing {
        Ok(flushing) => Ok(vec![preparing, flushing]),
        Err(error) => {
            shared.words.condition.add(ConditionWord::STOPPING);
            Err(error)
        }
    }
}

fn start_thread(
    name: &'static str,
    shared: &Arc<Shared>,
    directory: &Directory,
    options: &JournalOptions,
    body: impl FnOnce(&Arc<Shared>) + Send + 'static,
) -> Result<JoinHandle<()>, JournalError> {
    let shared = Arc::clone(shared);
    let path = directory.path().to_path_buf();
    let thread_path = path.clone();
    let cpus = options.helper_cpus;
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let guard = FailureGuard(Arc::clone(&shared));
            if let Err(source) = cpus.release_this_thread() {
                let action = "free the helper thread's CPUs for";
                return guard.0.fail(JournalError::io(action, &thread_path, source));
            }
            body(&shared);
        })
        .map_err(|source| JournalError::io("start the helper thread for", &path, source))
}

/// Raises the failure flag if the thread ends in a panic.
struct FailureGuard(Arc<Shared>);

impl Drop for FailureGuard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.words.condition.add(ConditionWord::FAILED);
        }
    }
}
