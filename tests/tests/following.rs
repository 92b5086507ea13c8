//! A reader at the very end of a journal that is being written: every frame once, in order, and never a damage that is
//! none. Regression: a frame that was published between the reader's two looks at one place was taken for damage, and
//! a reader that met a busy writer judged the end of the journal again and again.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use acth_journal::{JournalOptions, Reader, Tail, Writer};

/// Kind of all frames here.
const KIND: u16 = 0x0100;
/// How long the writer writes.
const WRITING: Duration = Duration::from_secs(4);

/// Writes small frames with short pauses of many lengths: the reader is nearly always at the end.
fn write(mut writer: Writer, has_ended: &AtomicBool) -> u64 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < WRITING {
        count = writer.append(KIND, 0, 0, &[7; 64]).unwrap();
        for _ in 0..count % 512 {
            std::hint::spin_loop();
        }
    }
    writer.seal().unwrap();
    has_ended.store(true, Ordering::Release);
    count
}

#[test]
fn a_reader_at_the_end_sees_every_frame_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        segment_bytes: 4 << 20,
        ..JournalOptions::default()
    };
    let writer = Writer::create(dir.path().join("j"), &options).unwrap();
    let has_ended = AtomicBool::new(false);
    let (written, read, empty_looks) = thread::scope(|scope| {
        let writing = scope.spawn(|| write(writer, &has_ended));
        let mut reader = Reader::open(dir.path().join("j")).unwrap();
        let (mut read, mut empty_looks) = (0, 0_u64);
        while reader.tail() != Tail::Sealed {
            let is_over = has_ended.load(Ordering::Acquire);
            while let Some(frame) = reader.next().unwrap() {
                read += 1;
                assert_eq!(frame.sequence, read);
            }
            empty_looks += 1;
            assert!(
                !is_over || reader.tail() == Tail::Sealed,
                "{:?}",
                reader.tail()
            );
        }
        (writing.join().unwrap(), read, empty_looks)
    });
    eprintln!("{written} frames written, {read} read, {empty_looks} times at the very end");
    assert_eq!(read, written);
    assert!(
        empty_looks > 100,
        "the reader was hardly ever at the end: {empty_looks}"
    );
}
