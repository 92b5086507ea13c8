//! Frames checked on their way to the core: in place, or brought to one size for a ring.

use acth_core::event::EVENT_BYTES;

use super::ReplayError;
use crate::{
    frames::{self, FrameClass, MANIFEST_KIND},
    journal::{FrameView, Frames},
    manifest::RunManifest,
};

/// One frame on its way through a ring. Manifests come without their bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) sequence: u64,
    pub(super) time_ns: i64,
    pub(super) cause: u64,
    pub(super) kind: u16,
    pub(super) payload: [u8; EVENT_BYTES],
}

impl Item {
    pub(super) const EMPTY: Self = Self {
        sequence: 0,
        time_ns: 0,
        cause: 0,
        kind: 0,
        payload: [0; EVENT_BYTES],
    };

    /// A copy of a frame.
    ///
    /// # Errors
    /// When the frame is none of the engine's, or its payload has not the size of its kind.
    pub(super) fn of(frame: &FrameView<'_>) -> Result<Self, ReplayError> {
        let (sequence, kind) = (frame.sequence, frame.kind);
        let payload = match frames::classify(kind) {
            FrameClass::Input(_) | FrameClass::Decision(_) => frame.payload.try_into(),
            FrameClass::Manifest => Ok(Self::EMPTY.payload),
            FrameClass::Unknown(kind) => return Err(ReplayError::Kind { sequence, kind }),
        };
        Ok(Self {
            sequence,
            time_ns: frame.time_ns,
            cause: frame.cause,
            kind,
            payload: payload.map_err(|_| ReplayError::Payload { sequence, kind })?,
        })
    }

    /// The frame again.
    pub(super) fn view(&self) -> FrameView<'_> {
        FrameView {
            sequence: self.sequence,
            time_ns: self.time_ns,
            cause: self.cause,
            kind: self.kind,
            payload: &self.payload,
        }
    }
}

/// Takes frames in and refuses whatever is not the engine's.
#[derive(Debug)]
pub(super) struct FrameGate {
    manifest: RunManifest,
    pub(super) runs: u64,
    pub(super) last_sequence: u64,
}

impl FrameGate {
    /// Reads the first frame, which must be a manifest.
    pub(super) fn open<F: Frames>(frames: &mut F) -> Result<(Self, RunManifest), ReplayError> {
        let first = frames.next().map_err(ReplayError::Journal)?;
        let first = first.ok_or(ReplayError::Empty)?;
        if first.kind != MANIFEST_KIND {
            return Err(ReplayError::NoManifest {
                sequence: first.sequence,
                kind: first.kind,
            });
        }
        let manifest = read_manifest(&first)?;
        let gate = Self {
            manifest: manifest.clone(),
            runs: 1,
            last_sequence: first.sequence,
        };
        Ok((gate, manifest))
    }

    /// A gate behind a frame: what comes before it is in the state that goes on from there.
    pub(super) fn behind(sequence: u64, manifest: &RunManifest) -> Self {
        Self {
            manifest: manifest.clone(),
            runs: 1,
            last_sequence: sequence,
        }
    }

    /// The next frame; `None` at the end.
    // Always, as `Reader::next` is.
    #[inline(always)]
    pub(super) fn next<'a, F: Frames>(
        &mut self,
        frames: &'a mut F,
    ) -> Result<Option<FrameView<'a>>, ReplayError> {
        let Some(frame) = frames.next().map_err(ReplayError::Journal)? else {
            return Ok(None);
        };
        let expected = self.last_sequence + 1;
        if frame.sequence != expected {
            let came = frame.sequence;
            return Err(ReplayError::Order { expected, came });
        }
        self.last_sequence = expected;
        if frame.kind >= MANIFEST_KIND {
            self.look_at_run(frame)?;
        }
        Ok(Some(frame))
    }

    /// A manifest, or what this version does not know; the player refuses what looks like an input or a decision and is none.
    #[cold]
    #[inline(never)]
    fn look_at_run(&mut self, frame: FrameView<'_>) -> Result<(), ReplayError> {
        match frames::classify(frame.kind) {
            FrameClass::Manifest => self.go_on(&frame),
            _ => Err(ReplayError::Kind {
                sequence: frame.sequence,
                kind: frame.kind,
            }),
        }
    }

    /// A later run in the same journal: it must be the same machine.
    fn go_on(&mut self, frame: &FrameView<'_>) -> Result<(), ReplayError> {
        let manifest = read_manifest(frame)?;
        if !manifest.builds_same_machine(&self.manifest) {
            return Err(ReplayError::ManifestChanged(frame.sequence));
        }
        self.runs += 1;
        Ok(())
    }
}

fn read_manifest(frame: &FrameView<'_>) -> Result<RunManifest, ReplayError> {
    RunManifest::from_bytes(frame.payload).map_err(|cause| ReplayError::Manifest {
        sequence: frame.sequence,
        cause,
    })
}
