//! The recordings of 2024-08-08 through the whole command: every line understood, every ticker confirmed by the book,
//! the same history every time.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use acth_tests::{recordings, run_json};
use serde_json::{Value, json};

/// Lines of each file, and tickers that can be compared with a book of the same update id.
const EXPECTED: [(u64, u64); 4] = [(41_249, 564), (33_618, 577), (93_954, 629), (74_655, 551)];
/// All lines together.
const LINES: u64 = 243_476;
/// All comparisons together.
const CHECKS: u64 = 2_321;

fn backtest(files: &[PathBuf], journal: &Path) -> Value {
    let mut arguments = vec!["backtest", "--json", "--journal", journal.to_str().unwrap()];
    for file in files {
        arguments.extend(["--data", file.to_str().unwrap()]);
    }
    run_json(&arguments)
}

fn assert_whole(summary: &Value, lines: u64, checks: u64) {
    let decode = json!({"frames": lines, "fallbacks": 0, "unknown": 0, "errors": 0, "gaps": 0});
    assert_eq!(summary["decode"], decode);
    let books = json!({"compared": checks, "equal": checks, "crossed": 0});
    assert_eq!(summary["book_checks"], books);
}

#[test]
fn each_recording_is_understood_to_the_last_line() {
    let Some(files) = recordings() else { return };
    for (file, (lines, checks)) in files.iter().zip(EXPECTED) {
        let dir = tempfile::tempdir().unwrap();
        let summary = backtest(std::slice::from_ref(file), &dir.path().join("j"));
        assert_whole(&summary, lines, checks);
    }
    assert_eq!(EXPECTED.iter().map(|row| row.0).sum::<u64>(), LINES);
    assert_eq!(EXPECTED.iter().map(|row| row.1).sum::<u64>(), CHECKS);
}

#[test]
fn all_four_together_replay_identically() {
    let Some(files) = recordings() else { return };
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let summary = backtest(&files, &journal);
    assert_whole(&summary, LINES, CHECKS);
    assert!(summary["decisions"].as_u64().unwrap() > 0);
    for threads in ["single", "multi"] {
        let place = journal.to_str().unwrap();
        let replay = run_json(&["replay", place, "--json", "--threads", threads]);
        assert_eq!(replay["identical"], true, "{threads}");
        for key in ["decision_hash", "state_hash", "events", "decisions"] {
            assert_eq!(replay[key], summary[key], "{threads}: {key}");
        }
        for key in ["book_checks", "account", "instruments"] {
            assert_eq!(replay[key], summary[key], "{threads}: {key}");
        }
    }
}

#[test]
fn two_backtests_write_the_same_journal() {
    let Some(files) = recordings() else { return };
    let dir = tempfile::tempdir().unwrap();
    let journals = [dir.path().join("first"), dir.path().join("other")];
    let summaries = journals.each_ref().map(|journal| backtest(&files, journal));
    for key in ["decision_hash", "state_hash", "account"] {
        assert_eq!(summaries[0][key], summaries[1][key], "{key}");
    }
    let segments = journals.each_ref().map(|journal| segments(journal));
    assert!(segments[0].len() > 1, "the run should cross segments");
    assert_eq!(segments[0].len(), segments[1].len());
    for (first, other) in segments[0].iter().zip(&segments[1]) {
        let (mut first, mut other) = (std::fs::read(first).unwrap(), std::fs::read(other).unwrap());
        let frames = [
            blank_run_specific(&mut first),
            blank_run_specific(&mut other),
        ];
        assert_eq!(frames[0], frames[1]);
        // Not assert_eq: the text of 64 MiB helps nobody.
        let differs = first.iter().zip(&other).position(|(a, b)| a != b);
        assert_eq!((differs, first.len()), (None, other.len()));
        eprintln!("{} bytes, {} frames: the same", first.len(), frames[0]);
    }
}

fn segments(journal: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(journal)
        .unwrap()
        .map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "seg"))
        .collect();
    found.sort();
    found
}

/// Zeroes what differs between two runs of the same history, and returns the count of frames. Of the header: boot id,
/// time of creation, chain and checksum. Of each frame: how far syncing lagged, and the checksum, which covers it and
/// is chained from the header on. See `journal/FORMAT.md`.
fn blank_run_specific(segment: &mut [u8]) -> u64 {
    for field in [40..64, 72..76, 124..128] {
        segment[field].fill(0);
    }
    let (mut position, mut frames) = (128, 0);
    while let Some(head) = segment.get(position..position + 40) {
        let frame_bytes = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
        if frame_bytes == 0 {
            break;
        }
        segment[position + 4..position + 8].fill(0);
        segment[position + 36..position + 40].fill(0);
        position += frame_bytes;
        frames += 1;
    }
    frames
}
