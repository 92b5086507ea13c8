//! One pass over a journal, wherever and in whatever state it is.

use acth_core::{decision::Decision, event::Event, instrument::Instruments};
use acth_engine::{
    frames::{FrameClass, classify},
    manifest::RunManifest,
    recover::first_manifest,
};
use acth_journal::{Frame, Place, Reader, SegmentInfo, info};
use zerocopy::FromBytes;

use crate::{
    error::LatencyError,
    measured::{Measured, RunFacts},
    tracker::Tracker,
};

/// Frames between two words about the progress.
const PROGRESS_FRAMES: u64 = 4096;

/// Reads the journal at `place` from its first frame to where it ends now; `progress` is told frames done and in all.
///
/// # Errors
/// When the journal is damaged, or a manifest cannot be read.
pub fn measure(
    place: impl Into<Place>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Measured, LatencyError> {
    let place = place.into();
    let segments = info(place.clone())?.segments;
    let first = segments.first().map_or(1, |segment| segment.first_sequence);
    let until = last_sequence(&place, &segments)?;
    let total = until.saturating_add(1).saturating_sub(first);
    let mut reader = Reader::open(place.clone())?;
    let mut tracker = Tracker::new();
    if first > 1 {
        // The first segments were pruned; the run that they began is in a snapshot.
        let manifest = first_manifest(&place);
        let manifest = manifest.map_err(|error| LatencyError::Manifest(error.to_string()))?;
        begin_run(&mut tracker, segments[0].run_id, &manifest)?;
    }
    progress(0, total);
    while reader.next_sequence() <= until {
        // The segment's run is known once its frame was read.
        let Some(frame) = reader.next()? else { break };
        let manifest = take(&mut tracker, &frame)?;
        if let Some(manifest) = manifest {
            let run = reader.run_id();
            begin_run(&mut tracker, run, &manifest)?;
        }
        if tracker.measured.frames.is_multiple_of(PROGRESS_FRAMES) {
            progress(tracker.measured.frames, total);
        }
    }
    progress(tracker.measured.frames, total);
    let mut measured = tracker.finish();
    measured.chain = reader.chain();
    Ok(measured)
}

/// Gives one frame to the tracker; a manifest is given back.
fn take(tracker: &mut Tracker, frame: &Frame<'_>) -> Result<Option<RunManifest>, LatencyError> {
    let measured = &mut tracker.measured;
    measured.frames += 1;
    let (sequence, time_ns) = (frame.sequence, frame.time_ns);
    let first = measured.sequences.map_or(sequence, |(first, _)| first);
    measured.sequences = Some((first, sequence));
    match classify(frame.kind) {
        FrameClass::Input(kind) => {
            note_time(measured, time_ns);
            if let Ok(event) = Event::read_from_bytes(frame.payload)
                && event.kind == kind as u8
            {
                tracker.input(sequence, time_ns, &event);
            }
        }
        FrameClass::Decision(_) => {
            if let Ok(decision) = Decision::read_from_bytes(frame.payload) {
                tracker.decision(sequence, frame.cause, &decision);
            }
        }
        FrameClass::Manifest => {
            let refuse = |error| LatencyError::Manifest(format!("frame {sequence}: {error}"));
            return RunManifest::from_bytes(frame.payload)
                .map(Some)
                .map_err(refuse);
        }
        FrameClass::Unknown(_) => {}
    }
    Ok(None)
}

fn note_time(measured: &mut Measured, time_ns: i64) {
    let (first_ns, last_ns) = measured.span_ns.unwrap_or((time_ns, time_ns));
    measured.span_ns = Some((first_ns.min(time_ns), last_ns.max(time_ns)));
}

fn begin_run(tracker: &mut Tracker, run: u64, manifest: &RunManifest) -> Result<(), LatencyError> {
    let instruments = manifest.core.pointer("/core/instruments").cloned();
    let refuse = |error| LatencyError::Manifest(format!("instruments: {error}"));
    let instruments: Option<Instruments> = instruments
        .map(serde_json::from_value)
        .transpose()
        .map_err(refuse)?;
    tracker.measured.runs.push(RunFacts {
        run,
        clock: manifest.clock,
        started_ns: manifest.started_ns,
        config_hash: manifest.config_hash.clone(),
    });
    tracker.begin_run(manifest.clock, instruments.as_ref());
    Ok(())
}

/// The last sequence that is there now: the end of the pass, however long it takes.
fn last_sequence(place: &Place, segments: &[SegmentInfo]) -> Result<u64, LatencyError> {
    let last = segments.last().map_or(1, |segment| segment.first_sequence);
    let is_only = segments.len() < 2;
    let mut reader = if is_only {
        Reader::open(place.clone())?
    } else {
        Reader::open_behind(place.clone(), last - 1)?
    };
    while reader.next()?.is_some() {}
    Ok(reader.next_sequence() - 1)
}
