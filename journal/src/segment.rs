//! A segment file from preparation to retirement, as the writer and its helper see it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use crate::{directory::Directory, error::JournalError, mapping::WritableMapping};

/// A whole segment: preallocated, mapped, touched.
pub(crate) struct WritableSegment {
    pub(crate) index: u64,
    pub(crate) mapping: WritableMapping,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl WritableSegment {
    /// Makes a segment file of zeros with all its blocks, durable in name and size, mapped and touched. If that fails
    /// nothing is left behind: half a file would only hold the space that the others need.
    pub(crate) fn prepare(
        directory: &Directory,
        index: u64,
        bytes: u64,
    ) -> Result<Self, JournalError> {
        let path = directory.segment_path(index);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|source| JournalError::io("make the segment", &path, source))?;
        let made = Self::fill(&file, &path, bytes).and_then(|mapping| {
            directory.sync()?;
            Ok(mapping)
        });
        match made {
            Ok(mapping) => Ok(Self {
                index,
                mapping,
                file,
                path,
            }),
            Err(error) => {
                // The first error is the one to report.
                let _ = std::fs::remove_file(&path);
                Err(error)
            }
        }
    }

    fn fill(file: &File, path: &Path, bytes: u64) -> Result<WritableMapping, JournalError> {
        allocate(file, bytes).map_err(|source| match source.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => JournalError::NoSpace {
                path: path.to_path_buf(),
                bytes,
                source: source.into(),
            },
            _ => JournalError::io("preallocate", path, source),
        })?;
        file.sync_all()
            .map_err(|source| JournalError::io("sync", path, source))?;
        let mapping =
            WritableMapping::new(file).map_err(|source| JournalError::io("map", path, source))?;
        mapping.populate();
        Ok(mapping)
    }

    /// Waits until all that was written to the segment is on the device.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        self.file
            .sync_all()
            .map_err(|source| JournalError::io("sync", &self.path, source))
    }
}

/// Gives the file all its blocks: a full disk shows here and not as a bus error in the mapping.
fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    loop {
        // SAFETY: the descriptor is open for the whole call; fallocate touches no memory of ours.
        let answer = unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, bytes.cast_signed()) };
        if answer == 0 {
            return Ok(());
        }
        let source = io::Error::last_os_error();
        match source.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::EOPNOTSUPP) => return write_zeros(file, bytes),
            _ => return Err(source),
        }
    }
}

/// For file systems without fallocate.
fn write_zeros(mut file: &File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0u8; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let step = left.min(zeros.len() as u64) as usize;
        file.write_all(&zeros[..step])?;
        left -= step as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn prepared_segments_are_never_sparse() {
        let dir = tempfile::tempdir().unwrap();
        let segment = WritableSegment::prepare(&Directory::new(dir.path()), 3, 1 << 20).unwrap();
        let facts = segment.file.metadata().unwrap();
        assert_eq!(facts.len(), 1 << 20);
        assert!(
            facts.blocks() * 512 >= 1 << 20,
            "only {} blocks",
            facts.blocks()
        );
    }

    #[test]
    fn zeros_are_written_where_there_is_no_fallocate() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zeros");
        let bytes = (1 << 20) + 4096;
        write_zeros(&File::create(&path).unwrap(), bytes).unwrap();
        let content = std::fs::read(&path).unwrap();
        assert_eq!(content.len() as u64, bytes);
        assert!(content.iter().all(|byte| *byte == 0));
    }
}
