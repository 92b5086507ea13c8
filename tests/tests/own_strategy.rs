//! A user's own command around their own strategy, from the example of the crate `acth`: it trades, and what it did
//! replays with it and with nothing else.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::process::{Command, Output};

use acth_tests::{
    ending::{assert_names, refusal},
    parse, root, run, run_json,
};

fn own(arguments: &[&str]) -> Output {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let example = [
        "run",
        "--quiet",
        "--locked",
        "-p",
        "acth",
        "--example",
        "own_strategy",
        "--",
    ];
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(example).args(arguments);
    command.output().unwrap()
}

#[test]
fn a_command_of_ones_own_trades_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let place = journal.to_str().unwrap();
    let output = own(&[
        "backtest",
        "--duration",
        "10s",
        "--json",
        "--journal",
        place,
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let summary = parse(&output);
    assert_eq!(summary["strategy"], "follow-the-trade");
    assert!(summary["fills"].as_u64().unwrap() > 0, "{summary}");

    let replay = parse(&own(&["replay", place, "--json"]));
    assert_eq!(replay["identical"], true);
    assert_eq!(replay["state_hash"], summary["state_hash"]);

    // The journal itself is anybody's; its decisions are this strategy's alone.
    assert_eq!(
        run_json(&["journal", "verify", place, "--json"])["ok"],
        true
    );
    let sentence = refusal(&run(&["replay", place]), 2);
    assert_names(&sentence, &["follow-the-trade", "basis-lead-lag"]);
}
