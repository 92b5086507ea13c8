//! A journal read twice: once for its latencies, once through the core.

use acth_core::{core::Core, decision::Decision, strategy::Strategy};
use acth_engine::{
    config::ThreadMode,
    journal::{FrameView, Frames, JournalFault},
    recover::Begun,
    replay::{ReplayOptions, ReplayOutcome, ReplayStart, replay_from},
};
use acth_journal::{Place, Reader};
use acth_latency::{Measured, measure};

use crate::{
    error::ReportError,
    observed::{Observed, Seen},
    report::{Difference, Report},
    sampling::Sampler,
};

/// Frames between two words about the progress.
const PROGRESS_FRAMES: u64 = 4096;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where the journal is.
    pub place: Place,
    /// How the page calls it.
    pub name: String,
    /// The step of the samples, ns; `None` = one that suits the journal.
    pub every_ns: Option<i64>,
    /// A decision in words, for the first difference.
    pub describe: fn(&Decision) -> String,
}

/// What the journal gave.
#[derive(Debug)]
pub struct ReadBack<S> {
    /// The page's content.
    pub report: Report,
    /// What the replay came to.
    pub outcome: ReplayOutcome<Core<S>>,
    /// Where the journal is damaged, if it is: the report is about what stands before.
    pub damage: Option<JournalFault>,
}

/// Reads the journal up to where it ends now; `progress` is told frames done and in all, of both passes together.
///
/// # Errors
/// When a frame cannot be replayed. Damage and decisions that differ are part of the report.
pub fn read<S: Strategy + Send + 'static>(
    begun: Begun<Core<S>>,
    ask: &Ask,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<ReadBack<S>, ReportError> {
    let first = begun.start.sequence + 1;
    let mut tell = |done, total: u64| progress(done, total.saturating_mul(2));
    let measured = measure(ask.place.clone(), &mut tell).map_err(|error| error.to_string());
    let until = measured.as_ref().ok().and_then(last_sequence);
    let span_ns = measured.as_ref().ok().and_then(|found| found.span_ns);
    let span_ns = span_ns.map_or(0, |(start_ns, final_ns)| final_ns.saturating_sub(start_ns));
    let mut damage = None;
    let frames = Bounded {
        reader: begun.reader,
        first,
        until: until.unwrap_or(u64::MAX),
        damage: &mut damage,
        progress,
    };
    let start = ReplayStart {
        machine: Observed {
            core: begun.start.machine,
            seen: Seen::new(Sampler::new(ask.every_ns, span_ns)),
        },
        manifest: begun.start.manifest,
        sequence: begun.start.sequence,
    };
    let options = ReplayOptions {
        threads: ThreadMode::Single,
    };
    let outcome = replay_from(frames, start, options)?;
    let (outcome, mut seen) = apart(outcome);
    if let Some((_, final_ns)) = seen.span_ns {
        seen.sampler.end(&outcome.machine, final_ns);
    }
    let difference = outcome.first_divergence.as_ref().map(|found| {
        let text = |decision: &Option<Decision>| {
            decision
                .as_ref()
                .map_or_else(|| String::from("no decision"), ask.describe)
        };
        Difference {
            sequence: found.sequence,
            cause: found.cause,
            expected: text(&found.journaled),
            came: text(&found.recomputed),
        }
    });
    let mut report = Report::new(&outcome, seen, measured);
    report.journal.clone_from(&ask.name);
    report.difference = difference;
    report.damage = damage.as_ref().map(ToString::to_string);
    report.snapshot_sequence = begun.snapshot_sequence;
    Ok(ReadBack {
        report,
        outcome,
        damage,
    })
}

fn last_sequence(measured: &Measured) -> Option<u64> {
    measured.sequences.map(|(_, last)| last)
}

/// The outcome about the core alone, and what was seen of it.
fn apart<S>(outcome: ReplayOutcome<Observed<S>>) -> (ReplayOutcome<Core<S>>, Seen) {
    let Observed { core, seen } = outcome.machine;
    let outcome = ReplayOutcome {
        machine: core,
        manifest: outcome.manifest,
        runs: outcome.runs,
        identical: outcome.identical,
        first_divergence: outcome.first_divergence,
        decision_hash_journaled: outcome.decision_hash_journaled,
        decision_hash_recomputed: outcome.decision_hash_recomputed,
        state_hash: outcome.state_hash,
        events: outcome.events,
        decisions: outcome.decisions,
        market_messages: outcome.market_messages,
        book_rows: outcome.book_rows,
        unfinished_decisions: outcome.unfinished_decisions,
        open: outcome.open,
        last_sequence: outcome.last_sequence,
        elapsed: outcome.elapsed,
    };
    (outcome, seen)
}

/// Frames up to a sequence or to damage, whichever comes first.
struct Bounded<'a> {
    reader: Reader,
    first: u64,
    until: u64,
    damage: &'a mut Option<JournalFault>,
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl Frames for Bounded<'_> {
    fn next(&mut self) -> Result<Option<FrameView<'_>>, JournalFault> {
        let sequence = self.reader.next_sequence();
        if self.damage.is_some() || sequence > self.until {
            return Ok(None);
        }
        if sequence.is_multiple_of(PROGRESS_FRAMES) && self.until != u64::MAX {
            let total = (self.until + 1).saturating_sub(self.first);
            let done = total + sequence.saturating_sub(self.first);
            (self.progress)(done, total.saturating_mul(2));
        }
        match Frames::next(&mut self.reader) {
            Ok(frame) => Ok(frame),
            Err(fault) => {
                *self.damage = Some(fault);
                Ok(None)
            }
        }
    }
}
