//! Journals that are damaged, foreign, absent or out of room: one sentence that names segment and place.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use acth_tests::{
    ending::{assert_names, refusal},
    parse,
    random::Random,
    run, run_json,
};
use tempfile::TempDir;

/// Damaged bytes that are tried.
const SEEDS: u64 = 40;

/// A sealed journal of one segment.
fn journal() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    run_json(&[
        "backtest",
        "--duration",
        "2s",
        "--json",
        "--journal",
        path.to_str().unwrap(),
    ]);
    (dir, path)
}

fn first_segment(journal: &Path) -> PathBuf {
    journal.join("0000000000.seg")
}

/// All verbs that read a whole journal must refuse it alike.
fn refusals(journal: &Path, exit_code: i32) -> Vec<String> {
    let place = journal.to_str().unwrap();
    let verbs: [&[&str]; 4] = [
        &["journal", "verify", place],
        &["journal", "verify", place, "--json"],
        &["replay", place],
        &["replay", place, "--json", "--threads", "multi"],
    ];
    verbs.map(|verb| refusal(&run(verb), exit_code)).to_vec()
}

#[test]
fn a_damaged_byte_in_the_middle_is_named() {
    let (_dir, journal) = journal();
    let good = std::fs::read(first_segment(&journal)).unwrap();
    let mut random = Random::for_test("damaged byte");
    for _ in 0..SEEDS {
        let mut bytes = good.clone();
        // The middle half: frames before it, frames behind it.
        let offset = bytes.len() / 4 + random.below(bytes.len() as u64 / 2) as usize;
        bytes[offset] ^= 1 << random.below(8);
        std::fs::write(first_segment(&journal), &bytes).unwrap();
        for sentence in refusals(&journal, 1) {
            assert_names(&sentence, &["segment 0 is damaged at byte "]);
            let at = sentence.split("at byte ").nth(1).unwrap();
            let at: usize = at
                .split(|c: char| !c.is_ascii_digit())
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let is_near = at <= offset && offset - at < 4_096;
            assert!(is_near, "byte {offset} was damaged: {sentence}");
        }
    }
    let place = journal.to_str().unwrap();
    let output = run(&["journal", "verify", place, "--json"]);
    assert_eq!(parse(&output)["ok"], false);
}

#[test]
fn a_journal_of_another_version_is_refused_as_such() {
    let (_dir, journal) = journal();
    let mut bytes = std::fs::read(first_segment(&journal)).unwrap();
    bytes[8..12].copy_from_slice(&7_u32.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..124]);
    bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(first_segment(&journal), &bytes).unwrap();
    for sentence in refusals(&journal, 2) {
        assert_names(&sentence, &["segment 0", "version 7", "version 1"]);
    }
    // With a checksum that does not hold it is damage, not a version.
    bytes[124] ^= 1;
    std::fs::write(first_segment(&journal), &bytes).unwrap();
    for sentence in refusals(&journal, 1) {
        assert_names(&sentence, &["segment 0 is damaged"]);
    }
}

#[test]
fn a_missing_segment_in_the_middle_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("small.toml");
    std::fs::write(&config, "[journal]\nsegment_mib = 1\n").unwrap();
    let (journal, config) = (dir.path().join("j"), config.to_str().unwrap());
    let place = journal.to_str().unwrap();
    run_json(&[
        "backtest",
        "--duration",
        "5s",
        "--json",
        "--config",
        config,
        "--journal",
        place,
    ]);
    std::fs::remove_file(journal.join("0000000001.seg")).unwrap();
    for sentence in refusals(&journal, 1) {
        assert_names(&sentence, &["segment 1", "missing"]);
    }
}

#[test]
fn a_directory_in_use_is_not_written_to() {
    let (_dir, journal) = journal();
    let place = journal.to_str().unwrap();
    let before = std::fs::read(first_segment(&journal)).unwrap();
    // `run` goes on with what another run left, and with nothing else.
    for (verb, cause) in [("run", "journal of a backtest"), ("backtest", "not empty")] {
        let sentence = refusal(&run(&[verb, "--duration", "1s", "--journal", place]), 2);
        assert_names(&sentence, &[place, cause]);
    }
    assert!(std::fs::read(first_segment(&journal)).unwrap() == before);
}

#[test]
fn what_is_no_journal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().to_path_buf();
    let absent = dir.path().join("absent");
    let file = dir.path().join("file");
    for path in [&empty, &absent] {
        for sentence in refusals(path, 2) {
            assert_names(&sentence, &[path.to_str().unwrap()]);
        }
    }
    std::fs::write(&file, "text").unwrap();
    for sentence in refusals(&file, 2) {
        assert_names(&sentence, &[file.to_str().unwrap()]);
    }
    for verb in ["info", "dump", "tail"] {
        let sentence = refusal(&run(&["journal", verb, absent.to_str().unwrap()]), 2);
        assert_names(&sentence, &[absent.to_str().unwrap()]);
    }
    let inside = file.join("j");
    let sentence = refusal(
        &run(&[
            "backtest",
            "--duration",
            "1s",
            "--journal",
            inside.to_str().unwrap(),
        ]),
        2,
    );
    assert_names(&sentence, &[file.to_str().unwrap()]);
}

/// A small file system of its own, unmounted at the end.
struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(dir.path())
            .output();
        match done {
            Ok(output) if output.status.success() => Some(Self { dir }),
            other => {
                eprintln!("skipped: a small tmpfs cannot be mounted here ({other:?})");
                None
            }
        }
    }

    /// Runs a verb with segments of 1 MiB until the disk is full.
    fn fill(&self, verb: &[&str]) -> (Output, PathBuf) {
        let elsewhere = tempfile::tempdir().unwrap();
        let config = elsewhere.path().join("small.toml");
        std::fs::write(&config, "[journal]\nsegment_mib = 1\n").unwrap();
        let journal = self.dir.path().join("j");
        let settings = [
            "--config",
            config.to_str().unwrap(),
            "--journal",
            journal.to_str().unwrap(),
            "--json",
        ];
        (run(&[verb, &settings].concat()), journal)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.dir.path()).status();
    }
}

#[test]
fn a_full_disk_ends_a_run_with_a_whole_journal() {
    let verbs: [&[&str]; 4] = [
        &["backtest", "--duration", "10m"],
        &["backtest", "--duration", "10m", "--threads", "multi"],
        &["run", "--duration", "60s", "--threads", "single"],
        &["run", "--duration", "60s", "--threads", "multi"],
    ];
    for verb in verbs {
        let Some(disk) = SmallDisk::mount("4m") else {
            return;
        };
        let (output, journal) = disk.fill(verb);
        let sentence = refusal(&output, 2);
        assert_names(
            &sentence,
            &[journal.to_str().unwrap(), "No space left on device"],
        );
        let place = journal.to_str().unwrap();
        assert_eq!(
            run_json(&["journal", "verify", place, "--json"])["ok"],
            true,
            "{verb:?}"
        );
        let replay = run_json(&["replay", place, "--json"]);
        assert_eq!(replay["identical"], true, "{verb:?}");
        assert!(replay["events"].as_u64().unwrap() > 1_000, "{verb:?}");
    }
}

#[test]
fn a_disk_without_room_for_one_segment_is_refused_at_once() {
    let Some(disk) = SmallDisk::mount("512k") else {
        return;
    };
    let (output, journal) = disk.fill(&["run", "--duration", "60s"]);
    let sentence = refusal(&output, 2);
    assert_names(
        &sentence,
        &[journal.to_str().unwrap(), "No space left on device"],
    );
}
