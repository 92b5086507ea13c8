//! One check: what it is called, why it matters, and how it looks.

use serde::Serialize;

use crate::{
    finding::Finding,
    host::{Host, Unreadable},
    subject::Subject,
};

/// What a check is about; the table is printed in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Which cores, and what else runs on them.
    Cores,
    /// How fast the cores run and wake.
    Power,
    /// How threads are scheduled.
    Scheduling,
    /// Pages.
    Memory,
    /// Time.
    Clock,
    /// The kernel and what is below it.
    Kernel,
    /// Network.
    Network,
    /// Where the journal is.
    Journal,
}

impl Group {
    /// Its heading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cores => "cores",
            Self::Power => "power",
            Self::Scheduling => "scheduling",
            Self::Memory => "memory",
            Self::Clock => "clock",
            Self::Kernel => "kernel",
            Self::Network => "network",
            Self::Journal => "journal",
        }
    }
}

/// What a check answers; what could not be read becomes an unknown finding.
pub(crate) type Looked = Result<Finding, Unreadable>;

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Stable name.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// Why it matters, in one sentence.
    pub why: &'static str,
    /// The long text of `--explain`.
    pub explain: &'static str,
    pub(crate) look: fn(&Host, &Subject) -> Looked,
}
