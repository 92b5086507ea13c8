//! A segment file from preparation to retirement, as the writer and its background see it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    directory::Directory,
    error::JournalError,
    mapping::{ReadableMapping, WritableMapping},
    options::SyncMode,
    sabotage::{Bug, is_planted},
    storage::{Access, Mapping, StoredFile, again},
};

/// A segment in use, or ready to be: what everybody may know of it.
pub(crate) struct Segment {
    pub(crate) index: u64,
    pub(crate) path: PathBuf,
    file: Arc<dyn StoredFile>,
    mapping: Arc<dyn Mapping>,
}

/// A whole segment: preallocated, mapped, touched. Whoever holds it is the one who may store into it.
pub(crate) struct WritableSegment {
    pub(crate) facts: Arc<Segment>,
    pub(crate) mapping: WritableMapping,
}

impl WritableSegment {
    /// Makes a segment file of zeros with all its blocks, durable in name and size, mapped and touched. If that fails
    /// nothing is left behind: half a file would only hold the space that the others need.
    pub(crate) fn prepare(
        directory: &Directory,
        index: u64,
        bytes: u64,
        sync: SyncMode,
    ) -> Result<Self, JournalError> {
        let path = directory.segment_path(index);
        let file = again(|| directory.storage().create(&path))
            .map_err(|source| JournalError::io("make the segment", &path, source))?;
        let made = fill(&*file, &path, bytes, access_for(sync)).and_then(|mapping| {
            directory.sync()?;
            Ok(mapping)
        });
        match made {
            Ok(mapping) => Ok(Self {
                mapping: WritableMapping::over(Arc::clone(&mapping)),
                facts: Arc::new(Segment {
                    index,
                    path,
                    file,
                    mapping,
                }),
            }),
            Err(error) => {
                // The first error is the one to report.
                let _ = directory.storage().remove(&path);
                Err(error)
            }
        }
    }
}

/// Whole segments need no care for single pages.
fn access_for(sync: SyncMode) -> Access {
    match sync {
        SyncMode::Process => Access::ReadWrite,
        SyncMode::Interval { .. } | SyncMode::Gated { .. } => Access::ReadWritePaged,
    }
}

fn fill(
    file: &dyn StoredFile,
    path: &Path,
    bytes: u64,
    access: Access,
) -> Result<Arc<dyn Mapping>, JournalError> {
    again(|| file.allocate(bytes)).map_err(|source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            JournalError::NoSpace {
                path: path.to_path_buf(),
                bytes,
                source: source.into(),
            }
        }
        _ => JournalError::io("preallocate", path, source),
    })?;
    again(|| file.sync()).map_err(|source| JournalError::io("sync", path, source))?;
    let mapping = again(|| file.map(bytes as usize, access))
        .map_err(|source| JournalError::io("map", path, source))?;
    mapping.populate_for_writing(0, bytes as usize);
    Ok(mapping)
}

/// The answer of a sync, as it is.
fn told(answer: Result<(), JournalError>) -> Result<(), JournalError> {
    if is_planted(Bug::SyncErrorIgnored) {
        return Ok(());
    }
    answer
}

impl Segment {
    /// A view for following what the writer stores.
    pub(crate) fn view(&self) -> ReadableMapping {
        ReadableMapping::over(Arc::clone(&self.mapping))
    }

    /// Waits until these pages are on the device.
    pub(crate) fn sync_pages(&self, from: usize, to: usize) -> Result<(), JournalError> {
        told(
            again(|| self.mapping.sync(from, to))
                .map_err(|source| JournalError::io("sync", &self.path, source)),
        )
    }

    /// Takes the faults of the pages that will be written next, in case the kernel wrote them back meanwhile.
    pub(crate) fn touch_ahead(&self, from: usize) {
        self.mapping
            .populate_for_writing(from, self.mapping.length());
    }

    /// Waits until all that was written to the segment is on the device.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        told(
            again(|| self.file.sync())
                .map_err(|source| JournalError::io("sync", &self.path, source)),
        )
    }

    /// Cuts the file behind its last frame.
    pub(crate) fn cut(&self, bytes: u64) -> Result<(), JournalError> {
        again(|| self.file.set_length(bytes))
            .map_err(|source| JournalError::io("cut", &self.path, source))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::place::Place;

    #[test]
    fn prepared_segments_are_never_sparse() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Directory::new(Place::from(dir.path()));
        let segment = WritableSegment::prepare(&directory, 3, 1 << 20, SyncMode::Process).unwrap();
        let facts = std::fs::metadata(&segment.facts.path).unwrap();
        assert_eq!(facts.len(), 1 << 20);
        assert!(
            facts.blocks() * 512 >= 1 << 20,
            "only {} blocks",
            facts.blocks()
        );
    }
}
