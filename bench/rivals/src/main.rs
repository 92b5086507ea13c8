//! `acth-rivals <what>`: ACTH beside public crates that do the same work, in turn, in one run.
//!
//! Only ratios are meant: both sides run on the same machine in the same minute. Each check sum stands beside the other side's.

mod decode;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the bench's own scenario, of which only a part is used here"
)]
#[path = "../../src/replay/mod.rs"]
mod ours;
mod replay;
mod ring;
mod times;

use std::{error::Error, io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use serde::Serialize;

/// Anything that ends a comparison early.
type Failure = Box<dyn Error + Send + Sync>;

/// Where recorded data lie beside a checkout.
const DATA_DEFAULT: &str = "../shared/data";

/// ACTH beside public crates that do the same work.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Args {
    /// What to compare.
    #[command(subcommand)]
    what: What,
    /// Folder of the recorded data; what `ACTH_DATA` names where none is given.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// Passes of each side.
    #[arg(long, global = true, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    passes: u32,
    /// One JSON object instead of a table.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum What {
    /// A recorded session with a strategy that reads five levels: our replay, and the hftbacktest crate.
    Replay,
    /// Frames of the recordings decoded: our scanner, and sonic-rs, simd-json and serde_json, typed.
    Decode,
    /// Hand-over between two threads: our ring, and disruptor and rtrb.
    Ring,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("acth-rivals: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let named = || std::env::var_os("ACTH_DATA").map(PathBuf::from);
    let data = args.data.clone().or_else(named);
    let data = data.unwrap_or_else(|| PathBuf::from(DATA_DEFAULT));
    match args.what {
        What::Replay => show(args, &replay::compare(&data, args.passes)?),
        What::Decode => show(args, &decode::compare(&data, args.passes)?),
        What::Ring => show(args, &ring::compare(args.passes)?),
    }
}

fn show(args: &Args, report: &(impl Serialize + std::fmt::Display)) -> Result<(), Failure> {
    let text = if args.json {
        serde_json::to_string(report)?
    } else {
        report.to_string()
    };
    Ok(writeln!(std::io::stdout().lock(), "{}", text.trim_end())?)
}
