//! Re-arming from the command line: a venue where something else is held refuses it and every difference is named; one that
//! agrees lets the hub trade again.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use acth_tests::{ending, run, run_json};
use serde_json::Value;

/// What a person traded by hand: by instrument, and how the difference names what is held.
const BY_HAND: [(&str, &str, f64); 2] = [
    ("binance-usdm:BTCUSDT", "binance-usdm:BTCUSDT", 0.5),
    ("binance-spot:ETHUSDT", "ETH on binance-spot", -1.25),
];

/// The position of each instrument at the end of a run.
fn position(summary: &Value, name: &str) -> f64 {
    let rows = summary["instruments"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == name).unwrap();
    number(&row["position"])
}

fn number(value: &Value) -> f64 {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string()).parse().unwrap()
}

/// The two numbers of "NAME: A held here, B at the venue".
fn told(words: &str, name: &str) -> (f64, f64) {
    let start = format!("{name}: ");
    let (_, rest) = words
        .split_once(&start)
        .unwrap_or_else(|| panic!("{name} is not in: {words}"));
    let (ours, rest) = rest.split_once(" held here, ").unwrap();
    let (theirs, _) = rest.split_once(" at the venue").unwrap();
    (ours.parse().unwrap(), theirs.parse().unwrap())
}

fn frames(journal: &str) -> u64 {
    let verified = run_json(&["journal", "verify", journal, "--json"]);
    assert_eq!(verified["ok"], true);
    verified["frames"].as_u64().unwrap()
}

/// Runs the hub, again if need be, until it has traded; what the last run says.
fn traded(journal: &str) -> Value {
    for _ in 0..5 {
        let summary = run_json(&["run", "--duration", "6s", "--json", "--journal", journal]);
        if summary["fills"].as_u64().unwrap() > 0 {
            return summary;
        }
    }
    panic!("nothing was at stake")
}

fn write_config(path: &Path) {
    let mut text = String::from("[paper.holdings]\n");
    for (name, _, quantity) in BY_HAND {
        text += &format!("\"{name}\" = \"{quantity}\"\n");
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn only_a_venue_that_agrees_lets_the_hub_trade_again() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let place = journal.to_str().unwrap();
    let flag = dir.path().join("j.kill");
    let config = dir.path().join("by_hand.toml");
    write_config(&config);
    let first = traded(place);
    let killed = run(&["kill", place, "--wait", "50ms"]);
    assert_eq!(killed.status.code(), Some(1), "nobody answers");
    let before = frames(place);

    let config = config.to_str().unwrap();
    let rearm = [
        "run",
        "--duration",
        "1s",
        "--json",
        "--rearm",
        "--journal",
        place,
    ];
    let refused = run(&[&rearm[..], &["--config", config]].concat());
    let words = ending::refusal(&refused, 2);
    let begin = "--rearm: the venue and this journal differ: ";
    assert!(words.starts_with(begin), "{words}");
    for (instrument, name, quantity) in BY_HAND {
        let (ours, theirs) = told(&words, name);
        assert!(
            (ours - position(&first, instrument)).abs() < 1e-9,
            "{words}"
        );
        assert!((theirs - ours - quantity).abs() < 1e-9, "{words}");
    }
    assert_eq!(words.matches("held here").count(), BY_HAND.len(), "{words}");
    assert!(flag.exists(), "a refusal takes no flag down");
    assert_eq!(frames(place), before, "and adds nothing to the history");

    let rearmed = run_json(&rearm);
    assert!(!flag.exists());
    assert_eq!(rearmed["trading_state_reason"], "RunEnded", "{rearmed}");
    let replay = run_json(&["replay", place, "--json"]);
    assert_eq!(replay["identical"], true, "{replay}");
}

#[test]
fn holdings_that_cannot_be_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    let name = config.to_str().unwrap();
    let journal = dir.path().join("j");
    let place = journal.to_str().unwrap();
    for (text, expected) in [
        (
            "\"nowhere:BTC\" = \"1\"",
            "paper.holdings.\"nowhere:BTC\": no instrument has this name",
        ),
        (
            "\"binance-usdm:BTCUSDT\" = \"0.0000000000001\"",
            "paper.holdings.\"binance-usdm:BTCUSDT\": 0.0000000000001 is no quantity",
        ),
    ] {
        std::fs::write(&config, format!("[paper.holdings]\n{text}\n")).unwrap();
        let arguments = [
            "run",
            "--duration",
            "1s",
            "--config",
            name,
            "--journal",
            place,
        ];
        let words = ending::refusal(&run(&arguments), 2);
        assert!(words.contains(expected), "{words}");
        assert!(
            !journal.exists(),
            "a mistake is told before anything is begun"
        );
    }
}
