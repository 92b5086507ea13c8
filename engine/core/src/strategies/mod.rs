//! The strategies that ship with ACTH: the real one, and the smallest possible one as an example to copy.

pub mod basis_lead_lag;
pub mod spread_watcher;
