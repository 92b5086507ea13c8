//! What a run is asked to do.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock, manifest::RunManifest, placement::Placement, resume::Resume,
    ring::RING_SLOTS_DEFAULT, wait::WaitChoice,
};

/// How many threads share the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadMode {
    /// Source, core and egress in one loop: deterministic with `Clock::Event`.
    Single,
    /// The core on a thread of its own, both edges on one other, joined by rings: for a machine with two or three free cores.
    Dual,
    /// Ingress, core and egress on threads of their own, joined by rings.
    Multi,
}

/// How long a stopping run waits for reports about what it cancelled.
pub const GRACE_NS_DEFAULT: i64 = 250_000_000;
/// Period of the timer.
pub const TIMER_INTERVAL_NS_DEFAULT: i64 = 100_000_000;

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many threads.
    pub threads: ThreadMode,
    /// By which clock.
    pub clock: Clock,
    /// How idle threads wait.
    pub wait: WaitChoice,
    /// Where threads run.
    pub placement: Placement,
    /// Period of `TimerFired` in the run's time; 0 = no timer.
    pub timer_interval_ns: i64,
    /// The run ends after this much of its own time; `None` = when something else ends it.
    pub duration_ns: Option<i64>,
    /// Real time that a stopping run waits for reports; with `Clock::Event` it waits until nothing is owed.
    pub grace_ns: i64,
    /// Slots of the ingress and egress rings.
    pub ring_slots: usize,
    /// With `Clock::Wall` and several threads: a full ingress ring makes the hub reducing, as a journaled input.
    pub reduces_when_behind: bool,
    /// Written as the first frame of the run.
    pub manifest: RunManifest,
    /// What an earlier run in the same journal left to be done first.
    pub resume: Resume,
}

impl EngineConfig {
    /// A configuration with the usual values: live placement for wall time, none for event time.
    pub fn new(threads: ThreadMode, clock: Clock, manifest: RunManifest) -> Self {
        let placement = match clock {
            Clock::Wall => Placement::live(),
            Clock::Event => Placement::none(),
        };
        Self {
            threads,
            clock,
            wait: WaitChoice::Auto,
            placement,
            timer_interval_ns: TIMER_INTERVAL_NS_DEFAULT,
            duration_ns: None,
            grace_ns: GRACE_NS_DEFAULT,
            ring_slots: RING_SLOTS_DEFAULT,
            reduces_when_behind: true,
            manifest,
            resume: Resume::default(),
        }
    }
}
