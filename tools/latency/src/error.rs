//! What can go wrong, each in one sentence that names the place.

use std::path::PathBuf;

use acth_journal::JournalError;

/// Why latencies could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LatencyError {
    /// The journal is damaged or cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A run's manifest cannot be read.
    #[error("manifest: {0}")]
    Manifest(String),
    /// A file cannot be written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// There is too little to fit a model from.
    #[error("{0}")]
    TooFew(String),
}
