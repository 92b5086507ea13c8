//! Every truncation and every flipped bit: no wrong frame is delivered, nothing panics, the verdict is right.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::fs;

use acth_journal::{JournalError, Tail, Writer};
use kit::{copy, frame_starts, options, poke, quick_dir, read_all, sealed, segment, unsealed};

const COUNT: u64 = 40;

#[test]
fn every_truncation_of_the_last_segment() {
    let dir = quick_dir();
    let (whole, cut) = (dir.path().join("whole"), dir.path().join("cut"));
    unsealed(&whole, 8192, COUNT);
    let bytes = fs::read(segment(&whole, 0)).unwrap();
    let starts = frame_starts(&bytes);
    let used = *starts.last().unwrap();
    copy(&whole, &cut);
    for length in 0..=used {
        fs::write(segment(&cut, 0), &bytes[..length]).unwrap();
        let (count, ending) = read_all(&cut);
        let whole_frames = starts
            .iter()
            .skip(1)
            .filter(|start| **start <= length)
            .count();
        assert_eq!(count, whole_frames as u64, "length {length}");
        match ending {
            Ok(Tail::Open) => assert!(length == 0 || starts.contains(&length), "length {length}"),
            Ok(Tail::Torn {
                segment,
                offset,
                bytes,
            }) => {
                assert!(length > 128 && !starts.contains(&length), "length {length}");
                assert_eq!((segment, offset), (0, starts[whole_frames] as u64));
                assert!(offset + bytes <= length as u64);
            }
            Err(JournalError::Damaged {
                segment: 0,
                offset: 0,
                ..
            }) => assert!(length < 128),
            other => panic!("length {length}: {other:?}"),
        }
    }
}

#[test]
fn a_cut_tail_is_recovered_at_every_length() {
    let dir = quick_dir();
    let (whole, cut) = (dir.path().join("whole"), dir.path().join("cut"));
    unsealed(&whole, 8192, 12);
    let bytes = fs::read(segment(&whole, 0)).unwrap();
    let starts = frame_starts(&bytes);
    for length in (128..=*starts.last().unwrap()).step_by(5) {
        let _ = fs::remove_dir_all(&cut);
        copy(&whole, &cut);
        fs::write(segment(&cut, 0), &bytes[..length]).unwrap();
        let (mut writer, recovery) = Writer::open(&cut, &options(8192)).unwrap();
        let whole_frames = starts
            .iter()
            .skip(1)
            .filter(|start| **start <= length)
            .count() as u64;
        assert_eq!(recovery.last_sequence, whole_frames);
        if let Some(found) = &recovery.cut {
            let kept = fs::read(&found.quarantine).unwrap();
            let offset = found.offset as usize;
            assert_eq!(kept, bytes[offset..offset + found.bytes as usize]);
        }
        assert_eq!(
            recovery.cut.is_some(),
            !starts.contains(&length),
            "length {length}"
        );
        kit::append(&mut writer, 3);
        writer.seal().unwrap();
        let (count, ending) = read_all(&cut);
        assert_eq!((count, ending.unwrap()), (whole_frames + 3, Tail::Sealed));
    }
}

/// Flips each bit of every used byte, one at a time, and hands the reading to `verdict`.
fn flip_every_bit(
    sealed_journal: bool,
    verdict: impl Fn(usize, &[usize], u64, Result<Tail, JournalError>),
) {
    let dir = quick_dir();
    if sealed_journal {
        sealed(dir.path(), 8192, COUNT)
    } else {
        unsealed(dir.path(), 8192, COUNT)
    }
    let path = segment(dir.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    let starts = frame_starts(&bytes);
    assert_eq!(starts.len() as u64, COUNT + 1 + u64::from(sealed_journal));
    for bit in 0..*starts.last().unwrap() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        poke(&path, bit / 8, &bytes[bit / 8..=bit / 8]);
        let (count, ending) = read_all(dir.path());
        verdict(bit, &starts, count, ending);
        bytes[bit / 8] ^= 1 << (bit % 8);
        poke(&path, bit / 8, &bytes[bit / 8..=bit / 8]);
    }
}

#[test]
fn every_bit_of_an_unsealed_segment() {
    flip_every_bit(false, |bit, starts, count, ending| {
        let frame = starts.iter().filter(|start| **start <= bit / 8).count();
        let before = frame.saturating_sub(1) as u64;
        assert_eq!(count, before, "bit {bit}");
        let place = if frame == 0 {
            0
        } else {
            starts[frame - 1] as u64
        };
        match ending {
            Err(JournalError::Damaged {
                segment: 0,
                offset,
                sequence,
                ..
            }) => {
                assert_eq!((offset, sequence), (place, before + 1), "bit {bit}");
            }
            other => panic!("bit {bit}: {other:?}"),
        }
    });
}

#[test]
fn every_bit_of_a_sealed_segment() {
    flip_every_bit(true, |bit, starts, count, ending| {
        let frame = starts.iter().filter(|start| **start <= bit / 8).count();
        assert_eq!(count, frame.saturating_sub(1) as u64, "bit {bit}");
        // In the length of the SEAL a flip looks like a SEAL cut short; no frame is lost by that.
        let in_seal_length = frame == starts.len() - 1 && bit / 8 < starts[frame - 1] + 4;
        match ending {
            Err(JournalError::Damaged { .. }) => {}
            Ok(Tail::Torn { .. }) if in_seal_length => {}
            other => panic!("bit {bit}: {other:?}"),
        }
    });
}

#[test]
fn every_bit_of_the_room_behind() {
    let dir = quick_dir();
    unsealed(dir.path(), 8192, COUNT);
    let path = segment(dir.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    let end = *frame_starts(&bytes).last().unwrap();
    for bit in (end * 8..bytes.len() * 8).step_by(7) {
        bytes[bit / 8] ^= 1 << (bit % 8);
        poke(&path, bit / 8, &bytes[bit / 8..=bit / 8]);
        let (count, ending) = read_all(dir.path());
        assert_eq!(count, COUNT, "bit {bit}");
        // Residue without a first word is what a death inside an append leaves; a first word alone is damage.
        let is_word = bit / 8 < end + 8;
        assert_eq!(
            matches!(ending, Ok(Tail::Torn { .. })),
            !is_word,
            "bit {bit}: {ending:?}"
        );
        assert_eq!(
            matches!(ending, Err(JournalError::Damaged { .. })),
            is_word,
            "bit {bit}"
        );
        bytes[bit / 8] ^= 1 << (bit % 8);
        poke(&path, bit / 8, &bytes[bit / 8..=bit / 8]);
    }
}
