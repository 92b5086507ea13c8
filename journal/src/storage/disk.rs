//! The real world: files of this system, mapped with `memmap2`.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::FileExt},
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use memmap2::{Advice, MmapOptions, MmapRaw};

use super::{Access, Lock, Mapping, Storage, StoredFile};

/// Files of this system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<fs::DirEntry>| {
            entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
        };
        fs::read_dir(path)?.map(name).collect()
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StoredFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(access != Access::Read)
            .open(path)?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        // SAFETY: the descriptor is open for the whole call; flock touches no memory of ours.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
            Ok(Box::new(DiskLock { _file: file }))
        } else {
            Err(io::Error::last_os_error())
        }
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())?;
        // SAFETY: all zero is a value of this plain structure.
        let mut facts: libc::statvfs = unsafe { std::mem::zeroed() };
        // SAFETY: the name ends in a zero byte and both pointers are to live variables of the types asked for.
        if unsafe { libc::statvfs(name.as_ptr(), &raw mut facts) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        parse_boot_id(&text).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }

    /// No system call: the clock is read through the vDSO.
    fn wall_clock_ns(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(_) => 0,
        }
    }

    /// 64 KiB, which is a multiple of all in use, if the system does not say.
    fn page_bytes(&self) -> usize {
        // SAFETY: sysconf takes a plain number and touches no memory of ours.
        let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(answer)
            .ok()
            .filter(|bytes| bytes.is_power_of_two())
            .unwrap_or(1 << 16)
    }
}

/// `flock`: released by the kernel when the process ends, however it ends.
#[derive(Debug)]
struct DiskLock {
    _file: File,
}

impl Lock for DiskLock {}

#[derive(Debug)]
struct DiskFile(File);

impl StoredFile for DiskFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(&self.0, bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(&self.0, bytes, offset)
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        // SAFETY: the descriptor is open for the whole call; fallocate touches no memory of ours.
        if unsafe { libc::fallocate(self.0.as_raw_fd(), 0, 0, bytes.cast_signed()) } == 0 {
            return Ok(());
        }
        let cause = io::Error::last_os_error();
        if cause.raw_os_error() == Some(libc::EOPNOTSUPP) {
            return write_zeros(self, bytes);
        }
        Err(cause)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn map(&self, bytes: usize, access: Access) -> io::Result<Arc<dyn Mapping>> {
        let options = || {
            let mut options = MmapOptions::new();
            options.len(bytes);
            options
        };
        let map = match access {
            Access::Read => options().map_raw_read_only(&self.0)?,
            Access::ReadWrite => options().map_raw(&self.0)?,
            Access::ReadWritePaged => {
                let map = options().map_raw(&self.0)?;
                // Without read-ahead every page is cached by itself; with it pages come in large folios. A kernel that
                // refuses the advice costs the writer faults, nothing else.
                let _ = map.advise(Advice::Random);
                map
            }
        };
        Ok(Arc::new(DiskMapping(map)))
    }
}

/// For file systems without fallocate.
fn write_zeros(file: &DiskFile, bytes: u64) -> io::Result<()> {
    let zeros = vec![0u8; 1 << 20];
    let mut done = 0;
    while done < bytes {
        let step = (bytes - done).min(zeros.len() as u64) as usize;
        super::write_fully(file, &zeros[..step], done)?;
        done += step as u64;
    }
    Ok(())
}

#[derive(Debug)]
struct DiskMapping(MmapRaw);

// SAFETY: the address of a mapping does not change while `MmapRaw` lives, pages are aligned, and this type makes no reference
// into it.
unsafe impl Mapping for DiskMapping {
    fn base(&self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    fn length(&self) -> usize {
        self.0.len()
    }

    fn populate_for_writing(&self, from: usize, to: usize) {
        let to = to.min(self.0.len());
        if from < to {
            // Without the advice (Linux before 5.14) the faults come when they come.
            let _ = self.0.advise_range(Advice::PopulateWrite, from, to - from);
        }
    }

    fn sync(&self, from: usize, to: usize) -> io::Result<()> {
        let to = to.min(self.0.len());
        if from >= to {
            return Ok(());
        }
        // MS_SYNC on the range: on Linux that is a data sync of exactly these pages of the file.
        self.0.flush_range(from, to - from)
    }
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
    fn boot_id_is_32_hex_digits() {
        let id = parse_boot_id("00112233-4455-6677-8899-aabbccddeeff\n").unwrap();
        assert_eq!(id[..3], [0x00, 0x11, 0x22]);
        assert_eq!(id[15], 0xff);
        assert_eq!(parse_boot_id("0011"), None);
    }

    #[test]
    fn zeros_are_written_where_there_is_no_fallocate() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zeros");
        let bytes = (1 << 20) + 4096;
        write_zeros(&DiskFile(File::create(&path).unwrap()), bytes).unwrap();
        let content = std::fs::read(&path).unwrap();
        assert_eq!(content.len() as u64, bytes);
        assert!(content.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn free_space_of_a_directory_is_known() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Disk.free_bytes(dir.path()).unwrap() > 0);
        assert!(Disk.free_bytes(&dir.path().join("absent")).is_err());
    }

    #[test]
    fn a_lock_is_held_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        let held = Disk.lock(&path).unwrap();
        let refused = Disk.lock(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(Disk.lock(&path).is_ok());
    }
}
