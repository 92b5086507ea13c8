//! Snapshots of a run: the manifest and the machine's state, kept beside its journal.
//!
//! Content of the file, inside the journal's own envelope: the manifest's length (u32, little-endian), the manifest, the
//! machine's encoding. With the manifest in it a snapshot stands alone: the first frames of a pruned journal are gone.

use std::path::PathBuf;

use acth_journal::{JournalError, Place, Reader, Snapshots, snapshot::Rejected};

use crate::{
    machine::Snapshot,
    manifest::{ManifestError, RunManifest},
    replay::ReplayStart,
};

/// Snapshots kept beside the newest: an older one takes over when the newest is damaged.
pub const SNAPSHOTS_KEPT: usize = 3;

/// Why a snapshot could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFault {
    /// The journal or the file.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The manifest in it.
    #[error("snapshot {sequence}: {cause}")]
    Manifest {
        /// Its sequence.
        sequence: u64,
        /// What is wrong.
        cause: ManifestError,
    },
    /// The state in it.
    #[error("snapshot {sequence}: {cause}")]
    State {
        /// Its sequence.
        sequence: u64,
        /// What is wrong.
        cause: String,
    },
}

/// A start for a replay, with a reader right behind it.
pub struct Restored<M> {
    /// Machine, manifest and place.
    pub start: ReplayStart<M>,
    /// The next frame is the one behind the place.
    pub reader: Reader,
}

/// Writes a snapshot of a machine whose last frame is the one that `reader` has just given, and removes old ones.
///
/// # Errors
/// When it cannot be written.
pub fn write<M: Snapshot>(
    place: &Place,
    machine: &M,
    manifest: &RunManifest,
    reader: &Reader,
    created_ns: i64,
) -> Result<PathBuf, SnapshotFault> {
    let sequence = reader.next_sequence() - 1;
    let manifest = manifest
        .to_bytes()
        .map_err(|cause| SnapshotFault::Manifest { sequence, cause })?;
    let mut state = Vec::new();
    machine.encode_snapshot(&mut state);
    let mut content = Vec::with_capacity(4 + manifest.len() + state.len());
    content.extend_from_slice(&(manifest.len() as u32).to_le_bytes());
    content.extend_from_slice(&manifest);
    content.extend_from_slice(&state);
    let snapshots = Snapshots::of(place.clone());
    let path = snapshots.write(&acth_journal::Snapshot {
        sequence,
        chain: reader.chain(),
        run_id: reader.run_id(),
        created_ns,
        state_hash: machine.state_hash(),
        content,
    })?;
    snapshots.prune(SNAPSHOTS_KEPT)?;
    Ok(path)
}

/// Restores the newest good snapshot at or before `until`. `build` makes a machine from a manifest and the machine's bytes.
/// Snapshots that cannot be used are passed over and named.
///
/// # Errors
/// When the journal itself is damaged.
pub fn restore<M>(
    place: &Place,
    until: u64,
    mut build: impl FnMut(&RunManifest, &[u8]) -> Result<M, String>,
) -> Result<(Option<Restored<M>>, Vec<String>), SnapshotFault> {
    let snapshots = Snapshots::of(place.clone());
    let mut notes = Vec::new();
    let mut until = until;
    loop {
        let (found, rejected) = snapshots.newest_good(until)?;
        notes.extend(rejected.iter().map(sentence));
        let Some((snapshot, reader)) = found else {
            return Ok((None, notes));
        };
        let sequence = snapshot.sequence;
        match open(sequence, &snapshot.content, &mut build) {
            Ok(start) => return Ok((Some(Restored { start, reader }), notes)),
            Err(fault) => notes.push(format!("passed over: {fault}")),
        }
        until = sequence.saturating_sub(1);
    }
}

fn sentence(rejected: &Rejected) -> String {
    format!("passed over: {}", rejected.error)
}

fn open<M>(
    sequence: u64,
    content: &[u8],
    build: &mut impl FnMut(&RunManifest, &[u8]) -> Result<M, String>,
) -> Result<ReplayStart<M>, SnapshotFault> {
    let state_fault = |cause: String| SnapshotFault::State { sequence, cause };
    let short = || state_fault(String::from("it is shorter than its manifest says"));
    let (length, rest) = content.split_first_chunk::<4>().ok_or_else(short)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (manifest, state) = rest.split_at_checked(length).ok_or_else(short)?;
    let manifest = RunManifest::from_bytes(manifest)
        .map_err(|cause| SnapshotFault::Manifest { sequence, cause })?;
    let machine = build(&manifest, state).map_err(state_fault)?;
    Ok(ReplayStart {
        machine,
        manifest,
        sequence,
    })
}
