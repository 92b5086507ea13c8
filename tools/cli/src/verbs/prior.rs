//! A journal that is there already: the state at its end, and what a run that goes on with it must do first.

use std::path::{Path, PathBuf};

use acth_core::{
    core::Core,
    risk::{StateReason, TradingState},
    strategy::Strategy,
};
use acth_engine::{
    clock::Clock,
    manifest::RunManifest,
    recover::{RecoverError, Recovered, recover},
    replay::ReplayError,
    resume::{Rearm, Resume, first_inputs},
    snapshot::SnapshotFault,
};
use acth_journal::{JournalOptions, Place, Writer};

use super::journal;
use crate::{exit::Failure, registry::Recipe, summary::RecoveryFacts};

/// The state at the end of a journal.
pub struct Prior<S> {
    path: PathBuf,
    /// What was recovered.
    pub recovered: Recovered<Core<S>>,
}

/// The machine for a manifest, in the state of a snapshot if there is one.
///
/// # Errors
/// When the manifest or the snapshot was written by another version.
pub fn build<S: Strategy>(manifest: &RunManifest, state: Option<&[u8]>) -> Result<Core<S>, String> {
    let recipe = Recipe::<S>::from_manifest(manifest).map_err(|error| error.to_string())?;
    match state {
        None => recipe.build().map_err(|error| error.to_string()),
        Some(bytes) => recipe.restore(bytes).map_err(|error| error.to_string()),
    }
}

/// Whether there is a journal with something in it.
pub fn is_there(path: &Path) -> bool {
    acth_journal::info(path).is_ok_and(|info| !info.segments.is_empty())
}

/// The journal is not what it was when it was read.
pub fn written_meanwhile(path: &Path) -> Failure {
    Failure::could_not(format!(
        "{}: somebody wrote to the journal while it was read",
        path.display()
    ))
}

impl<S: Strategy + Send> Prior<S> {
    /// Recovers the state at the end of the journal; `None` if no run ever wrote to it.
    ///
    /// # Errors
    /// `CheckFailed` when the journal is damaged or this program decides otherwise than it did.
    pub fn find(path: &Path) -> Result<Option<Self>, Failure> {
        match recover(&Place::from(path), build::<S>) {
            Ok(recovered) => Ok(Some(Self {
                path: path.to_path_buf(),
                recovered,
            })),
            Err(RecoverError::Replay(ReplayError::Empty)) => Ok(None),
            Err(error) => Err(failure(path, &error)),
        }
    }

    /// Refuses to go on by the wall clock with what was written in the time of recorded or simulated data.
    ///
    /// # Errors
    /// A sentence that says so.
    pub fn expect_wall_time(&self) -> Result<(), Failure> {
        match self.recovered.manifest.clock {
            Clock::Wall => Ok(()),
            Clock::Event => Err(Failure::could_not(format!(
                "{}: this is the journal of a backtest, whose time is not the wall's; choose a new directory with --journal",
                self.path.display()
            ))),
        }
    }

    /// Refuses to go on with another machine than the one that wrote the journal.
    ///
    /// # Errors
    /// A sentence that names what differs.
    pub fn expect_same(&self, manifest: &RunManifest) -> Result<(), Failure> {
        let before = &self.recovered.manifest;
        if manifest.builds_same_machine(before) {
            return Ok(());
        }
        let differs = if manifest.strategy != before.strategy {
            format!("strategy {}, now {}", before.strategy, manifest.strategy)
        } else if manifest.hub_id != before.hub_id {
            format!("hub {}, now {}", before.hub_id, manifest.hub_id)
        } else if manifest.seed != before.seed {
            format!("seed {}, now {}", before.seed, manifest.seed)
        } else {
            let (old, new) = (before.hash_config(), manifest.hash_config());
            format!("configuration {}, now {}", &old[..12], &new[..12])
        };
        Err(Failure::could_not(format!(
            "{}: the journal was written with {differs}; go on with the same, or choose a new directory with --journal",
            self.path.display()
        )))
    }

    /// Opens the journal for the run that goes on.
    ///
    /// # Errors
    /// As opening does, and when somebody wrote to it since it was read.
    pub fn open(&self, options: &JournalOptions) -> Result<Writer, Failure> {
        let (writer, recovery) = Writer::open(&self.path, options)
            .map_err(|error| journal::failure(&self.path, &error))?;
        if recovery.last_sequence != self.recovered.last_sequence {
            return Err(written_meanwhile(&self.path));
        }
        Ok(writer)
    }

    /// What the run that goes on does first.
    pub fn resume(&self, now_ns: i64, rearm: Rearm) -> Resume {
        Resume {
            unfinished: self.recovered.unfinished.clone(),
            inputs: first_inputs(&self.recovered.machine, now_ns, rearm),
        }
    }

    /// Sentences for the summary.
    pub fn notes(&self, rearm: Rearm) -> Vec<String> {
        let mut notes = self.recovered.notes.clone();
        let core = &self.recovered.machine;
        let reason = core.trading_state_reason();
        let is_off =
            core.trading_state() != TradingState::Active && reason != StateReason::RunEnded;
        if is_off && rearm == Rearm::AfterOrderlyEnd {
            notes.push(format!(
                "the hub stays {} ({}) as the run before left it; `--rearm` lets it trade again",
                core.trading_state().name(),
                reason.name()
            ));
        }
        notes
    }

    /// For the summary.
    pub fn facts(&self, run_id: u64) -> RecoveryFacts {
        RecoveryFacts {
            run: run_id,
            last_sequence: self.recovered.last_sequence,
            snapshot_sequence: self.recovered.snapshot_sequence,
            replayed_events: self.recovered.replayed_events,
            unfinished_decisions: self.recovered.unfinished.decisions.len() as u64,
            open_orders: self.recovered.machine.open_order_count() as u64,
            state_hash: crate::summary::hex(self.recovered.state_hash),
            elapsed_seconds: self.recovered.elapsed.as_secs_f64(),
        }
    }
}

/// Damage and divergence are failed checks.
pub fn failure(path: &Path, error: &RecoverError) -> Failure {
    match error {
        RecoverError::Snapshot(SnapshotFault::Journal(cause)) => journal::failure(path, cause),
        RecoverError::Replay(ReplayError::Journal(cause)) => match cause.downcast_ref() {
            Some(cause) => journal::failure(path, cause),
            None => Failure::could_not(format!("{}: {error}", path.display())),
        },
        RecoverError::Diverged(_) => Failure::CheckFailed(format!("{}: {error}", path.display())),
        _ => Failure::could_not(format!("{}: {error}", path.display())),
    }
}
