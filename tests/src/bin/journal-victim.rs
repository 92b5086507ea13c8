//! A process that writes a journal until it is killed, by itself at a named call of its storage or by whoever started it.
//!
//! `journal-victim JOURNAL SYNC POINT`: `SYNC` is process, interval or gated; `POINT` is `-`, or `CALL:N:before` or `CALL:N:after`, the
//! N-th call of that name. It tells on its standard output, line by line, what it was promised: `a N` = frame N was appended,
//! `d N` = frame N is durable. It opens the journal if there is one, and makes snapshots, archives and prunes as it goes.

use std::{
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use acth_journal::{
    JournalError, JournalOptions, Keep, Place, Reader, Snapshots, SyncMode, Writer, archive, prune,
    storage::{Access, Disk, Lock, Mapping, Storage, StoredFile},
};
use acth_tests::suites::{frames, script::snapshot_behind};

const SEGMENT_BYTES: u64 = 16 << 10;
/// A snapshot, an archive and a prune come every so many frames.
const KEEP_EVERY: u64 = 700;
/// What was promised is told every so many frames.
const TELL_EVERY: u64 = 8;

/// Where the process ends itself.
#[derive(Debug)]
struct Point {
    call: String,
    left: AtomicU64,
    is_after: bool,
}

impl Point {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        Some(Self {
            call: parts.next()?.to_owned(),
            left: AtomicU64::new(parts.next()?.parse().ok()?),
            is_after: parts.next()? == "after",
        })
    }
}

/// This system's disk, and the point at which the process dies.
#[derive(Clone, Debug)]
struct Deadly {
    disk: Disk,
    point: Option<Arc<Point>>,
}

impl Deadly {
    fn call<T>(&self, name: &str, act: impl FnOnce() -> T) -> T {
        let is_it = |point: &Arc<Point>| {
            point.call == name && point.left.fetch_sub(1, Ordering::Relaxed) == 1
        };
        match self.point.as_ref().filter(|point| is_it(point)) {
            None => act(),
            Some(point) => {
                if point.is_after {
                    act();
                }
                die()
            }
        }
    }

    fn wrap(&self, file: Arc<dyn StoredFile>) -> Arc<dyn StoredFile> {
        Arc::new(DeadlyFile {
            storage: self.clone(),
            file,
        })
    }
}

/// As `kill -9` from outside: nothing more is done.
fn die() -> ! {
    // SAFETY: plain numbers; the signal cannot be caught.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
    }
    std::process::abort()
}

impl Storage for Deadly {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.call("make_dir", || self.disk.make_dir(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.list(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.disk.is_dir(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.disk.exists(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call("sync_dir", || self.disk.sync_dir(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("rename", || self.disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call("remove", || self.disk.remove(path))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StoredFile>> {
        self.call("create", || self.disk.create(path))
            .map(|file| self.wrap(file))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        self.call("open", || self.disk.open(path, access))
            .map(|file| self.wrap(file))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.call("lock", || self.disk.lock(path))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.disk.free_bytes(path)
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        self.disk.boot_id()
    }

    fn wall_clock_ns(&self) -> i64 {
        self.disk.wall_clock_ns()
    }

    fn page_bytes(&self) -> usize {
        self.disk.page_bytes()
    }
}

#[derive(Debug)]
struct DeadlyFile {
    storage: Deadly,
    file: Arc<dyn StoredFile>,
}

impl StoredFile for DeadlyFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.storage
            .call("read", || self.file.read_at(bytes, offset))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.storage
            .call("write", || self.file.write_at(bytes, offset))
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.storage
            .call("set_length", || self.file.set_length(bytes))
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.storage.call("allocate", || self.file.allocate(bytes))
    }

    fn sync(&self) -> io::Result<()> {
        self.storage.call("sync", || self.file.sync())
    }

    fn map(&self, bytes: usize, access: Access) -> io::Result<Arc<dyn Mapping>> {
        let mapping = self.storage.call("map", || self.file.map(bytes, access))?;
        Ok(Arc::new(DeadlyMapping {
            storage: self.storage.clone(),
            mapping,
        }))
    }
}

#[derive(Debug)]
struct DeadlyMapping {
    storage: Deadly,
    mapping: Arc<dyn Mapping>,
}

// SAFETY: every promise is that of the mapping inside, which lives as long.
unsafe impl Mapping for DeadlyMapping {
    fn base(&self) -> *mut u8 {
        self.mapping.base()
    }

    fn length(&self) -> usize {
        self.mapping.length()
    }

    fn populate_for_writing(&self, from: usize, to: usize) {
        self.mapping.populate_for_writing(from, to);
    }

    fn sync(&self, from: usize, to: usize) -> io::Result<()> {
        self.storage
            .call("sync_pages", || self.mapping.sync(from, to))
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [journal, sync, point] = &arguments[..] else {
        eprintln!("journal-victim JOURNAL SYNC POINT");
        std::process::exit(2);
    };
    let sync = match sync.as_str() {
        "interval" => SyncMode::INTERVAL_DEFAULT,
        "gated" => SyncMode::GATED_DEFAULT,
        _ => SyncMode::Process,
    };
    let storage = Deadly {
        disk: Disk,
        point: Point::parse(point).map(Arc::new),
    };
    if let Err(error) = write(&Place::on(Arc::new(storage), journal), sync) {
        eprintln!("journal-victim: {error}");
        std::process::exit(1);
    }
}

/// Writes until the end.
fn write(place: &Place, sync: SyncMode) -> Result<(), JournalError> {
    let options = JournalOptions {
        segment_bytes: SEGMENT_BYTES,
        sync,
        ..JournalOptions::default()
    };
    let mut writer = match Writer::open(place.clone(), &options) {
        Err(JournalError::NotFound { .. }) => Writer::create(place.clone(), &options)?,
        opened => opened?.0,
    };
    let durability = writer.durability();
    let mut out = io::stdout().lock();
    let mut bytes = Vec::new();
    loop {
        let sequence = frames::append(&mut writer, 0, &mut bytes)?;
        writer.poll_health()?;
        if sequence.is_multiple_of(TELL_EVERY) {
            if matches!(sync, SyncMode::Gated { .. }) {
                durability.ask(sequence);
            }
            let durable = durability.sequence();
            if write!(out, "a {sequence}\nd {durable}\n").is_err() {
                return Ok(());
            }
        }
        if sequence.is_multiple_of(KEEP_EVERY) {
            keep(place, sequence)?;
        }
    }
}

fn keep(place: &Place, sequence: u64) -> Result<(), JournalError> {
    let reader = Reader::open_behind(place.clone(), sequence)?;
    let snapshots = Snapshots::of(place.clone());
    snapshots.write(&snapshot_behind(&reader))?;
    snapshots.prune(3)?;
    archive(place.clone(), 6, 1, &mut |_, _| {})?;
    prune(place.clone(), Keep::Segments(12))?;
    Ok(())
}
