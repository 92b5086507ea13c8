//! `acth latency` from end to end: every stage of a live run, planted delays, files, models and what a paper venue makes of them.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use acth_tests::{
    run,
    run::{Running, wait_for_first_frame, wait_until},
    run_json,
};
use serde_json::Value;

/// Orders as often as can be: one tick of spread is enough.
const EAGER: &str = "strategy = \"spread-watcher\"\n[parameters]\nspread_ticks_min = 1\n";
/// Every stage that a live run with orders tells.
const STAGES: [&str; 12] = [
    "feed",
    "decode",
    "queue",
    "ingress",
    "apply",
    "publish",
    "send",
    "tick_to_order",
    "order_leg",
    "report_leg",
    "order_ack",
    "cancel_ack",
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A configuration file with this behind what makes the strategy eager.
fn config(dir: &Path, name: &str, more: &str) -> PathBuf {
    let path = dir.join(format!("{name}.toml"));
    fs::write(&path, format!("{EAGER}{more}")).unwrap();
    path
}

fn live(dir: &Path, name: &str, threads: &str, more: &str) -> PathBuf {
    let (config, journal) = (config(dir, name, more), dir.join(name));
    let arguments = ["run", "--duration", "6s", "--json", "--threads", threads];
    let places = ["--config", text(&config), "--journal", text(&journal)];
    run_json(&[&arguments[..], &places].concat());
    journal
}

fn backtest(dir: &Path, name: &str, duration: &str, more: &str) -> (PathBuf, Value) {
    let (config, journal) = (config(dir, name, more), dir.join(name));
    let arguments = ["backtest", "--duration", duration, "--json", "--config"];
    let places = [text(&config), "--journal", text(&journal)];
    let summary = run_json(&[&arguments[..], &places].concat());
    (journal, summary)
}

fn latency(journal: &Path, by: &str) -> Vec<Value> {
    let found = run_json(&["latency", text(journal), "--by", by, "--json"]);
    found["rows"].as_array().unwrap().clone()
}

/// One number of a stage, of all venues and kinds together; `None` without a sample.
fn of_stage(rows: &[Value], stage: &str, key: &str) -> Option<u64> {
    let row = rows.iter().find(|row| row["stage"] == stage)?;
    row[key].as_u64()
}

#[test]
fn a_live_run_tells_every_stage_in_both_thread_modes() {
    let dir = tempfile::tempdir().unwrap();
    for threads in ["single", "multi"] {
        let journal = live(dir.path(), threads, threads, "");
        let rows = latency(&journal, "stage");
        for stage in STAGES {
            let count = of_stage(&rows, stage, "count");
            assert!(
                count.is_some_and(|count| count > 0),
                "{threads}: {stage} in {rows:?}"
            );
        }
        // The parts are no longer than the whole.
        let whole_ns = of_stage(&rows, "tick_to_order", "max_ns").unwrap();
        for part in ["apply", "publish", "send"] {
            assert!(
                of_stage(&rows, part, "min_ns").unwrap() <= whole_ns,
                "{threads}: {part}"
            );
        }
        let finest = latency(&journal, "kind");
        assert!(
            finest
                .iter()
                .any(|row| row["venue"] == "binance-spot" && row["kind"] == "bbo")
        );
        let total: u64 = finest
            .iter()
            .filter(|row| row["stage"] == "decode")
            .map(|row| row["count"].as_u64().unwrap())
            .sum();
        assert_eq!(Some(total), of_stage(&rows, "decode", "count"));
        let shown = run(&["latency", text(&journal)]);
        let shown = String::from_utf8(shown.stdout).unwrap();
        let plot = shown
            .lines()
            .filter(|line| line.contains(" |") || line.contains("a feed"));
        assert!(plot.clone().count() > 10 && plot.clone().all(|line| line.chars().count() <= 80));
    }
}

#[test]
fn a_planted_delay_shows_in_its_own_stage() {
    let dir = tempfile::tempdir().unwrap();
    let slow = "[paper]\norder_latency = \"40ms\"\nreport_latency = \"10ms\"\n";
    let rows = latency(&live(dir.path(), "slow", "single", slow), "stage");
    let p50 = |stage| of_stage(&rows, stage, "p50_ns").unwrap();
    // The way there begins at the decision, the stage at the sending, a little later.
    assert!(
        (35_000_000..=41_000_000).contains(&p50("order_leg")),
        "{rows:?}"
    );
    assert!(p50("report_leg") >= 10_000_000, "{rows:?}");
    assert!(p50("order_ack") >= 45_000_000, "{rows:?}");
    let quick = "[paper]\norder_latency = \"0\"\nreport_latency = \"0\"\n";
    let rows = latency(&live(dir.path(), "quick", "single", quick), "stage");
    assert!(
        of_stage(&rows, "order_leg", "p50_ns").unwrap() < 10_000_000,
        "{rows:?}"
    );
    // Waiting for the disk is part of sending.
    let gated = "[journal]\ndurability = \"gated\"\n";
    let rows_gated = latency(&live(dir.path(), "gated", "single", gated), "stage");
    let send = |rows: &[Value]| of_stage(rows, "send", "p50_ns").unwrap();
    assert!(
        send(&rows_gated) > 3 * send(&rows),
        "{rows_gated:?} {rows:?}"
    );
}

#[test]
fn a_journal_is_read_while_it_is_written_and_archived_alike() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let small = config(dir.path(), "small", "[journal]\nsegment_mib = 1\n");
    let arguments = ["run", "--duration", "0", "--json", "--threads", "single"];
    let places = ["--config", text(&small), "--journal", text(&journal)];
    let mut run_of = Running::start(&[&arguments[..], &places].concat());
    wait_for_first_frame(&journal);
    let frames = || {
        run_json(&["latency", text(&journal), "--json"])["frames"]
            .as_u64()
            .unwrap()
    };
    let early = frames();
    wait_until("more frames", || frames() > early + 2_000);
    std::thread::sleep(Duration::from_millis(1_500));
    run_of.signal("INT");
    assert!(run_of.wait().status.success());
    let plain = latency(&journal, "kind");
    run_json(&["journal", "archive", text(&journal), "--json"]);
    assert_eq!(latency(&journal, "kind"), plain);
}

