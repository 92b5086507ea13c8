//! Frames are verified a stretch at a time: nobody who reads may notice.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use acth_journal::{JournalError, JournalOptions, Reader, Writer};

const KIND: u16 = 0x0101;
/// Bytes of a segment header and of a frame header.
const SEGMENT_HEADER: usize = 128;
const FRAME_HEADER: usize = 40;

fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: 1 << 20,
        ..JournalOptions::default()
    }
}

/// Writes one frame for each length and says where each begins.
fn written(path: &Path, lengths: &[usize]) -> Vec<usize> {
    let mut writer = Writer::create(path, &options()).unwrap();
    let mut position = SEGMENT_HEADER;
    let mut positions = Vec::new();
    for (index, length) in lengths.iter().enumerate() {
        let payload: Vec<u8> = (0..*length).map(|byte| (byte + index) as u8).collect();
        writer.append(KIND, index as i64, 0, &payload).unwrap();
        positions.push(position);
        position += FRAME_HEADER + length.next_multiple_of(8);
    }
    writer.seal().unwrap();
    positions
}

fn first_segment(path: &Path) -> PathBuf {
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut segments: Vec<PathBuf> = entries
        .filter(|path| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"ACTHJRNL")))
        .collect();
    segments.sort();
    segments.remove(0)
}

/// Frames delivered before the end, and whether the end was damage.
fn delivered(path: &Path) -> (usize, bool) {
    let mut reader = Reader::open(path).unwrap();
    for count in 0.. {
        match reader.next() {
            Ok(Some(frame)) => {
                assert_eq!(frame.sequence, count as u64 + 1);
                assert_eq!(frame.time_ns, count as i64);
                let expected = (0..frame.payload.len()).map(|byte| (byte + count) as u8);
                assert!(frame.payload.iter().copied().eq(expected));
            }
            Ok(None) => return (count, false),
            Err(JournalError::Damaged { .. }) => return (count, true),
            Err(other) => panic!("{other}"),
        }
    }
    unreachable!("a journal ends")
}

/// Every frame before a damaged one is delivered, and nothing of it or behind it: at each place of a row and in rows of each length.
#[test]
fn damage_is_met_at_its_frame() {
    let mixed: Vec<usize> = (0..23)
        .map(|index| [64, 64, 64, 24, 0, 600][index % 6])
        .collect();
    for lengths in [vec![64; 23], vec![24; 23], mixed] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let positions = written(&path, &lengths);
        assert_eq!(delivered(&path), (lengths.len(), false));
        let segment = first_segment(&path);
        let whole = fs::read(&segment).unwrap();
        for (damaged, position) in positions.into_iter().enumerate() {
            for at in [4, 8, 16, 32, FRAME_HEADER - 1] {
                let mut bytes = whole.clone();
                bytes[position + at] ^= 0x10;
                fs::write(&segment, bytes).unwrap();
                let found = delivered(&path);
                assert_eq!(found, (damaged, true), "byte {at} of frame {damaged}");
            }
        }
    }
}

/// A reader that is at the end sees each new frame as it comes, wherever it stands in a row.
#[test]
fn a_follower_sees_each_frame() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    let mut writer = Writer::create(&path, &options()).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    let mut sequence = 0;
    for burst in (1..=9).cycle().take(300) {
        for _ in 0..burst {
            sequence += 1;
            assert_eq!(writer.append(KIND, 0, 0, &[7; 64]).unwrap(), sequence);
        }
        for expected in sequence - burst + 1..=sequence {
            assert_eq!(reader.next().unwrap().unwrap().sequence, expected);
        }
        assert!(reader.next().unwrap().is_none());
    }
}
