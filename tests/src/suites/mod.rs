//! The test programme of the journal's storage as functions: each runs its amount and says what it did, or what it found.
//!
//! Functions and not tests, so that the suite `sabotage` can run them on a journal with a planted bug and see them fail.

pub mod corruption;
pub mod crash;
pub mod faults;
pub mod following;
pub mod format;
pub mod frames;
pub mod fuzz;
pub mod script;
pub mod twin;

use std::fmt;

/// A suite that found nothing.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name.
    pub suite: &'static str,
    /// How many cases it ran.
    pub cases: u64,
    /// The seed that it used.
    pub seed: u64,
    /// What the cases were.
    pub detail: String,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            suite,
            cases,
            seed,
            detail,
        } = self;
        let bound = 3.0 / (*cases).max(1) as f64;
        write!(
            formatter,
            "{suite}: {cases} cases, 0 failures, seed {seed}: {detail}; at 95 % confidence fewer than 3/{cases} = \
             {bound:.7} of all cases fail"
        )
    }
}

/// A suite that found something.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Cases before it, itself included.
    pub cases: u64,
    /// What was found.
    pub what: String,
    /// A command that finds it again.
    pub again: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, what, again } = self;
        write!(formatter, "case {cases}: {what}\nagain: {again}")
    }
}

/// A number from the environment.
///
/// # Panics
/// When it is there and no number.
pub fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(cause) => panic!("{variable}={text}: {cause}"),
    }
}
