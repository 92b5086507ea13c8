//! How a verb ends: an exit code that scripts can rely on, and one sentence for a person.

use std::process::ExitCode;

/// Why a verb did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The check that was asked for failed: a replay diverged, a journal is damaged. Exit code 1.
    #[error("{0}")]
    CheckFailed(String),
    /// The verb could not do its work: bad arguments, configuration, files, host. Exit code 2.
    #[error("{0}")]
    CouldNotRun(String),
}

impl Failure {
    /// A verb that could not do its work, for a reason that says itself where and why.
    pub fn could_not(cause: impl std::fmt::Display) -> Self {
        Self::CouldNotRun(cause.to_string())
    }

    /// The documented exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::CheckFailed(_) => ExitCode::from(1),
            Self::CouldNotRun(_) => ExitCode::from(2),
        }
    }
}
