//! What can go wrong, each in one sentence that names the place.

use acth_engine::replay::ReplayError;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The journal cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}
