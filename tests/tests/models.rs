//! Models from a file to the journal and back: brought into use at the start, replayed without the file, kept over restarts, rolled back.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use acth_learn::files;
use acth_nn::model::{Blueprint, Model};
use acth_tests::{root, run, run_json};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A directory with two models and a configuration that names the first for slot 3.
struct Place {
    dir: TempDir,
    first: Model,
    second: Model,
}

impl Place {
    fn new() -> Self {
        let dir = tempdir().unwrap();
        let first = files::load(&root().join("tests/models/l7.safetensors")).unwrap();
        let mut blueprint = Blueprint::decode(first.encode()).unwrap();
        blueprint.layers[0].biases[0] += 0.25;
        let second = Model::new(&blueprint).unwrap();
        let place = Self { dir, first, second };
        files::save(&place.first, &place.path("first.safetensors")).unwrap();
        files::save(&place.second, &place.path("second.safetensors")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A configuration with this model in slot 3.
    fn config(&self, model: &str) -> String {
        let text = format!("[models]\nslot3 = \"{}\"\n", self.text(model));
        fs::write(self.path("acth.toml"), text).unwrap();
        self.text("acth.toml")
    }

    fn backtest(&self, journal: &str) -> Value {
        let (config, journal) = (self.config("first.safetensors"), self.text(journal));
        run_json(&[
            "backtest",
            "--config",
            &config,
            "--journal",
            &journal,
            "--duration",
            "5s",
            "--json",
        ])
    }

    fn live(&self, model: &str, journal: &str) -> Value {
        let (config, journal) = (self.config(model), self.text(journal));
        run_json(&[
            "run",
            "--config",
            &config,
            "--journal",
            &journal,
            "--duration",
            "1s",
            "--json",
        ])
    }

    fn replay(&self, journal: &str) {
        let output = run(&["replay", &self.text(journal)]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }

    fn frames(&self, journal: &str) -> Vec<Value> {
        let output = run(&["journal", "dump", &self.text(journal), "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn count(frames: &[Value], kind: &str) -> usize {
    frames.iter().filter(|frame| frame["type"] == kind).count()
}

/// Slot, verdict, origin and hash of every `ModelChanged`.
fn changes(frames: &[Value]) -> Vec<(u64, String, String, String)> {
    let changed = frames
        .iter()
        .filter(|frame| frame["type"] == "ModelChanged");
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let change = |frame: &Value| {
        let slot = frame["slot"].as_u64().unwrap();
        (
            slot,
            text(&frame["verdict"]),
            text(&frame["origin"]),
            text(&frame["model_hash"]),
        )
    };
    changed.map(change).collect()
}

fn change(origin: &str, model: &Model) -> (u64, String, String, String) {
    (3, "accepted".into(), origin.into(), files::name_of(model))
}

fn parts(model: &Model) -> usize {
    model.encode().len().div_ceil(32)
}

#[test]
fn a_backtest_with_a_model_replays_without_its_file() {
    let place = Place::new();
    let (one, two) = (place.backtest("one"), place.backtest("two"));
    assert_eq!(one["decision_hash"], two["decision_hash"]);
    for name in ["first.safetensors", "first.json", "acth.toml"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    place.replay("one");
    let frames = place.frames("one");
    assert_eq!(count(&frames, "ModelPart"), parts(&place.first));
    assert_eq!(count(&frames, "ModelPromoted"), 1);
    assert_eq!(changes(&frames), [change("received", &place.first)]);
    // Before any market data: the manifest, the parts, the promotion and its outcome.
    let first_data = frames
        .iter()
        .position(|frame| frame["type"] == "BookDelta")
        .unwrap();
    let changed = frames
        .iter()
        .position(|frame| frame["type"] == "ModelChanged")
        .unwrap();
    assert!(changed < first_data);
}

#[test]
fn a_restart_needs_no_parts_and_the_model_before_comes_back_without_them() {
    let place = Place::new();
    place.live("first.safetensors", "journal");
    place.live("first.safetensors", "journal");
    let frames = place.frames("journal");
    assert_eq!(count(&frames, "ModelPart"), parts(&place.first));
    assert_eq!(changes(&frames), [change("received", &place.first)]);
    place.live("second.safetensors", "journal");
    place.live("first.safetensors", "journal");
    let frames = place.frames("journal");
    let both = parts(&place.first) + parts(&place.second);
    assert_eq!(count(&frames, "ModelPart"), both);
    let expected = [
        change("received", &place.first),
        change("received", &place.second),
        change("previous", &place.first),
    ];
    assert_eq!(changes(&frames), expected);
    place.replay("journal");
}

fn refusal(place: &Place) -> String {
    let (config, journal) = (place.config("first.safetensors"), place.text("none"));
    for verb in ["run", "backtest"] {
        let output = run(&[
            verb,
            "--config",
            &config,
            "--journal",
            &journal,
            "--duration",
            "1s",
        ]);
        assert_eq!(output.status.code(), Some(2), "{verb}");
        assert!(!Path::new(&journal).exists(), "{verb} left a journal");
    }
    let output = run(&["backtest", "--config", &config, "--journal", &journal]);
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn files_that_are_no_models_are_refused_in_one_sentence() {
    let place = Place::new();
    let bytes = fs::read(place.path("first.safetensors")).unwrap();
    let mut damaged = bytes.clone();
    let last = damaged.len() - 3;
    damaged[last] ^= 0x10;
    fs::write(place.path("first.safetensors"), &damaged).unwrap();
    let error = refusal(&place);
    assert!(
        error.starts_with("acth: models.slot3: ") && error.contains("model_hash"),
        "{error}"
    );
    fs::write(place.path("first.safetensors"), &bytes[..100]).unwrap();
    let error = refusal(&place);
    assert!(
        error.contains("no safetensors") && error.lines().count() == 1,
        "{error}"
    );
    fs::remove_file(place.path("first.safetensors")).unwrap();
    let error = refusal(&place);
    assert!(
        error.contains("first.safetensors: No such file") && error.lines().count() == 1,
        "{error}"
    );
}

#[test]
fn show_says_what_the_files_say() {
    let place = Place::new();
    let file = place.text("first.safetensors");
    let shown = run_json(&["model", "show", &file, "--json"]);
    assert_eq!(shown["model"]["model_hash"], files::name_of(&place.first));
    assert_eq!(shown["byte_count"], place.first.encode().len());
    assert_eq!(shown["model"]["hidden"], place.first.hidden_count());
    let text = String::from_utf8(run(&["model", "show", &file]).stdout).unwrap();
    assert!(
        text.contains(&files::name_of(&place.first)) && text.contains("mixture"),
        "{text}"
    );
    let output = run(&["model", "show", &place.text("none.safetensors")]);
    assert_eq!(output.status.code(), Some(2));
}
