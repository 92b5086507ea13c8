//! `acth replay`: a journal's inputs run again, every decision compared byte for byte.

use acth_core::{core::Core, strategy::Strategy};
use acth_engine::{
    config::ThreadMode,
    frames::{FrameClass, classify},
    manifest::RunManifest,
    replay::{Divergence, ReplayError, ReplayOptions, ReplayOutcome, replay},
};
use acth_journal::{JournalError, Reader};

use super::{journal, show};
use crate::{
    args::{ReplayArgs, Threads},
    describe,
    exit::Failure,
    registry::{self, Recipe, Registered},
    summary::{self, DivergenceFacts, ReplayFacts, Summary, hex},
};

/// Finds the strategy that wrote the journal and replays with it.
///
/// # Errors
/// As documented for the exit codes.
pub fn run(args: &ReplayArgs, strategies: &[Registered]) -> Result<(), Failure> {
    let name = strategy_of(args)?;
    let known = strategies.iter().find(|strategy| strategy.name() == name);
    match known {
        Some(strategy) => strategy.replay(args),
        None => Err(registry::find(strategies, &name).err().unwrap_or_else(|| {
            Failure::could_not(format!(
                "the journal was written by strategy `{name}`, which this program does not have"
            ))
        })),
    }
}

fn strategy_of(args: &ReplayArgs) -> Result<String, Failure> {
    let fail = |error: &JournalError| journal::failure(&args.journal, error);
    let mut reader = Reader::open(&args.journal).map_err(|error| fail(&error))?;
    let first = reader.next().map_err(|error| fail(&error))?;
    let manifest = first.filter(|frame| classify(frame.kind) == FrameClass::Manifest);
    let Some(frame) = manifest else {
        let place = args.journal.display();
        return Err(Failure::could_not(format!(
            "{place}: the journal does not begin with a run"
        )));
    };
    let manifest = RunManifest::from_bytes(frame.payload).map_err(Failure::could_not)?;
    Ok(manifest.strategy)
}

/// Replays with strategy `S`.
///
/// # Errors
/// `CheckFailed` when a decision differs or the journal is damaged.
pub fn of<S: Strategy + Send>(args: &ReplayArgs) -> Result<(), Failure> {
    let reader =
        Reader::open(&args.journal).map_err(|error| journal::failure(&args.journal, &error))?;
    let build = |manifest: &RunManifest| {
        let recipe = Recipe::<S>::from_manifest(manifest).map_err(|error| error.to_string())?;
        recipe.build().map_err(|error| error.to_string())
    };
    let threads = match args.threads {
        Threads::Single => ThreadMode::Single,
        Threads::Multi => ThreadMode::Multi,
    };
    let outcome =
        replay(reader, build, ReplayOptions { threads }).map_err(|error| failure(args, &error))?;
    show(&summarise(args, &outcome), args.json)?;
    match &outcome.first_divergence {
        None => Ok(()),
        Some(difference) => Err(Failure::CheckFailed(format!(
            "{}: the replay differs from the journal at sequence {}",
            args.journal.display(),
            difference.sequence
        ))),
    }
}

/// A damaged journal is a failed check; what could not be read was not checked.
fn failure(args: &ReplayArgs, error: &ReplayError) -> Failure {
    if let ReplayError::Journal(cause) = error
        && let Some(cause) = cause.downcast_ref::<JournalError>()
    {
        return journal::failure(&args.journal, cause);
    }
    let sentence = format!("{}: {error}", args.journal.display());
    match error {
        ReplayError::Kind { .. }
        | ReplayError::Payload { .. }
        | ReplayError::Event { .. }
        | ReplayError::Order { .. } => Failure::CheckFailed(sentence),
        _ => Failure::CouldNotRun(sentence),
    }
}

fn summarise<S: Strategy>(args: &ReplayArgs, outcome: &ReplayOutcome<Core<S>>) -> Summary {
    let mut summary = summary::of_core("replay", &outcome.machine, outcome.elapsed.as_secs_f64());
    summary.decisions = outcome.decisions;
    summary.decision_hash = hex(outcome.decision_hash_recomputed);
    summary.journal = args.journal.display().to_string();
    summary.replay = Some(ReplayFacts {
        identical: outcome.identical,
        journaled_decision_hash: hex(outcome.decision_hash_journaled),
        unfinished_decisions: outcome.unfinished_decisions,
        first_divergence: outcome.first_divergence.as_ref().map(difference),
    });
    summary
}

fn difference(found: &Divergence) -> DivergenceFacts {
    let text = |decision: &Option<_>| {
        decision
            .as_ref()
            .map_or_else(|| String::from("no decision"), describe::decision_text)
    };
    DivergenceFacts {
        sequence: found.sequence,
        expected: text(&found.journaled),
        came: text(&found.recomputed),
    }
}
