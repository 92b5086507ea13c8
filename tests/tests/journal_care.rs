//! Taking care of a journal from the command line: signing, archiving, snapshots, pruning, repair, and going on after each.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use acth_tests::{
    ending::{assert_names, refusal},
    run, run_json,
};
use serde_json::Value;
use tempfile::TempDir;

/// A sealed journal of several segments of 1 MiB.
fn journal() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("small.toml");
    fs::write(&config, "[journal]\nsegment_mib = 1\n").unwrap();
    let path = dir.path().join("j");
    let arguments = ["backtest", "--duration", "20s", "--json", "--config"];
    let place = [
        config.to_str().unwrap(),
        "--journal",
        path.to_str().unwrap(),
    ];
    run_json(&[&arguments[..], &place].concat());
    (dir, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn verify(journal: &Path) -> Value {
    run_json(&["journal", "verify", text(journal), "--json"])
}

fn replay(journal: &Path) -> Value {
    run_json(&["replay", text(journal), "--json"])
}

fn segments(journal: &Path) -> Vec<Value> {
    let info = run_json(&["journal", "info", text(journal), "--json"]);
    info["segments"].as_array().unwrap().clone()
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_signed_head_shows_what_was_rewritten() {
    let (dir, journal) = journal();
    let key = dir.path().join("key");
    let public = dir.path().join("key.pub");
    assert!(run(&["journal", "keygen", text(&key)]).status.success());
    let again = refusal(&run(&["journal", "keygen", text(&key)]), 2);
    assert_names(&again, &["key"]);
    let signed = run_json(&[
        "journal",
        "sign",
        text(&journal),
        "--key",
        text(&key),
        "--json",
    ]);
    let check = [
        "journal",
        "verify",
        text(&journal),
        "--key",
        text(&public),
        "--json",
    ];
    let found = run_json(&check);
    assert_eq!(found["signed_heads"].as_array().unwrap().len(), 1);
    assert_eq!(found["head_hash"], signed["hash"]);

    // A copy outlives the journal's own; another key refuses it.
    let copy = dir.path().join("copy.head");
    fs::copy(signed["file"].as_str().unwrap(), &copy).unwrap();
    let other = dir.path().join("other");
    assert!(run(&["journal", "keygen", text(&other)]).status.success());
    let foreign = dir.path().join("other.pub");
    let arguments = ["journal", "verify", text(&journal), "--key", text(&foreign)];
    assert_names(&refusal(&run(&arguments), 1), &["another key"]);

    // History is rewritten, and rewritten well: the whole journal is made anew with another seed, so every checksum holds.
    fs::remove_dir_all(&journal).unwrap();
    let rewritten = [
        "backtest",
        "--duration",
        "25s",
        "--seed",
        "8",
        "--journal",
        text(&journal),
    ];
    run_json(&[&rewritten[..], &["--json"]].concat());
    verify(&journal);
    let arguments = [&check[..5], &["--head", text(&copy)]].concat();
    let sentence = refusal(&run(&arguments), 1);
    assert_names(&sentence, &["copy.head"]);
}

#[test]
fn archived_segments_are_read_as_before() {
    let (_dir, journal) = journal();
    let (before, replayed) = (verify(&journal), replay(&journal));
    let archived = run_json(&["journal", "archive", text(&journal), "--json"]);
    let count = archived["segments"].as_u64().unwrap();
    assert!(count >= 3, "{archived}");
    assert!(archived["packed_bytes"].as_u64() < archived["plain_bytes"].as_u64());
    assert_eq!(verify(&journal)["head_hash"], before["head_hash"]);
    assert_eq!(replay(&journal)["decision_hash"], replayed["decision_hash"]);
    let dumped = run(&[
        "journal",
        "dump",
        text(&journal),
        "--from",
        "1000",
        "--count",
        "3",
    ]);
    assert_eq!(dumped.stdout.split(|byte| *byte == b'\n').count(), 4);
    // A second time there is nothing to do.
    let again = run_json(&["journal", "archive", text(&journal), "--json"]);
    assert_eq!(
        (
            again["segments"].as_u64(),
            again["archived_before"].as_u64()
        ),
        (Some(0), Some(count))
    );
    // Damage inside an archive is damage.
    let archive = journal.join("0000000001.seg.zst");
    let middle = fs::metadata(&archive).unwrap().len() as usize / 2;
    flip(&archive, middle);
    let sentence = refusal(&run(&["journal", "verify", text(&journal)]), 1);
    assert_names(&sentence, &["segment 1", "archived"]);
}

#[test]
fn pruning_keeps_what_a_snapshot_needs() {
    let (_dir, journal) = journal();
    let whole = replay(&journal);
    let none = run_json(&[
        "journal",
        "prune",
        text(&journal),
        "--keep-segments",
        "1",
        "--json",
    ]);
    assert_eq!(none["segments"], 0, "without a snapshot nothing may go");
    let last = verify(&journal)["last_sequence"].as_u64().unwrap();
    let middle = (last / 2).to_string();
    let taken = run_json(&[
        "journal",
        "snapshot",
        text(&journal),
        "--at",
        &middle,
        "--json",
    ]);
    let covered = taken["sequence"].as_u64().unwrap();
    assert!(covered >= last / 2);
    let head = verify(&journal)["head_hash"].clone();
    let pruned = run_json(&[
        "journal",
        "prune",
        text(&journal),
        "--keep-segments",
        "1",
        "--json",
    ]);
    assert!(pruned["segments"].as_u64().unwrap() > 0);
    let first = pruned["first_sequence"].as_u64().unwrap();
    assert!(first > 1 && first <= covered + 1);
    let kept = verify(&journal);
    assert_eq!(kept["first_sequence"], first);
    assert_eq!(
        kept["head_hash"], head,
        "the base carries the hash of what is gone"
    );
    let tail = replay(&journal);
    assert_eq!(tail["identical"], true);
    assert_eq!(tail["snapshot_sequence"], covered);
    assert_eq!(
        tail["state_hash"], whole["state_hash"],
        "snapshot and tail give the whole state"
    );
    let from_the_end = run_json(&["journal", "snapshot", text(&journal), "--json"]);
    assert_eq!(from_the_end["state_hash"], whole["state_hash"]);
    // Segments that go missing otherwise are noticed.
    let gone = segments(&journal)[0]["index"].as_u64().unwrap();
    fs::remove_file(journal.join(format!("{gone:010}.seg"))).unwrap();
    let sentence = refusal(&run(&["journal", "verify", text(&journal)]), 1);
    assert_names(&sentence, &["BASE"]);
}

#[test]
fn a_damaged_journal_is_refused_then_repaired() {
    let (_dir, journal) = journal();
    let second = journal.join("0000000001.seg");
    flip(&second, 300_000);
    let sentence = refusal(&run(&["journal", "verify", text(&journal)]), 1);
    assert_names(
        &sentence,
        &["segment 1", "byte", "acth journal repair --until"],
    );
    let run_again = run(&["run", "--duration", "1s", "--journal", text(&journal)]);
    let refused = refusal(&run_again, 1);
    assert_names(&refused, &["segment 1"]);
    // The last good frame is the one before the sequence that was expected at the damage.
    let expected: u64 = sentence
        .split("where sequence ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .unwrap()
        .parse()
        .unwrap();
    let too_far = expected.to_string();
    let sentence = refusal(
        &run(&["journal", "repair", text(&journal), "--until", &too_far]),
        1,
    );
    assert_names(&sentence, &["segment 1"]);
    let last_good = (expected - 1).to_string();
    let repaired = run_json(&[
        "journal",
        "repair",
        text(&journal),
        "--until",
        &last_good,
        "--json",
    ]);
    assert_eq!(repaired["last_sequence"], expected - 1);
    assert!(repaired["later_segments"].as_u64().unwrap() > 0);
    assert!(Path::new(repaired["quarantine"].as_str().unwrap()).exists());
    let whole = verify(&journal);
    assert_eq!(
        (whole["last_sequence"].as_u64(), &whole["tail"]),
        (Some(expected - 1), &"sealed".into())
    );
    assert_eq!(replay(&journal)["identical"], true);
}

#[test]
fn a_session_goes_on_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let session = |extra: &[&str]| {
        let base = [
            "run",
            "--duration",
            "3s",
            "--json",
            "--journal",
            text(&journal),
        ];
        run_json(&[&base[..], extra].concat())
    };
    let first = session(&[]);
    assert!(first["recovery"].is_null());
    assert_eq!(first["storage"]["durability"], "interval");
    let second = session(&[]);
    let facts = &second["recovery"];
    assert_eq!(facts["run"], 2);
    assert_eq!(facts["state_hash"], first["state_hash"]);
    assert_eq!(
        facts["replayed_events"], 0,
        "the snapshot at the end covers everything"
    );
    let replayed = replay(&journal);
    assert_eq!(replayed["identical"], true);
    assert_eq!(replayed["state_hash"], second["state_hash"]);
    // Without a usable snapshot the whole journal is replayed, and the state is the same.
    for entry in fs::read_dir(journal.join("snapshots")).unwrap() {
        flip(&entry.unwrap().path(), 200);
    }
    let third = session(&[]);
    assert_eq!(third["recovery"]["state_hash"], second["state_hash"]);
    assert!(third["recovery"]["snapshot_sequence"].is_null());
    let warnings = third["warnings"].to_string();
    assert!(warnings.contains("fails its checksum"), "{warnings}");
    // Another configuration is another machine.
    let base = [
        "run",
        "--duration",
        "1s",
        "--seed",
        "9",
        "--journal",
        text(&journal),
    ];
    let sentence = refusal(&run(&base), 2);
    assert_names(&sentence, &["seed 7, now 9", "--journal"]);
}
