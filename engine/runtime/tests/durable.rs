//! Durability and the run: gated sends, a journal short of space, a sync that fails.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use acth_core::{
    decision::{DecisionKind, Outbound},
    event::{OperatorAction, OperatorReason},
    port::{CommandSink, PortError},
};
use acth_engine::{
    clock::Clock,
    config::ThreadMode,
    control::{Control, KillReason},
    error::EngineError,
    monitor::Monitor,
    pipeline,
};
use acth_journal::{
    Durability, JournalError, JournalOptions, Place, SyncMode, Writer,
    storage::{Access, Disk, Lock, Mapping, Storage, StoredFile},
};
use support::{
    config, read_all, script,
    toy::Toy,
    venue::{Sink, SourceFault, venue},
};
use zerocopy::FromBytes;

const ALL: [(ThreadMode, Clock); 6] = [
    (ThreadMode::Single, Clock::Event),
    (ThreadMode::Single, Clock::Wall),
    (ThreadMode::Dual, Clock::Event),
    (ThreadMode::Dual, Clock::Wall),
    (ThreadMode::Multi, Clock::Event),
    (ThreadMode::Multi, Clock::Wall),
];

/// Looks at the watermark at the moment of every send.
struct Watching {
    inner: Sink,
    durability: Durability,
    early: Arc<Mutex<Vec<u64>>>,
}

impl CommandSink for Watching {
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        if self.durability.sequence() < outbound.sequence {
            self.early.lock().unwrap().push(outbound.sequence);
        }
        self.inner.submit(outbound)
    }
}

/// Runs the script and returns how many orders left and which of them too early.
fn run(threads: ThreadMode, clock: Clock, sync: SyncMode) -> (usize, Vec<u64>) {
    let dir = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        segment_bytes: 1 << 20,
        sync,
        ..JournalOptions::default()
    };
    let writer = Writer::create(dir.path(), &options).unwrap();
    let (mut source, inner) = venue(script(150));
    let mut config = config(threads, clock);
    if clock == Clock::Wall {
        // The script is over at once; the syncs it waits for are not.
        source.fault = SourceFault::Endless;
        config.duration_ns = Some(2_000_000_000);
    }
    let (sent, early) = (inner.sent.clone(), Arc::<Mutex<Vec<u64>>>::default());
    let sink = Watching {
        inner,
        durability: writer.durability(),
        early: early.clone(),
    };
    let (control, monitor) = (Control::new(), Monitor::new());
    let outcome = pipeline::run(
        &config,
        Toy::default(),
        source,
        sink,
        writer,
        &control,
        &monitor,
    )
    .unwrap();
    assert_eq!(outcome.journal.durable_sequence, outcome.last_sequence);
    assert_eq!(outcome.machine.open.len(), 0, "everything was cancelled");
    let orders = sent.lock().unwrap().iter().filter(is_order).count();
    let early = early.lock().unwrap().clone();
    (orders, early)
}

fn is_order(outbound: &&Outbound) -> bool {
    outbound.decision.kind() == Some(DecisionKind::PlaceOrder)
}

#[test]
fn gated_orders_leave_only_when_durable() {
    for (threads, clock) in ALL {
        let (orders, early) = run(threads, clock, SyncMode::GATED_DEFAULT);
        let what = format!("{threads:?} {clock:?}");
        assert_eq!(orders, 50, "{what}");
        assert_eq!(early, Vec::<u64>::new(), "{what}");
    }
    // The watcher is not blind: without the gate orders do leave early.
    let (_, early) = run(ThreadMode::Single, Clock::Event, SyncMode::INTERVAL_DEFAULT);
    assert!(!early.is_empty());
}

/// The operator's words in a journal.
fn words(dir: &Path) -> Vec<(Option<OperatorAction>, Option<OperatorReason>)> {
    use acth_core::event::{Event, EventView};
    let (frames, _) = read_all(dir);
    let events = frames.iter().filter(|frame| frame.kind & 0xff00 == 0x0100);
    let words = events.filter_map(|frame| {
        let event = Event::read_from_bytes(&frame.payload).ok()?;
        match event.view() {
            EventView::OperatorCommanded { action, reason } => Some((action, reason)),
            _ => None,
        }
    });
    words.collect()
}

