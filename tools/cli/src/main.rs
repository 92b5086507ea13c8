//! The command `acth` with the strategies that ship with it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use acth_core::strategies::{
    agent_network::AgentNetwork, basis_lead_lag::BasisLeadLag, spread_watcher::SpreadWatcher,
};

fn main() -> ExitCode {
    acth::main_with(&[
        acth::strategy::<AgentNetwork>(),
        acth::strategy::<BasisLeadLag>(),
        acth::strategy::<SpreadWatcher>(),
    ])
}
