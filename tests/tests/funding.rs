//! Funding from the command line: the venue announces it, the paper venue charges it, the hub books it, the agents share it to
//! the last unit, and a replay finds the same.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::money::Money;
use acth_tests::{ending, run, run_json};
use serde_json::Value;

fn money(value: &Value) -> Money {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string()).parse().unwrap()
}

/// The frames of a journal that announce or charge funding, in their order.
fn told(journal: &str) -> Vec<Value> {
    let output = run(&["journal", "dump", journal, "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let frames = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let kinds = ["FundingSettled", "MarkFunding"];
    frames
        .filter(|frame: &Value| kinds.iter().any(|kind| frame["type"] == *kind))
        .collect()
}

/// The fundings of a journal.
fn settled(journal: &str) -> Vec<Value> {
    let mut frames = told(journal);
    frames.retain(|frame| frame["type"] == "FundingSettled");
    frames
}

/// Holds every funding against the last announcement before its time: charged at the time, the rate and the mark price that were
/// announced, once. How many announcements and fundings there were.
fn assert_charged_as_announced(frames: &[Value], interval_ns: i64) -> (usize, usize) {
    let number = |frame: &Value, key: &str| frame[key].as_i64().unwrap();
    let (mut announced, mut charged) = (Vec::new(), Vec::new());
    for frame in frames {
        if frame["type"] == "MarkFunding" {
            assert_eq!(number(frame, "ts_next_ns") % interval_ns, 0, "{frame}");
            announced.push(frame);
            continue;
        }
        let ts_ns = number(frame, "ts_venue_ns");
        assert_eq!(ts_ns % interval_ns, 0, "{frame}");
        let mut before = announced.iter().rev().filter(|other| {
            other["instrument"] == frame["instrument"] && number(other, "ts_ingress_ns") < ts_ns
        });
        let last = before.next().unwrap();
        assert_eq!(number(last, "ts_next_ns"), ts_ns, "{last} and {frame}");
        assert_eq!(
            number(last, "rate"),
            number(frame, "rate"),
            "{last} and {frame}"
        );
        assert_eq!(
            number(last, "mark_price"),
            number(frame, "price"),
            "{last} and {frame}"
        );
        let once = (frame["instrument"].to_string(), ts_ns);
        assert!(!charged.contains(&once), "{once:?} twice");
        charged.push(once);
    }
    (announced.len(), charged.len())
}

#[test]
fn a_world_announces_what_its_perpetuals_are_charged_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let text = "strategy = \"agent-network\"\nworld_preset = \"seasons\"\n[world]\nfunding_interval_s = 5\n\
                [paper]\nfunding_rate = \"0.01\"\nfunding_interval = \"3s\"\n";
    std::fs::write(path("acth.toml"), text).unwrap();
    let (config, journal) = (path("acth.toml"), path("j"));
    let charged = run_json(&[
        "backtest",
        "--duration",
        "60s",
        "--json",
        "--config",
        &config,
        "--journal",
        &journal,
    ]);
    let (announced, fundings) = assert_charged_as_announced(&told(&journal), 5_000_000_000);
    // Three perpetuals, each second and each five; the ends may fall a little beyond.
    assert!(
        (175..=183).contains(&announced),
        "{announced} announcements"
    );
    assert!((33..=36).contains(&fundings), "{fundings} fundings");
    let funding = money(&charged["account"]["funding"]);
    assert!(funding != Money::ZERO, "{}", charged["account"]);
    let agents = charged["findings"]["agents"].as_array().unwrap();
    let sum: Money = agents.iter().map(|agent| money(&agent["funding"])).sum();
    // The account's facts have eight decimal places, an amount twelve.
    assert!((sum - funding).0.abs() <= 5_000, "{sum:?} {funding:?}");
    let replay = run_json(&["replay", &journal, "--json"]);
    assert_eq!(replay["identical"], true, "{replay}");
    assert_eq!(replay["account"], charged["account"]);
}

#[test]
fn a_live_run_hears_it_from_the_venue_over_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("acth.toml"), "[world]\nfunding_interval_s = 2\n").unwrap();
    let (config, journal) = (path("acth.toml"), path("j"));
    run_json(&[
        "run",
        "--duration",
        "7s",
        "--json",
        "--config",
        &config,
        "--journal",
        &journal,
    ]);
    let (announced, fundings) = assert_charged_as_announced(&told(&journal), 2_000_000_000);
    assert!(
        announced >= 12 && fundings >= 3,
        "{announced} announcements, {fundings} fundings"
    );
    let replay = run_json(&["replay", &journal, "--json"]);
    assert_eq!(replay["identical"], true, "{replay}");
}

/// In a world that announces nothing, the configured rate is charged.
#[test]
fn a_charged_account_adds_up_to_its_agents_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let text = "strategy = \"agent-network\"\nworld_preset = \"seasons\"\n[world]\nfunding_interval_s = 0\n\
                [paper]\nfunding_rate = \"0.001\"\nfunding_interval = \"5s\"\n";
    std::fs::write(path("acth.toml"), text).unwrap();
    let (config, journal) = (path("acth.toml"), path("j"));
    let arguments = ["backtest", "--duration", "60s", "--json"];
    let charged = run_json(
        &[
            &arguments[..],
            &["--config", &config, "--journal", &journal],
        ]
        .concat(),
    );
    assert_eq!(told(&journal).len(), settled(&journal).len());
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
fn a_rate_that_cannot_be_charged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("acth.toml");
    for (paper, name) in [
        ("funding_rate = \"1.5\"", "paper.funding_rate"),
        ("funding_rate = \"0.0000000000001\"", "paper.funding_rate"),
        (
            "funding_rate = \"0.0001\"\nfunding_interval = \"0s\"",
            "paper.funding_interval",
        ),
    ] {
        std::fs::write(&config, format!("[paper]\n{paper}\n")).unwrap();
        let arguments = [
            "backtest",
            "--duration",
            "1s",
            "--config",
            config.to_str().unwrap(),
        ];
        let words = ending::refusal(&run(&arguments), 2);
        assert!(words.contains(name), "{words}");
    }
    let text = "[paper]\nfunding_interval = \"0s\"\n";
    std::fs::write(&config, text).unwrap();
    let arguments = ["config", "--config", config.to_str().unwrap()];
    assert!(run(&arguments).status.success(), "no rate, no time needed");
}
