//! The command `acth`, and the way to a command of one's own around one's own strategy:
//!
//! ```no_run
//! use acth::core::prelude::*;
//!
//! struct Mine;
//!
//! impl Strategy for Mine {
//!     type Config = NoConfig;
//!     const NAME: &'static str = "mine";
//!
//!     fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
//!         Ok(Self)
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     acth::main_with(&[acth::strategy::<Mine>()])
//! }
//! ```
//!
//! That program has every verb: `run`, `kill`, `backtest`, `replay`, `latency`, `report`, `journal`, `model`, `doctor`,
//! `config`.

#![forbid(unsafe_code)]

pub mod args;
pub mod config;
pub mod describe;
pub mod exit;
mod logging;
pub mod notify;
pub mod output;
pub mod progress;
mod registry;
pub mod summary;
pub mod verbs;

use std::{io::Write, process::ExitCode};

pub use acth_core as core;
use clap::Parser;

pub use crate::registry::{Registered, strategy};
use crate::{
    args::{Cli, ConfigArgs, Verb},
    config::Config,
    exit::Failure,
};

/// The command with these strategies. The first is the default where the configuration names none of them.
pub fn main_with(strategies: &[Registered]) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; both streams are clap's own choice.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match dispatch(&cli.verb, strategies) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "acth: {failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(verb: &Verb, strategies: &[Registered]) -> Result<(), Failure> {
    match verb {
        Verb::Run(args) => {
            let config = verbs::settle(&args.trade)?;
            registry::find(strategies, &config.strategy)?.run(args, &config)
        }
        Verb::Backtest(args) => {
            let config = verbs::settle(&args.trade)?;
            registry::find(strategies, &config.strategy)?.backtest(args, &config)
        }
        Verb::Replay(args) => verbs::replay::run(args, strategies),
        Verb::Kill(args) => verbs::kill::run(args),
        Verb::Latency(args) => verbs::latency::run(args),
        Verb::Report(args) => verbs::report::run(args, strategies),
        Verb::Journal(verb) => verbs::journal::run(verb, strategies),
        Verb::Model(verb) => verbs::model::run(verb),
        Verb::Doctor(args) => verbs::doctor::run(args),
        Verb::Config(args) => show_config(args, strategies),
    }
}

/// The configuration in force, with the strategy's own parameters written out.
fn show_config(args: &ConfigArgs, strategies: &[Registered]) -> Result<(), Failure> {
    let mut config = Config::load(args.config.as_deref())?;
    let chosen = registry::find(strategies, &config.strategy)?;
    config.parameters = chosen.parameters(&config.parameters)?;
    let names: Vec<&str> = strategies.iter().map(|strategy| strategy.name()).collect();
    output::print(&format!(
        "# strategies: {}\n{}",
        names.join(", "),
        config.to_toml()?
    ))
}
