//! `--world` and `world_preset`: every world trades in process, the widest one also over the embedded venue's sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    path::Path,
    process::{Command, Output},
};

use acth_sim::world::PRESETS;

fn acth(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_acth"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("starts")
}

fn summary(output: &Output) -> serde_json::Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_world_can_be_traded_in_process() {
    let place = tempfile::tempdir().unwrap();
    for (name, _) in PRESETS {
        let arguments = ["backtest", "--world", name, "--duration", "1s", "--json"];
        let found = summary(&acth(place.path(), &arguments));
        assert!(found["events"].as_u64().expect("a number") > 100, "{found}");
    }
}

#[test]
fn thirty_two_instruments_come_over_the_embedded_venue() {
    let place = tempfile::tempdir().unwrap();
    let arguments = ["run", "--world", "wide", "--duration", "5s", "--json"];
    let found = summary(&acth(place.path(), &arguments));
    assert_eq!(found["instruments"].as_array().expect("a list").len(), 32);
    // Some 20,000 messages on a free machine; on a crowded one the venue's thread gets a part of its time.
    assert!(
        found["decode"]["frames"].as_u64().expect("a number") > 500,
        "{found}"
    );
    assert_eq!(found["decode"]["errors"], 0, "{found}");
}

#[test]
fn the_file_names_a_world_and_changes_fields_of_it() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("acth.toml");
    std::fs::write(
        &file,
        "world_preset = \"walks\"\n[world.flow]\nmakers = 3\n",
    )
    .unwrap();
    let output = acth(place.path(), &["config", "--config", "acth.toml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let shown: toml::Table = text.parse().expect("is TOML");
    let world = shown["world"].as_table().unwrap();
    assert_eq!(world["flow"]["makers"].as_integer(), Some(3));
    assert_eq!(world["instruments"].as_array().unwrap().len(), 16);

    let backtest = [
        "backtest",
        "--config",
        "acth.toml",
        "--duration",
        "1s",
        "--world",
    ];
    let with = |name| acth(place.path(), &[&backtest[..], &[name]].concat());
    assert!(with("walks").status.success());
    let refused = refusal(&with("wide"));
    assert!(
        refused.contains("[world] changes the world `walks`"),
        "{refused}"
    );
}

#[test]
fn an_unknown_world_is_refused_with_the_nearest_known() {
    let place = tempfile::tempdir().unwrap();
    for verb in ["run", "backtest"] {
        let refused = refusal(&acth(place.path(), &[verb, "--world", "seasns"]));
        assert!(refused.contains("did you mean `seasons`?"), "{refused}");
        let help = acth(place.path(), &[verb, "--help"]);
        let help = String::from_utf8(help.stdout).unwrap();
        let words: Vec<&str> = help.split_whitespace().collect();
        for (name, _) in PRESETS {
            assert!(
                words.contains(&format!("{name}:").as_str()),
                "{name} is not in {help}"
            );
        }
    }
    std::fs::write(place.path().join("acth.toml"), "world_preset = \"wlks\"\n").unwrap();
    let refused = refusal(&acth(place.path(), &["config", "--config", "acth.toml"]));
    assert!(refused.contains("world_preset: no world is named `wlks`; did you mean `walks`?"));
    let both = ["backtest", "--world", "wide", "--data", "x"];
    refusal(&acth(place.path(), &both));
}
