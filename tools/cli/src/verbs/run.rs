//! temp
use crate::{args::RunArgs, config::Config, exit::Failure};
use acth_core::strategy::Strategy;
/// t
pub fn run<S: Strategy + Send>(_args: &RunArgs, _config: &Config) -> Result<(), Failure> {
    Ok(())
}
