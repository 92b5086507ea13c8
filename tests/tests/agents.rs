//! The network of agents from the command line: what its summary says, its journal replayed, a policy with logged
//! probabilities, and a restart in the middle.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::PathBuf};

use acth_core::strategies::agent_network::{OBSERVATION_COUNT, observation_hash};
use acth_learn::files;
use acth_nn::{
    Activation,
    model::{Blueprint, InputRange, Layer, Model, OutputKind},
};
use acth_tests::{root, run, run_json};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A directory with a configuration that trades with the network and this model, if any.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new(model: Option<&Model>) -> Self {
        let dir = tempdir().unwrap();
        let mut text = String::from("strategy = \"agent-network\"\n");
        if let Some(model) = model {
            let path = dir.path().join("policy.safetensors");
            files::save(model, &path).unwrap();
            text += &format!("[models]\nslot0 = \"{}\"\n", path.display());
        }
        fs::write(dir.path().join("acth.toml"), text).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn backtest(&self, journal: &str, duration: &str) -> Value {
        run_json(&[
            "backtest",
            "--config",
            &self.text("acth.toml"),
            "--journal",
            &self.text(journal),
            "--duration",
            duration,
            "--json",
        ])
    }

    fn replay(&self, journal: &str) -> Value {
        run_json(&["replay", &self.text(journal), "--json"])
    }

    fn decisions(&self, journal: &str, kind: &str) -> Vec<Value> {
        let output = run(&["journal", "dump", &self.text(journal), "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let frames = text.lines().map(|line| serde_json::from_str(line).unwrap());
        frames
            .filter(|frame: &Value| frame["type"] == kind)
            .collect()
    }
}

/// A policy of five actions with made-up weights that fit the hub's observations.
fn policy() -> Model {
    let mut seed = 1u64;
    let mut weight = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((seed >> 40) as f32 / (1u32 << 24) as f32 - 0.5) * 0.5
    };
    let mut layer = |inputs: usize, outputs: usize, activation| Layer {
        activation,
        weights: (0..inputs * outputs).map(|_| weight()).collect(),
        biases: vec![0.0; outputs],
    };
    let input = InputRange {
        mean: 0.0,
        scale: 100.0,
        clip: 3.0,
        least: -1e9,
        greatest: 1e9,
    };
    Model::new(&Blueprint {
        feature_hash: observation_hash(),
        output_kind: OutputKind::Actions,
        inputs: vec![input; OBSERVATION_COUNT],
        quantiles: Vec::new(),
        gru: None,
        layers: vec![
            layer(OBSERVATION_COUNT, 16, Activation::Relu),
            layer(16, 5, Activation::Identity),
        ],
    })
    .unwrap()
}

#[test]
fn the_summary_names_leaders_agents_and_shares_and_the_journal_replays() {
    let place = Place::new(None);
    let summary = place.backtest("j", "90s");
    let findings = &summary["findings"];
    let leads = findings["leads"].as_array().unwrap();
    let is_planted = |lead: &&Value| {
        lead["leader"] == "binance-usdm:BTCUSDT" && lead["follower"] == "binance-spot:BTCUSDT"
    };
    let planted = leads.iter().find(is_planted).unwrap();
    let lag_ms = planted["lag_ms"].as_f64().unwrap();
    assert!((lag_ms - 150.0).abs() <= 50.0, "{lag_ms}");
    let agents = findings["agents"].as_array().unwrap();
    assert_eq!(agents[0]["name"], "house");
    assert!(agents.len() >= 6, "{agents:?}");
    assert_eq!(findings["sharing"]["violations"], 0);
    assert!(summary["orders"].as_u64().unwrap() > 100);
    let replay = place.replay("j");
    assert_eq!(replay["identical"], true);
    assert_eq!(replay["findings"], *findings, "found again");
    for kind in ["SharesSet", "EdgeChanged"] {
        assert!(!place.decisions("j", kind).is_empty(), "{kind}");
    }
}

#[test]
fn a_policy_acts_by_logged_probabilities_and_replays() {
    let model = policy();
    let place = Place::new(Some(&model));
    let summary = place.backtest("j", "30s");
    let chosen = place.decisions("j", "ActionChosen");
    assert!(chosen.len() > 100, "{} actions", chosen.len());
    let (mut explored, mut drawn) = (0, 0);
    for (number, choice) in chosen.iter().enumerate() {
        assert_eq!(choice["model_hash"], files::name_of(&model));
        let parts = choice["probabilities"].as_array().unwrap();
        let parts: Vec<u64> = parts.iter().map(|part| part.as_u64().unwrap()).collect();
        assert_eq!(parts.iter().sum::<u64>(), 65_535);
        let action = choice["action"].as_u64().unwrap() as usize;
        assert!(parts[action] > 0, "what was drawn was possible");
        explored += u64::from(parts[action] < *parts.iter().max().unwrap());
        // A draw that exploring had no budget for is none.
        let draw = choice["draw"].as_u64().unwrap();
        assert!(
            draw >= drawn && draw <= number as u64,
            "every draw is journaled"
        );
        drawn = draw;
    }
    assert!(explored > 0, "not only the best action is drawn");
    let learned = summary["findings"]["agents"].as_array().unwrap();
    let learned = learned
        .iter()
        .find(|agent| agent["name"] == "learned-policy");
    assert!(learned.unwrap()["fills"].as_u64().unwrap() > 0);
    fs::remove_file(place.path("policy.safetensors")).unwrap();
    assert_eq!(place.replay("j")["identical"], true, "without the file");
}

#[test]
fn a_model_for_other_observations_is_not_asked_and_that_is_told() {
    let strange = files::load(&root().join("tests/models/l7.safetensors")).unwrap();
    let place = Place::new(Some(&strange));
    let summary = place.backtest("j", "5s");
    let notes = summary["findings"]["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].as_str().unwrap().contains("slot 0 is not asked"));
    assert!(place.decisions("j", "ActionChosen").is_empty());
    let file = place.text("policy.safetensors");
    let shown = run_json(&["model", "show", &file, "--json"]);
    assert_eq!(shown["fits_agent_network"], false);
    files::save(&policy(), &place.path("policy.safetensors")).unwrap();
    let shown = run_json(&["model", "show", &file, "--json"]);
    assert_eq!(shown["fits_agent_network"], true);
    let text = String::from_utf8(run(&["model", "show", &file]).stdout).unwrap();
    assert!(text.contains("leader's microprice_offset"), "{text}");
}

/// A live run that goes on twice is one history: a replay of it all, through the restarts, is identical.
#[test]
fn a_restart_in_the_middle_of_a_session_goes_on() {
    let place = Place::new(Some(&policy()));
    for _ in 0..2 {
        run_json(&[
            "run",
            "--config",
            &place.text("acth.toml"),
            "--journal",
            &place.text("j"),
            "--duration",
            "4s",
            "--json",
        ]);
    }
    assert_eq!(place.replay("j")["identical"], true);
}
