//! `acth-bench <scenario>`: open-loop latency of the running system beside a floor measured in the same run.
//!
//! Every event has an intended start time that does not wait for the one before it, and every latency counts from there,
//! so a stall is charged to all events that it held up. Floor, measured and idle windows alternate: a slow minute of the
//! machine falls on all of them. Percentiles only; a mean says nothing here.

#![forbid(unsafe_code)]

mod args;
mod floor;
mod hiccup;
mod journal;
mod machine;
mod pace;
mod pipeline;
mod placement;
mod record;
mod replay;
mod report;
mod scenario;

use std::{
    error::Error,
    io::{ErrorKind, Write},
    process::ExitCode,
};

use clap::Parser;

/// Anything that ends a measurement early.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("acth-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &args::Args) -> Result<(), Failure> {
    let machine = machine::Machine::read();
    if args.scenario == args::Scenario::Journal {
        return run_journal(args, &machine);
    }
    if args.scenario == args::Scenario::Replay {
        let report = replay::run(&args.data(), args.passes)?;
        return print(&serde_json::to_string(&report)?);
    }
    if !args.json {
        print(&machine.to_string())?;
        print(report::HEADING)?;
    }
    for rate in args.rates() {
        for report in scenario::measure(args, rate, &machine)? {
            if args.json {
                print(&serde_json::to_string(&report)?)?;
            } else {
                print(&report.to_string())?;
            }
        }
    }
    Ok(())
}

fn run_journal(args: &args::Args, machine: &machine::Machine) -> Result<(), Failure> {
    if !args.json {
        print(&machine.to_string())?;
        print(journal::HEADING)?;
    }
    journal::run(args, machine, &mut |report| {
        if args.json {
            print(&serde_json::to_string(report)?)
        } else {
            print(&report.to_string())
        }
    })
}

/// Writes one text; a reader that has gone away (`| head`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
