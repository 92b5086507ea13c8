//! One journal, several builds and layouts of the program: the same decisions and the same state.
//!
//! The release build takes minutes: it is made only with `ACTH_RELEASE_REPLAY=1`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{path::Path, process::Command};

use acth_tests::{acth, build, parse, recordings, run_json};
use serde_json::Value;

fn replay_with(program: &Path, place: &str, threads: &str) -> Value {
    let arguments = ["replay", place, "--json", "--threads", threads];
    let output = Command::new(program).args(arguments).output().unwrap();
    parse(&output)
}

/// Replays with both programs in both layouts.
fn assert_same(programs: &[&Path], place: &str, written: &Value) {
    for program in programs {
        for threads in ["single", "multi"] {
            let replay = replay_with(program, place, threads);
            let what = format!("{} {threads}", program.display());
            assert_eq!(replay["identical"], true, "{what}");
            for key in ["decision_hash", "state_hash", "events", "account"] {
                assert_eq!(replay[key], written[key], "{what}: {key}");
            }
        }
    }
}

#[test]
fn debug_and_release_decide_alike() {
    if std::env::var("ACTH_RELEASE_REPLAY").as_deref() != Ok("1") {
        eprintln!("skipped: the release build takes minutes (set ACTH_RELEASE_REPLAY=1)");
        return;
    }
    let release = build(&["--release"]);
    let debug = build(&[]);
    assert_ne!(release, debug);
    let programs = [debug.as_path(), release.as_path()];
    let dir = tempfile::tempdir().unwrap();

    let simulated = dir.path().join("simulated").to_str().unwrap().to_owned();
    let written = run_json(&[
        "backtest",
        "--duration",
        "60s",
        "--json",
        "--journal",
        &simulated,
    ]);
    assert!(written["orders"].as_u64().unwrap() > 0);
    assert_same(&programs, &simulated, &written);

    let live = dir.path().join("live").to_str().unwrap().to_owned();
    let written = run_json(&["run", "--duration", "5s", "--json", "--journal", &live]);
    assert_same(&programs, &live, &written);

    let Some(files) = recordings() else { return };
    let recorded = dir.path().join("recorded").to_str().unwrap().to_owned();
    let mut arguments = vec!["backtest", "--json", "--journal", recorded.as_str()];
    for file in &files {
        arguments.extend(["--data", file.to_str().unwrap()]);
    }
    let written = run_json(&arguments);
    assert_same(&programs, &recorded, &written);
}

#[test]
fn both_layouts_of_a_backtest_replay_in_both_layouts() {
    let dir = tempfile::tempdir().unwrap();
    for threads in ["single", "multi"] {
        let journal = dir.path().join(threads);
        let place = journal.to_str().unwrap();
        let written = run_json(&[
            "backtest",
            "--duration",
            "20s",
            "--json",
            "--threads",
            threads,
            "--journal",
            place,
        ]);
        assert_same(&[acth()], place, &written);
    }
}
