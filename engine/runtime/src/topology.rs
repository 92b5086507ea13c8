//! The threads of a run as one list, printed in the log and kept in the outcome.

use std::fmt;

use crate::{
    config::{EngineConfig, ThreadMode},
    placement,
    wait::WaitStrategy,
};

/// One thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadPlan {
    /// Its name, as the system shows it.
    pub name: &'static str,
    /// What it does, in one phrase.
    pub duty: &'static str,
    /// The core it is pinned to.
    pub core: Option<usize>,
    /// How it waits; `None` = it sleeps until there is something.
    pub wait: Option<WaitStrategy>,
}

/// All threads of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// In the order of an event's way through.
    pub threads: Vec<ThreadPlan>,
}

/// Name of the thread that reads the source.
pub const INGRESS: &str = "acth-ingress";
/// Name of the thread that owns the machine and the journal.
pub const CORE: &str = "acth-core";
/// Name of the thread that sends commands.
pub const EGRESS: &str = "acth-egress";
/// Name of the thread that does both edges in the dual mode.
pub const IO: &str = "acth-io";
/// Name of the one thread of the single mode.
pub const HUB: &str = "acth-hub";

/// The busy threads of a mode: name and duty.
const fn busy_threads(mode: ThreadMode) -> &'static [(&'static str, &'static str)] {
    match mode {
        ThreadMode::Multi => &[
            (INGRESS, "source and timers into the ingress ring"),
            (CORE, "number, journal, apply, journal, egress ring"),
            (EGRESS, "last gate, command sink, reports back"),
        ],
        ThreadMode::Dual => &[
            (
                IO,
                "source and timers into the ingress ring; command sink, reports back",
            ),
            (CORE, "number, journal, apply, journal, egress ring"),
        ],
        ThreadMode::Single => &[(HUB, "source, core and egress in one loop")],
    }
}

impl Topology {
    /// The list for a configuration on the cores allowed to this process, and the sentences about it.
    pub fn plan(config: &EngineConfig, allowed_cores: &[usize]) -> (Self, Vec<String>) {
        let busy = busy_threads(config.threads);
        let (wait, sentence) = config.wait.resolve(allowed_cores.len(), busy.len());
        let mut sentences = vec![sentence];
        let (cores, warning) =
            placement::assign_cores(&config.placement.pin, allowed_cores, busy.len());
        sentences.extend(warning);
        let mut threads: Vec<_> = busy
            .iter()
            .zip(cores)
            .map(|(&(name, duty), core)| ThreadPlan {
                name,
                duty,
                core,
                wait: Some(wait),
            })
            .collect();
        let idle = [
            (
                "journal-prepare",
                "makes the next segments ready, owned by the journal",
            ),
            (
                "journal-flush",
                "makes durable what was written, owned by the journal",
            ),
            ("caller", "starts the others and waits for them"),
        ];
        threads.extend(idle.map(|(name, duty)| ThreadPlan {
            name,
            duty,
            core: None,
            wait: None,
        }));
        (Self { threads }, sentences)
    }

    /// The plan of the thread with this name.
    pub(crate) fn thread(&self, name: &str) -> Option<&ThreadPlan> {
        self.threads.iter().find(|thread| thread.name == name)
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for thread in &self.threads {
            let core = thread
                .core
                .map_or_else(|| "any".to_owned(), |core| core.to_string());
            let wait = thread.wait.map_or("sleep", WaitStrategy::name);
            writeln!(
                formatter,
                "{:<15} core {core:<4} wait {wait:<10} {}",
                thread.name, thread.duty
            )?;
        }
        Ok(())
    }
}
