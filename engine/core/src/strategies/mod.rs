//! The strategies that ship with ACTH: the network of agents, one trader that does everything itself, and the smallest
//! possible one as an example to copy.

pub mod agent_network;
pub mod basis_lead_lag;
pub mod spread_watcher;
