//! A journal's directory: names of its files, what is in it, the lock that keeps a second writer out.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use crate::error::JournalError;

/// Held by the writer with `flock`: released by the kernel when the process ends, however it ends.
const LOCK_NAME: &str = "LOCK";
/// Where recovery keeps what it cut off.
const QUARANTINE_NAME: &str = "quarantine";
const SEGMENT_SUFFIX: &str = ".seg";
const INDEX_DIGITS: usize = 10;

/// The directory of one journal.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

/// Proof that this process is the one writer, while it lives.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _file: File,
}

impl Directory {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn segment_path(&self, index: u64) -> PathBuf {
        self.path
            .join(format!("{index:0INDEX_DIGITS$}{SEGMENT_SUFFIX}"))
    }

    /// Where the bytes of a segment from `offset` on are kept once they are cut off.
    pub(crate) fn quarantine_path(&self, index: u64, offset: u64) -> PathBuf {
        self.path
            .join(QUARANTINE_NAME)
            .join(format!("{index:0INDEX_DIGITS$}-{offset}.cut"))
    }

    /// Makes the quarantine if there is none.
    pub(crate) fn make_quarantine(&self) -> Result<(), JournalError> {
        let path = self.path.join(QUARANTINE_NAME);
        fs::create_dir_all(&path)
            .map_err(|source| JournalError::io("make the directory", &path, source))
    }

    /// Makes the names in the directory and in its quarantine durable.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        sync_directory(&self.path)?;
        let quarantine = self.path.join(QUARANTINE_NAME);
        if quarantine.is_dir() {
            sync_directory(&quarantine)
        } else {
            Ok(())
        }
    }

    /// Makes a new directory, or takes an empty one.
    pub(crate) fn make_new(&self) -> Result<(), JournalError> {
        fs::create_dir_all(&self.path)
            .map_err(|source| JournalError::io("make the directory", &self.path, source))?;
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        sync_directory(parent)?;
        let is_empty = self.entries()?.iter().all(|name| name == LOCK_NAME);
        if is_empty {
            Ok(())
        } else {
            Err(JournalError::NotEmpty {
                dir: self.path.clone(),
            })
        }
    }

    fn entries(&self) -> Result<Vec<String>, JournalError> {
        let fail = |source: io::Error| JournalError::io("list the directory", &self.path, source);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(fail)? {
            names.push(
                entry
                    .map_err(fail)?
                    .file_name()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        Ok(names)
    }

    /// Indices of all segment files, rising.
    pub(crate) fn segments(&self) -> Result<Vec<u64>, JournalError> {
        if !self.path.is_dir() {
            return Err(JournalError::NotFound {
                dir: self.path.clone(),
            });
        }
        let mut indices: Vec<u64> = self
            .entries()?
            .iter()
            .filter_map(|name| segment_index(name))
            .collect();
        indices.sort_unstable();
        Ok(indices)
    }

    /// Whether a writer ever began here.
    pub(crate) fn is_journal(&self) -> Result<bool, JournalError> {
        Ok(!self.segments()?.is_empty() || self.path.join(LOCK_NAME).exists())
    }

    /// Keeps every other writer out, or says that one is there.
    pub(crate) fn lock(&self) -> Result<WriterLock, JournalError> {
        let path = self.path.join(LOCK_NAME);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| JournalError::io("open", &path, source))?;
        // SAFETY: the descriptor is open for the whole call; flock touches no memory of ours.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
            return Ok(WriterLock { _file: file });
        }
        let source = io::Error::last_os_error();
        if source.kind() == io::ErrorKind::WouldBlock {
            Err(JournalError::Locked {
                dir: self.path.clone(),
            })
        } else {
            Err(JournalError::io("lock", &path, source))
        }
    }
}

/// The index in a segment's file name.
fn segment_index(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SEGMENT_SUFFIX)?;
    let is_index = digits.len() == INDEX_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_index { digits.parse().ok() } else { None }
}

fn sync_directory(path: &Path) -> Result<(), JournalError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| JournalError::io("sync the directory", path, source))
}

/// Identity of this machine's present boot: differs after a machine death, not after a process death.
pub(crate) fn boot_id() -> Result<[u8; 16], JournalError> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let path = Path::new(PATH);
    let text = fs::read_to_string(path).map_err(|source| JournalError::io("read", path, source))?;
    parse_boot_id(&text).ok_or_else(|| {
        JournalError::io(
            "understand",
            path,
            io::Error::from(io::ErrorKind::InvalidData),
        )
    })
}

fn parse_boot_id(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digits = std::str::from_utf8(&digits).ok()?;
    if digits.len() != 32 {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ten_digits_name_a_segment() {
        assert_eq!(segment_index("0000000012.seg"), Some(12));
        for name in [
            "12.seg",
            "0000000012",
            "00000000a2.seg",
            "+000000012.seg",
            "LOCK",
        ] {
            assert_eq!(segment_index(name), None, "{name}");
        }
    }

    #[test]
    fn boot_id_is_32_hex_digits() {
        let id = parse_boot_id("00112233-4455-6677-8899-aabbccddeeff\n").unwrap();
        assert_eq!(id[..3], [0x00, 0x11, 0x22]);
        assert_eq!(id[15], 0xff);
        assert_eq!(parse_boot_id("0011"), None);
    }
}
