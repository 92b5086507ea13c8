//! `acth kill` against a hub whose core no longer moves, from the command line: the flag goes up, the venue cancels everything
//! without the core, and the kill becomes an input when the core moves again.
//!
//! This program is both the test and the command around a strategy that gets stuck: called with a verb it is the command.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and tell"
)]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Output, Stdio},
    time::{Duration, Instant},
};

use acth::core::prelude::*;
use serde_json::Value;

/// Names the directory through which test and strategy speak.
const PLACE: &str = "ACTH_TEST_STUCK";
const TIMERS_BEFORE: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(60);

/// Rests orders far enough from the market to stay, then spins in a timer until a file appears.
struct Stuck {
    place: Option<PathBuf>,
    timers: u64,
}

impl Strategy for Stuck {
    type Config = NoConfig;
    const NAME: &'static str = "stuck";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self {
            place: std::env::var_os(PLACE).map(PathBuf::from),
            timers: 0,
        })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, id: InstrumentId) {
        let Some(quote) = ctx.quote(id) else { return };
        if ctx.open_quantity(id, Side::Bid) > 0 {
            return;
        }
        let rules = ctx.instrument(id);
        let price = quote.bid.price * 99 / 100;
        let price = price - price % rules.tick;
        let order = OrderRequest::limit(id, Side::Bid, price, rules.quantity_min);
        let _ = ctx.place(order.post_only());
    }

    fn on_timer(&mut self, _: &mut Context<'_>) {
        self.timers += 1;
        if self.timers != TIMERS_BEFORE {
            return;
        }
        let Some(place) = &self.place else { return };
        std::fs::write(place.join("stuck"), "").unwrap();
        while !place.join("free").exists() {
            std::hint::spin_loop();
        }
    }

    fn digest(&self, hash: &mut acth::core::hash::StateHasher) {
        hash.word(self.timers);
    }

    fn save(&self, out: &mut acth::core::snapshot::Encoder) {
        out.u64(self.timers);
    }

    fn load(
        &mut self,
        from: &mut acth::core::snapshot::Decoder<'_>,
    ) -> Result<(), acth::core::snapshot::SnapshotError> {
        self.timers = from.u64()?;
        Ok(())
    }
}

fn main() -> ExitCode {
    let verb = std::env::args().nth(1).unwrap_or_default();
    if ["run", "kill", "replay", "journal"].contains(&verb.as_str()) {
        return acth::main_with(&[acth::strategy::<Stuck>()]);
    }
    for threads in ["multi", "dual"] {
        a_stuck_hub_is_killed_from_outside(threads);
        println!("a stuck hub of {threads} threads is killed from outside ... ok");
    }
    without_a_hub_the_flag_waits_for_the_next();
    println!("without a hub the flag waits for the next ... ok");
    ExitCode::SUCCESS
}

fn command(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env(PLACE, place);
    command
}

fn run(place: &Path, arguments: &[&str]) -> Output {
    command(place, arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}\n{words}"))
}

fn wait_for(path: &Path, child: &mut Child) {
    let start = Instant::now();
    while !path.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the hub ended early");
        assert!(
            start.elapsed() < PATIENCE,
            "{} did not come",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The frames of a journal, as its dump has them.
fn frames(place: &Path, journal: &str) -> Vec<Value> {
    let dump = run(place, &["journal", "dump", journal, "--json"]);
    assert!(
        dump.status.success(),
        "{}",
        String::from_utf8_lossy(&dump.stderr)
    );
    let text = String::from_utf8(dump.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn a_stuck_hub_is_killed_from_outside(threads: &str) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path();
    let journal = place.join("j");
    let name = journal.to_str().unwrap();
    let run_arguments = [
        "run",
        "--duration",
        "0",
        "--json",
        "--threads",
        threads,
        "--journal",
        name,
    ];
    let mut hub = command(place, &run_arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&place.join("stuck"), &mut hub);

    let killed = run(place, &["kill", name, "--json", "--wait", "30s"]);
    let told = json(&killed);
    assert!(
        killed.status.success(),
        "{told} {}",
        String::from_utf8_lossy(&killed.stderr)
    );
    assert_eq!(
        (&told["raised"], &told["cancelled_all"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    assert!(!place.join("free").exists(), "the core is still stuck");

    std::fs::write(place.join("free"), "").unwrap();
    // Time for the halt and the reports; then the run ends in order.
    std::thread::sleep(Duration::from_secs(1));
    let pid = hub.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = hub.wait_with_output().unwrap();
    let summary = json(&output);
    assert_eq!(summary["trading_state"], "Halted", "{summary}");
    assert_eq!(summary["trading_state_reason"], "KillFlag");
    assert!(
        summary["orders"].as_u64().unwrap() > 0,
        "nothing was at stake"
    );

    let frames = frames(place, name);
    let text: Vec<String> = frames.iter().map(Value::to_string).collect();
    let halt = text
        .iter()
        .position(|frame| frame.contains("KillFlag"))
        .unwrap();
    let placed = text
        .iter()
        .filter(|frame| frame.contains("\"PlaceOrder\""))
        .count();
    let late = text[halt..]
        .iter()
        .filter(|frame| frame.contains("\"PlaceOrder\""))
        .count();
    assert!(
        placed > 0 && late == 0,
        "{placed} placed, {late} after the kill"
    );
    let cancelled = text
        .iter()
        .filter(|frame| frame.contains("\"OrderCancelled\""))
        .count();
    assert!(cancelled > 0, "nothing was cancelled");

    let replay = json(&run(place, &["replay", name, "--json"]));
    assert_eq!(replay["identical"], true, "{replay}");

    // The flag stands: the next run places nothing. A person takes it down.
    let flag = place.join("j.kill");
    let next = json(&run(
        place,
        &["run", "--duration", "1s", "--json", "--journal", name],
    ));
    assert_eq!(next["trading_state"], "Halted");
    assert!(flag.exists());
    let rearmed = run(
        place,
        &[
            "run",
            "--duration",
            "1s",
            "--json",
            "--rearm",
            "--journal",
            name,
        ],
    );
    let words = String::from_utf8_lossy(&rearmed.stderr);
    assert!(rearmed.status.success() && !flag.exists(), "{words}");
    assert_eq!(
        json(&rearmed)["trading_state_reason"],
        "RunEnded",
        "{words}"
    );
}

fn without_a_hub_the_flag_waits_for_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path();
    std::fs::write(place.join("free"), "").unwrap();
    let journal = place.join("j");
    let name = journal.to_str().unwrap();
    assert_eq!(
        run(place, &["kill", name]).status.code(),
        Some(2),
        "no journal"
    );
    assert!(!place.join("j.kill").exists());
    let first = run(
        place,
        &["run", "--duration", "300ms", "--json", "--journal", name],
    );
    assert!(
        first.status.success(),
        "{}",
        String::from_utf8_lossy(&first.stderr)
    );
    let killed = run(place, &["kill", name, "--wait", "50ms"]);
    assert_eq!(killed.status.code(), Some(1), "nobody answers");
    let next = json(&run(
        place,
        &["run", "--duration", "1s", "--json", "--journal", name],
    ));
    assert_eq!(next["trading_state_reason"], "KillFlag", "{next}");
}