#[test]
fn little_space_reduces_and_no_space_halts() {
    let cases = [
        (
            Some(u64::MAX),
            Some(0),
            OperatorAction::Reduce,
            OperatorReason::DiskLow,
        ),
        (
            Some(u64::MAX),
            Some(u64::MAX),
            OperatorAction::Halt,
            OperatorReason::DiskFull,
        ),
    ];
    for (low, out, action, reason) in cases {
        for threads in [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi] {
            let dir = tempfile::tempdir().unwrap();
            let options = JournalOptions {
                segment_bytes: 1 << 20,
                space_low_bytes: low,
                space_out_bytes: out,
                ..JournalOptions::default()
            };
            let writer = Writer::create(dir.path(), &options).unwrap();
            let (mut source, sink) = venue(script(30));
            source.fault = SourceFault::Endless;
            let mut config = config(threads, Clock::Wall);
            config.duration_ns = Some(300_000_000);
            let outcome = pipeline::run(
                &config,
                Toy::default(),
                source,
                sink,
                writer,
                &Control::new(),
                &Monitor::new(),
            )
            .unwrap();
            let words = words(dir.path());
            assert!(
                words.contains(&(Some(action), Some(reason))),
                "{threads:?}: {words:?}"
            );
            assert!(
                outcome.warnings.iter().any(|text| text.contains("disk")),
                "{:?}",
                outcome.warnings
            );
        }
    }
}

/// The disk, until its syncs fail.
#[derive(Debug)]
struct Failing {
    fails: Arc<AtomicBool>,
}

#[derive(Debug)]
struct FailingFile(Arc<dyn StoredFile>, Arc<AtomicBool>);

#[derive(Debug)]
struct FailingMapping(Arc<dyn Mapping>, Arc<AtomicBool>);

impl Failing {
    fn wrap(&self, file: Arc<dyn StoredFile>) -> Arc<dyn StoredFile> {
        Arc::new(FailingFile(file, Arc::clone(&self.fails)))
    }
}

impl Storage for Failing {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        Disk.make_dir(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        Disk.list(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        Disk.is_dir(path)
    }
    fn exists(&self, path: &Path) -> bool {
        Disk.exists(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        Disk.sync_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StoredFile>> {
        Ok(self.wrap(Disk.create(path)?))
    }
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        Ok(self.wrap(Disk.open(path, access)?))
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        Disk.lock(path)
    }
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        Disk.free_bytes(path)
    }
    fn boot_id(&self) -> io::Result<[u8; 16]> {
        Disk.boot_id()
    }
    fn wall_clock_ns(&self) -> i64 {
        Disk.wall_clock_ns()
    }
    fn page_bytes(&self) -> usize {
        Disk.page_bytes()
    }
}

impl StoredFile for FailingFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }
    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.0.set_length(bytes)
    }
    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.0.allocate(bytes)
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn map(&self, bytes: usize, access: Access) -> io::Result<Arc<dyn Mapping>> {
        let mapping = self.0.map(bytes, access)?;
        Ok(Arc::new(FailingMapping(mapping, Arc::clone(&self.1))))
    }
}

// SAFETY: everything but `sync` is the inner mapping's.
unsafe impl Mapping for FailingMapping {
    fn base(&self) -> *mut u8 {
        self.0.base()
    }
    fn length(&self) -> usize {
        self.0.length()
    }
    fn populate_for_writing(&self, from: usize, to: usize) {
        self.0.populate_for_writing(from, to);
    }
    fn sync(&self, from: usize, to: usize) -> io::Result<()> {
        if self.1.load(Ordering::Acquire) {
            return Err(io::Error::other("planted: the device is gone"));
        }
        self.0.sync(from, to)
    }
}

#[test]
fn a_failed_sync_stops_trading_for_good() {
    for threads in [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi] {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("j");
        let fails = Arc::new(AtomicBool::new(false));
        let storage: Arc<dyn Storage> = Arc::new(Failing {
            fails: Arc::clone(&fails),
        });
        let options = JournalOptions {
            segment_bytes: 1 << 20,
            sync: SyncMode::GATED_DEFAULT,
            ..JournalOptions::default()
        };
        let place = Place::on(storage, &journal);
        let writer = Writer::create(place, &options).unwrap();
        // Only now: the flusher may sync before `create` returns, and then `create` fails.
        fails.store(true, Ordering::Release);
        let (mut source, sink) = venue(script(3000));
        source.fault = SourceFault::Endless;
        let sent = sink.sent.clone();
        let mut config = config(threads, Clock::Wall);
        config.duration_ns = Some(5_000_000_000);
        let control = Control::new();
        let ended = pipeline::run(
            &config,
            Toy::default(),
            source,
            sink,
            writer,
            &control,
            &Monitor::new(),
        );
        assert!(matches!(ended, Err(EngineError::Journal(_))), "{threads:?}");
        assert_eq!(control.kill_reason(), Some(KillReason::JournalFailed));
        let orders = sent.lock().unwrap().iter().filter(is_order).count();
        assert_eq!(orders, 0, "nothing left without being durable");
        let refused = Writer::open(&journal, &options).err().unwrap();
        assert!(
            matches!(refused, JournalError::SyncFailed { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("planted"), "{refused}");
        acth_journal::accept_unsynced(&journal).unwrap();
        let (writer, _) = Writer::open(&journal, &options).unwrap();
        writer.seal().unwrap();
    }
}
