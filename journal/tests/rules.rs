//! One test for each row of the recovery table: the state is built, then read, then opened for writing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::{fs, path::Path};

use acth_journal::{Damage, JournalError, RULES, Recovery, Rule, Tail, Writer};
use kit::{
    append, edit, forge, frame_starts, options, poke, quick_dir, read_all, sealed, segment,
    set_durable, set_other_boot, unsealed,
};

const SEGMENT_BYTES: u64 = 8192;
/// Fits one segment.
const FEW: u64 = 40;
/// Fills several segments.
const MANY: u64 = 400;

type Case = fn(&Path);

const CASES: &[(&str, Case)] = &[
    ("R1", r1),
    ("R2", r2),
    ("R3", r3),
    ("R4", r4),
    ("R5", r5),
    ("R6", r6),
    ("R7", r7),
    ("R8", r8),
    ("R9", r9),
    ("R10", r10),
    ("R11", r11),
    ("R12", r12),
    ("R13", r13),
    ("R14", r14),
    ("R15", r15),
    ("R16", r16),
    ("R17", r17),
];

#[test]
fn every_rule_does_what_its_row_says() {
    let ids: Vec<&str> = CASES.iter().map(|(id, _)| *id).collect();
    let rows: Vec<&str> = RULES.iter().map(|row| row.id).collect();
    assert_eq!(ids, rows, "each row has its case");
    for (id, case) in CASES {
        eprintln!("{id}");
        let dir = quick_dir();
        case(&dir.path().join("journal"));
    }
}

/// Opens for writing, goes on for a few frames, seals; the result must be whole.
fn recover(dir: &Path, rule: Rule, last_sequence: u64) -> Recovery {
    let (count, tail) = read_all(dir);
    assert_eq!(count, last_sequence);
    let (mut writer, recovery) = Writer::open(dir, &options(SEGMENT_BYTES)).unwrap();
    assert_eq!(
        (recovery.rule, recovery.last_sequence),
        (rule, last_sequence)
    );
    assert_eq!(recovery.tail, tail.unwrap(), "reader and recovery agree");
    append(&mut writer, 5);
    writer.seal().unwrap();
    let (count, tail) = read_all(dir);
    assert_eq!((count, tail.unwrap()), (last_sequence + 5, Tail::Sealed));
    recovery
}

/// Reading delivers `count` frames, then reports the damage; opening refuses with the same words and changes nothing.
fn refuse(dir: &Path, count: u64, segment: u64, cause: Damage) {
    let listing = |dir: &Path| {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "quarantine")
            .collect();
        names.sort();
        names
    };
    let before = listing(dir);
    let (read, ending) = read_all(dir);
    let error = ending.unwrap_err();
    assert_eq!(read, count, "{error}");
    let opened = Writer::open(dir, &options(SEGMENT_BYTES)).err().unwrap();
    assert_eq!(opened.to_string(), error.to_string());
    match error {
        JournalError::Damaged {
            segment: found,
            sequence,
            cause: because,
            ..
        } => {
            assert_eq!((found, sequence, because), (segment, count + 1, cause));
        }
        other => panic!("{other}"),
    }
    assert_eq!(listing(dir), before);
    let kept: Vec<String> = fs::read_dir(dir.join("quarantine"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        kept.iter().any(|name| name.ends_with(".report")),
        "{kept:?}"
    );
    // Once for each place, however often it is tried.
    assert!(Writer::open(dir, &options(SEGMENT_BYTES)).is_err());
    assert_eq!(
        fs::read_dir(dir.join("quarantine")).unwrap().count(),
        kept.len()
    );
}

fn end_of(dir: &Path, index: u64) -> usize {
    *frame_starts(&fs::read(segment(dir, index)).unwrap())
        .last()
        .unwrap()
}

fn length(dir: &Path, index: u64) -> u64 {
    fs::metadata(segment(dir, index)).unwrap().len()
}

/// First sequence in a segment.
fn first_in(dir: &Path, index: u64) -> u64 {
    acth_journal::info(dir).unwrap().segments[index as usize].first_sequence
}

