//! What a check found, and how much it matters.

use serde::Serialize;

use crate::host::Unreadable;

/// How much a finding matters. The order is that of gravity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing to do, or nothing that can be done on this machine.
    Note,
    /// It could not be read, so nothing is claimed.
    Unknown,
    /// It costs something.
    Warn,
    /// It would hurt trading.
    Bad,
}

impl Severity {
    /// Its name in the table and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What was found, in one sentence without its full stop.
    pub text: String,
    /// The command that changes it, where there is one.
    pub fix: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(text: impl Into<String>) -> Self {
        Self::new(Severity::Ok, text, None)
    }

    /// Worth knowing.
    pub fn note(text: impl Into<String>) -> Self {
        Self::new(Severity::Note, text, None)
    }

    /// It could not be read.
    pub fn unknown(text: impl Into<String>) -> Self {
        Self::new(Severity::Unknown, text, None)
    }

    /// It costs something; `fix` changes it.
    pub fn warn(text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Warn, text, Some(fix.into()))
    }

    /// It would hurt trading; `fix` changes it.
    pub fn bad(text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Bad, text, Some(fix.into()))
    }

    /// Adds the command that changes it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    fn new(severity: Severity, text: impl Into<String>, fix: Option<String>) -> Self {
        Self {
            severity,
            text: text.into(),
            fix,
        }
    }
}

impl From<Unreadable> for Finding {
    fn from(cause: Unreadable) -> Self {
        Self::unknown(cause.to_string())
    }
}
