//! What keeps the state of a running session: snapshots while it runs, one more at its end, and what of the journal they make
//! superfluous.

use std::sync::Arc;

use acth_core::{core::Core, strategy::Strategy};
use acth_engine::{
    control::Control,
    pipeline::RunOutcome,
    recover, snapshot,
    snapshotter::{Snapshotter, SnapshotterReport},
};
use acth_journal::{Place, Reader, prune};

use super::{now_ns, prior};
use crate::{config::Config, exit::Failure, summary::Summary};

/// The snapshotter of a session, if it has one.
pub(super) struct Keeper(Option<Snapshotter>);

/// What it had done when the session ended.
pub(super) struct Kept(SnapshotterReport);

impl Keeper {
    /// Starts it as the configuration says.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub(super) fn start<S: Strategy + Send + 'static>(
        place: &Place,
        config: &Config,
        control: &Arc<Control>,
    ) -> Result<Self, Failure> {
        let Some(pace) = config.journal.snapshot_pace()? else {
            return Ok(Self(None));
        };
        let started = Snapshotter::start(place.clone(), prior::build::<S>, pace, control);
        started
            .map(|snapshotter| Self(Some(snapshotter)))
            .map_err(Failure::could_not)
    }

    /// Ends it.
    pub(super) fn stop(self) -> Kept {
        Kept(self.0.map(Snapshotter::stop).unwrap_or_default())
    }
}

impl Kept {
    /// Writes the state at the end of the session down, lets go of what that covers, and says so in the summary.
    ///
    /// # Errors
    /// When the snapshot cannot be written.
    pub(super) fn finish<S: Strategy>(
        self,
        place: &Place,
        config: &Config,
        outcome: &RunOutcome<Core<S>>,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let reader = Reader::open_behind(place.clone(), outcome.last_sequence)
            .map_err(Failure::could_not)?;
        let manifest = recover::first_manifest(place).map_err(Failure::could_not)?;
        snapshot::write(place, &outcome.machine, &manifest, &reader, now_ns())
            .map_err(Failure::could_not)?;
        if let Some(facts) = &mut summary.storage {
            facts.snapshots = self.0.snapshots + 1;
        }
        if let Some(sentence) = self.0.failure {
            summary
                .warnings
                .push(format!("the snapshotter stopped: {sentence}"));
        }
        if let Some(keep) = config.journal.retention() {
            let pruned = prune(place.clone(), keep).map_err(Failure::could_not)?;
            if pruned.segments > 0 {
                let count = pruned.segments;
                let first = pruned.first_sequence;
                summary.warnings.push(format!(
                    "{count} old segments were taken away; the journal begins at frame {first} now"
                ));
            }
        }
        Ok(())
    }
}
