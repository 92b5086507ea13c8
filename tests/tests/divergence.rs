//! A journal whose checksums hold but that tells of another decision: replay finds the very one.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{mem::offset_of, path::Path};

use acth_core::decision::{Decision, DecisionKind};
use acth_engine::frames::{FrameClass, classify, decision_kind};
use acth_journal::{JournalOptions, Reader, Writer};
use acth_tests::{ending, parse, run, run_json};
use tempfile::TempDir;

/// A sealed journal with orders in it.
fn journal() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("j").to_str().unwrap().to_owned();
    let summary = run_json(&[
        "backtest",
        "--duration",
        "10s",
        "--json",
        "--journal",
        &place,
    ]);
    assert!(summary["orders"].as_u64().unwrap() > 10, "{summary}");
    (dir, place)
}

fn decisions_of(place: &str, kind: DecisionKind) -> Vec<u64> {
    let mut reader = Reader::open(place).unwrap();
    let mut found = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        if frame.kind == decision_kind(kind as u8) {
            found.push(frame.sequence);
        }
    }
    found
}

/// Writes the journal again with one bit of one frame's payload changed; all checksums hold.
fn rewrite(from: &str, to: &Path, sequence: u64, offset: usize) {
    let mut reader = Reader::open(from).unwrap();
    let mut writer = Writer::create(to, &JournalOptions::default()).unwrap();
    while let Some(frame) = reader.next().unwrap() {
        let mut payload = frame.payload.to_vec();
        if frame.sequence == sequence {
            payload[offset] ^= 1;
        }
        let written = writer
            .append(frame.kind, frame.time_ns, frame.cause, &payload)
            .unwrap();
        assert_eq!(written, frame.sequence);
    }
    writer.seal().unwrap();
}

fn assert_found(dir: &Path, sequence: u64) {
    let place = dir.to_str().unwrap();
    let verified = run_json(&["journal", "verify", place, "--json"]);
    assert_eq!(
        verified["ok"], true,
        "the checksums of the forgery must hold"
    );
    for threads in ["single", "multi"] {
        let output = run(&["replay", place, "--json", "--threads", threads]);
        let sentence = ending::refusal(&output, 1);
        ending::assert_names(&sentence, &[place, &sequence.to_string()]);
        let summary = parse(&output);
        assert_eq!(summary["identical"], false);
        let found = &summary["first_divergence"];
        assert_eq!(
            found["sequence"].as_u64(),
            Some(sequence),
            "{threads}: {found}"
        );
        assert_ne!(found["expected"], found["came"]);
        assert_ne!(summary["decision_hash"], summary["journaled_decision_hash"]);
    }
}

#[test]
fn one_changed_decision_is_named() {
    let (dir, place) = journal();
    let orders = decisions_of(&place, DecisionKind::PlaceOrder);
    let hashes = decisions_of(&place, DecisionKind::StateHashed);
    let cases = [
        (orders[0], offset_of!(Decision, price)),
        (orders[orders.len() / 2], offset_of!(Decision, quantity)),
        (orders[orders.len() - 1], offset_of!(Decision, signal_bits)),
        (hashes[hashes.len() / 2], offset_of!(Decision, hash)),
        (hashes[hashes.len() - 1], offset_of!(Decision, hash) + 7),
    ];
    for (index, (sequence, offset)) in cases.into_iter().enumerate() {
        let forged = dir.path().join(format!("forged-{index}"));
        rewrite(&place, &forged, sequence, offset);
        assert_found(&forged, sequence);
    }
}

#[test]
fn a_faithful_copy_is_identical() {
    let (dir, place) = journal();
    let copy = dir.path().join("copy");
    rewrite(&place, &copy, u64::MAX, 0);
    let replay = run_json(&["replay", copy.to_str().unwrap(), "--json"]);
    assert_eq!(replay["identical"], true);
    assert!(replay["first_divergence"].is_null());
}

/// A run with a decision less: the first difference is where it was.
#[test]
fn a_missing_decision_is_named() {
    let (dir, place) = journal();
    let orders = decisions_of(&place, DecisionKind::PlaceOrder);
    let missing = orders[orders.len() / 2];
    let forged = dir.path().join("forged");
    let mut reader = Reader::open(&place).unwrap();
    let mut writer = Writer::create(&forged, &JournalOptions::default()).unwrap();
    while let Some(frame) = reader.next().unwrap() {
        if frame.sequence == missing {
            continue;
        }
        // Causes behind the gap move with the numbers; all of them point back to an input.
        let cause = if frame.cause > missing {
            frame.cause - 1
        } else {
            frame.cause
        };
        assert!(!matches!(classify(frame.kind), FrameClass::Unknown(_)));
        writer
            .append(frame.kind, frame.time_ns, cause, frame.payload)
            .unwrap();
    }
    writer.seal().unwrap();
    let output = run(&["replay", forged.to_str().unwrap(), "--json"]);
    ending::refusal(&output, 1);
    let found = parse(&output)["first_divergence"].clone();
    assert_eq!(found["sequence"].as_u64(), Some(missing), "{found}");
    assert_eq!(found["expected"], "no decision");
}
