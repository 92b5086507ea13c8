//! Word to the service manager (systemd's `sd_notify`): ready, still alive, stopping, and one line of status.
//!
//! It is one datagram to the socket that NOTIFY_SOCKET names, so no library is needed. A thread of its own looks at the
//! run's monitor; the core does nothing for it.
//!
//! Invariant: the watchdog is fed only when the core has made duty cycles since the last time and took an input within the
//! grace. The timer is an input and comes through ingress: a core that is stuck, or an ingress that is, starves the watchdog, and
//! the manager then ends and restarts the run.

use std::{
    ffi::OsString,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use acth_engine::monitor::{Monitor, Progress, RunStage};

use crate::summary::grouped;

/// How often the monitor is looked at when no watchdog asks for more.
const LOOK: Duration = Duration::from_millis(200);
/// Looks within one period of the watchdog; the manager's own advice is two.
const LOOKS_A_PERIOD: u32 = 4;
/// Least time between two status lines.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// Timer inputs that may be missed before the run is called stuck.
const TIMERS_MISSED_MAX: u32 = 3;

/// What the service manager put into the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// NOTIFY_SOCKET: a path, or an abstract name behind an `@`.
    pub socket: Option<OsString>,
    /// WATCHDOG_USEC, where it is meant for this process.
    pub watchdog: Option<Duration>,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let text = |name| std::env::var(name).ok();
        let is_ours = text("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let period_us: Option<u64> = text("WATCHDOG_USEC").and_then(|period| period.parse().ok());
        Self {
            socket: std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()),
            watchdog: period_us
                .filter(|&period_us| is_ours && period_us > 0)
                .map(Duration::from_micros),
        }
    }
}

/// The manager's socket.
#[derive(Debug)]
struct Channel {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Channel {
    fn open(name: &OsString) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not hold the run up.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }

    /// One datagram. A word that is lost is made up for by the next; a manager that is gone needs none.
    fn say(&self, words: &str) {
        let _ = self.socket.send_to_addr(words.as_bytes(), &self.address);
    }
}

/// The thread that talks to the manager, if there is one.
#[derive(Debug)]
pub struct Notifier {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Starts it. `timer` is the period of the core's timer.
    ///
    /// # Errors
    /// One sentence when the manager's socket cannot be used or there is no thread to be had; the run can go on without.
    pub fn start(
        environment: &Environment,
        monitor: Arc<Monitor>,
        timer: Duration,
    ) -> Result<Option<Self>, String> {
        let Some(name) = &environment.socket else {
            return Ok(None);
        };
        let refuse = |cause: io::Error| {
            format!(
                "the service manager is told nothing: NOTIFY_SOCKET {}: {cause}",
                name.display()
            )
        };
        let channel = Channel::open(name).map_err(refuse)?;
        let watchdog = environment.watchdog;
        let (stop, stopped) = mpsc::channel();
        let mut teller = Teller {
            channel,
            monitor,
            watchdog,
            pulse: Pulse::new(watchdog.unwrap_or(LOOK).max(timer * TIMERS_MISSED_MAX)),
            told: RunStage::Starting,
            told_at: None,
        };
        let look = watchdog.map_or(LOOK, |period| LOOK.min(period / LOOKS_A_PERIOD));
        let thread = std::thread::Builder::new()
            .name(String::from("acth-notify"))
            .spawn(move || {
                while stopped.recv_timeout(look) == Err(RecvTimeoutError::Timeout) {
                    teller.look(Instant::now());
                }
                teller.end();
            })
            .map_err(refuse)?;
        Ok(Some(Self {
            stop,
            thread: Some(thread),
        }))
    }

    /// Says that the run is stopping, if that was not said yet, and ends the thread.
    pub fn stop(mut self) {
        // A thread that is gone already needs no word.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread that talks to the service manager had panicked");
        }
    }
}

/// What the thread knows.
struct Teller {
    channel: Channel,
    monitor: Arc<Monitor>,
    watchdog: Option<Duration>,
    pulse: Pulse,
    /// The stage that the manager knows of.
    told: RunStage,
    told_at: Option<Instant>,
}

impl Teller {
    fn look(&mut self, now: Instant) {
        let stage = self.monitor.stage();
        if stage != self.told {
            if stage == RunStage::Trading {
                self.channel.say("READY=1");
            }
            if stage == RunStage::Ending {
                self.end();
            }
            self.told = stage;
        }
        if stage != RunStage::Trading {
            return;
        }
        let progress = self.monitor.progress();
        let is_alive = self.pulse.feel(self.monitor.turns(), progress.events, now);
        if is_alive && self.watchdog.is_some() {
            self.channel.say("WATCHDOG=1");
        }
        if self
            .told_at
            .is_none_or(|told_at| now - told_at >= STATUS_EVERY)
        {
            self.told_at = Some(now);
            self.channel
                .say(&format!("STATUS={}", status(&progress, is_alive)));
        }
    }

    fn end(&mut self) {
        if self.told != RunStage::Ending {
            self.told = RunStage::Ending;
            self.channel
                .say("STOPPING=1\nSTATUS=stopping: cancelling what is open");
        }
    }
}

fn status(progress: &Progress, is_alive: bool) -> String {
    let word = if is_alive { "trading" } else { "STUCK" };
    format!(
        "{word}: {} events, {} orders, {} fills, frame {}",
        grouped(progress.events),
        grouped(progress.orders),
        grouped(progress.fills),
        grouped(progress.last_sequence)
    )
}

/// Whether the run still moves.
#[derive(Debug)]
struct Pulse {
    grace: Duration,
    turns: u64,
    events: u64,
    event_at: Option<Instant>,
}

impl Pulse {
    const fn new(grace: Duration) -> Self {
        Self {
            grace,
            turns: 0,
            events: 0,
            event_at: None,
        }
    }

    /// True when the core has turned since the last time and took an input within the grace.
    fn feel(&mut self, turns: u64, events: u64, now: Instant) -> bool {
        let has_turned = turns != self.turns;
        self.turns = turns;
        if events != self.events || self.event_at.is_none() {
            self.events = events;
            self.event_at = Some(now);
        }
        let is_fed = self
            .event_at
            .is_some_and(|event_at| now - event_at <= self.grace);
        has_turned && is_fed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_needs_turns_and_inputs() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pulse = Pulse::new(Duration::from_millis(300));
        assert!(pulse.feel(5, 1, at(0)));
        assert!(!pulse.feel(5, 1, at(100)), "no turn");
        assert!(
            pulse.feel(6, 1, at(200)),
            "turns without news are alive for a while"
        );
        assert!(
            !pulse.feel(9, 1, at(301)),
            "no input for too long: ingress is stuck"
        );
        assert!(pulse.feel(10, 2, at(400)));
    }
}
