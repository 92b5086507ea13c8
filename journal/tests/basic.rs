//! Write, read, roll, reopen, seal: the ordinary life of a journal.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_journal::{
    FIRST_USER_KIND, JournalError, JournalOptions, Reader, Tail, Writer, info, verify,
};
use proptest::prelude::*;

fn options(segment_bytes: u64) -> JournalOptions {
    JournalOptions {
        segment_bytes,
        ..JournalOptions::default()
    }
}

#[test]
fn what_is_appended_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(dir.path(), &options(8192)).unwrap();
    assert_eq!(writer.next_sequence(), 1);
    assert_eq!(writer.append(0x0100, -5, 0, b"one").unwrap(), 1);
    assert_eq!(writer.append(0xffff, i64::MAX, u64::MAX, b"").unwrap(), 2);
    let mut reader = Reader::open(dir.path()).unwrap();
    let frame = reader.next().unwrap().unwrap();
    assert_eq!(
        (frame.sequence, frame.time_ns, frame.cause, frame.kind),
        (1, -5, 0, 0x0100)
    );
    assert_eq!(frame.payload, b"one");
    assert_eq!(frame.payload.as_ptr().addr() % 8, 0);
    let frame = reader.next().unwrap().unwrap();
    assert_eq!(
        (frame.time_ns, frame.cause, frame.kind),
        (i64::MAX, u64::MAX, 0xffff)
    );
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.tail(), Tail::Open);
    let sealed = writer.seal().unwrap();
    assert_eq!(sealed.last_sequence, 2);
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.tail(), Tail::Sealed);
    let found = info(dir.path()).unwrap();
    assert!(found.segments[0].is_sealed);
    assert_eq!(found.segments[0].file_bytes, 128 + 48 + 40 + 40);
    let names = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 2, "LOCK and one segment");
}

#[test]
fn one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er");
    let writer = Writer::create(&path, &options(8192)).unwrap();
    assert!(matches!(
        Writer::open(&path, &options(8192)),
        Err(JournalError::Locked { .. })
    ));
    drop(writer);
    assert!(matches!(
        Writer::create(&path, &options(8192)),
        Err(JournalError::NotEmpty { .. })
    ));
    let (writer, recovery) = Writer::open(&path, &options(8192)).unwrap();
    assert_eq!((recovery.run_id, writer.run_id()), (1, 2));
    assert_eq!((recovery.tail, recovery.cut), (Tail::Open, None));
}

#[test]
fn refusals_are_typed_and_write_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent");
    assert!(matches!(
        Reader::open(&absent),
        Err(JournalError::NotFound { .. })
    ));
    assert!(matches!(
        Writer::open(dir.path(), &options(8192)),
        Err(JournalError::NotFound { .. })
    ));
    assert!(matches!(
        Writer::create(&absent, &options(5000)),
        Err(JournalError::SegmentBytes { found: 5000, .. })
    ));
    let mut writer = Writer::create(&absent, &options(8192)).unwrap();
    let max = writer.payload_bytes_max();
    assert!(matches!(
        writer.append(FIRST_USER_KIND - 1, 0, 0, b""),
        Err(JournalError::ReservedKind { kind: 0xff })
    ));
    assert!(matches!(
        writer.append(FIRST_USER_KIND, 0, 0, &vec![0; max + 1]),
        Err(JournalError::PayloadTooLarge { .. })
    ));
    assert_eq!(writer.next_sequence(), 1);
    for _ in 0..3 {
        writer.append(FIRST_USER_KIND, 0, 0, &vec![9; max]).unwrap();
    }
    writer.seal().unwrap();
    let found = verify(&absent, &mut |_, _| {}).unwrap();
    assert_eq!((found.frames, found.segments), (3, 3));
}

#[test]
fn hash_covers_all_and_progress_reaches_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(dir.path(), &options(1 << 20)).unwrap();
    for number in 0..50_000u64 {
        writer
            .append(0x0100, 0, number, &number.to_le_bytes())
            .unwrap();
    }
    writer.seal().unwrap();
    let mut steps = Vec::new();
    let found = verify(dir.path(), &mut |done, total| steps.push((done, total))).unwrap();
    assert_eq!(
        (found.frames, found.first_sequence, found.last_sequence),
        (50_000, 1, 50_000)
    );
    assert_eq!((found.runs, found.tail), (1, Tail::Sealed));
    assert!(steps.len() > 2 && steps.iter().all(|(done, total)| done <= total));
    let last = steps.last().unwrap();
    assert_eq!(last.0, last.1);
    let again = verify(dir.path(), &mut |_, _| {}).unwrap();
    assert_eq!(again, found);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The naive twin of a journal is a list of payloads.
    #[test]
    fn any_sizes_any_runs_read_back(
        runs in prop::collection::vec(
            (prop::collection::vec((0usize..3000, any::<u8>()), 0..60), any::<bool>(), 2u64..6),
            1..4,
        ),
    ) {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let mut twin: Vec<(u64, Vec<u8>)> = Vec::new();
        for (number, (payloads, is_sealed, pages)) in runs.iter().enumerate() {
            let options = options(pages * 4096);
            let mut writer = if number == 0 {
                Writer::create(dir.path(), &options).unwrap()
            } else {
                let (writer, recovery) = Writer::open(dir.path(), &options).unwrap();
                prop_assert_eq!(recovery.last_sequence, twin.len() as u64);
                prop_assert_eq!(recovery.cut, None);
                writer
            };
            for (bytes, fill) in payloads {
                let payload = vec![*fill; *bytes];
                let sequence = writer.append(0x0200, 1, 2, &payload).unwrap();
                twin.push((sequence, payload));
            }
            if *is_sealed { writer.seal().unwrap(); } else { drop(writer); }
        }
        let mut reader = Reader::open(dir.path()).unwrap();
        for (sequence, payload) in &twin {
            let frame = reader.next().unwrap().unwrap();
            prop_assert_eq!(frame.sequence, *sequence);
            prop_assert_eq!(frame.payload, &payload[..]);
        }
        prop_assert!(reader.next().unwrap().is_none());
        let expected = if runs.last().unwrap().1 { Tail::Sealed } else { Tail::Open };
        prop_assert_eq!(reader.tail(), expected);
        let found = verify(dir.path(), &mut |_, _| {}).unwrap();
        prop_assert_eq!((found.frames, found.runs), (twin.len() as u64, runs.len() as u64));
    }
}
