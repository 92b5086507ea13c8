//! The command line.

use std::path::PathBuf;

use acth_engine::{
    config::ThreadMode,
    wait::{WaitChoice, WaitStrategy},
};
use clap::{Parser, ValueEnum};

/// Highest rate that can be asked for: one event each 20 ns is beyond what any hand-over here carries.
const RATE_MAX: u64 = 50_000_000;
/// Rates where none is given: few enough that every event finds cold caches, many, and more than any venue sends.
const RATES_DEFAULT: [u64; 3] = [1000, 100_000, 1_000_000];
/// Largest journal that is made to be read back.
const READ_MIB_MAX: u64 = 64 << 10;
/// Where recorded data lie beside a checkout.
const DATA_DEFAULT: &str = "../shared/data";
/// Longest time for one figure.
const DURATION_SECONDS_MAX: f64 = 3600.0;

/// Open-loop latency of ACTH beside a floor measured in the same run.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Args {
    /// What to measure.
    #[arg(value_enum)]
    pub(crate) scenario: Scenario,
    /// Events a second; several, separated by commas, are measured one after the other. 1000, 100000 and 1000000 where none
    /// is given; the journal leaves the first one out.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=RATE_MAX))]
    rate: Vec<u64>,
    /// Seconds for one rate, over all of its windows.
    #[arg(long, default_value = "6", value_parser = seconds)]
    pub(crate) duration: f64,
    /// Rounds of alternating windows that the time is cut into.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// How idle threads wait; auto spins where there is a core for each thread and gives its slice away elsewhere.
    #[arg(long, value_enum, default_value_t = Wait::Auto)]
    pub(crate) wait: Wait,
    /// Threads of the pipeline: one for each stage, two (core, and both edges), or one loop. Where not given: multi on four
    /// cores or more, else dual.
    #[arg(long, value_enum)]
    threads: Option<Threads>,
    /// Pin each busy thread to a core of its own, from the last one down, if there are enough.
    #[arg(long)]
    pub(crate) pin: bool,
    /// Parts of the journal scenario; all where none is given.
    #[arg(long, value_enum, value_delimiter = ',')]
    part: Vec<Part>,
    /// Size of the journals that the journal scenario reads back, in MiB.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=READ_MIB_MAX))]
    pub(crate) read_mib: u64,
    /// When events arrive: evenly at each rate, or in bursts as a venue's messages do. The bursts are a recording's, from the
    /// folder of market data; without one they are made up.
    #[arg(long, value_enum, default_value_t = Load::Even)]
    pub(crate) arrivals: Load,
    /// How many times as fast the bursts are played; several, separated by commas.
    #[arg(long, default_value = "1,10,100", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) speed: Vec<u32>,
    /// Folder of recorded market data; the variable ACTH_DATA where not given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Passes of the replay scenario.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) passes: u32,
    /// Folder for the journals that are written; they are removed afterwards.
    #[arg(long, value_name = "DIR")]
    pub(crate) journal_dir: Option<PathBuf>,
    /// Folder for `machine.json`, `report.jsonl` and the histograms (`.hlog`, the standard log of HdrHistogram).
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// A saved run (`report.jsonl`, or what `--json` printed): shows what changed in ratios, rates and allocations.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// With `--baseline`: exit code 1 when a figure became worse by more than this many per cent.
    #[arg(long, value_name = "PERCENT", requires = "baseline")]
    pub(crate) fail_above: Option<f64>,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Args {
    /// The rates that were asked for, or those that say most.
    pub(crate) fn rates(&self) -> Vec<u64> {
        match self.scenario {
            // A thousand a second roll no segment in a time that anybody waits for.
            Scenario::Journal => self.rates_or(&RATES_DEFAULT[1..]),
            _ => self.rates_or(&RATES_DEFAULT),
        }
    }

    /// Where recorded data are looked for; a folder that is not there holds none.
    pub(crate) fn data(&self) -> PathBuf {
        let named = || std::env::var_os("ACTH_DATA").map(PathBuf::from);
        let given = self.data.clone().or_else(named);
        given.unwrap_or_else(|| PathBuf::from(DATA_DEFAULT))
    }

    /// The rates that were asked for, or these.
    pub(crate) fn rates_or(&self, others: &[u64]) -> Vec<u64> {
        if self.rate.is_empty() {
            others.to_vec()
        } else {
            self.rate.clone()
        }
    }

    /// The threads that were asked for, or as many as this machine has cores for beside its own work.
    pub(crate) fn threads(&self, cores: usize) -> Threads {
        let fitting = if cores >= 4 {
            Threads::Multi
        } else {
            Threads::Dual
        };
        self.threads.unwrap_or(fitting)
    }

    /// The time for one figure, in ns.
    pub(crate) fn length_ns(&self) -> i64 {
        ((self.duration * 1e9) as i64).max(1)
    }

    /// The parts of the journal scenario that were asked for.
    pub(crate) fn parts(&self) -> Vec<Part> {
        if self.part.is_empty() {
            Part::value_variants().to_vec()
        } else {
            self.part.clone()
        }
    }
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Two bare rings and two bare record copies, beside one cache line that goes there and back.
    Hop,
    /// The real core stage between its rings, with and without a journal, beside the hop.
    Pipeline,
    /// Appending, making durable, scanning and verifying, each beside the bare thing.
    Journal,
    /// Each hot message through the decoder, beside a bare scanner and general parsers.
    Decode,
    /// The order book beside a sorted list of levels.
    Book,
    /// One market message through the core with the built-in strategy, beside a copy of it.
    Apply,
    /// One input through the core with 32 instruments, five agents and a network asked at every quote, beside a copy of it.
    Agents,
    /// A recorded session replayed from its journal on one core.
    Replay,
    /// A ticker's bytes on one socket in, an order's bytes on another out, beside a bare round trip.
    Wire,
    /// A neural network in its fixed order, beside the plain loop.
    Inference,
}

