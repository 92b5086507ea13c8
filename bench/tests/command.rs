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

fn assert_whole(report: &Value, scenario: &str, rate: u64) {
    assert_eq!(report["scenario"], scenario);
    assert_eq!(report["rate_per_second"], rate);
    for side in ["floor_ns", "measured_ns"] {
        let numbers =
            ["p50", "p90", "p99", "p999", "max"].map(|key| report[side][key].as_u64().unwrap());
        assert!(numbers[0] > 0, "{report}");
        assert!(numbers.is_sorted(), "{report}");
    }
    assert!(report["ratio_p50"].as_f64().unwrap() > 0.0, "{report}");
    assert!(report["ratio_p90"].as_f64().unwrap() > 0.0, "{report}");
    assert!(report["hiccup_ns"]["max"].as_i64().unwrap() > 0);
    assert!(report["hiccup_ns"]["over_10us_per_second"].is_number());
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
}

const SHORT: [&str; 4] = ["--duration", "0.3", "--rounds", "2"];

#[test]
fn hop_reports_each_rate() {
    let found = reports(&[&["hop", "--rate", "1000,20000"], &SHORT[..]].concat());
    assert_eq!(found.len(), 2);
    assert_whole(&found[0], "hop", 1000);
    assert_whole(&found[1], "hop", 20_000);
}

#[test]
fn pipeline_reports_with_and_without_a_journal() {
    let found = reports(&[&["pipeline", "--rate", "5000"], &SHORT[..]].concat());
    assert_eq!(found.len(), 2);
    assert_whole(&found[0], "pipeline", 5000);
    assert_whole(&found[1], "pipeline-unjournaled", 5000);
}

#[test]
fn the_single_loop_reports_too() {
    let arguments = ["pipeline", "--threads", "single", "--rate", "5000"];
    let found = reports(&[&arguments, &SHORT[..]].concat());
    assert_eq!(found.len(), 2);
    assert_whole(&found[0], "single", 5000);
    assert_whole(&found[1], "single-unjournaled", 5000);
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
    let warnings = found[0]["warnings"].to_string();
    assert!(warnings.contains("the rate was not kept"), "{}", found[0]);
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
