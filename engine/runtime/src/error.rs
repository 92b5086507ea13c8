//! Why a run could not go on.

use acth_core::{event::EventError, port::PortError};

use crate::{journal::JournalFault, manifest::ManifestError, ring::RingSizeError};

/// Why a run could not go on. Trading has stopped and the journal is sealed as far as it could be.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A ring size is out of bounds.
    #[error(transparent)]
    Ring(#[from] RingSizeError),
    /// The manifest cannot be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The journal failed.
    #[error("journal: {0}")]
    Journal(#[source] JournalFault),
    /// A thread could not be started.
    #[error("thread {thread} could not be started: {cause}")]
    Spawn {
        /// Its name.
        thread: &'static str,
        /// The system's answer.
        cause: std::io::Error,
    },
    /// A thread panicked.
    #[error("thread {thread} panicked in {place}: {message}")]
    Panicked {
        /// Its name.
        thread: &'static str,
        /// What it was doing: source, core or egress.
        place: &'static str,
        /// The panic's message.
        message: String,
    },
    /// The source of events cannot go on.
    #[error("source: {0}")]
    Source(#[source] PortError),
    /// The sink of commands did not send.
    #[error("sink: {0}")]
    Sink(#[source] PortError),
    /// The source made an event that no reader would accept.
    #[error("source: an event that no reader would accept: {0}")]
    Event(#[from] EventError),
    /// Something else took a sequence between an input and its decisions.
    #[error("journal gave sequence {came} where {expected} was due")]
    Sequence {
        /// The next sequence in the order of history.
        expected: u64,
        /// What the journal answered.
        came: u64,
    },
    /// The egress ring stayed full.
    #[error("the egress ring stayed full for {0} ms")]
    EgressFull(i64),
    /// One input led to a chain of sends without end.
    #[error("one input led to more than {0} sends")]
    SendChain(usize),
    /// The egress thread is gone.
    #[error("the egress thread is gone")]
    EgressGone,
}
