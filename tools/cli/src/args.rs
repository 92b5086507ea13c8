//! The command line: verbs, flags and their help.

mod latency;
mod model;
mod report;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::{
    latency::{FitArgs, LatencyArgs, LatencyBy, LatencyVerb},
    model::{ModelArgs, ModelVerb},
    report::ReportArgs,
};
use crate::config::worlds;

/// Autonomous Cross-Asset Trading Hub: market events in, journaled decisions out, replayed bit for bit.
#[derive(Debug, Parser)]
#[command(name = "acth", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 good; 1 the check failed (replay diverged, journal damaged, host unfit); \
    2 could not run.\n\nStart with `acth run`: 30 seconds on an embedded simulated market, no key, no network."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Trade on the embedded simulated market, over real sockets, with a paper venue.
    Run(RunArgs),
    /// Trade through recorded captures (or the simulated world) as fast as they can be read.
    Backtest(BacktestArgs),
    /// Run a journal's inputs again and compare every decision, byte for byte.
    Replay(ReplayArgs),
    /// Stop a running hub from another process: no order leaves any more, and its venue cancels everything, even if the hub's core no
    /// longer moves.
    Kill(KillArgs),
    /// Show how long every stage took, from any journal: percentiles, a plot, files for HdrHistogram's tools.
    Latency(LatencyArgs),
    /// Write one page about a journal: what the hub saw, found out, decided and earned. The journal is replayed for it.
    Report(ReportArgs),
    /// Look into a journal.
    #[command(subcommand)]
    Journal(JournalVerb),
    /// Look at a model's files.
    #[command(subcommand)]
    Model(ModelVerb),
    /// Look at this host as a colocation engineer would: what on it would hurt trading, why, and the command that fixes it.
    Doctor(DoctorArgs),
    /// Print the whole configuration in force, as TOML.
    Config(ConfigArgs),
}

/// How the threads are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Threads {
    /// Ingress, core and egress in one loop: for small machines.
    Single,
    /// The core on one thread, ingress and egress on another.
    Dual,
    /// One pinned thread each.
    Multi,
}

/// Flags shared by the verbs that trade.
#[derive(Debug, Args)]
pub struct TradeArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory for the journal. `run` goes on with the journal that is there: it recovers the state from the newest snapshot and
    /// the frames behind it. Default: a new one under `journal-data`.
    #[arg(long, value_name = "DIR")]
    pub journal: Option<PathBuf>,
    /// Thread layout. Default: single for `backtest`; for `run` multi on four cores or more, else single.
    #[arg(long, value_enum)]
    pub threads: Option<Threads>,
    /// Seed of the simulated world.
    #[arg(long)]
    pub seed: Option<u64>,
    /// The simulated world, by name. Default: `world_preset` of the configuration.
    #[arg(long, value_name = "NAME", value_parser = worlds::parse_name, help = world_help())]
    pub world: Option<String>,
    /// Strategy to run; `acth config` lists the known ones.
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

fn world_help() -> String {
    format!("The simulated world. {}", worlds::listed())
}

/// Flags of `acth run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What all trading verbs take.
    #[command(flatten)]
    pub trade: TradeArgs,
    /// How long to run, e.g. `10s`, `5m`, `500ms`. Until Ctrl-C with `0`.
    #[arg(long, default_value = "30s", value_parser = parse_duration_ns)]
    pub duration: i64,
    /// Trade again although the run before in this journal was halted by a limit, a failure or a person. Its orderly end needs none.
    #[arg(long)]
    pub rearm: bool,
    /// Look at the host first and go live only if these checks pass (`acth doctor --list`); without IDS: if no check at all is bad.
    /// A check that is named here, or in `[host] required`, must also be readable.
    #[arg(
        long,
        value_name = "IDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub check: Option<String>,
}

