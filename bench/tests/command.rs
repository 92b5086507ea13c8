//! The command from outside: it ends in time, whatever the machine, and its JSON has the promised keys.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::Value;

/// One run at a time: they spin, and would only measure each other.
static ONE_RUN: Mutex<()> = Mutex::new(());

fn reports(arguments: &[&str]) -> Vec<Value> {
    // A test that failed while it held this has left nothing half done.
    let _one_run = ONE_RUN
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_acth-bench"))
        .args(arguments)
        .arg("--json")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    assert!(started.elapsed() < Duration::from_secs(60), "{arguments:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A report has all keys; where any event came through, its numbers rise.
fn assert_whole(report: &Value) {
    for side in ["floor_ns", "measured_ns", "hiccup_ns"] {
        let numbers =
            ["p50", "p90", "p99", "p999", "max"].map(|key| report[side][key].as_f64().unwrap());
        assert!(numbers.is_sorted(), "{report}");
    }
    for key in ["ratio_p50", "ratio_p90", "allocations"] {
        assert!(report[key].is_number(), "{report}");
    }
    assert!(report["hiccup_ns"]["over_10us_per_second"].is_number());
    assert!(report["placement"].is_string(), "{report}");
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
    assert!(report["machine"]["build"]["compiler"].is_string());
}

/// Every expected scenario and rate is there at least once: each class of windows has a report of its own.
fn assert_reported(found: &[Value], expected: &[(&str, u64)]) {
    found.iter().for_each(assert_whole);
    let names = |report: &Value| {
        (
            report["scenario"].as_str().unwrap().to_owned(),
            report["rate_per_second"].as_u64().unwrap(),
        )
    };
    for &(scenario, rate) in expected {
        let is_there = |report| names(report) == (scenario.to_owned(), rate);
        assert!(found.iter().any(is_there), "{scenario} at {rate}/s");
    }
    let samples = |report: &Value, side: &str| report[side].as_u64().unwrap();
    let measured = found
        .iter()
        .map(|report| samples(report, "measured_samples"));
    assert!(measured.sum::<u64>() > 0);
    // Where windows of several classes came about, each class has something to compare; what has not is said in a note.
    for report in found {
        let is_like = |other: &&Value| {
            names(other) == names(report) && other["arrivals"] == report["arrivals"]
        };
        let sides = ["floor_samples", "measured_samples"];
        let is_whole = sides.iter().all(|side| samples(report, side) > 0);
        assert!(
            is_whole || found.iter().filter(is_like).count() == 1,
            "{report}"
        );
    }
}

const SHORT: [&str; 4] = ["--duration", "0.3", "--rounds", "2"];

#[test]
fn hop_reports_each_rate() {
    let found = reports(&[&["hop", "--rate", "1000,20000"], &SHORT[..]].concat());
    assert_reported(&found, &[("hop", 1000), ("hop", 20_000)]);
}

#[test]
fn bursts_are_played_at_each_speed() {
    let arguments = ["hop", "--arrivals", "burst", "--speed", "10,100"];
    let found = reports(&[&arguments, &SHORT[..]].concat());
    assert_reported(&found, &[("hop", 0)]);
    let speeds = ["10x", "100x"];
    let is_named =
        |speed| move |report: &Value| report["arrivals"].as_str().unwrap().ends_with(speed);
    assert!(
        speeds
            .iter()
            .all(|speed| found.iter().any(is_named(*speed)))
    );
}

#[test]
fn pipeline_reports_with_and_without_a_journal() {
    let found = reports(&[&["pipeline", "--rate", "5000"], &SHORT[..]].concat());
    let expected = [("pipeline", 5000), ("pipeline-unjournaled", 5000)];
    assert_reported(&found, &expected);
}

#[test]
fn the_single_loop_reports_too() {
    let arguments = ["pipeline", "--threads", "single", "--rate", "5000"];
    let found = reports(&[&arguments, &SHORT[..]].concat());
    assert_reported(&found, &[("single", 5000), ("single-unjournaled", 5000)]);
}

#[test]
fn kinds_are_rows_of_one_report() {
    for (scenario, kinds) in [("decode", 8), ("book", 5), ("apply", 3)] {
        let found = reports(&[scenario, "--duration", "0.8"]);
        assert_eq!(found.len(), 1);
        let rows = found[0]["rows"].as_array().unwrap();
        assert_eq!(rows.len(), kinds, "{scenario}");
        rows.iter().for_each(assert_whole);
        for row in rows {
            assert_eq!(row["scenario"], scenario);
            assert!(row["kind"].is_string() && row["ratio_p50"].as_f64().unwrap() > 0.0);
            assert_eq!(row["allocations"], 0, "{row}");
        }
    }
    let found = reports(&["inference", "--duration", "0.3"]);
    found.iter().for_each(assert_whole);
}

#[test]
fn wire_goes_all_the_way() {
    let found = reports(&[&["wire", "--rate", "500"], &SHORT[..]].concat());
    assert_reported(&found, &[("wire", 500)]);
    let peers = found[0]["peers"].as_array().unwrap();
    assert_eq!(peers.len(), 2, "{}", found[0]);
}

#[test]
fn a_run_is_kept_and_compared_with() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let run = |more: &[&str]| {
        let status = Command::new(env!("CARGO_BIN_EXE_acth-bench"))
            .args(["inference", "--duration", "0.3"])
            .args(more)
            .output()
            .unwrap();
        (
            status.status.code(),
            String::from_utf8(status.stdout).unwrap(),
        )
    };
    assert_eq!(run(&["--output", kept.to_str().unwrap()]).0, Some(0));
    for name in [
        "machine.json",
        "report.jsonl",
        "inference-64-64-64-8-measured.hlog",
    ] {
        assert!(kept.join(name).is_file(), "{name}");
    }
    let log = std::fs::read_to_string(kept.join("inference-64-64-64-8-measured.hlog")).unwrap();
    assert!(
        log.lines().any(|line| line.starts_with("Tag=measured,")),
        "{log}"
    );
    // A baseline that no run can keep.
    let report = kept.join("report.jsonl");
    let text = std::fs::read_to_string(&report).unwrap();
    let mut value: Value = serde_json::from_str(text.trim()).unwrap();
    value["ratio_p50"] = Value::from(1e-6);
    std::fs::write(&report, value.to_string()).unwrap();
    let baseline = ["--baseline", report.to_str().unwrap()];
    let (code, shown) = run(&[&baseline[..], &["--fail-above", "50"]].concat());
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("ratio_p50") && shown.contains("worse"),
        "{shown}"
    );
    assert_eq!(run(&baseline).0, Some(0));
}

