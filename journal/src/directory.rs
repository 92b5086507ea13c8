//! A journal's directory: names of its files, what is in it, the lock that keeps a second writer out.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    archive,
    error::JournalError,
    place::Place,
    sabotage::{Bug, is_planted},
    storage::{Access, Lock, Storage, StoredFile, again, read_file, write_fully},
};

/// Held by the writer: released when the process ends, however it ends.
const LOCK_NAME: &str = "LOCK";
/// Where recovery keeps what it cut off, and copies of what is damaged.
const QUARANTINE_NAME: &str = "quarantine";
/// Where snapshots are.
const SNAPSHOTS_NAME: &str = "snapshots";
/// Where signed heads are.
const HEADS_NAME: &str = "heads";
/// Says that a sync failed: what this machine reads back may not be on the device.
const FAILED_NAME: &str = "FAILED";
/// Says where the journal begins since segments were pruned from its front.
const BASE_NAME: &str = "BASE";
const SEGMENT_SUFFIX: &str = ".seg";
const ARCHIVE_SUFFIX: &str = ".seg.zst";
const INDEX_DIGITS: usize = 10;

/// The directory of one journal.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    place: Place,
}

/// Proof that this process is the one writer, while it lives.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _lock: Box<dyn Lock>,
}

/// A segment's file as it is found.
pub(crate) enum SegmentFile {
    /// As the writer left it.
    Plain(Arc<dyn StoredFile>),
    /// Compressed: its bytes.
    Archived(Vec<u8>),
}

impl From<Directory> for Place {
    fn from(directory: Directory) -> Self {
        directory.place
    }
}

impl Directory {
    pub(crate) fn new(place: Place) -> Self {
        Self { place }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.place.path
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.place.storage
    }

    pub(crate) fn segment_path(&self, index: u64) -> PathBuf {
        self.path()
            .join(format!("{index:0INDEX_DIGITS$}{SEGMENT_SUFFIX}"))
    }

    pub(crate) fn archive_path(&self, index: u64) -> PathBuf {
        self.path()
            .join(format!("{index:0INDEX_DIGITS$}{ARCHIVE_SUFFIX}"))
    }

    pub(crate) fn base_path(&self) -> PathBuf {
        self.path().join(BASE_NAME)
    }

    pub(crate) fn failed_path(&self) -> PathBuf {
        self.path().join(FAILED_NAME)
    }

    pub(crate) fn snapshots_path(&self) -> PathBuf {
        self.path().join(SNAPSHOTS_NAME)
    }

    pub(crate) fn heads_path(&self) -> PathBuf {
        self.path().join(HEADS_NAME)
    }

    pub(crate) fn quarantine_path(&self) -> PathBuf {
        self.path().join(QUARANTINE_NAME)
    }

    /// A name in the quarantine that nothing has: nothing there is ever overwritten. `offset` is where in the segment the
    /// bytes begin.
    pub(crate) fn quarantine_name(&self, index: u64, offset: u64, suffix: &str) -> PathBuf {
        let stem = format!("{index:0INDEX_DIGITS$}-{offset}");
        let folder = self.quarantine_path();
        let numbered = (1u32..).map(|number| folder.join(format!("{stem}.{number}.{suffix}")));
        std::iter::once(folder.join(format!("{stem}.{suffix}")))
            .chain(numbered)
            .find(|name| !self.storage().exists(name))
            .unwrap_or_else(|| folder.join(stem))
    }

    /// Makes a directory inside the journal's if there is none.
    pub(crate) fn make_inner(&self, path: &Path) -> Result<(), JournalError> {
        if self.storage().is_dir(path) {
            return Ok(());
        }
        again(|| self.storage().make_dir(path))
            .map_err(|source| JournalError::io("make the directory", path, source))?;
        self.sync_inner(self.path())
    }

    pub(crate) fn sync_inner(&self, path: &Path) -> Result<(), JournalError> {
        if is_planted(Bug::NoDirectorySync) {
            return Ok(());
        }
        again(|| self.storage().sync_dir(path))
            .map_err(|source| JournalError::io("sync the directory", path, source))
    }

