//! `acth-bench <scenario>`: the latency laboratory. Every figure stands beside a floor measured in the same run.
//!
//! Every event has an intended start time that does not wait for the one before it, and every latency counts from there,
//! so a stall is charged to all events that it held up. Floor, measured and idle windows alternate: a slow minute of the
//! machine falls on all of them. Percentiles only; a mean says nothing here.

#![deny(unsafe_code)]

mod agents;
mod allocations;
mod apply;
mod args;
mod arrivals;
mod baseline;
mod book;
mod class;
mod contest;
mod decode;
mod floor;
mod hiccup;
mod inference;
mod journal;
mod machine;
mod output;
mod pace;
mod pipeline;
mod placement;
mod record;
mod replay;
mod replayed;
mod report;
mod rows;
mod scenario;
mod wire;

use std::{error::Error, process::ExitCode};

use clap::Parser;

use self::{args::Scenario, machine::Machine, output::Output, report::Report, rows::Rows};

/// Anything that ends a measurement early.
type Failure = Box<dyn Error + Send + Sync>;

/// Exit code when a figure became worse than the baseline allows.
const WORSE: u8 = 1;
/// Exit code when nothing could be measured.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run(&args::Args::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(count) => {
            eprintln!("acth-bench: {count} figures became worse than the baseline allows");
            ExitCode::from(WORSE)
        }
        Err(failure) => {
            eprintln!("acth-bench: {failure}");
            ExitCode::from(FAILED)
        }
    }
}

/// Measures, and says how many figures became worse than allowed.
fn run(args: &args::Args) -> Result<u64, Failure> {
    let machine = Machine::read();
    let mut output = Output::new(args, &machine)?;
    output.head(&machine)?;
    match args.scenario {
        Scenario::Journal => {
            output.head(journal::HEADING)?;
            journal::run(args, &machine, &mut |report| output.tell(report, []))?;
        }
        Scenario::Hop | Scenario::Pipeline => {
            output.head(report::HEADING)?;
            for load in scenario::loads(args)? {
                for report in scenario::measure(args, &load, &machine)? {
                    tell_one(&mut output, &report)?;
                }
            }
        }
        Scenario::Replay => {
            let report = replay::run(&args.data(), args.passes)?;
            output.tell(&replayed::Told::new(report, &machine), [])?;
        }
        Scenario::Wire => {
            output.head(report::HEADING)?;
            for report in wire::measure(args, &machine)? {
                tell_one(&mut output, &report)?;
            }
        }
        Scenario::Decode => tell_rows(&mut output, &decode::measure(args, &machine)?)?,
        Scenario::Book => tell_rows(&mut output, &book::measure(args, &machine)?)?,
        Scenario::Apply => tell_rows(&mut output, &apply::measure(args, &machine)?)?,
        Scenario::Agents => tell_rows(&mut output, &agents::measure(args, &machine)?)?,
        Scenario::Inference => {
            output.head(report::HEADING)?;
            tell_one(&mut output, &inference::measure(args, &machine)?)?;
        }
    }
    Ok(output.failed_count())
}

fn tell_one(output: &mut Output, report: &Report) -> Result<(), Failure> {
    let named = report.histograms.iter();
    output.tell(report, named.map(|named| (report.name(), named)))
}

fn tell_rows(output: &mut Output, rows: &Rows) -> Result<(), Failure> {
    output.head(report::HEADING)?;
    output.tell(rows, rows.histograms())
}
