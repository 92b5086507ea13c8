//! What agents are made of.

pub mod intensity;
pub mod quotes;
