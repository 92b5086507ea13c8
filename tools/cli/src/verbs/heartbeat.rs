//! The heartbeat: a line in the log at a fixed period, and a warning when the core has taken no event in between.

use std::{
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::Duration,
};

use acth_engine::monitor::Monitor;

/// The thread that writes it.
pub(super) struct Heartbeat {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Starts it. Without a thread to run on there is no heartbeat, which the log says.
    pub(super) fn start(monitor: Arc<Monitor>, interval_ns: i64) -> Self {
        let (stop, stopped) = mpsc::channel();
        let interval = Duration::from_nanos(interval_ns.cast_unsigned());
        let beat = move || {
            let mut events_before = 0;
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                events_before = tell(&monitor, events_before);
            }
        };
        let spawned = std::thread::Builder::new()
            .name(String::from("acth-heartbeat"))
            .spawn(beat);
        if let Err(cause) = &spawned {
            tracing::warn!("no heartbeat: {cause}");
        }
        Self {
            stop,
            thread: spawned.ok(),
        }
    }

    /// Ends it.
    pub(super) fn stop(mut self) {
        // A thread that is gone already needs no word.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the heartbeat had panicked");
        }
    }
}

/// Writes one line and returns the count of events that it told.
fn tell(monitor: &Monitor, events_before: u64) -> u64 {
    let progress = monitor.progress();
    if progress.events == events_before {
        tracing::warn!(
            events = progress.events,
            "heartbeat: no event since the last one"
        );
    } else {
        tracing::info!(
            events = progress.events,
            orders = progress.orders,
            fills = progress.fills,
            lag = progress.lag,
            sequence = progress.last_sequence,
            "heartbeat"
        );
    }
    progress.events
}