/// Flags of `acth kill`.
#[derive(Debug, Args)]
pub struct KillArgs {
    /// The directory of the journal that the hub writes.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// How long to wait until the hub has confirmed it.
    #[arg(long, default_value = "5s", value_parser = parse_duration_ns)]
    pub wait: i64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `acth doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Configuration file (TOML): names the cores, the scheduling and the journal's directory.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The journal's directory, if not the configured one.
    #[arg(long, value_name = "DIR")]
    pub journal: Option<PathBuf>,
    /// Thread layout of the run that is meant. Default as for `run`.
    #[arg(long, value_enum)]
    pub threads: Option<Threads>,
    /// Network interface of the market data. Default: every one that is up.
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// Only these checks; repeat it or separate ids with commas.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Not these checks.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Print the long text about a check and look at nothing.
    #[arg(long, value_name = "ID", conflicts_with_all = ["only", "skip", "list"])]
    pub explain: Option<String>,
    /// Print the ids of all checks and look at nothing.
    #[arg(long)]
    pub list: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `acth backtest`.
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// What all trading verbs take.
    #[command(flatten)]
    pub trade: TradeArgs,
    /// A capture file (gzip or text, one `receive_ns frame` a line); repeat for several, merged by time. The market
    /// is detected; force it with `spot:FILE` or `usdm:FILE`. A zip of the Lean format (equities, futures, currencies)
    /// is known by its name, or called `lean:FILE`; `FILE.zip#es_201312` names a contract. Without any: the simulated
    /// world, in process.
    #[arg(long, value_name = "FILE", conflicts_with = "world")]
    pub data: Vec<String>,
    /// Replay speed: `flat` (as fast as possible), `recorded`, or a factor such as `10`.
    #[arg(long, default_value = "flat", value_name = "PACE")]
    pub pace: String,
    /// An exchangeInfo answer with the rules of the captured instruments: `spot:FILE` or `usdm:FILE`.
    #[arg(long, value_name = "FILE")]
    pub exchange_info: Vec<String>,
    /// How much simulated time to run, without `--data`.
    #[arg(long, default_value = "60s", value_parser = parse_duration_ns)]
    pub duration: i64,
}

/// Flags of `acth replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The journal's directory.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Begin with the newest snapshot at or before this frame instead of the first frame. A journal whose first segments were
    /// pruned begins with its oldest snapshot in any case.
    #[arg(long, value_name = "SEQUENCE")]
    pub from: Option<u64>,
    /// Thread layout of the replay; the result is the same.
    #[arg(long, value_enum, default_value = "single")]
    pub threads: Threads,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `acth config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Verbs that look into a journal.
#[derive(Debug, Subcommand)]
pub enum JournalVerb {
    /// Facts about the journal: runs, segments, sizes, first and last sequence.
    Info(JournalArgs),
    /// Check every byte, from the first to the last; with `--key` also that nothing was rewritten since it was signed.
    Verify(VerifyArgs),
    /// Print frames as text, or as JSON lines.
    Dump(DumpArgs),
    /// Follow a journal that is being written.
    Tail(TailArgs),
    /// Write the state at the end of the journal down, so that a restart need not replay what came before.
    Snapshot(SnapshotArgs),
    /// Give up what lies behind a frame, or accept what a failed sync left in doubt. Nothing is thrown away: see `quarantine/`.
    Repair(RepairArgs),
    /// Compress finished segments; every verb reads them as before. The journal may be in use.
    Archive(ArchiveArgs),
    /// Take the oldest segments away, as far as a snapshot covers them. The journal may be in use.
    Prune(PruneArgs),
    /// Make a key pair for `sign`: KEY (keep it to yourself) and KEY.pub.
    Keygen(KeygenArgs),
    /// Verify the journal and sign where it ends; the signed head is kept under `heads/`, give a copy to whoever shall check.
    Sign(SignArgs),
    /// Write the journal as Parquet, CSV or JSON lines for other programs. The journal may be in use.
    Export(ExportArgs),
    /// Make a journal from the JSON lines of an export.
    Import(ImportArgs),
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One Parquet file per kind of frame.
    Parquet,
    /// One CSV file per kind of frame.
    Csv,
    /// One file of JSON lines, which can be imported again.
    Jsonl,
}

/// Flags of `acth journal export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// What the journal verbs take.
    #[command(flatten)]
    pub common: JournalArgs,
    /// What to write.
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Directory for the files: new or empty.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// First sequence to export.
    #[arg(
        long,
        value_name = "SEQUENCE",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub from: u64,
    /// Last sequence to export.
    #[arg(long, value_name = "SEQUENCE", default_value_t = u64::MAX, hide_default_value = true)]
    pub until: u64,
    /// Write into a directory that holds something; files of the same names are replaced.
    #[arg(long)]
    pub force: bool,
}

/// Flags of `acth journal import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The JSON lines: `frames.jsonl` of an export that began at the first frame.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Directory for the journal: new or empty.
    #[arg(long, value_name = "DIR")]
    pub journal: PathBuf,
    /// Size of the journal's segments.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub segment_mib: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `acth journal verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What the journal verbs take.
    #[command(flatten)]
    pub common: JournalArgs,
    /// Public key: check the signed heads under `heads/` as well.
    #[arg(long, value_name = "KEY.pub")]
    pub key: Option<PathBuf>,
    /// A copy of a signed head to check too; repeat for several.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub head: Vec<PathBuf>,
}

