//! `acth replay`: a journal's inputs run again, every decision compared byte for byte.

use std::path::Path;

use acth_core::{core::Core, strategy::Strategy};
use acth_engine::{
    config::ThreadMode,
    recover::{self, Begun, RecoverError, first_manifest},
    replay::{Divergence, ReplayError, ReplayOptions, ReplayOutcome, replay_from},
};
use acth_journal::{JournalError, Place};

use super::{journal, prior, show};
use crate::{
    args::{ReplayArgs, Threads},
    describe,
    exit::Failure,
    registry::{Registered, Runner},
    summary::{self, DivergenceFacts, ReplayFacts, Summary, hex},
};

/// Finds the strategy that wrote the journal and replays with it.
///
/// # Errors
/// As documented for the exit codes.
pub fn run(args: &ReplayArgs, strategies: &[Registered]) -> Result<(), Failure> {
    strategy_of(&args.journal, strategies)?.replay(args)
}

/// The strategy that wrote a journal.
///
/// # Errors
/// When the journal has no run, or this program does not have the strategy.
pub fn strategy_of<'a>(
    path: &Path,
    strategies: &'a [Registered],
) -> Result<&'a dyn Runner, Failure> {
    let manifest = match first_manifest(&Place::from(path)) {
        Ok(manifest) => manifest,
        Err(RecoverError::Replay(ReplayError::Empty | ReplayError::NoManifest { .. })) => {
            return Err(Failure::could_not(format!(
                "{}: the journal does not begin with a run",
                path.display()
            )));
        }
        Err(error) => return Err(prior::failure(path, &error)),
    };
    let known = strategies
        .iter()
        .find(|strategy| strategy.name() == manifest.strategy);
    match known {
        Some(strategy) => Ok(&**strategy),
        None => {
            let names: Vec<&str> = strategies.iter().map(|strategy| strategy.name()).collect();
            Err(Failure::could_not(format!(
                "{}: written by strategy `{}`, which this program does not have; it has {}",
                path.display(),
                manifest.strategy,
                names.join(", ")
            )))
        }
    }
}

/// Where the replay begins: the first frame, or a snapshot where that was asked for or the first frames are gone.
///
/// # Errors
/// When the journal is damaged there or no core can be built.
pub fn begin<S: Strategy + Send>(
    path: &Path,
    from: Option<u64>,
) -> Result<Begun<Core<S>>, Failure> {
    let place = Place::from(path);
    let fail = |error: &RecoverError| prior::failure(path, error);
    let is_pruned = acth_journal::info(path)
        .map_err(|error| journal::failure(path, &error))?
        .segments
        .first()
        .is_some_and(|segment| segment.first_sequence > 1);
    let until = match from {
        Some(until) => until,
        None if is_pruned => recover::oldest_snapshot(&place).map_err(|error| fail(&error))?,
        None => 0,
    };
    recover::start(&place, until, prior::build::<S>).map_err(|error| fail(&error))
}

/// Replays with strategy `S`.
///
/// # Errors
/// `CheckFailed` when a decision differs or the journal is damaged.
pub fn of<S: Strategy + Send>(args: &ReplayArgs) -> Result<(), Failure> {
    let begun = begin::<S>(&args.journal, args.from)?;
    let snapshot = begun.snapshot_sequence;
    let threads = match args.threads {
        Threads::Single => ThreadMode::Single,
        Threads::Dual => ThreadMode::Dual,
        Threads::Multi => ThreadMode::Multi,
    };
    let outcome = replay_from(begun.reader, begun.start, ReplayOptions { threads })
        .map_err(|error| failure(&args.journal, &error))?;
    show(&summarise(&args.journal, &outcome, snapshot), args.json)?;
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
pub fn failure(path: &Path, error: &ReplayError) -> Failure {
    if let ReplayError::Journal(cause) = error
        && let Some(cause) = cause.downcast_ref::<JournalError>()
    {
        return journal::failure(path, cause);
    }
    let sentence = format!("{}: {error}", path.display());
    match error {
        ReplayError::Kind { .. }
        | ReplayError::Payload { .. }
        | ReplayError::Event { .. }
        | ReplayError::Order { .. } => Failure::CheckFailed(sentence),
        _ => Failure::CouldNotRun(sentence),
    }
}

/// The outcome as the facts of a summary.
pub fn summarise<S: Strategy>(
    path: &Path,
    outcome: &ReplayOutcome<Core<S>>,
    snapshot_sequence: Option<u64>,
) -> Summary {
    let mut summary = summary::of_core("replay", &outcome.machine, outcome.elapsed.as_secs_f64());
    summary.decisions = outcome.decisions;
    summary.decision_hash = hex(outcome.decision_hash_recomputed);
    summary.journal = path.display().to_string();
    summary.replay = Some(ReplayFacts {
        identical: outcome.identical,
        snapshot_sequence,
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
