//! Where a journal is: a directory, and the storage that the directory is on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::storage::{Disk, Storage};

/// A journal's directory on a storage. Made from any path, it is on this system's disk.
#[derive(Clone, Debug)]
pub struct Place {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) path: PathBuf,
}

impl Place {
    /// A directory on a storage of the caller's: how tests put a machine that dies in the place of this one.
    pub fn on(storage: Arc<dyn Storage>, path: impl Into<PathBuf>) -> Self {
        Self {
            storage,
            path: path.into(),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<P: AsRef<Path>> From<P> for Place {
    fn from(path: P) -> Self {
        Self::on(Arc::new(Disk), path.as_ref())
    }
}
