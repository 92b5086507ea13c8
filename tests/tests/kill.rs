//! `kill -9` at random moments: what was journaled stays, verifies, replays identically to its end, and is gone on
//! with. Half of the kills hit a live run, half a simulated backtest that changes its segment many times a second.
//!
//! `ACTH_KILLS` says how many (8), `ACTH_SEED` repeats a series.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{path::Path, time::Duration};

use acth_journal::{JournalOptions, Reader, Tail, Writer};
use acth_tests::{
    ending,
    random::Random,
    run::{Running, wait_for_first_frame},
    run_json,
};

/// Kills of a start at most.
const EARLY_KILLS_MAX: u64 = 12;
/// Kills without `ACTH_KILLS`.
const KILLS_DEFAULT: u64 = 8;
/// Longest time between the first frame and the kill.
const LATEST_US: u64 = 1_500_000;

fn kill_count() -> u64 {
    let given = std::env::var("ACTH_KILLS").ok();
    given.map_or(KILLS_DEFAULT, |text| {
        text.parse().expect("ACTH_KILLS is a count")
    })
}

/// Arguments of the run to be killed: live, or a flat-out backtest with segments of 1 MiB.
fn victim<'a>(index: u64, place: &'a str, config: &'a str) -> Vec<&'a str> {
    let threads = if index % 4 < 2 { "single" } else { "multi" };
    let verb: &[&str] = match index % 2 {
        0 => &["run", "--duration", "0"],
        _ => &["backtest", "--duration", "10h", "--config", config],
    };
    [verb, &["--json", "--threads", threads, "--journal", place]].concat()
}

#[test]
fn whatever_was_journaled_survives() {
    let mut random = Random::for_test("kill");
    let count = kill_count();
    let mut torn_count = 0;
    let mut frame_count = 0;
    for index in 0..count {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("j");
        let config = dir.path().join("small.toml");
        std::fs::write(&config, "[journal]\nsegment_mib = 1\n").unwrap();
        let victim = victim(index, journal.to_str().unwrap(), config.to_str().unwrap());
        let run = Running::start(&victim);
        wait_for_first_frame(&journal);
        // Short and long delays alike: the first milliseconds are as dangerous as the rest.
        let latest_us = LATEST_US >> random.below(10);
        let delay_us = random.below(latest_us);
        std::thread::sleep(Duration::from_micros(delay_us));
        assert!(run.kill(), "kill {index} came too late");
        let what = format!("kill {index} after {delay_us} us of {victim:?}");
        let (frames, is_torn) = assert_survived(&journal, &what);
        frame_count += frames;
        torn_count += u64::from(is_torn);
    }
    eprintln!(
        "{count} kills, {frame_count} frames, {torn_count} torn tails, 0 losses: at 95 % confidence fewer than \
         3/{count} = {:.4} of all kills lose something",
        3.0 / count as f64
    );
}

/// Checks all that the journal promises and returns its count of frames, and whether its end was torn.
fn assert_survived(journal: &Path, what: &str) -> (u64, bool) {
    let place = journal.to_str().unwrap();
    let verified = run_json(&["journal", "verify", place, "--json"]);
    assert_eq!(verified["ok"], true, "{what}");
    let frames = verified["frames"].as_u64().unwrap();
    let replays = ["single", "multi"]
        .map(|threads| run_json(&["replay", place, "--json", "--threads", threads]));
    for replay in &replays {
        assert_eq!(replay["identical"], true, "{what}: {replay}");
        if replay["unfinished_decisions"] == 0 {
            let journaled = &replay["journaled_decision_hash"];
            assert_eq!(&replay["decision_hash"], journaled, "{what}");
        }
        // Nothing in between was passed over: manifest, inputs and decisions are all frames there are.
        let unfinished = replay["unfinished_decisions"].as_u64().unwrap();
        let decisions = replay["decisions"].as_u64().unwrap();
        let events = replay["events"].as_u64().unwrap();
        assert_eq!(
            1 + events + decisions,
            frames,
            "{what}: {unfinished} unfinished"
        );
    }
    assert_eq!(replays[0]["state_hash"], replays[1]["state_hash"], "{what}");

    let mut reader = Reader::open(journal).unwrap();
    let mut read = 0;
    while reader.next().unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, frames, "{what}");
    let is_torn = matches!(reader.tail(), Tail::Torn { .. });
    assert!(
        reader.tail() != Tail::Sealed,
        "{what}: a killed run cannot have sealed"
    );
    drop(reader);

    let is_live = what.contains("\"run\"");
    if is_live {
        assert_goes_on(journal, frames, what);
        return (frames, is_torn);
    }
    // It opens for writing, and is whole afterwards.
    let options = JournalOptions {
        segment_bytes: 1 << 20,
        ..JournalOptions::default()
    };
    let (writer, _recovery) = Writer::open(journal, &options).unwrap();
    assert_eq!(writer.next_sequence(), frames + 1, "{what}");
    writer.seal().unwrap();
    let verified = run_json(&["journal", "verify", place, "--json"]);
    assert_eq!(verified["frames"].as_u64(), Some(frames), "{what}");
    assert_eq!(verified["tail"], "sealed", "{what}");
    (frames, is_torn)
}

/// The command goes on with the session, from the state that a replay gives, and both runs replay as one.
fn assert_goes_on(journal: &Path, frames: u64, what: &str) {
    let place = journal.to_str().unwrap();
    let before = run_json(&["replay", place, "--json"]);
    let second = run_json(&["run", "--duration", "1s", "--json", "--journal", place]);
    let facts = &second["recovery"];
    assert_eq!(facts["last_sequence"].as_u64(), Some(frames), "{what}");
    assert_eq!(facts["state_hash"], before["state_hash"], "{what}");
    let both = run_json(&["replay", place, "--json"]);
    assert_eq!(both["identical"], true, "{what}: {both}");
    assert_eq!(both["unfinished_decisions"], 0, "{what}");
    assert_eq!(both["state_hash"], second["state_hash"], "{what}");
    let verified = run_json(&["journal", "verify", place, "--json"]);
    assert_eq!(verified["tail"], "sealed", "{what}");
}

#[test]
fn a_start_that_is_killed_leaves_nothing_that_lies() {
    let mut random = Random::for_test("early kill");
    // Each takes seconds: a start, the looks at it, and another run.
    for _ in 0..kill_count().min(EARLY_KILLS_MAX) {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("j");
        let place = journal.to_str().unwrap();
        let run = Running::start(&["run", "--duration", "0", "--json", "--journal", place]);
        std::thread::sleep(Duration::from_micros(random.below(250_000)));
        run.kill();
        for verb in [&["journal", "verify", place][..], &["replay", place]] {
            let output = acth_tests::run(verb);
            ending::assert_no_panic(&output);
            if !output.status.success() {
                // No journal yet, or one without a run: not damage, which would be exit code 1.
                ending::refusal(&output, 2);
            }
        }
        // Whatever is there, the same command begins with it, or goes on.
        run_json(&["run", "--duration", "200ms", "--json", "--journal", place]);
        let verified = run_json(&["journal", "verify", place, "--json"]);
        assert_eq!(verified["tail"], "sealed");
        let replay = run_json(&["replay", place, "--json"]);
        assert_eq!(replay["identical"], true, "{replay}");
    }
}
