//! What the fuzz targets do with any bytes. Functions of the library, so that an ordinary test runs them as well, with the inputs that
//! once found something.
//!
//! Each must not panic and must deliver nothing that does not verify by the description alone (`format`).

use std::{path::PathBuf, sync::OnceLock};

use acth_journal::{JournalError, Reader, SyncMode, Writer, repair, snapshot, verify};

use super::{
    format::{frame_crc, reference},
    frames,
    script::{JOURNAL, options, place},
};
use crate::storage_sim::{Frozen, Loss, SimStorage};

const SEGMENT_BYTES: u64 = 8192;
const HEADER_BYTES: usize = 128;
/// An archive's preface.
const PREFACE_BYTES: usize = 184;
/// Frames of the reference journal.
const REFERENCE_FRAMES: u64 = 350;

fn segment_path(index: u64, suffix: &str) -> PathBuf {
    PathBuf::from(JOURNAL).join(format!("{index:010}.{suffix}"))
}

/// A machine with an empty journal.
fn machine() -> Option<SimStorage> {
    let storage = SimStorage::default();
    let made = Writer::create(place(&storage), &options(SEGMENT_BYTES, SyncMode::Process));
    made.ok().map(|_| storage)
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..at + 8)?.first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

/// Any bytes as a segment's file. With an odd first byte the checksums are put right, so that what is behind them is reached.
///
/// # Panics
/// When something is delivered that does not verify.
pub fn frame(data: &[u8]) {
    let (Some(storage), Some((mode, bytes))) = (machine(), data.split_first()) else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if !mode.is_multiple_of(2) {
        put_right(&mut bytes, mode / 2);
    }
    storage.put_file(&segment_path(0, "seg"), &bytes);
    let Ok(mut reader) = Reader::open(place(&storage)) else {
        return;
    };
    let mut delivered = 0;
    while let Ok(Some(frame)) = reader.next() {
        delivered += 1;
        assert_eq!(frame.sequence, delivered);
        assert!(frame.payload.len() <= bytes.len());
    }
    assert!(
        delivered <= verifying(&bytes),
        "more is delivered than verifies"
    );
    go_on(&storage, Some(delivered));
}

/// Makes header and frames those of a journal of this machine, as far as their lengths lead.
fn put_right(bytes: &mut [u8], keep: u8) {
    if bytes.len() < HEADER_BYTES {
        return;
    }
    if keep.is_multiple_of(2) {
        bytes[..8].copy_from_slice(b"ACTHJRNL");
        bytes[8..16].copy_from_slice(&[1, 0, 0, 0, 128, 0, 0, 0]);
        bytes[16..24].fill(0);
        bytes[24..32].copy_from_slice(&1u64.to_le_bytes());
        bytes[32..40].copy_from_slice(&1u64.to_le_bytes());
        let length = SEGMENT_BYTES.max(bytes.len() as u64);
        bytes[64..72].copy_from_slice(&length.to_le_bytes());
        bytes[72..124].fill(0);
    }
    let mut crc = crc32c::crc32c(&bytes[..124]);
    bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    let run_id = word(bytes, 32).unwrap_or(1);
    let mut at = HEADER_BYTES;
    while let Some(length) = word(bytes, at).map(|word| (word as u32) as usize)
        && length >= 40
        && at + length <= bytes.len()
    {
        crc = frame_crc(run_id, at, crc, &bytes[at..at + length]);
        bytes[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
        at += length;
    }
}

/// How many frames verify one behind the other, whatever is in them.
fn verifying(bytes: &[u8]) -> u64 {
    let (Some(run_id), Some(crc)) = (word(bytes, 32), word(bytes, 120)) else {
        return 0;
    };
    let (mut at, mut crc, mut count) = (HEADER_BYTES, (crc >> 32) as u32, 0);
    while let Some(word) = word(bytes, at) {
        let (length, stored) = ((word as u32) as usize, (word >> 32) as u32);
        let is_good = length >= 40
            && at + length <= bytes.len()
            && frame_crc(run_id, at, crc, &bytes[at..at + length]) == stored;
        if !is_good {
            break;
        }
        (at, crc, count) = (at + length, stored, count + 1);
    }
    count
}

/// Opens for writing; where that is not refused the journal goes on, is sealed and verifies.
fn go_on(storage: &SimStorage, delivered: Option<u64>) {
    let opened = Writer::open(place(storage), &options(SEGMENT_BYTES, SyncMode::Process));
    let Ok((mut writer, recovery)) = opened else {
        return;
    };
    if let Some(delivered) = delivered {
        assert_eq!(
            recovery.last_sequence, delivered,
            "recovery and reader differ"
        );
    }
    let appended = frames::append(&mut writer, 9, &mut Vec::new());
    assert!(appended.is_ok_and(|sequence| sequence == recovery.last_sequence + 1));
    assert!(writer.seal().is_ok());
    let verified = verify(place(storage), &mut |_, _| {});
    assert!(
        verified.is_ok_and(|found| found.last_sequence == recovery.last_sequence + 1),
        "what was recovered does not verify"
    );
}

/// The reference journal, made once for the process.
fn reference_machine() -> Option<SimStorage> {
    static REFERENCE: OnceLock<Option<Frozen>> = OnceLock::new();
    let made = REFERENCE.get_or_init(|| reference().ok().map(|storage| storage.freeze()));
    made.as_ref().map(Frozen::process_death)
}

/// The same with its finished segments archived.
fn archived_machine() -> Option<SimStorage> {
    static ARCHIVED: OnceLock<Option<Frozen>> = OnceLock::new();
    let made = ARCHIVED.get_or_init(|| {
        let storage = reference_machine()?;
        let packed = acth_journal::archive(place(&storage), 2, 1, &mut |_, _| {});
        packed.ok().map(|_| storage.freeze())
    });
    made.as_ref().map(Frozen::process_death)
}

/// A good journal of several segments and two runs, changed as the bytes say; then reading, recovery and repair.
///
/// # Panics
/// When a frame is delivered that was not appended, or what was recovered does not verify.
pub fn segment(data: &[u8]) {
    let (Some(storage), Some((mode, edits))) = (reference_machine(), data.split_first()) else {
        return;
    };
    let segments: Vec<(PathBuf, Vec<u8>)> = storage
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|suffix| suffix == "seg"))
        .collect();
    for edit in edits.chunks_exact(6).take(12) {
        let (path, bytes) = &segments[usize::from(edit[0]) % segments.len()];
        let mut bytes = storage.file(path).unwrap_or_else(|| bytes.clone());
        let at = usize::from(edit[1]) << 8 | usize::from(edit[2]);
        change(&mut bytes, edit[3], at, [edit[4], edit[5]]);
        storage.put_file(path, &bytes);
    }
    let storage = match mode % 3 {
        0 => storage,
        _ => storage
            .freeze()
            .machine_death(Loss::All, &mut crate::random::Random::of(1)),
    };
    let last = match frames::read(place(&storage), u64::MAX, &[0]) {
        Ok(found) => Some(found.last),
        Err(sentence) => {
            assert!(sentence.contains("reading behind"), "{sentence}");
            None
        }
    };
    if mode.is_multiple_of(2) {
        go_on(&storage, last);
        return;
    }
    let until = u64::from(*mode) * REFERENCE_FRAMES / 256;
    match repair(place(&storage), until) {
        Ok(repaired) => {
            assert_eq!(repaired.last_sequence, until);
            assert!(frames::read(place(&storage), u64::MAX, &[0]).is_ok());
            go_on(&storage, Some(until));
        }
        Err(JournalError::Damaged { .. } | JournalError::NoSuchSequence { .. }) => {}
        Err(error) => assert!(last.is_none(), "repair: {error}"),
    }
}

