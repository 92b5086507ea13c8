//! What can go wrong, each in one sentence that names the place.

use std::{
    io,
    path::{Path, PathBuf},
};

use acth_journal::JournalError;
use parquet::errors::ParquetError;

/// Why an export or import did not come to its end. Nothing half-done is left then.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal that is read or made.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system refused an operation on a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A Parquet file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        source: ParquetError,
    },
    /// The output directory holds something.
    #[error("directory {} is not empty: an export needs a new or empty one, or --force", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// The output directory is the journal.
    #[error("{} is the journal itself: expected another directory for its export", dir.display())]
    IsJournal {
        /// The directory.
        dir: PathBuf,
    },
    /// The journal does not say what its instruments are.
    #[error("the journal's manifest cannot be used: {0}")]
    Manifest(String),
    /// A line of a file to import is not what it should be.
    #[error("{}:{line}: {cause}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// What was expected and what is there.
        cause: String,
    },
}

impl ExportError {
    /// For `map_err` on an operation on a file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
