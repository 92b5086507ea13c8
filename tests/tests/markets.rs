//! Recorded currencies, shares and futures through the whole command: every row understood, orders and fills, the same
//! history in a replay. The files are of the Lean format.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use acth_tests::{recorded, run_json};
use serde_json::{Value, json};

/// Orders as large as a position may be.
const CONFIG: &str = r#"
strategy = "STRATEGY"
[account]
cash = 10000000
[risk]
max_order_notional = 2500000
"#;
/// The built-in strategy finds hardly a difference between the venues that is worth fees.
const NO_FEES: &str = r#"
[fees.fxcm]
maker_ppm = 0
taker_ppm = 0
[fees.oanda]
maker_ppm = 0
taker_ppm = 0
"#;
const OLDER_QUOTES: &str = r#"
[limits.instrument."cme:ES201312"]
stale_after = "120s"
[limits.instrument."comex:GC201312"]
stale_after = "120s"
"#;

/// Quotes of 2014-05-08, four of currencies and one of gold.
fn currencies() -> Option<Vec<PathBuf>> {
    [
        "fxcm_eurusd",
        "fxcm_nzdusd",
        "oanda_eurusd",
        "oanda_nzdusd",
        "oanda_xauusd",
    ]
    .iter()
    .map(|name| recorded(&format!("fx/ticks/{name}_20140508_quote.zip")))
    .collect()
}

/// Quotes and trades of 2013-10-08: seconds of four shares, minutes of two futures.
fn shares_and_futures() -> Option<Vec<PathBuf>> {
    let names = [
        "equities/seconds/spy",
        "equities/seconds/bac",
        "equities/seconds/ibm",
        "equities/seconds/aig",
        "futures/minute/es",
        "futures/minute/gc",
    ];
    let both = names.iter().flat_map(|name| {
        ["quote", "trade"].map(|kind| recorded(&format!("{name}_20131008_{kind}.zip")))
    });
    both.collect()
}

/// Runs a backtest and its replay, which must agree; the summary of the backtest.
fn backtest(files: &[PathBuf], config: &str, strategy: &str, folder: &Path) -> Value {
    let (journal, settings) = (folder.join(strategy), folder.join("acth.toml"));
    std::fs::write(&settings, config.replace("STRATEGY", strategy)).unwrap();
    let (journal, settings) = (journal.to_str().unwrap(), settings.to_str().unwrap());
    let mut arguments = vec![
        "backtest",
        "--json",
        "--journal",
        journal,
        "--config",
        settings,
    ];
    for file in files {
        arguments.extend(["--data", file.to_str().unwrap()]);
    }
    let summary = run_json(&arguments);
    let replay = run_json(&["replay", journal, "--json"]);
    assert_eq!(replay["identical"], true, "{strategy}");
    for key in [
        "decision_hash",
        "state_hash",
        "events",
        "decisions",
        "account",
    ] {
        assert_eq!(replay[key], summary[key], "{strategy}: {key}");
    }
    summary
}

fn assert_whole(summary: &Value, rows: u64) {
    let decode = json!({"frames": rows, "fallbacks": 0, "unknown": 0, "errors": 0, "gaps": 0});
    assert_eq!(summary["decode"], decode);
    assert_eq!(summary["book_checks"]["crossed"], 0);
}

fn warnings(summary: &Value) -> Vec<&str> {
    let all = summary["warnings"].as_array().unwrap();
    all.iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_day_of_currencies_is_traded_and_replays() {
    let Some(files) = currencies() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (strategy, fees, fills_min) in [("agent-network", "", 100), ("basis-lead-lag", NO_FEES, 20)]
    {
        let config = format!("{CONFIG}{fees}");
        let summary = backtest(&files, &config, strategy, folder.path());
        assert_whole(&summary, 607_469);
        let (orders, fills) = (&summary["orders"], &summary["fills"]);
        assert!(orders.as_u64().unwrap() > 0, "{strategy}: {orders}");
        assert!(fills.as_u64().unwrap() >= fills_min, "{strategy}: {fills}");
        let crossed = "41021 quotes have equal or crossed sides";
        let told = warnings(&summary);
        assert!(told.iter().any(|text| text.contains(crossed)), "{told:?}");
    }
}

#[test]
fn a_day_of_shares_and_futures_is_traded_and_replays() {
    let Some(files) = shares_and_futures() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let config = format!("{CONFIG}{OLDER_QUOTES}");
    for strategy in ["agent-network", "basis-lead-lag"] {
        let summary = backtest(&files, &config, strategy, folder.path());
        assert_whole(&summary, 136_164);
        assert!(summary["fills"].as_u64().unwrap() > 100, "{strategy}");
        let rows = summary["instruments"].as_array().unwrap();
        let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
        let expected = [
            "us-equities:SPY",
            "us-equities:BAC",
            "us-equities:IBM",
            "us-equities:AIG",
            "cme:ES201312",
            "comex:GC201312",
        ];
        assert_eq!(names, expected);
        let told = warnings(&summary);
        assert!(!told.iter().any(|text| text.contains("stale_after")));
    }
}

#[test]
fn bars_longer_than_a_quote_may_be_old_are_told() {
    let Some(files) = shares_and_futures() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let summary = backtest(&files[8..10], CONFIG, "basis-lead-lag", folder.path());
    let told = warnings(&summary);
    let wanted = "set stale_after = \"120s\" in [limits.instrument.\"cme:ES201312\"]";
    assert!(told.iter().any(|text| text.contains(wanted)), "{told:?}");
}