fn r1(dir: &Path) {
    sealed(dir, SEGMENT_BYTES, FEW);
    let exact = length(dir, 0);
    // The writer died between the SEAL and the cut.
    edit(&segment(dir, 0), |bytes| {
        bytes.resize(SEGMENT_BYTES as usize, 0)
    });
    let recovery = recover(dir, Rule::R1, FEW);
    assert_eq!(
        (recovery.tail, recovery.cut, length(dir, 0)),
        (Tail::Sealed, None, exact)
    );
}

fn r2(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    let last = first_in(dir, 1) - 1;
    for segment in acth_journal::info(dir).unwrap().segments.iter().skip(1) {
        fs::remove_file(kit::segment(dir, segment.index)).unwrap();
    }
    let recovery = recover(dir, Rule::R2, last);
    assert_eq!((recovery.tail, recovery.cut), (Tail::Open, None));
}

fn r3(dir: &Path) {
    unsealed(dir, 4 * SEGMENT_BYTES, FEW);
    let recovery = recover(dir, Rule::R3, FEW);
    assert_eq!(
        (recovery.tail, recovery.cut, recovery.frames_count),
        (Tail::Open, None, FEW)
    );
    assert_eq!(length(dir, 0) % 4096, 0);
    assert!(
        length(dir, 0) < 4 * SEGMENT_BYTES,
        "unused room is given back"
    );
    assert!(
        length(dir, 0) >= end_of(dir, 0) as u64 + 8,
        "a reader may look at the next word"
    );
}

fn r4(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, FEW);
    let end = end_of(dir, 0);
    poke(&segment(dir, 0), end + 8, &[9; 60]);
    let recovery = recover(dir, Rule::R4, FEW);
    assert_eq!(
        recovery.tail,
        Tail::Torn {
            segment: 0,
            offset: end as u64,
            bytes: 68
        }
    );
    let cut = recovery.cut.unwrap();
    assert_eq!((cut.segment, cut.offset, cut.bytes), (0, end as u64, 68));
    let kept = fs::read(cut.quarantine).unwrap();
    assert_eq!((&kept[..8], &kept[8..]), (&[0; 8][..], &[9; 60][..]));
}

fn r5(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, FEW);
    let end = end_of(dir, 0);
    edit(&segment(dir, 0), |bytes| bytes.truncate(end - 3));
    let recovery = recover(dir, Rule::R5, FEW - 1);
    assert!(recovery.cut.is_some());
}

fn r6(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    forge(dir, |_, bytes| {
        set_other_boot(bytes);
        set_durable(bytes, None);
    });
    // Pages of the second segment never reached the disk, later ones did.
    let (first, segments) = (
        first_in(dir, 1),
        acth_journal::info(dir).unwrap().segments.len(),
    );
    let place = frame_starts(&fs::read(segment(dir, 1)).unwrap())[3];
    poke(&segment(dir, 1), place, &vec![0; end_of(dir, 1) - place]);
    assert!(segments > 3);
    let recovery = recover(dir, Rule::R6, first + 2);
    let cut = recovery.cut.unwrap();
    assert_eq!((cut.segment, cut.offset), (1, place as u64));
    assert_eq!(cut.later_segments_count, segments as u64 - 2);
    assert_eq!(
        fs::read_dir(dir.join("quarantine")).unwrap().count(),
        segments - 1
    );
    r6_header(&dir.with_extension("header"));
}

/// The same for the page that holds a segment's header.
fn r6_header(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    forge(dir, |_, bytes| {
        set_other_boot(bytes);
        set_durable(bytes, None);
    });
    let last = acth_journal::info(dir).unwrap().segments.len() as u64 - 1;
    let first = first_in(dir, last);
    poke(&segment(dir, last), 0, &[0; 512]);
    let recovery = recover(dir, Rule::R6, first - 1);
    let cut = recovery.cut.unwrap();
    assert_eq!((cut.segment, cut.offset), (last, 0));
    assert_eq!(fs::metadata(cut.quarantine).unwrap().len(), SEGMENT_BYTES);
}

