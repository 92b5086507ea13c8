//! Funding from the command line: the paper venue charges it, the hub books it, the agents share it to the last unit, and a
//! replay finds the same.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::money::Money;
use acth_tests::{ending, run, run_json};
use serde_json::Value;

fn money(value: &Value) -> Money {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string()).parse().unwrap()
}

/// The fundings of a journal: instrument and venue time.
fn settled(journal: &str) -> Vec<Value> {
    let output = run(&["journal", "dump", journal, "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let frames = text.lines().map(|line| serde_json::from_str(line).unwrap());
    frames
        .filter(|frame: &Value| frame["type"] == "FundingSettled")
        .collect()
}

#[test]
fn a_charged_account_adds_up_to_its_agents_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let text = "strategy = \"agent-network\"\n[paper]\nfunding_rate = \"0.001\"\nfunding_interval = \"5s\"\n";
    std::fs::write(path("acth.toml"), text).unwrap();
    let (config, journal) = (path("acth.toml"), path("j"));
    let arguments = [
        "backtest",
        "--world",
        "seasons",
        "--duration",
        "60s",
        "--json",
    ];
    let charged = run_json(
        &[
            &arguments[..],
            &["--config", &config, "--journal", &journal],
        ]
        .concat(),
    );
    let funding = money(&charged["account"]["funding"]);
    assert!(funding != Money::ZERO, "{}", charged["account"]);
    let agents = charged["findings"]["agents"].as_array().unwrap();
    let sum: Money = agents.iter().map(|agent| money(&agent["funding"])).sum();
    assert_eq!(sum, funding);
    let touched = agents
        .iter()
        .filter(|agent| money(&agent["funding"]) != Money::ZERO);
    assert!(touched.count() > 1, "{agents:?}");
    let profits: Money = agents.iter().map(|agent| money(&agent["profit"])).sum();
    assert_eq!(profits, money(&charged["account"]["profit"]));
    let events = settled(&journal);
    assert!(events.len() >= 11, "{} fundings in a minute", events.len());
    let spot = events
        .iter()
        .filter(|event| event.to_string().contains("binance-spot"));
    assert_eq!(spot.count(), 0);
    let replay = run_json(&["replay", &journal, "--json"]);
    assert_eq!(replay["identical"], true, "{replay}");
    assert_eq!(replay["account"], charged["account"]);

    let plain = path("plain");
    let free = run_json(&[&arguments[..], &["--journal", &plain]].concat());
    assert_eq!(money(&free["account"]["funding"]), Money::ZERO);
    assert!(settled(&plain).is_empty());
}

#[test]
fn a_rate_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("acth.toml");
    for rate in ["1.5", "0.0000000000001"] {
        std::fs::write(&config, format!("[paper]\nfunding_rate = \"{rate}\"\n")).unwrap();
        let arguments = [
            "backtest",
            "--duration",
            "1s",
            "--config",
            config.to_str().unwrap(),
        ];
        let words = ending::refusal(&run(&arguments), 2);
        assert!(words.contains("paper.funding_rate"), "{words}");
    }
}
