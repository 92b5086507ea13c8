//! What the suites share: small journals, copies of them, and edits below the API.
#![allow(dead_code, reason = "each suite uses its part")]

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use acth_journal::{Frame, JournalError, JournalOptions, Reader, Writer};

pub(crate) const KIND: u16 = 0x0100;

pub(crate) fn options(segment_bytes: u64) -> JournalOptions {
    JournalOptions {
        segment_bytes,
        ..JournalOptions::default()
    }
}

pub(crate) fn payload(sequence: u64) -> Vec<u8> {
    (0..(sequence * 13 % 90) as usize)
        .map(|byte| byte as u8 ^ sequence as u8)
        .collect()
}

pub(crate) fn append(writer: &mut Writer, count: u64) {
    for _ in 0..count {
        let sequence = writer.next_sequence();
        let appended = writer.append(KIND, sequence as i64, sequence / 2, &payload(sequence));
        assert_eq!(appended.unwrap(), sequence);
    }
}

/// A directory in memory where there is one: these suites make very many small files.
pub(crate) fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Overwrites bytes in place.
pub(crate) fn poke(path: &Path, offset: usize, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset as u64).unwrap();
}

/// A journal of one unsealed run.
pub(crate) fn unsealed(dir: &Path, segment_bytes: u64, count: u64) {
    append(
        &mut Writer::create(dir, &options(segment_bytes)).unwrap(),
        count,
    );
}

/// A journal of one sealed run.
pub(crate) fn sealed(dir: &Path, segment_bytes: u64, count: u64) {
    let mut writer = Writer::create(dir, &options(segment_bytes)).unwrap();
    append(&mut writer, count);
    writer.seal().unwrap();
}

pub(crate) fn segment(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("{index:010}.seg"))
}

/// Changes a file's bytes.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Copies the files of a journal (not its quarantine).
pub(crate) fn copy(source: &Path, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
        }
    }
}

/// Asserts that a frame is what `append` wrote under its number.
pub(crate) fn check(frame: &Frame<'_>) {
    assert_eq!(
        frame.payload,
        &payload(frame.sequence)[..],
        "wrong frame {}",
        frame.sequence
    );
    assert_eq!(frame.time_ns, frame.sequence as i64);
    assert_eq!((frame.cause, frame.kind), (frame.sequence / 2, KIND));
}

/// Reads all frames, each checked; their count and how it ended.
pub(crate) fn read_all(dir: &Path) -> (u64, Result<acth_journal::Tail, JournalError>) {
    let mut reader = Reader::open(dir).unwrap();
    let mut count = 0;
    loop {
        match reader.next() {
            Ok(Some(frame)) => {
                count += 1;
                assert_eq!(frame.sequence, count);
                check(&frame);
            }
            Ok(None) => return (count, Ok(reader.tail())),
            Err(error) => return (count, Err(error)),
        }
    }
}

/// Start of every frame of a segment's bytes, and the end of the last one.
pub(crate) fn frame_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![128];
    loop {
        let at = starts[starts.len() - 1];
        let word = bytes.get(at..at + 4).map_or(0, |word| {
            u32::from_le_bytes(word.try_into().unwrap()) as usize
        });
        if word == 0 {
            return starts;
        }
        starts.push(at + word);
    }
}

/// Writes every segment anew, as a foreign writer would have written it: `change` edits the bytes of one segment, then header, chain
/// and frame checksums are computed again.
pub(crate) fn forge(dir: &Path, mut change: impl FnMut(u64, &mut Vec<u8>)) {
    let mut chain = 0;
    for index in 0.. {
        let path = segment(dir, index);
        if !path.exists() {
            return;
        }
        edit(&path, |bytes| {
            bytes[72..76].copy_from_slice(&u32::to_le_bytes(chain));
            change(index, bytes);
            chain = set_checksums(bytes);
        });
    }
}

/// A boot id that is not this machine's.
pub(crate) fn set_other_boot(bytes: &mut [u8]) {
    bytes[40..56].fill(0xee);
}

/// Sets what every frame of a segment says was durable; `None` = unknown.
pub(crate) fn set_durable(bytes: &mut [u8], durable: Option<u64>) {
    let starts = frame_starts(bytes);
    for start in &starts[..starts.len() - 1] {
        let sequence = u64::from_le_bytes(bytes[start + 8..start + 16].try_into().unwrap());
        let lag = durable.map_or(u32::MAX, |durable| {
            (sequence - durable.min(sequence)) as u32
        });
        bytes[start + 36..start + 40].copy_from_slice(&lag.to_le_bytes());
    }
}

/// Header first, then every frame; returns the last checksum.
fn set_checksums(bytes: &mut [u8]) -> u32 {
    let crc = crc32c::crc32c(&bytes[..124]);
    bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    let run_id = u64::from_le_bytes(bytes[32..40].try_into().unwrap());
    let mixed = (run_id ^ (run_id >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let run = mixed ^ (mixed >> 32);
    let starts = frame_starts(bytes);
    let mut crc_before = crc;
    for pair in starts.windows(2) {
        let place = (pair[0] as u64) << 32 | (pair[1] - pair[0]) as u64;
        let high = (run ^ place).wrapping_mul(0x94d0_49bb_1331_11eb) >> 32;
        crc_before ^= crc32c::crc32c_append(high as u32, &bytes[pair[0] + 8..pair[1]]);
        bytes[pair[0] + 4..pair[0] + 8].copy_from_slice(&crc_before.to_le_bytes());
    }
    crc_before
}