#[test]
fn files_for_the_tools_of_hdr_histogram_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = backtest(dir.path(), "b", "10s", "");
    let out = dir.path().join("out");
    let arguments = [
        "latency",
        text(&journal),
        "--by",
        "venue",
        "--json",
        "--hgrm",
        text(&out),
    ];
    let found = run_json(&arguments);
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(found["files"].as_array().unwrap().len(), rows.len() + 1);
    for row in rows {
        let (stage, venue) = (
            row["stage"].as_str().unwrap(),
            row["venue"].as_str().unwrap(),
        );
        let text = fs::read_to_string(out.join(format!("{stage}.{venue}.hgrm"))).unwrap();
        assert!(text.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
        let total = format!("Total count    = {:>12}]", row["count"].to_string());
        assert!(text.contains(&total), "{total} in {text}");
    }
    let log = fs::read_to_string(out.join("latency.hlog")).unwrap();
    let intervals = log.lines().filter(|line| line.starts_with("Tag="));
    assert_eq!(intervals.count(), rows.len());
}

/// A model whose ways there are spread widely and whose venues differ.
const MODEL: &str = r#"
format = 1
percent = [0, 25, 50, 75, 100]
[venues.binance-spot]
samples = 1
split = "measured"
order_ns = [1000000, 2000000, 3000000, 5000000, 9000000]
report_ns = [500000, 600000, 700000, 800000, 900000]
[venues.binance-usdm]
samples = 1
split = "halves"
order_ns = [4000000, 4000000, 4000000, 4000000, 4000000]
report_ns = [0, 0, 0, 0, 1000000]
"#;

fn with_model(path: &Path) -> String {
    format!("[paper]\nlatency_model = \"{}\"\n", path.display())
}

#[test]
fn a_model_makes_another_journal_and_the_same_one_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model.toml");
    fs::write(&model, MODEL).unwrap();
    let (journal, first) = backtest(dir.path(), "first", "10s", &with_model(&model));
    let (again, second) = backtest(dir.path(), "second", "10s", &with_model(&model));
    let (plain, third) = backtest(dir.path(), "third", "10s", "");
    for key in ["decision_hash", "state_hash"] {
        assert_eq!(first[key], second[key]);
        assert_ne!(first[key], third[key], "the model must make a difference");
    }
    let dump = |journal: &Path| run(&["journal", "dump", text(journal)]).stdout;
    assert!(
        dump(&journal) == dump(&again),
        "two runs wrote different frames"
    );
    let notes = first["warnings"].to_string();
    let expected = "paper.order_latency and paper.report_latency are not used";
    assert!(notes.contains(expected), "{notes}");
    let manifest = |journal: &Path| {
        let info = run_json(&["journal", "info", text(journal), "--json"]);
        info["manifest"].clone()
    };
    let (with, without) = (manifest(&journal), manifest(&plain));
    let kept = &with["paper"]["latency_model"]["venues"]["binance-spot"]["order_ns"];
    assert_eq!(kept[4], 9_000_000);
    assert_ne!(with["config_hash"], without["config_hash"]);
    assert!(without.get("paper").is_none());
    let replayed = run_json(&["replay", text(&journal), "--json"]);
    assert_eq!(replayed["identical"], true);
}

