//! `acth latency`: what took how long, from any journal.

mod fit;

use std::path::Path;

use acth_latency::{By, LatencyError, Measured, Row, WrittenFile, duration_text, measure};
use serde_json::{Value, json};

use super::journal::{failure, with_progress};
use crate::{
    args::{LatencyArgs, LatencyBy, LatencyVerb},
    exit::Failure,
    output::{print, print_json},
    summary::grouped,
};

/// Runs the verb.
///
/// # Errors
/// `CheckFailed` when the journal is damaged, `CouldNotRun` when it cannot be read or a file cannot be written.
pub fn run(args: &LatencyArgs) -> Result<(), Failure> {
    match (&args.verb, &args.journal) {
        (Some(LatencyVerb::Fit(args)), _) => fit::run(args),
        (None, Some(journal)) => show(args, journal),
        (None, None) => Err(Failure::could_not(
            "which journal? See `acth latency --help`",
        )),
    }
}

fn show(args: &LatencyArgs, journal: &Path) -> Result<(), Failure> {
    let measured = read(journal, args.json)?;
    let by = match args.by {
        LatencyBy::Stage => By::Stage,
        LatencyBy::Venue => By::Venue,
        LatencyBy::Kind => By::Kind,
    };
    let rows = measured.rows(by);
    let files = match &args.hgrm {
        Some(directory) => acth_latency::write_files(directory, &measured, &rows)
            .map_err(|error| explain(journal, error))?,
        None => Vec::new(),
    };
    if args.json {
        return print_json(&as_json(journal, &measured, &rows, &files));
    }
    print(&as_text(journal, &measured, &rows, &files))
}

/// One pass over the journal, behind a progress bar.
fn read(journal: &Path, is_json: bool) -> Result<Measured, Failure> {
    with_progress(is_json, "frames read", |tell| measure(journal, tell))
        .map_err(|error| explain(journal, error))
}

fn explain(journal: &Path, error: LatencyError) -> Failure {
    match error {
        LatencyError::Journal(error) => failure(journal, &error),
        LatencyError::Manifest(_) => Failure::could_not(format!("{}: {error}", journal.display())),
        other => Failure::could_not(other),
    }
}

/// What must be known to read the numbers.
fn notes(measured: &Measured, rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    if measured.has_event_time() {
        notes.push(String::from(
            "a run went by the time of its data (a backtest): of that run only feed, order and cancel rows are told, as the data and \
             the paper venue have them; how long this program took is not in such a journal",
        ));
    }
    if measured.unstamped > 0 {
        notes.push(format!(
            "{} commands carry no stamps of the core (written by an older version): apply, publish and send lack them",
            grouped(measured.unstamped)
        ));
    }
    let below = rows.iter().filter(|row| row.negative > 0);
    let mut stages: Vec<&str> = below.clone().map(|row| row.stage.name()).collect();
    stages.dedup();
    if !stages.is_empty() {
        notes.push(format!(
            "{} durations were below zero and count as zero ({}): the venue's clock and ours disagree, or a paper venue delivered its \
             reports at the end of a run before they were due",
            grouped(below.map(|row| row.negative).sum()),
            stages.join(", ")
        ));
    }
    if measured.decode_saturated > 0 {
        notes.push(format!(
            "{} messages took {} or more to be decoded, the longest that the stamp can tell",
            grouped(measured.decode_saturated),
            duration_text(acth_core::event::DECODE_NS_MAX.unsigned_abs())
        ));
    }
    if measured.lost > 0 {
        notes.push(format!(
            "{} commands and answers never found their other half",
            grouped(measured.lost)
        ));
    }
    if rows.is_empty() {
        notes.push(String::from("the journal tells no duration"));
    }
    notes
}

fn as_json(journal: &Path, measured: &Measured, rows: &[Row], files: &[WrittenFile]) -> Value {
    let list = rows.iter().map(|row| {
        let at = |quantile| row.histogram.value_at_quantile(quantile);
        json!({
            "stage": row.stage.name(), "venue": row.venue, "kind": row.kind.map(|kind| kind.name()),
            "count": row.histogram.len(), "negative": row.negative,
            "min_ns": row.histogram.min(), "p50_ns": at(0.5), "p90_ns": at(0.9), "p99_ns": at(0.99),
            "p999_ns": at(0.999), "max_ns": row.histogram.max(),
        })
    });
    let runs = measured.runs.iter().map(|run| {
        json!({
            "run": run.run, "clock": run.clock, "started_ns": run.started_ns,
            "config_hash": run.config_hash,
        })
    });
    let files = files
        .iter()
        .map(|file| json!({"path": file.path.display().to_string(), "bytes": file.bytes}));
    json!({
        "journal": journal.display().to_string(), "frames": measured.frames,
        "first_sequence": measured.sequences.map(|(first, _)| first),
        "last_sequence": measured.sequences.map(|(_, last)| last),
        "runs": runs.collect::<Vec<_>>(), "rows": list.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(), "notes": notes(measured, rows),
    })
}

fn as_text(journal: &Path, measured: &Measured, rows: &[Row], files: &[WrittenFile]) -> String {
    let mut text = format!(
        "  journal        {}\n  read           {} frames of {} runs\n",
        journal.display(),
        grouped(measured.frames),
        measured.runs.len()
    );
    for note in notes(measured, rows) {
        text += &format!("  note           {note}\n");
    }
    if !rows.is_empty() {
        text += &table(rows);
        text += &format!("\n{}", acth_latency::plot(&measured.rows(By::Stage)));
    }
    if let Some(first) = files.first() {
        let directory = first.path.parent().unwrap_or(Path::new("."));
        text += &format!(
            "\n  files          {} into {}\n",
            files.len(),
            directory.display()
        );
    }
    text
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "\n  {:<13} {:<13} {:<12} {:>11} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
        "stage", "venue", "message", "count", "p50", "p90", "p99", "p99.9", "max"
    );
    for row in rows {
        let at = |quantile| duration_text(row.histogram.value_at_quantile(quantile));
        text += &format!(
            "  {:<13} {:<13} {:<12} {:>11} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
            row.stage.name(),
            row.venue.as_deref().unwrap_or("all"),
            row.kind.map_or("all", |kind| kind.name()),
            grouped(row.histogram.len()),
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            duration_text(row.histogram.max())
        );
    }
    text
}