    /// Makes the names in the directory and in its quarantine durable.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        self.sync_inner(self.path())?;
        let quarantine = self.quarantine_path();
        if self.storage().is_dir(&quarantine) {
            self.sync_inner(&quarantine)
        } else {
            Ok(())
        }
    }

    /// Makes a new directory, or takes an empty one.
    pub(crate) fn make_new(&self) -> Result<(), JournalError> {
        again(|| self.storage().make_dir(self.path()))
            .map_err(|source| JournalError::io("make the directory", self.path(), source))?;
        let parent = match self.path().parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.sync_inner(parent)?;
        let is_empty = self
            .names(self.path())?
            .iter()
            .all(|name| name == LOCK_NAME);
        if is_empty {
            Ok(())
        } else {
            Err(JournalError::NotEmpty {
                dir: self.path().to_path_buf(),
            })
        }
    }

    /// Names of what is in a directory of this journal; none if it is not there.
    pub(crate) fn names(&self, path: &Path) -> Result<Vec<String>, JournalError> {
        if !self.storage().is_dir(path) {
            return Ok(Vec::new());
        }
        again(|| self.storage().list(path))
            .map_err(|source| JournalError::io("list the directory", path, source))
    }

    /// Indices of all segments, archived ones included, rising.
    pub(crate) fn segments(&self) -> Result<Vec<u64>, JournalError> {
        if !self.storage().is_dir(self.path()) {
            return Err(JournalError::NotFound {
                dir: self.path().to_path_buf(),
            });
        }
        let mut indices: Vec<u64> = self
            .names(self.path())?
            .iter()
            .filter_map(|name| segment_index(name))
            .collect();
        indices.sort_unstable();
        indices.dedup();
        Ok(indices)
    }

    /// Whether a writer ever began here.
    pub(crate) fn is_journal(&self) -> Result<bool, JournalError> {
        let has_lock = self.storage().exists(&self.path().join(LOCK_NAME));
        Ok(!self.segments()?.is_empty() || has_lock)
    }

    /// Fails with a sentence where there is no journal.
    pub(crate) fn expect_journal(&self) -> Result<(), JournalError> {
        if self.is_journal()? {
            Ok(())
        } else {
            Err(JournalError::NotFound {
                dir: self.path().to_path_buf(),
            })
        }
    }

    pub(crate) fn has_segment(&self, index: u64) -> bool {
        self.storage().exists(&self.segment_path(index))
            || self.storage().exists(&self.archive_path(index))
    }

    /// A segment's file, the plain one where there are both; `None` if there is none.
    pub(crate) fn open_segment(&self, index: u64) -> Result<Option<SegmentFile>, JournalError> {
        let path = self.segment_path(index);
        match again(|| self.storage().open(&path, Access::Read)) {
            Ok(file) => return Ok(Some(SegmentFile::Plain(file))),
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(JournalError::io("open", &path, source)),
        }
        let path = self.archive_path(index);
        match read_file(self.storage(), &path, 0) {
            Ok(packed) => archive::unpack(&path, index, &packed)
                .map(|bytes| Some(SegmentFile::Archived(bytes))),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(JournalError::io("read", &path, source)),
        }
    }

    /// All bytes of a segment from `offset` on, by plain reads.
    pub(crate) fn read_segment(&self, index: u64, offset: u64) -> Result<Vec<u8>, JournalError> {
        let path = self.segment_path(index);
        match self.open_segment(index)? {
            Some(SegmentFile::Plain(_)) => read_file(self.storage(), &path, offset)
                .map_err(|source| JournalError::io("read", &path, source)),
            Some(SegmentFile::Archived(mut bytes)) => {
                Ok(bytes.split_off(bytes.len().min(offset as usize)))
            }
            None => Err(JournalError::io(
                "open",
                &path,
                io::Error::from(io::ErrorKind::NotFound),
            )),
        }
    }

    /// Writes a new file and makes its content durable; its name is not yet.
    pub(crate) fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
        let fail = |source| JournalError::io("write", path, source);
        let file = again(|| self.storage().create(path)).map_err(fail)?;
        write_fully(&*file, bytes, 0).map_err(fail)?;
        if is_planted(Bug::DraftNotSynced) {
            return Ok(());
        }
        again(|| file.sync()).map_err(|source| JournalError::io("sync", path, source))
    }

    /// Puts a file with this content in the place of whatever has its name: both content and name are durable afterwards, and
    /// at no moment is there half a file of that name.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
        let draft = path.with_extension("draft");
        if self.storage().exists(&draft) {
            self.remove(&draft)?;
        }
        self.write_new(&draft, bytes)?;
        self.rename(&draft, path)?;
        self.sync_inner(path.parent().unwrap_or_else(|| self.path()))
    }

    /// Says in the directory that a sync failed, so that no later process takes what it reads back for durable.
    pub(crate) fn mark_failed_sync(&self, error: &JournalError, durable_sequence: u64) {
        let text =
            format!("{error}; the highest sequence known to be durable is {durable_sequence}\n");
        // On a device that fails this may fail as well: then there is only the refusal of this process.
        let _ = self.replace(&self.failed_path(), text.as_bytes());
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), JournalError> {
        again(|| self.storage().rename(from, to))
            .map_err(|source| JournalError::io("rename", from, source))
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<(), JournalError> {
        again(|| self.storage().remove(path))
            .map_err(|source| JournalError::io("remove", path, source))
    }

    pub(crate) fn boot_id(&self) -> Result<[u8; 16], JournalError> {
        let path = Path::new("/proc/sys/kernel/random/boot_id");
        again(|| self.storage().boot_id()).map_err(|source| JournalError::io("read", path, source))
    }

    /// Keeps every other writer out, or says that one is there.
    pub(crate) fn lock(&self) -> Result<WriterLock, JournalError> {
        let path = self.path().join(LOCK_NAME);
        match again(|| self.storage().lock(&path)) {
            Ok(lock) => Ok(WriterLock { _lock: lock }),
            Err(source) if source.kind() == io::ErrorKind::WouldBlock => {
                Err(JournalError::Locked {
                    dir: self.path().to_path_buf(),
                })
            }
            Err(source) => Err(JournalError::io("lock", &path, source)),
        }
    }
}

/// The index in a segment's file name.
fn segment_index(name: &str) -> Option<u64> {
    let digits = name
        .strip_suffix(ARCHIVE_SUFFIX)
        .or_else(|| name.strip_suffix(SEGMENT_SUFFIX))?;
    let is_index = digits.len() == INDEX_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_index { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ten_digits_name_a_segment() {
        assert_eq!(segment_index("0000000012.seg"), Some(12));
        assert_eq!(segment_index("0000000012.seg.zst"), Some(12));
        for name in [
            "12.seg",
            "0000000012",
            "00000000a2.seg",
            "+000000012.seg",
            "0000000012.draft",
            "LOCK",
        ] {
            assert_eq!(segment_index(name), None, "{name}");
        }
    }
}