/// One change of a file's bytes.
fn change(bytes: &mut Vec<u8>, kind: u8, at: usize, value: [u8; 2]) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    let at = at % length;
    let end = (at + usize::from(value[0])).min(length);
    match kind % 6 {
        0 => bytes[at] ^= value[0],
        1 => bytes[at..end].fill(0),
        2 => bytes.truncate(at),
        3 => bytes[at..end].fill(value[1]),
        4 => {
            let target = usize::from(value[1]) * 32 % length;
            let count = (end - at).min(length - target);
            bytes.copy_within(at..at + count, target);
        }
        _ => bytes[at / 8 * 8] = value[1],
    }
}

/// Any bytes as a snapshot.
///
/// # Panics
/// When what is decoded is not what was given.
pub fn snapshot(data: &[u8]) {
    let mut bytes = data.to_vec();
    if bytes.len() >= HEADER_BYTES && bytes[0].is_multiple_of(2) {
        bytes[..8].copy_from_slice(b"ACTHSNAP");
        bytes[8..12].copy_from_slice(&1u32.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..124]);
        bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    }
    if let Ok(found) = snapshot::decode(&bytes) {
        assert_eq!(found.content, bytes[HEADER_BYTES..]);
    }
}

/// Any bytes as an archived segment: as they are, or behind the preface of a good one.
///
/// # Panics
/// When something is delivered that was not appended.
pub fn archive(data: &[u8]) {
    let (Some(storage), Some((mode, bytes))) = (archived_machine(), data.split_first()) else {
        return;
    };
    let path = segment_path(0, "seg.zst");
    let Some(mut good) = storage.file(&path) else {
        return;
    };
    match mode % 3 {
        0 => good = bytes.to_vec(),
        1 => {
            good.truncate(PREFACE_BYTES);
            good.extend_from_slice(bytes);
        }
        _ => {
            for edit in bytes.chunks_exact(5).take(12) {
                let at = usize::from(edit[0]) << 8 | usize::from(edit[1]);
                change(&mut good, edit[2], at, [edit[3], edit[4]]);
            }
        }
    }
    storage.put_file(&path, &good);
    if let Err(sentence) = frames::read(place(&storage), u64::MAX, &[0]) {
        assert!(sentence.contains("reading behind"), "{sentence}");
    }
    let _ = acth_journal::info(place(&storage));
    go_on(&storage, None);
}
