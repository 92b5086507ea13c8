//! What the end-to-end suites share: where things are, and how to run the command.

// The simulated storage hands out memory as a mapping does; nothing else here is unsafe.
#![deny(unsafe_code)]

pub mod capture;
pub mod ending;
pub mod random;
pub mod run;
pub mod storage_sim;
pub mod suites;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;

/// The root of the workspace.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// A recorded file by its path inside the data folder, or `None` with the reason printed.
pub fn recorded(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ACTH_DATA").map(PathBuf::from);
    let path = folder
        .unwrap_or_else(|| root().join("../shared/data"))
        .join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: recorded data is not here ({})", path.display());
    None
}

/// The four recordings of 2024-08-08, or `None` with the reason printed.
pub fn recordings() -> Option<Vec<PathBuf>> {
    [
        "spot/btcusdt",
        "spot/ethusdt",
        "usdm/btcusdt",
        "usdm/ethusdt",
    ]
    .iter()
    .map(|name| recorded(&format!("crypto/binance/{name}_20240808.gz")))
    .collect()
}

/// The command `acth`, built in the profile of the tests; built once a process.
///
/// # Panics
/// When it cannot be built: nothing can be tested then.
pub fn acth() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let is_release = !cfg!(debug_assertions);
        build(if is_release { &["--release"] } else { &[] })
    })
}

/// Builds the command with these flags and returns where it is.
///
/// # Panics
/// When it cannot be built.
pub fn build(flags: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args([
            "build",
            "--quiet",
            "--locked",
            "-p",
            "acth",
            "--message-format=json",
        ])
        .args(flags)
        .output();
    let Ok(output) = output else {
        panic!("cargo cannot be started")
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    match programs.next_back() {
        Some(path) => path,
        None => panic!("cargo named no executable"),
    }
}

/// Runs the command to its end, in an empty environment but for what it needs.
///
/// # Panics
/// When it cannot be started.
pub fn run(arguments: &[&str]) -> Output {
    match command(arguments).output() {
        Ok(output) => output,
        Err(cause) => panic!("{}: {cause}", acth().display()),
    }
}

/// The command, ready to be started, without the settings of this environment. A run or backtest that names no strategy, itself or in
/// its configuration, trades with the one that places orders within seconds; what is tested is not how long others take.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(acth());
    // Right behind the verb: a caller may add the value of its last flag.
    let (verb, rest) = arguments.split_at(arguments.len().min(1));
    command.args(verb);
    if trades_with_the_default(arguments) {
        command.args(["--strategy", "basis-lead-lag"]);
    }
    command.args(rest);
    for name in [
        "MAX_POSITION_SIZE",
        "RISK_PER_TRADE",
        "MAX_CORRELATION_THRESHOLD",
        "MIN_VOLUME_THRESHOLD",
        "LOG_LEVEL",
        "DATA_UPDATE_INTERVAL",
        "HEARTBEAT_INTERVAL",
    ] {
        command.env_remove(name);
    }
    command
}

fn trades_with_the_default(arguments: &[&str]) -> bool {
    let is_trading = matches!(arguments.first(), Some(&("run" | "backtest")));
    let is_told = arguments
        .iter()
        .any(|argument| matches!(*argument, "--strategy" | "--help"));
    let config = arguments
        .iter()
        .position(|argument| *argument == "--config");
    let file = config.and_then(|place| std::fs::read_to_string(arguments.get(place + 1)?).ok());
    let names_one = |text: String| text.lines().any(|line| line.starts_with("strategy"));
    is_trading && !is_told && !file.is_some_and(names_one)
}

/// Runs the command and reads the JSON object it prints.
///
/// # Panics
/// When it fails or prints something else.
pub fn run_json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{arguments:?} ended with {}: {error}",
        output.status
    );
    parse(&output)
}

/// Reads the JSON object that the command printed, whatever its exit code.
///
/// # Panics
/// When it printed something else.
pub fn parse(output: &Output) -> Value {
    match serde_json::from_slice(&output.stdout) {
        Ok(value) => value,
        Err(cause) => {
            let text = String::from_utf8_lossy(&output.stdout);
            panic!(
                "{cause} in {text:?}; {}",
                String::from_utf8_lossy(&output.stderr)
            )
        }
    }
}
