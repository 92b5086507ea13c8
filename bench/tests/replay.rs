//! The replay scenario from outside: what the strategy saw is what other engines see of the same recordings.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn report(data: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_acth-bench"))
        .args(["replay", "--passes", "1", "--json", "--data"])
        .arg(data)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["scenario"], "replay");
    assert_eq!(report["identical"], true);
    assert_eq!(report["crc_checked"], true);
    assert!(report["rows_per_second"].as_f64().unwrap() > 0.0);
    assert!(report["decisions_compared"].as_u64().unwrap() > 0);
    report
}

/// The sums come from a plain dictionary over the same recordings, in another language.
#[test]
fn the_recordings_give_the_known_sums() {
    let named = std::env::var_os("ACTH_DATA").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = named.unwrap_or_else(beside);
    if !data.join("crypto/binance/usdm").is_dir() {
        eprintln!("skipped: recorded data is not here ({})", data.display());
        return;
    }
    let report = report(&data);
    assert_eq!(report["messages"], 48_509);
    assert_eq!(report["rows"], 910_878);
    assert!(report["orders"].as_u64().unwrap() >= 40, "{report}");
    let close = |found: &Value, known: f64| (found.as_f64().unwrap() - known).abs() < 1e-6;
    assert!(close(&report["check_sum"], -172.499_106_072), "{report}");
    let seen = report["seen"].as_array().unwrap();
    assert!(
        close(&seen[0]["imbalance_own"], -177.214_469_805),
        "{report}"
    );
    assert!(close(&seen[1]["imbalance_own"], 4.715_363_733), "{report}");
}

#[test]
fn without_recordings_the_simulated_world_is_replayed() {
    let nothing = tempfile::tempdir().unwrap();
    let report = report(nothing.path());
    assert!(report["source"].as_str().unwrap().contains("simulated"));
    assert!(report["rows"].as_u64().unwrap() > 100_000, "{report}");
}
