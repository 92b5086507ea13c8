//! `acth doctor`: looks at the host with the eyes of a run by this configuration. The checks are `acth-doctor`'s; here the
//! configuration becomes what they look for.

use std::path::PathBuf;

use acth_doctor::{
    CHECKS, Check, Host, Report, Scheduling, Severity, Subject, examine, find, select,
};
use acth_engine::placement::{self, allowed_cores};

use super::run::default_threads;
use crate::{
    args::{DoctorArgs, Threads},
    config::{Config, Purpose},
    exit::Failure,
    output::{print, print_json},
};

/// Runs the verb.
///
/// # Errors
/// As documented for the exit codes: a bad finding fails the check.
pub fn run(args: &DoctorArgs) -> Result<(), Failure> {
    if let Some(id) = &args.explain {
        return explain(find(id).map_err(Failure::could_not)?);
    }
    if args.list {
        return print(&list());
    }
    let checks = select(&args.only, &args.skip).map_err(Failure::could_not)?;
    let mut config = Config::load(args.config.as_deref())?;
    if let Some(journal) = &args.journal {
        config.journal.directory = journal.display().to_string();
    }
    if let Some(interface) = &args.interface {
        config.host.interface.clone_from(interface);
    }
    let threads = args.threads.unwrap_or_else(default_threads);
    let journal = PathBuf::from(&config.journal.directory);
    let report = examine(&Host::here(), &subject(&config, threads, journal)?, &checks);
    if args.json {
        print_json(&report)?;
    } else {
        print(&report.to_string())?;
    }
    match report.ids(Severity::Bad).as_slice() {
        [] => Ok(()),
        bad => Err(Failure::CheckFailed(format!(
            "this host would hurt trading: {}; `acth doctor --explain ID` says more",
            bad.join(", ")
        ))),
    }
}

/// Looks at the host before a run goes live. `asked` is what `--check` was given: nothing, or ids separated by commas. Gives
/// the findings that a run may go on with and its operator should know.
///
/// # Errors
/// One sentence that names the checks which forbid the run.
pub(super) fn admit(
    config: &Config,
    threads: Threads,
    journal: PathBuf,
    asked: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let asked_ids = asked.unwrap_or_default().split(',').map(str::trim);
    let mut named: Vec<String> = asked_ids
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect();
    let wants_all = asked.is_some() && named.is_empty();
    named.extend_from_slice(&config.host.required);
    if named.is_empty() && !wants_all {
        return Ok(Vec::new());
    }
    let only: &[String] = if wants_all { &[] } else { &named };
    let checks = select(only, &[]).map_err(Failure::could_not)?;
    let report = examine(&Host::here(), &subject(config, threads, journal)?, &checks);
    let forbids = |id: &str, severity| match severity {
        Severity::Bad => true,
        Severity::Unknown => named.iter().any(|name| name == id),
        Severity::Ok | Severity::Note | Severity::Warn => false,
    };
    let against = report
        .checks
        .iter()
        .filter(|row| forbids(row.id, row.severity));
    let against: Vec<String> = against
        .map(|row| format!("{} ({})", row.id, row.finding))
        .collect();
    if against.is_empty() {
        return Ok(warnings(&report));
    }
    Err(Failure::could_not(format!(
        "the run did not go live, since this host failed: {}; `acth doctor` says why each matters and what fixes it",
        against.join(", ")
    )))
}

/// What costs something and does not forbid a run.
fn warnings(report: &Report) -> Vec<String> {
    let rows = report
        .checks
        .iter()
        .filter(|row| row.severity == Severity::Warn);
    rows.map(|row| format!("host: {}: {}", row.id, row.finding))
        .collect()
}

/// What a run by this configuration would use of the host.
fn subject(config: &Config, threads: Threads, journal: PathBuf) -> Result<Subject, Failure> {
    let thread_count = match threads {
        Threads::Single => 1,
        Threads::Multi => 3,
        Threads::Dual => 2,
    };
    let chosen = &config.engine.cores;
    let are_cores_chosen = !chosen.is_empty();
    let cores = if are_cores_chosen {
        chosen.iter().copied().take(thread_count).collect()
    } else {
        automatic(thread_count)
    };
    let options = config.journal.options(Purpose::Run, None)?;
    let segment_bytes = options.segment_bytes;
    Ok(Subject {
        cores,
        are_cores_chosen,
        thread_count,
        scheduling: match config.engine.scheduling()? {
            placement::Scheduling::Normal => Scheduling::Normal,
            placement::Scheduling::Nice => Scheduling::Nice,
            placement::Scheduling::Fifo(_) => Scheduling::Fifo,
        },
        busy_poll_us: config.engine.busy_poll_us,
        journal,
        segment_bytes,
        space_low_bytes: options
            .space_low_bytes
            .unwrap_or(segment_bytes.saturating_mul(8)),
        space_out_bytes: options
            .space_out_bytes
            .unwrap_or(segment_bytes.saturating_mul(2)),
        interface: Some(config.host.interface.clone()).filter(|name| !name.is_empty()),
    })
}

/// The cores that the engine chooses by itself: the last ones, or none if there are too few.
fn automatic(thread_count: usize) -> Vec<usize> {
    let allowed = allowed_cores();
    if allowed.len() < thread_count {
        return Vec::new();
    }
    allowed.into_iter().rev().take(thread_count).collect()
}

fn explain(check: &Check) -> Result<(), Failure> {
    print(&format!(
        "{} ({})\n\n{}.\n\n{}\n",
        check.id,
        check.group.name(),
        capital(check.why),
        check.explain
    ))
}

fn list() -> String {
    let lines = CHECKS.iter().map(|check| {
        format!(
            "{:<11} {:<22} {}\n",
            check.group.name(),
            check.id,
            check.why
        )
    });
    lines.collect()
}

/// The sentence with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
