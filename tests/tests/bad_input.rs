//! Bad recordings, configurations and arguments: one sentence that names the place, exit code 2, never a panic.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Output,
};

use acth_tests::{
    capture, command,
    ending::{assert_names, assert_no_panic, refusal},
    parse,
    random::Random,
    run, run_json,
};
use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

/// Lines of the recording that is damaged.
const LINES: u64 = 400;
/// Damaged recordings of each form.
const SEEDS: u64 = 60;

struct Scene {
    dir: TempDir,
    count: u32,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, count: 0 }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A journal's directory that nobody has used.
    fn journal(&mut self) -> String {
        self.count += 1;
        let path = self.dir.path().join(format!("j{}", self.count));
        path.to_str().unwrap().to_owned()
    }

    fn backtest(&mut self, data: &Path) -> Output {
        let journal = self.journal();
        run(&[
            "backtest",
            "--json",
            "--data",
            data.to_str().unwrap(),
            "--journal",
            &journal,
        ])
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_undamaged_recording_is_understood() {
    let mut scene = Scene::new();
    let text = capture::text(LINES);
    for (name, bytes) in [
        ("a.gz", gzip(text.as_bytes())),
        ("a.txt", text.into_bytes()),
    ] {
        let path = scene.file(name, &bytes);
        let output = scene.backtest(&path);
        let summary = parse(&output);
        assert_eq!(output.status.code(), Some(0));
        let decode = &summary["decode"];
        assert_eq!(decode["frames"], LINES, "{decode}");
        for key in ["fallbacks", "unknown", "errors", "gaps"] {
            assert_eq!(decode[key], 0, "{key}");
        }
    }
}

#[test]
fn a_truncated_recording_names_file_and_line() {
    let mut scene = Scene::new();
    let bytes = gzip(capture::text(LINES).as_bytes());
    let mut random = Random::for_test("truncated");
    for cut in [bytes.len() - 1, bytes.len() - 9, bytes.len() / 2] {
        let path = scene.file("cut.gz", &bytes[..cut]);
        let sentence = refusal(&scene.backtest(&path), 2);
        assert_names(&sentence, &["cut.gz:"]);
    }
    for _ in 0..10 {
        let cut = random.below(bytes.len() as u64) as usize;
        let path = scene.file("cut.gz", &bytes[..cut]);
        let sentence = refusal(&scene.backtest(&path), 2);
        assert_names(&sentence, &["cut.gz"]);
    }
}

/// What was read before the damage is journaled, and that journal is whole.
#[test]
fn what_came_before_the_damage_is_kept() {
    let mut scene = Scene::new();
    let text = capture::text(LINES);
    let cut = text.len() * 3 / 4;
    let path = scene.file("cut.txt", &text.as_bytes()[..cut]);
    let journal = scene.journal();
    let data = path.to_str().unwrap();
    let sentence = refusal(
        &run(&["backtest", "--data", data, "--journal", &journal]),
        2,
    );
    let line = text[..cut].lines().count();
    assert_names(&sentence, &[&format!("cut.txt:{line}"), &journal]);
    assert_eq!(
        run_json(&["journal", "verify", &journal, "--json"])["ok"],
        true
    );
    let replay = run_json(&["replay", &journal, "--json"]);
    assert_eq!(replay["identical"], true);
    assert!(replay["events"].as_u64().unwrap() > LINES / 2);
}

/// One flipped bit: refused with a place, or played with everything undecodable counted; never a panic.
#[test]
fn flipped_bits_are_refused_or_counted() {
    let mut scene = Scene::new();
    let text = capture::text(LINES).into_bytes();
    let packed = gzip(&text);
    let mut random = Random::for_test("flipped bits");
    let (mut refused, mut counted, mut harmless) = (0, 0, 0);
    for seed in 0..SEEDS {
        let (name, mut bytes) = if seed % 2 == 0 {
            ("flip.gz", packed.clone())
        } else {
            ("flip.txt", text.clone())
        };
        let bit = random.below(bytes.len() as u64 * 8);
        bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        let path = scene.file(name, &bytes);
        let output = scene.backtest(&path);
        assert_no_panic(&output);
        if output.status.success() {
            let decode = parse(&output)["decode"].clone();
            let odd = ["fallbacks", "unknown", "errors", "gaps"];
            let odd: u64 = odd.iter().map(|key| decode[key].as_u64().unwrap()).sum();
            if odd > 0 { counted += 1 } else { harmless += 1 }
        } else {
            let sentence = refusal(&output, 2);
            assert_names(&sentence, &[name]);
            refused += 1;
        }
    }
    eprintln!(
        "{SEEDS} flipped bits: {refused} refused, {counted} counted, {harmless} another valid text"
    );
    assert!(refused > 0 && counted > 0);
}

#[test]
fn garbage_lines_are_refused_or_counted() {
    let mut scene = Scene::new();
    let good = capture::text(LINES);
    let (first, rest) = good.split_at(good.lines().take(9).map(|l| l.len() + 1).sum());
    let stamped = rest.split(' ').next().unwrap();
    let refused = [
        "garbage",
        "12x {}",
        "\u{0}\u{1}\u{2}",
        "-5 {}",
        "99999999999999999999999 {}",
        "1 {}",
    ];
    for line in refused {
        let path = scene.file("bad.txt", format!("{first}{line}\n{rest}").as_bytes());
        let sentence = refusal(&scene.backtest(&path), 2);
        assert_names(&sentence, &["bad.txt:10"]);
    }
    let counted = [
        "{}",
        "{\"stream\":1",
        "garbage",
        "{\"stream\":\"btcusdt@trade\",\"data\":{}}",
        "[[[[",
    ];
    for frame in counted {
        let path = scene.file(
            "bad.txt",
            format!("{first}{stamped} {frame}\n{rest}").as_bytes(),
        );
        let output = scene.backtest(&path);
        assert_no_panic(&output);
        assert_eq!(output.status.code(), Some(0), "{frame}");
        let decode = parse(&output)["decode"].clone();
        let odd = decode["unknown"].as_u64().unwrap() + decode["errors"].as_u64().unwrap();
        assert_eq!(
            (odd, decode["frames"].as_u64()),
            (1, Some(LINES + 1)),
            "{frame}: {decode}"
        );
    }
}

#[test]
fn files_that_are_none_are_refused() {
    let mut scene = Scene::new();
    let missing = scene.dir.path().join("nothing.gz");
    assert_names(&refusal(&scene.backtest(&missing), 2), &["nothing.gz"]);
    let folder = scene.dir.path().to_path_buf();
    assert_names(
        &refusal(&scene.backtest(&folder), 2),
        &[folder.to_str().unwrap()],
    );
    for (name, bytes) in [("empty.gz", &b""[..]), ("random.bin", &[0xa5; 5_000][..])] {
        let path = scene.file(name, bytes);
        assert_names(&refusal(&scene.backtest(&path), 2), &[name]);
    }
}

fn with_config(text: &str) -> String {
    let mut scene = Scene::new();
    let path = scene.file("acth.toml", text.as_bytes());
    let journal = scene.journal();
    let config = path.to_str().unwrap();
    let sentences = ["run", "backtest"].map(|verb| {
        let arguments = [
            verb,
            "--duration",
            "1s",
            "--config",
            config,
            "--journal",
            &journal,
        ];
        let sentence = refusal(&run(&arguments), 2);
        assert!(
            !Path::new(&journal).exists(),
            "a refused command leaves no journal"
        );
        sentence
    });
    assert_eq!(sentences[0], sentences[1]);
    let [sentence, _] = sentences;
    sentence
}

#[test]
fn configurations_are_refused_with_their_place() {
    let cases: [(&str, &[&str]); 15] = [
        (
            "[risk]\nmax_positon_size = 0.1\n",
            &["acth.toml:2:1", "max_positon_size", "`max_position_size`"],
        ),
        ("sede = 4\n", &["acth.toml:1:1", "`seed`"]),
        (
            "[jornal]\nsegment_mib = 4\n",
            &["acth.toml:1:2", "`journal`"],
        ),
        (
            "seed = 1\nhub_id = \"seven\"\n",
            &["acth.toml:2:10", "seven"],
        ),
        ("[engine]\nring_slots = -4\n", &["acth.toml:2:14"]),
        ("seed = = 1\n", &["acth.toml:1:"]),
        (
            "[intervals]\nheartbeat = \"often\"\n",
            &["intervals.heartbeat", "often"],
        ),
        (
            "[parameters]\nbasis_z_mim = 1\n",
            &["[parameters]", "basis_z_mim", "`basis_z_min`"],
        ),
        (
            "[parameters]\nbasis_z_min = \"x\"\n",
            &["[parameters]", "\"x\""],
        ),
        (
            "[paper]\norder_latency = \"-1s\"\n",
            &["paper.order_latency", "-1s"],
        ),
        (
            "[risk]\nrisk_per_trade = 7\n",
            &["risk.risk_per_trade", "7"],
        ),
        ("[engine]\nring_slots = 3\n", &["engine.ring_slots", "3"]),
        ("[engine]\nwait = \"nap\"\n", &["engine.wait", "nap"]),
        ("log_level = \"loud\"\n", &["log_level", "loud"]),
        ("[journal]\nsegment_mib = 0\n", &["segment"]),
    ];
    for (text, parts) in cases {
        assert_names(&with_config(text), parts);
    }
}

#[test]
fn a_missing_configuration_is_named() {
    let sentence = refusal(&run(&["config", "--config", "/no/such/acth.toml"]), 2);
    assert_names(&sentence, &["/no/such/acth.toml"]);
}

#[test]
fn environment_and_dotenv_are_refused_by_name() {
    let cases = [
        ("MAX_POSITION_SIZE", "much"),
        ("RISK_PER_TRADE", "1..5"),
        ("MAX_CORRELATION_THRESHOLD", "high"),
        ("MIN_VOLUME_THRESHOLD", "x"),
        ("DATA_UPDATE_INTERVAL", "soon"),
        ("HEARTBEAT_INTERVAL", "-3s"),
    ];
    for (name, value) in cases {
        let dir = tempfile::tempdir().unwrap();
        let output = command(&["config"])
            .current_dir(dir.path())
            .env(name, value)
            .output();
        assert_names(&refusal(&output.unwrap(), 2), &["environment", name, value]);
        std::fs::write(dir.path().join(".env"), format!("{name}={value}\n")).unwrap();
        let output = command(&["config"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert_names(&refusal(&output, 2), &[".env", name, value]);
    }
    let scene = Scene::new();
    let journal = scene.dir.path().join("j");
    let output = command(&[
        "backtest",
        "--duration",
        "1s",
        "--journal",
        journal.to_str().unwrap(),
    ])
    .env("LOG_LEVEL", "loud")
    .output();
    assert_names(&refusal(&output.unwrap(), 2), &["loud"]);
}

#[test]
fn unknown_names_are_refused() {
    let mut scene = Scene::new();
    let journal = scene.journal();
    for verb in ["run", "backtest"] {
        let arguments = [
            verb,
            "--duration",
            "1s",
            "--strategy",
            "wizard",
            "--journal",
            &journal,
        ];
        assert_names(
            &refusal(&run(&arguments), 2),
            &["wizard", "basis-lead-lag", "spread-watcher"],
        );
    }
    let data = scene.file("a.txt", capture::text(LINES).as_bytes());
    let data = data.to_str().unwrap();
    let arguments = [
        "backtest",
        "--data",
        data,
        "--pace",
        "swift",
        "--journal",
        &journal,
    ];
    assert_names(&refusal(&run(&arguments), 2), &["--pace", "swift"]);
    assert!(!Path::new(&journal).exists());
}

/// Wrong usage is told by the parser of the command line, with its own words and the same exit code.
#[test]
fn wrong_usage_has_exit_code_2() {
    for arguments in [
        &["fly"][..],
        &[],
        &["run", "--duration", "ten"],
        &["replay"],
        &["run", "--no-such"],
    ] {
        let output = run(arguments);
        assert_no_panic(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"]] {
        assert_eq!(run(arguments).status.code(), Some(0), "{arguments:?}");
    }
}