/// When events arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Load {
    /// Evenly, at each rate.
    Even,
    /// As a venue's messages do.
    Burst,
}

/// Parts of the journal scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Appends back to back, beside copies.
    Append,
    /// The worst appends at each rate and in each mode of durability, beside copies.
    Tail,
    /// Waits for durability, beside syncs of a plain file.
    Wait,
    /// Scan and verify, beside a sum over memory.
    Read,
}

/// Threads of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Threads {
    /// Ingress, core and egress, joined by rings.
    Multi,
    /// The core, and one thread for both edges.
    Dual,
    /// One loop, no rings.
    Single,
}

impl Threads {
    /// The engine's way to say it.
    pub(crate) const fn mode(self) -> ThreadMode {
        match self {
            Self::Multi => ThreadMode::Multi,
            Self::Dual => ThreadMode::Dual,
            Self::Single => ThreadMode::Single,
        }
    }
}

/// How idle threads wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// By the number of cores.
    Auto,
    /// Look again at once.
    Spin,
    /// Look again after a pause instruction.
    SpinHint,
    /// Give the time slice away between looks.
    Yield,
    /// Look, give away, then sleep.
    Park,
}

impl Wait {
    /// The strategy for `busy_threads` on `cores`. Never chooses to sleep by itself, as a live run would on a small
    /// machine: sleeps of 50 us would be all that is measured.
    pub(crate) const fn resolve(self, cores: usize, busy_threads: usize) -> WaitStrategy {
        match self {
            Self::Auto if cores >= busy_threads => WaitStrategy::SpinHint,
            Self::Auto | Self::Yield => WaitStrategy::Yield,
            Self::Spin => WaitStrategy::Spin,
            Self::SpinHint => WaitStrategy::SpinHint,
            Self::Park => WaitStrategy::Park,
        }
    }
}

/// The engine's way to say it.
pub(crate) const fn fixed(strategy: WaitStrategy) -> WaitChoice {
    WaitChoice::Fixed(strategy)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= DURATION_SECONDS_MAX => Ok(seconds),
        _ => Err(format!(
            "expected seconds above 0 and at most {DURATION_SECONDS_MAX}"
        )),
    }
}
