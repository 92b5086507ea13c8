//! Recovery: the state at the end of a journal, from its newest good snapshot and the tail behind it, or from the start.
//!
//! Every decision in the tail is computed again and compared: a state that the journal does not bear out is no state to
//! trade from.

use std::time::{Duration, Instant};

use acth_journal::{Place, Reader, Snapshots};

use crate::{
    config::ThreadMode,
    machine::Machine,
    manifest::RunManifest,
    replay::{
        Divergence, ReplayError, ReplayOptions, ReplayOutcome, ReplayStart, begin, replay_from,
    },
    resume::Unfinished,
    snapshot::{self, SnapshotFault},
};

/// The state at the end of a journal.
#[derive(Debug)]
pub struct Recovered<M> {
    /// The machine.
    pub machine: M,
    /// The manifest that it was built from.
    pub manifest: RunManifest,
    /// Sequence of the last frame.
    pub last_sequence: u64,
    /// Decisions that were never journaled.
    pub unfinished: Unfinished,
    /// Sequence of the snapshot that it began with; `None` = from the start of the journal.
    pub snapshot_sequence: Option<u64>,
    /// Inputs replayed.
    pub replayed_events: u64,
    /// The state's own hash.
    pub state_hash: u64,
    /// Sentences about snapshots that were passed over.
    pub notes: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a state could not be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal or a snapshot of it.
    #[error(transparent)]
    Snapshot(#[from] SnapshotFault),
    /// The replay of the tail.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The journal holds other decisions than this program makes.
    #[error(
        "this program decides otherwise than the journal says at frame {}, for the input at frame {}: go on with the \
         program and configuration that wrote it",
        .0.sequence, .0.cause
    )]
    Diverged(Box<Divergence>),
}

/// A start for a replay with a reader behind it.
pub struct Begun<M> {
    /// Machine, manifest and place.
    pub start: ReplayStart<M>,
    /// The next frame is the one behind the place.
    pub reader: Reader,
    /// Sequence of the snapshot that was used; `None` = the first frame of the journal.
    pub snapshot_sequence: Option<u64>,
    /// Sentences about snapshots that were passed over.
    pub notes: Vec<String>,
}

/// Begins at the newest good snapshot at or before `until`, or at the first frame where there is none. `build` makes a machine from
/// a manifest and, if there is one, a snapshot's bytes.
///
/// # Errors
/// When the journal is damaged or no machine can be built.
pub fn start<M>(
    place: &Place,
    until: u64,
    mut build: impl FnMut(&RunManifest, Option<&[u8]>) -> Result<M, String>,
) -> Result<Begun<M>, RecoverError> {
    let (restored, notes) =
        snapshot::restore(place, until, |manifest, state| build(manifest, Some(state)))?;
    if let Some(restored) = restored {
        return Ok(Begun {
            snapshot_sequence: Some(restored.start.sequence),
            start: restored.start,
            reader: restored.reader,
            notes,
        });
    }
    let mut reader = Reader::open(place.clone()).map_err(SnapshotFault::from)?;
    let start = begin(&mut reader, |manifest| build(manifest, None))?;
    Ok(Begun {
        start,
        reader,
        snapshot_sequence: None,
        notes,
    })
}

/// Sequence of the oldest snapshot; 0 if there is none.
///
/// # Errors
/// When the directory cannot be read.
pub fn oldest_snapshot(place: &Place) -> Result<u64, RecoverError> {
    let sequences = Snapshots::of(place.clone())
        .sequences()
        .map_err(SnapshotFault::from)?;
    Ok(sequences.first().copied().unwrap_or(0))
}

/// The manifest that a journal's machine is built from: in its first frame or, when that was pruned, in its newest snapshot.
///
/// # Errors
/// When there is neither.
pub fn first_manifest(place: &Place) -> Result<RunManifest, RecoverError> {
    Ok(start(place, u64::MAX, |_, _| Ok(()))?.start.manifest)
}

/// Recovers the state at the end of a journal. `build` makes a machine from a manifest and, if there is one, a snapshot's bytes.
///
/// # Errors
/// When the journal is damaged, no machine can be built, or the machine decides otherwise than the journal says.
pub fn recover<M: Machine + Send>(
    place: &Place,
    build: impl FnMut(&RunManifest, Option<&[u8]>) -> Result<M, String>,
) -> Result<Recovered<M>, RecoverError> {
    let begun = Instant::now();
    let from = start(place, u64::MAX, build)?;
    let options = ReplayOptions {
        threads: ThreadMode::Single,
    };
    let outcome: ReplayOutcome<M> = replay_from(from.reader, from.start, options)?;
    if let Some(divergence) = outcome.first_divergence {
        return Err(RecoverError::Diverged(Box::new(divergence)));
    }
    Ok(Recovered {
        machine: outcome.machine,
        manifest: outcome.manifest,
        last_sequence: outcome.last_sequence,
        unfinished: outcome.open,
        snapshot_sequence: from.snapshot_sequence,
        replayed_events: outcome.events,
        state_hash: outcome.state_hash,
        notes: from.notes,
        elapsed: begun.elapsed(),
    })
}