fn r7(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    let first = first_in(dir, 1);
    forge(dir, |index, bytes| {
        set_other_boot(bytes);
        // The last segments know that the fourth frame of the second one was durable, and nothing more.
        set_durable(bytes, (index > 1).then_some(first + 3));
    });
    let place = frame_starts(&fs::read(segment(dir, 1)).unwrap())[3];
    poke(&segment(dir, 1), place + 20, &[0xaa]);
    refuse(dir, first + 2, 1, Damage::Checksum);
    // One frame further the same fault is an ordinary loss.
    poke(&segment(dir, 1), place + 20, &[0]);
    forge(dir, |_, _| {});
    let place = frame_starts(&fs::read(segment(dir, 1)).unwrap())[4];
    poke(&segment(dir, 1), place + 20, &[0xaa]);
    recover(dir, Rule::R6, first + 3);
}

fn r8(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, FEW);
    let starts = frame_starts(&fs::read(segment(dir, 0)).unwrap());
    let last = starts[FEW as usize - 1];
    poke(&segment(dir, 0), last + 20, &[0xaa]);
    refuse(dir, FEW - 1, 0, Damage::Checksum);
    poke(&segment(dir, 0), starts[7], &[0; 8]);
    refuse(dir, 7, 0, Damage::Hole);
}

fn r9(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, FEW);
    fs::write(segment(dir, 1), vec![0; SEGMENT_BYTES as usize]).unwrap();
    poke(&segment(dir, 1), 16, &[1; 40]);
    fs::write(segment(dir, 2), b"").unwrap();
    let recovery = recover(dir, Rule::R3, FEW);
    assert_eq!(recovery.cut, None);
    assert!(!segment(dir, 2).exists());
    assert_eq!(acth_journal::info(dir).unwrap().segments.len(), 2);
}

fn r10(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, FEW);
    for runs in 2..5 {
        let (mut writer, recovery) = Writer::open(dir, &options(SEGMENT_BYTES)).unwrap();
        assert_eq!((recovery.run_id + 1, writer.run_id()), (runs, runs));
        append(&mut writer, 1);
    }
    let (count, tail) = read_all(dir);
    assert_eq!((count, tail.unwrap()), (FEW + 3, Tail::Open));
}

fn r11(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    let first = first_in(dir, 2);
    let other = dir.with_extension("other");
    unsealed(&other, SEGMENT_BYTES, MANY);
    // A segment of another journal with the same frames, run and index: its header differs in its creation time only.
    forge(&other, |_, bytes| bytes[56] ^= 1);
    fs::copy(segment(&other, 2), segment(dir, 2)).unwrap();
    refuse(dir, first - 1, 2, Damage::Chain);
}

fn r12(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    let first = first_in(dir, 2);
    fs::remove_file(segment(dir, 2)).unwrap();
    refuse(dir, first - 1, 2, Damage::Missing);
}

fn r13(dir: &Path) {
    sealed(dir, SEGMENT_BYTES, FEW);
    edit(&segment(dir, 0), |bytes| bytes.extend([0, 0, 0, 1]));
    refuse(dir, FEW, 0, Damage::BytesAfterEnd);
    let rolled = dir.with_extension("rolled");
    unsealed(&rolled, SEGMENT_BYTES, MANY);
    let (first, end) = (first_in(&rolled, 1), end_of(&rolled, 0));
    assert!(end < SEGMENT_BYTES as usize);
    poke(&segment(&rolled, 0), SEGMENT_BYTES as usize - 1, &[1]);
    refuse(&rolled, first - 1, 0, Damage::BytesAfterEnd);
}

fn r14(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, FEW);
    let header = frame_starts(&fs::read(segment(dir, 0)).unwrap())[9];
    forge(dir, |_, bytes| bytes[header + 8] += 1);
    refuse(dir, 9, 0, Damage::Sequence);
    forge(dir, |_, bytes| bytes[header + 8] -= 1);
    forge(dir, |_, bytes| bytes[header + 35] = 1);
    refuse(dir, 9, 0, Damage::Field);
    forge(dir, |_, bytes| bytes[header + 35] = 0);
    // Kind 7: the journal's own, but unknown to this version.
    forge(dir, |_, bytes| {
        bytes[header + 32..header + 34].copy_from_slice(&[7, 0])
    });
    refuse(dir, 9, 0, Damage::Field);
}

