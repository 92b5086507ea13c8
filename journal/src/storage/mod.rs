//! What the journal asks of the world outside: files, directories, mappings, free space, the boot id and the wall clock.
//!
//! One narrow border with several worlds behind it: `Disk` is the real one; tests put a machine that dies, or a disk that
//! fails, in its place and run the same code. Invariant: nothing in this crate reaches a file but through these traits.
//! None of it is called for an append: an append only stores into a mapping that was asked for before.

mod disk;
mod exact;

use std::{fmt, io, path::Path, sync::Arc};

pub use disk::Disk;
pub(crate) use exact::{again, read_file, read_up_to, write_fully};

/// A file system with a clock and a boot id.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Makes a directory and its parents; one that is there already is fine.
    ///
    /// # Errors
    /// The system's answer.
    fn make_dir(&self, path: &Path) -> io::Result<()>;

    /// Names of everything in a directory, in any order.
    ///
    /// # Errors
    /// The system's answer.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Whether there is a directory of this name.
    fn is_dir(&self, path: &Path) -> bool;

    /// Whether there is a file or directory of this name.
    fn exists(&self, path: &Path) -> bool;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// The system's answer. What is durable is unknown then.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, replacing what has that name.
    ///
    /// # Errors
    /// The system's answer.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Whoever has it open or mapped keeps it.
    ///
    /// # Errors
    /// The system's answer.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a new, empty file for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists`, or the system's answer.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StoredFile>>;

    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound`, or the system's answer.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>>;

    /// Takes the exclusive lock that a file of this name stands for; making the file if need be. It is given back when the
    /// answer is dropped or the process ends, however it ends.
    ///
    /// # Errors
    /// `WouldBlock` when somebody else holds it, or the system's answer.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;

    /// Bytes that may still be taken by files in this directory.
    ///
    /// # Errors
    /// The system's answer.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;

    /// Identity of this machine's present boot: differs after a machine death, not after a process death.
    ///
    /// # Errors
    /// The system's answer.
    fn boot_id(&self) -> io::Result<[u8; 16]>;

    /// The wall clock, ns since the Unix epoch: for information only, nothing depends on it.
    fn wall_clock_ns(&self) -> i64;

    /// Size of a page: syncs and mappings are in units of it. A power of two.
    fn page_bytes(&self) -> usize;
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading.
    Read,
    /// For reading and writing.
    ReadWrite,
    /// For reading and writing, each page cached by itself where that can be chosen: a sync write-protects whatever is cached
    /// together with its pages, and the next store there faults. Touching such pages for the first time costs four times as
    /// much.
    ReadWritePaged,
}

/// Held while this process is the one writer.
pub trait Lock: Send + Sync + fmt::Debug {}

/// An open file.
pub trait StoredFile: Send + Sync + fmt::Debug {
    /// Its length in bytes.
    ///
    /// # Errors
    /// The system's answer.
    fn length(&self) -> io::Result<u64>;

    /// Reads some bytes at a place; 0 = there are none.
    ///
    /// # Errors
    /// The system's answer; `Interrupted` means: again.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some of the bytes at a place and says how many.
    ///
    /// # Errors
    /// The system's answer; `Interrupted` means: again.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Cuts the file, or lengthens it with zeros.
    ///
    /// # Errors
    /// The system's answer.
    fn set_length(&self, bytes: u64) -> io::Result<()>;

    /// Gives an empty file this length with all its blocks, reading as zeros: a full disk shows here and not as a bus error
    /// in a mapping.
    ///
    /// # Errors
    /// The system's answer; `StorageFull` or `QuotaExceeded` or `FileTooLarge` when there is no room.
    fn allocate(&self, bytes: u64) -> io::Result<()>;

    /// Waits until content and length are on the device.
    ///
    /// # Errors
    /// The system's answer. What is durable is unknown then, and asking again proves nothing.
    fn sync(&self) -> io::Result<()>;

    /// Maps the first `bytes` of the file, which must not be longer than the file is.
    ///
    /// # Errors
    /// The system's answer.
    fn map(&self, bytes: usize, access: Access) -> io::Result<Arc<dyn Mapping>>;
}

/// A mapped part of a file.
///
/// # Safety
/// - `base` is the same address for the life of the value, aligned to 8 bytes, and `length` bytes from it are readable; unless
///   mapped with `Access::Read` they are writable as well, and what is stored there becomes the file's content.
/// - No reference into these bytes is ever made by the implementation.
pub unsafe trait Mapping: Send + Sync + fmt::Debug {
    /// First byte.
    fn base(&self) -> *mut u8;

    /// Bytes mapped.
    fn length(&self) -> usize;

    /// Takes the page faults of writing to this range now; does what it can.
    fn populate_for_writing(&self, from: usize, to: usize);

    /// Waits until the pages of this range, whose borders are multiples of the page size or the end, are on the device.
    ///
    /// # Errors
    /// The system's answer. What is durable is unknown then, and asking again proves nothing.
    fn sync(&self, from: usize, to: usize) -> io::Result<()>;
}
