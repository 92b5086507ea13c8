//! What is measured with: made-up frames and events, and the peers that parse them. Nothing here was recorded.

pub mod bare;
pub mod frames;
pub mod hub;
pub mod network;
pub mod numbers;
pub mod streams;
pub mod typed;
