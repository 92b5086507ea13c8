//! `append` allocates nothing, also when it moves to the next segment; the helper thread is its own master.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fs,
};

use acth_journal::{CpuMask, JournalOptions, Reader, Writer, archive};

/// Counts the allocations of each thread and knows the largest.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(bytes)));
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting touches a thread-local number only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's duties are passed on as they are.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0);
        // SAFETY: the caller's duties are passed on as they are.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn appending_and_reading_allocate_nothing() {
    const COUNT: u64 = 200_000;
    let dir = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        segment_bytes: 1 << 20,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(dir.path(), &options).unwrap();
    assert!(allocations() > 0, "the counter counts");
    let before = allocations();
    for number in 0..COUNT {
        writer.append(0x0100, 1, number, &[7; 64]).unwrap();
        writer.poll_health().unwrap();
    }
    assert_eq!(allocations() - before, 0, "appends over about 20 segments");
    eprintln!("{COUNT} frames, {} rolls had to wait", writer.roll_stalls());
    writer.seal().unwrap();
    let mut reader = Reader::open(dir.path()).unwrap();
    reader.next().unwrap().unwrap();
    let before = allocations();
    for _ in 0..5_000 {
        reader.next().unwrap().unwrap();
    }
    assert_eq!(allocations() - before, 0, "reading inside a segment");
}

/// The bytes of an archive's preface, and where in it the length of the plain file is.
const PREFACE_BYTES: usize = 184;
const PLAIN_BYTES_AT: usize = 176;
/// A zstd frame with nothing in it that says its content were 1 GiB.
const EMPTY_FRAME_OF_A_GIB: [u8; 13] = [
    0x28, 0xb5, 0x2f, 0xfd, 0x80, 0x58, 0, 0, 0, 0x40, 0x01, 0, 0,
];

#[test]
fn memory_follows_what_an_archive_holds_not_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        segment_bytes: 1 << 16,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(dir.path(), &options).unwrap();
    for number in 0..2_000 {
        writer.append(0x0100, 1, number, &[7; 64]).unwrap();
    }
    writer.seal().unwrap();
    archive(dir.path(), 1, 3, &mut |_, _| {}).unwrap();
    let path = dir.path().join("0000000000.seg.zst");
    let mut packed = fs::read(&path).unwrap();
    packed.truncate(PREFACE_BYTES);
    packed[PLAIN_BYTES_AT..].copy_from_slice(&(1u64 << 30).to_le_bytes());
    packed.extend(EMPTY_FRAME_OF_A_GIB);
    fs::write(&path, packed).unwrap();
    LARGEST.set(0);
    let error = Reader::open(dir.path()).and_then(|mut reader| reader.next().map(|_| ()));
    assert!(error.is_err(), "an archive without its segment is read");
    let largest = LARGEST.get();
    assert!(largest < 1 << 20, "{largest} bytes at once for {error:?}");
}

#[test]
fn the_helper_leaves_the_cpu_of_a_pinned_writer() {
    let options = JournalOptions {
        segment_bytes: 1 << 20,
        ..JournalOptions::default()
    };
    let all = format!("{:?}", CpuMask::of_this_thread());
    if !all.contains(',') {
        eprintln!("skipped: one CPU only");
        return;
    }
    // SAFETY: a CPU set is plain bits; pointer and size describe one live variable; 0 = this thread.
    unsafe {
        let mut one = std::mem::zeroed::<libc::cpu_set_t>();
        libc::CPU_SET(0, &mut one);
        assert_eq!(
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const one),
            0
        );
    }
    assert_eq!(format!("{:?}", CpuMask::of_this_thread()), "{0}");
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(dir.path(), &options).unwrap();
    // Several segments: the helper has certainly run.
    for _ in 0..50_000 {
        writer.append(0x0100, 0, 0, &[7; 64]).unwrap();
    }
    let mut masks = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        if fs::read_to_string(task.join("comm"))
            .unwrap_or_default()
            .trim()
            == "journal-prepare"
        {
            let id: i32 = task.file_name().unwrap().to_str().unwrap().parse().unwrap();
            // SAFETY: as above; the kernel writes at most the size of the set.
            unsafe {
                let mut set = std::mem::zeroed::<libc::cpu_set_t>();
                libc::sched_getaffinity(id, size_of::<libc::cpu_set_t>(), &raw mut set);
                masks.push(libc::CPU_COUNT(&set));
            }
        }
    }
    assert!(masks.iter().any(|count| *count > 1), "{masks:?}");
    assert!(masks.iter().all(|count| *count > 1), "{masks:?}");
}