#[test]
fn a_fit_of_a_backtest_with_a_model_gives_the_model_back() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model.toml");
    fs::write(&model, MODEL).unwrap();
    let (journal, _) = backtest(dir.path(), "j", "90s", &with_model(&model));
    let fitted = dir.path().join("fitted.toml");
    let arguments = [
        "latency",
        "fit",
        text(&journal),
        "--json",
        "--output",
        text(&fitted),
    ];
    let said = run_json(&arguments);
    assert_eq!(said["notes"].as_array().unwrap().len(), 0, "{said}");
    let table: toml::Table = fs::read_to_string(&fitted).unwrap().parse().unwrap();
    let at = |venue: &str, way: &str, index: usize| {
        table["venues"][venue][way][index].as_integer().unwrap() as f64
    };
    assert_eq!(table["percent"][4].as_float(), Some(50.0));
    assert_eq!(
        table["fitted_from"]["last_sequence"]
            .as_integer()
            .map(i64::unsigned_abs),
        {
            let rows = run_json(&["latency", text(&journal), "--json"]);
            rows["last_sequence"].as_u64()
        }
    );
    // Some 180 orders: the median of what is spread over 3 ms around it is off by a few tenths of a millisecond.
    for (index, expected_ns) in [(3, 2_000_000.0), (4, 3_000_000.0), (5, 5_000_000.0)] {
        let found_ns = at("binance-spot", "order_ns", index);
        assert!(
            (found_ns - expected_ns).abs() < 1_300_000.0,
            "{index}: {found_ns}"
        );
    }
    assert!((1_000_000.0..1_400_000.0).contains(&at("binance-spot", "order_ns", 0)));
    assert!((8_000_000.0..=9_010_000.0).contains(&at("binance-spot", "order_ns", 10)));
    assert!((at("binance-spot", "report_ns", 4) - 700_000.0).abs() < 60_000.0);
    assert!((at("binance-usdm", "order_ns", 4) / 4_000_000.0 - 1.0).abs() < 0.001);
    // A fitted model is itself a model.
    let (_, refitted) = backtest(dir.path(), "refitted", "10s", &with_model(&fitted));
    assert!(refitted["orders"].as_u64().unwrap() > 0);
}

fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_model_that_cannot_be_used_is_refused_with_file_and_place() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model.toml");
    let config = config(dir.path(), "c", &with_model(&model));
    let journal = dir.path().join("j");
    let arguments = [
        "backtest",
        "--duration",
        "1s",
        "--config",
        text(&config),
        "--journal",
    ];
    let arguments = [&arguments[..], &[text(&journal)]].concat();
    let name = model.display();
    assert!(refusal(&arguments).contains(&format!("paper.latency_model: {name}: No such file")));
    let cases = [
        (
            MODEL.replace("samples = 1\nsplit = \"m", "sample = 1\nsplit = \"m"),
            ":5:1: unknown key `sample`; did you mean `samples`?",
        ),
        (
            MODEL.replace("percent = [0,", "percent = [\"0\","),
            ":3:12: invalid type: string \"0\"",
        ),
        (
            MODEL.replace("2000000, 3000000", "3000000, 2000000"),
            ": venues.binance-spot.order_ns: 2000000 after 3000000; quantiles never fall",
        ),
        (
            MODEL.replace("binance-usdm", "elsewhere"),
            "venues: there is no binance-usdm, which is traded; there is: binance-spot, elsewhere",
        ),
    ];
    for (text, expected) in cases {
        fs::write(&model, text).unwrap();
        let sentence = refusal(&arguments);
        assert!(sentence.contains(expected), "{sentence}");
        assert!(!journal.exists(), "refused before a journal is begun");
    }
}

#[test]
fn too_few_orders_and_no_journal_are_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = backtest(dir.path(), "b", "10s", "");
    let output = dir.path().join("model.toml");
    let fit = [
        "latency",
        "fit",
        text(&journal),
        "--output",
        text(&output),
        "--samples-min",
        "1000000",
    ];
    let sentence = refusal(&fit);
    assert!(
        sentence.contains("too few acknowledged orders to fit from: binance-spot has "),
        "{sentence}"
    );
    assert!(!output.exists());
    let nowhere = dir.path().join("nowhere");
    assert!(refusal(&["latency", text(&nowhere)]).contains(text(&nowhere)));
    assert!(refusal(&["latency"]).contains("JOURNAL"));
}

#[test]
fn the_golden_journals_are_read_whole() {
    for name in ["sealed", "killed", "archived"] {
        let journal = acth_tests::root().join("tests/golden/v1").join(name);
        let found = run_json(&["latency", text(&journal), "--json"]);
        assert_eq!(found["frames"], 300, "{name}");
        assert_eq!(found["rows"].as_array().map(Vec::len), Some(0), "{name}");
    }
}