#[test]
fn a_rate_beyond_reach_ends_and_says_so() {
    let found = reports(
        &[
            &["hop", "--rate", "50000000", "--wait", "yield"],
            &SHORT[..],
        ]
        .concat(),
    );
    let is_told = |report: &Value| {
        let warnings = report["warnings"].to_string();
        warnings.contains("the rate was not kept")
    };
    assert!(found.iter().any(is_told), "{found:?}");
}

#[test]
fn the_journal_reports_each_part_beside_its_floor() {
    let arguments = [
        "journal",
        "--rounds",
        "1",
        "--duration",
        "0.3",
        "--rate",
        "20000",
        "--read-mib",
        "4",
    ];
    let found = reports(&arguments);
    let names: Vec<_> = found
        .iter()
        .map(|report| report["scenario"].as_str().unwrap())
        .collect();
    // Two lengths of frames, three modes of durability, one wait, two lengths of frames.
    let expected = [
        &["journal-append"; 2][..],
        &["journal-tail"; 3],
        &["journal-wait"],
        &["journal-read"; 2],
    ];
    assert_eq!(names, expected.concat());
    for report in &found {
        let rows = report["rows"].as_array().unwrap();
        assert!(rows.len() >= 2, "{report}");
        for row in rows {
            assert!(row["what"].is_string());
            let numbers =
                ["min", "p50", "p99", "p999", "p9999", "max"].map(|key| row[key].as_f64().unwrap());
            assert!(numbers.is_sorted(), "{report}");
            assert!(row["samples"].as_u64().unwrap() > 0, "{report}");
        }
        assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
    }
    let tail = &found[2];
    assert!(tail["facts"]["rolls"].as_f64().unwrap() >= 20.0, "{tail}");
    assert!(tail["facts"]["roll_stalls"].is_number(), "{tail}");
    let read = found.last().unwrap();
    assert!(read["facts"]["verify_mb_per_second"].as_f64().unwrap() > 0.0);
}
