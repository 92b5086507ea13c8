//! `acth journal snapshot`: the state at the end of a journal, or behind a frame of it, written down.

use std::{path::PathBuf, time::Instant};

use acth_core::{core::Core, strategy::Strategy};
use acth_engine::{
    recover::{self, Recovered},
    replay::{Stepped, Stepper},
    snapshot,
};
use acth_journal::{Place, Reader};
use serde_json::json;

use super::{journal, now_ns, prior};
use crate::{
    args::SnapshotArgs,
    exit::Failure,
    output::{print, print_json},
    summary::{grouped, hex},
};

/// A snapshot that was written.
struct Written {
    sequence: u64,
    state_hash: u64,
    path: PathBuf,
    began_with: Option<u64>,
    replayed_events: u64,
    elapsed_seconds: f64,
}

/// Runs the verb.
///
/// # Errors
/// `CheckFailed` when the journal is damaged or this program decides otherwise than it did.
pub fn run<S: Strategy + Send>(args: &SnapshotArgs) -> Result<(), Failure> {
    let place = Place::from(&args.common.journal);
    let written = match args.at {
        None => at_the_end::<S>(args, &place)?,
        Some(sequence) => behind::<S>(args, &place, sequence)?,
    };
    let hash = hex(written.state_hash);
    if args.common.json {
        return print_json(&json!({
            "sequence": written.sequence, "state_hash": hash,
            "file": written.path.display().to_string(), "began_with": written.began_with,
            "replayed_events": written.replayed_events,
            "elapsed_seconds": written.elapsed_seconds,
        }));
    }
    let from = written.began_with.map_or_else(
        || String::from("the first frame"),
        |sequence| format!("the snapshot behind frame {}", grouped(sequence)),
    );
    print(&format!(
        "  snapshot       behind frame {}, state hash {hash}\n  began with     {from}: {} inputs replayed in {:.3} s\n  file           {}",
        grouped(written.sequence),
        grouped(written.replayed_events),
        written.elapsed_seconds,
        written.path.display()
    ))
}

fn at_the_end<S: Strategy + Send>(args: &SnapshotArgs, place: &Place) -> Result<Written, Failure> {
    let path = &args.common.journal;
    let recovered: Recovered<Core<S>> =
        recover::recover(place, prior::build::<S>).map_err(|error| prior::failure(path, &error))?;
    if !recovered.unfinished.decisions.is_empty() {
        return Err(Failure::could_not(format!(
            "{}: the last run was cut off inside an input; go on with the journal first (`acth run --journal`), or name a \
             frame with --at",
            path.display()
        )));
    }
    let reader = Reader::open_behind(place.clone(), recovered.last_sequence)
        .map_err(|error| journal::failure(path, &error))?;
    let (machine, manifest) = (&recovered.machine, &recovered.manifest);
    let file =
        snapshot::write(place, machine, manifest, &reader, now_ns()).map_err(Failure::could_not)?;
    Ok(Written {
        sequence: recovered.last_sequence,
        state_hash: recovered.state_hash,
        path: file,
        began_with: recovered.snapshot_sequence,
        replayed_events: recovered.replayed_events,
        elapsed_seconds: recovered.elapsed.as_secs_f64(),
    })
}

fn behind<S: Strategy + Send>(
    args: &SnapshotArgs,
    place: &Place,
    sequence: u64,
) -> Result<Written, Failure> {
    let path = &args.common.journal;
    let start = Instant::now();
    let mut begun = recover::start(place, sequence, prior::build::<S>)
        .map_err(|error| prior::failure(path, &error))?;
    let mut stepper = Stepper::new(begun.start);
    while stepper.last_sequence() < sequence || !stepper.is_complete() {
        let stepped = stepper
            .step(&mut begun.reader)
            .map_err(Failure::could_not)?;
        if let Some(divergence) = stepper.first_divergence() {
            return Err(Failure::CheckFailed(format!(
                "{}: this program decides otherwise than the journal says at frame {}",
                path.display(),
                divergence.sequence
            )));
        }
        if stepped == Stepped::Nothing {
            return Err(Failure::could_not(format!(
                "{}: the journal ends before frame {sequence}, or inside the input there",
                path.display()
            )));
        }
    }
    let elapsed_seconds = start.elapsed().as_secs_f64();
    let (machine, manifest) = (stepper.machine(), stepper.manifest());
    let file = snapshot::write(place, machine, manifest, &begun.reader, now_ns())
        .map_err(Failure::could_not)?;
    Ok(Written {
        sequence: stepper.last_sequence(),
        state_hash: machine.state_hash(),
        path: file,
        began_with: begun.snapshot_sequence,
        replayed_events: stepper.events(),
        elapsed_seconds,
    })
}
