//! Flags of `acth latency`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// How many rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LatencyBy {
    /// One row for each stage.
    Stage,
    /// One for each stage and venue.
    Venue,
    /// One for each stage, venue and kind of message.
    Kind,
}

/// Flags of `acth latency`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Stages, in the order of the way:\n  \
    feed           the venue's time of a message -> its bytes read (two clocks: look at `negative`)\n  \
    decode         bytes read -> message decoded\n  \
    queue          decoded -> taken by the core (the stamp `decoded` is kept to 3 %)\n  \
    ingress        bytes read -> taken by the core: both together, exact\n  \
    apply          taken by the core -> decision journaled\n  \
    publish        decision journaled -> command visible to egress\n  \
    send           visible to egress -> bytes handed over (in the mode `gated` with the wait for the disk)\n  \
    tick_to_order  the cause's bytes read -> the order's bytes handed over\n  \
    order_leg      order sent -> the venue acted, by the venue's clock\n  \
    report_leg     the venue acted, by its clock -> report read\n  \
    order_ack      order sent -> acknowledged or refused\n  \
    cancel_ack     cancel sent -> confirmed or refused\n\n\
    The kind of a row is that of the message itself, or of the message that caused the command.\n\
    The journal of a backtest goes by the time of its data: it tells feed, order and cancel rows only, as the data and the paper \
    venue have them.\n\n\
    Examples:\n  \
    acth latency journal-data/run-...                   what took how long, and a plot\n  \
    acth latency journal-data/run-... --by stage        one row for each stage\n  \
    acth latency journal-data/run-... --hgrm DIR        files for HdrHistogram's plotter\n  \
    acth latency fit journal-data/run-... --output model.toml")]
pub struct LatencyArgs {
    /// Make something of it instead of showing it.
    #[command(subcommand)]
    pub verb: Option<LatencyVerb>,
    /// The journal's directory: finished, archived or being written (a directory called `fit` is `./fit`).
    #[arg(value_name = "JOURNAL", required = true)]
    pub journal: Option<PathBuf>,
    /// Which rows to tell apart.
    #[arg(long, value_enum, default_value = "kind")]
    pub by: LatencyBy,
    /// Write each row as a percentile distribution (`NAME.hgrm`, values in ns) and all of them as one interval log
    /// (`latency.hlog`) into this directory.
    #[arg(long, value_name = "DIR")]
    pub hgrm: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What can be made of a journal's latencies.
#[derive(Debug, Subcommand)]
pub enum LatencyVerb {
    /// Fit a latency model for the paper venue: quantiles of the way to each venue and back.
    Fit(FitArgs),
}

/// Flags of `acth latency fit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Use it with `[paper] latency_model = \"model.toml\"` in the configuration of `run` or `backtest`: the paper \
    venue then draws the time of every order, cancel and report from it, the same draws for the same seed."
)]
pub struct FitArgs {
    /// The journal's directory.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// File for the model.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Fewest acknowledged orders of a venue; one with fewer is left out.
    #[arg(long, value_name = "COUNT", default_value_t = acth_latency::SAMPLES_MIN)]
    pub samples_min: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
