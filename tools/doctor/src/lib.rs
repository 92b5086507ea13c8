//! Looks at a host as a colocation engineer would: what on it would hurt trading, why, and the command that fixes it.
//!
//! A check reads files below the root of a [`Host`] and asks a [`System`] for the few facts that no file tells, so that
//! tests give it a fabricated `/proc` and `/sys`. [`CHECKS`] is the one list of them; [`examine`] runs those that are
//! wanted against a [`Subject`]: the cores, the journal and the settings that a run would use.
//!
//! Invariants: nothing is changed on the host; what cannot be read is `unknown`, never a guess; ids are stable and never
//! used again for something else.

mod check;
mod checks;
mod finding;
mod host;
mod mounts;
mod parse;
mod report;
mod subject;
mod system;

pub use crate::{
    check::{Check, Group},
    checks::CHECKS,
    finding::{Finding, Severity},
    host::{Host, Unreadable},
    report::{Counts, Report, Row},
    subject::{Scheduling, Subject},
    system::{Kernel, Space, System, TimeState},
};

/// An id that no check has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no check is called `{0}`; `acth doctor --list` names them all")]
pub struct UnknownCheck(pub String);

/// The check with this id.
///
/// # Errors
/// When there is none.
pub fn find(id: &str) -> Result<&'static Check, UnknownCheck> {
    CHECKS
        .iter()
        .find(|check| check.id == id)
        .ok_or_else(|| UnknownCheck(id.to_owned()))
}

/// The checks with these ids, in the order of [`CHECKS`]; all of them where `only` is empty, without those in `skip`.
///
/// # Errors
/// When an id is not known.
pub fn select(only: &[String], skip: &[String]) -> Result<Vec<&'static Check>, UnknownCheck> {
    for id in only.iter().chain(skip) {
        find(id)?;
    }
    let has = |list: &[String], check: &Check| list.iter().any(|id| id == check.id);
    let wanted = CHECKS
        .iter()
        .filter(|check| (only.is_empty() || has(only, check)) && !has(skip, check));
    Ok(wanted.collect())
}

/// Runs these checks, one after the other.
pub fn examine(host: &Host, subject: &Subject, checks: &[&'static Check]) -> Report {
    let rows = checks.iter().map(|check| {
        let finding = (check.look)(host, subject).unwrap_or_else(Finding::from);
        Row::new(check, finding)
    });
    Report::new(rows.collect())
}