/// Flags of `acth journal snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// What the journal verbs take.
    #[command(flatten)]
    pub common: JournalArgs,
    /// Write the state behind this frame down (or behind the next one at which it is whole) instead of that at the end.
    #[arg(long, value_name = "SEQUENCE")]
    pub at: Option<u64>,
}

/// Flags of `acth journal repair`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["until", "accept_unsynced"])))]
pub struct RepairArgs {
    /// What the journal verbs take.
    #[command(flatten)]
    pub common: JournalArgs,
    /// Last frame to keep; `verify` names the last good one.
    #[arg(long, value_name = "SEQUENCE")]
    pub until: Option<u64>,
    /// Accept what is there after a failed sync. Compare the last orders with the venue first.
    #[arg(long)]
    pub accept_unsynced: bool,
}

/// Flags of `acth journal archive`.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// What the journal verbs take.
    #[command(flatten)]
    pub common: JournalArgs,
    /// Newest finished segments to leave as they are.
    #[arg(long, default_value_t = 0)]
    pub keep: u64,
    /// zstd level, 1 (fast) to 19 (small).
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=19))]
    pub level: i32,
}

/// Flags of `acth journal prune`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("keep").required(true).args(["keep_segments", "keep_mib"])))]
pub struct PruneArgs {
    /// What the journal verbs take.
    #[command(flatten)]
    pub common: JournalArgs,
    /// Newest segments to keep.
    #[arg(long, value_name = "COUNT")]
    pub keep_segments: Option<u64>,
    /// Keep the newest segments that fit this many MiB on disk.
    #[arg(long, value_name = "MIB")]
    pub keep_mib: Option<u64>,
}

/// Flags of `acth journal keygen`.
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// File for the private key; must be new.
    #[arg(value_name = "KEY")]
    pub key: PathBuf,
}

/// Flags of `acth journal sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// What the journal verbs take.
    #[command(flatten)]
    pub common: JournalArgs,
    /// File with the private key: 64 hexadecimal digits.
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
}

/// Flags of the journal verbs.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// The journal's directory.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `acth journal dump`.
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// The journal's directory.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// First sequence to print.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// How many frames to print at most.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    pub count: u64,
    /// Print decisions only.
    #[arg(long)]
    pub decisions: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `acth journal tail`.
#[derive(Debug, Args)]
pub struct TailArgs {
    /// The journal's directory.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Stop after this long without a new frame; `0` = follow until Ctrl-C.
    #[arg(long, default_value = "0", value_parser = parse_duration_ns)]
    pub idle: i64,
    /// Print decisions only.
    #[arg(long)]
    pub decisions: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Units a duration may be written in, with their length; longer suffixes first.
const DURATION_UNITS: [(&str, i64); 6] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// A duration such as `10s`, `1.5s`, `250ms`, `5m`; a bare number means seconds.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_duration_ns(text: &str) -> Result<i64, String> {
    let refuse = || format!("`{text}` is not a duration such as `10s`, `250ms` or `5m`");
    let unit = DURATION_UNITS
        .iter()
        .find(|(suffix, _)| text.ends_with(suffix));
    let (number, unit_ns) = match unit {
        Some((suffix, unit_ns)) => (&text[..text.len() - suffix.len()], *unit_ns),
        None => (text, 1_000_000_000),
    };
    let number: rust_decimal::Decimal = number.trim().parse().map_err(|_| refuse())?;
    let ns = number * rust_decimal::Decimal::from(unit_ns);
    let ns: i64 = ns.trunc().try_into().map_err(|_| refuse())?;
    if ns < 0 { Err(refuse()) } else { Ok(ns) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_exactly() {
        let cases = [
            ("10s", 10_000_000_000),
            ("1.5s", 1_500_000_000),
            ("250ms", 250_000_000),
            ("7us", 7_000),
            ("5m", 300_000_000_000),
            ("2h", 7_200_000_000_000),
            ("3", 3_000_000_000),
            ("0", 0),
        ];
        for (text, ns) in cases {
            assert_eq!(parse_duration_ns(text), Ok(ns), "{text}");
        }
        for text in ["", "s", "-1s", "1d", "ten"] {
            assert!(parse_duration_ns(text).is_err(), "{text} was taken");
        }
    }
}
