//! `acth report`: one page about a journal.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use acth_core::strategy::Strategy;
use acth_journal::{JournalError, Place};
use acth_report::{Ask, ReadBack, ReportError, read};
use serde_json::{Value, json};

use super::{
    journal,
    replay::{self, begin, strategy_of},
};
use crate::{
    args::ReportArgs,
    describe::decision_text,
    exit::Failure,
    output::{print, print_json},
    progress::{Moment, with_display},
    registry::Registered,
    summary::grouped,
};

/// Finds the strategy that wrote the journal and reports with it.
///
/// # Errors
/// As documented for the exit codes.
pub fn run(args: &ReportArgs, strategies: &[Registered]) -> Result<(), Failure> {
    strategy_of(&args.journal, strategies)?.report(args)
}

/// Reports with strategy `S`.
///
/// # Errors
/// `CheckFailed` when a decision differs or the journal is damaged; the page is written all the same, if the journal can be read as
/// far as its first run.
pub fn of<S: Strategy + Send + 'static>(args: &ReportArgs) -> Result<(), Failure> {
    let begun = begin::<S>(&args.journal, None)?;
    let ask = Ask {
        place: Place::from(&args.journal),
        name: args.journal.display().to_string(),
        every_ns: args.every,
        describe: decision_text,
    };
    let (done, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let look = || Moment {
        done: done.load(Ordering::Relaxed),
        total: total.load(Ordering::Relaxed),
        words: String::from("reading latencies, then replaying"),
    };
    let tell = |done_now, total_now| {
        done.store(done_now, Ordering::Relaxed);
        total.store(total_now, Ordering::Relaxed);
    };
    let found = with_display(args.json, look, || read(begun, &ask, &tell));
    let found: ReadBack<S> = found.map_err(|error| match error {
        ReportError::Replay(error) => replay::failure(&args.journal, &error),
    })?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| default_output(&args.journal));
    let page = found.report.to_html();
    fs::write(&output, &page)
        .map_err(|error| Failure::could_not(format!("{}: {error}", output.display())))?;
    show(args, &found, &output, page.len())?;
    end(&args.journal, &output, &found)
}

/// The journal's own name, so that reports of several do not replace each other.
fn default_output(journal: &Path) -> PathBuf {
    let whole = journal.canonicalize();
    let name = whole.as_deref().unwrap_or(journal).file_name();
    let mut name = name.unwrap_or_else(|| "report".as_ref()).to_owned();
    name.push(".html");
    PathBuf::from(name)
}

fn show<S: Strategy + Send>(
    args: &ReportArgs,
    found: &ReadBack<S>,
    output: &Path,
    bytes: usize,
) -> Result<(), Failure> {
    let report = &found.report;
    if args.json {
        let mut summary =
            replay::summarise(&args.journal, &found.outcome, report.snapshot_sequence());
        summary.verb = "report";
        let mut value = serde_json::to_value(&summary).map_err(Failure::could_not)?;
        if let Value::Object(fields) = &mut value {
            let facts = json!({
                "path": output.display().to_string(), "bytes": bytes, "points": report.point_count(),
                "step_ns": report.step_ns(), "damage": found.damage.as_ref().map(ToString::to_string),
            });
            fields.insert(String::from("report"), facts);
        }
        return print_json(&value);
    }
    let verdict = if report.is_identical() { "yes" } else { "NO" };
    print(&format!(
        "  report         {} ({} bytes)\n  samples        {} every {} s\n  decisions      {} ({} orders)\n  identical      {verdict}\n",
        output.display(),
        grouped(bytes as u64),
        grouped(report.point_count() as u64),
        report.step_ns() as f64 / 1e9,
        grouped(found.outcome.decisions),
        grouped(found.outcome.machine.stats().orders),
    ))
}

/// The page is there; what it found decides how the verb ends.
fn end<S: Strategy>(path: &Path, output: &Path, found: &ReadBack<S>) -> Result<(), Failure> {
    let page = output.display();
    if let Some(difference) = &found.outcome.first_divergence {
        return Err(Failure::CheckFailed(format!(
            "{}: the replay differs from the journal at sequence {}; see {page}",
            path.display(),
            difference.sequence
        )));
    }
    match &found.damage {
        None => Ok(()),
        Some(fault) => Err(match fault.downcast_ref::<JournalError>() {
            Some(error) => journal::failure(path, error),
            None => Failure::CheckFailed(format!("{}: {fault}; see {page}", path.display())),
        }),
    }
}