fn r15(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, FEW);
    forge(dir, |_, bytes| bytes[8] = 2);
    let (count, ending) = read_all(dir);
    let error = ending.unwrap_err();
    assert!(matches!(
        error,
        JournalError::UnsupportedVersion {
            segment: 0,
            found: 2,
            supported: 1
        }
    ));
    assert_eq!(count, 0);
    let sentence = error.to_string();
    for part in ["version 2", "version 1", "convert"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    assert!(matches!(
        Writer::open(dir, &options(SEGMENT_BYTES)),
        Err(JournalError::UnsupportedVersion { .. })
    ));
}

/// Frames that are intact but do not belong where they stand.
#[test]
fn stale_and_misplaced_frames_are_damage() {
    let dir = quick_dir();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    unsealed(&old, SEGMENT_BYTES, FEW);
    unsealed(&new, SEGMENT_BYTES, FEW);
    let bytes = fs::read(segment(&old, 0)).unwrap();
    let starts = frame_starts(&bytes);
    // The frame of another run, equal in place, number and content.
    poke(&segment(&new, 0), starts[5], &bytes[starts[5]..starts[6]]);
    let (count, ending) = read_all(&new);
    assert_eq!(count, 5);
    assert!(matches!(
        ending,
        Err(JournalError::Damaged { sequence: 6, .. })
    ));
    // Two neighbours of equal length in the wrong order.
    let same = dir.path().join("same");
    let mut writer = Writer::create(&same, &options(SEGMENT_BYTES)).unwrap();
    for _ in 0..9 {
        writer.append(0x100, 0, 0, b"12345678").unwrap();
    }
    drop(writer);
    edit(&segment(&same, 0), |bytes| {
        let swapped = bytes.clone();
        bytes[128 + 96..128 + 144].copy_from_slice(&swapped[128 + 144..128 + 192]);
        bytes[128 + 144..128 + 192].copy_from_slice(&swapped[128 + 96..128 + 144]);
    });
    let damaged = acth_journal::verify(&same, &mut |_, _| {}).unwrap_err();
    assert!(
        matches!(
            damaged,
            JournalError::Damaged {
                sequence: 3,
                offset: 224,
                ..
            }
        ),
        "{damaged}"
    );
}

/// Dying in the middle of a recovery leaves a state that recovers to the same.
#[test]
fn recovery_can_be_repeated() {
    let dir = quick_dir();
    let path = dir.path().join("journal");
    unsealed(&path, SEGMENT_BYTES, FEW);
    poke(&segment(&path, 0), end_of(&path, 0) + 8, &[9; 60]);
    // Died after the copy into the quarantine, before the cut.
    fs::create_dir(path.join("quarantine")).unwrap();
    fs::write(
        path.join(format!("quarantine/0000000000-{}.cut", end_of(&path, 0))),
        [1],
    )
    .unwrap();
    let recovery = recover(&path, Rule::R4, FEW);
    assert_eq!(
        fs::read(recovery.cut.unwrap().quarantine).unwrap().len(),
        68
    );
    assert_eq!(fs::read_dir(path.join("quarantine")).unwrap().count(), 2);
}

fn r16(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    fs::write(dir.join("FAILED"), "cannot sync 0000000001.seg: no\n").unwrap();
    let error = Writer::open(dir, &options(SEGMENT_BYTES)).err().unwrap();
    assert!(matches!(error, JournalError::SyncFailed { .. }), "{error}");
    assert!(error.to_string().contains("0000000001.seg"), "{error}");
    assert_eq!(read_all(dir).0, MANY, "reading is not in doubt");
    acth_journal::accept_unsynced(dir).unwrap();
    recover(dir, Rule::R3, MANY);
}

fn r17(dir: &Path) {
    unsealed(dir, SEGMENT_BYTES, MANY);
    let first = first_in(dir, 1);
    fs::remove_file(segment(dir, 0)).unwrap();
    let error = Writer::open(dir, &options(SEGMENT_BYTES)).err().unwrap();
    match error {
        JournalError::Damaged {
            segment, sequence, ..
        } => assert_eq!((segment, sequence), (1, first)),
        other => panic!("{other}"),
    }
    assert!(read_all(dir).1.is_err());
}
