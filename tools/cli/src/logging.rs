//! The log: lines on standard error, at or above the level of the configuration.

use tracing::Level;

use crate::exit::Failure;

/// Starts logging. Only the first call of a process has an effect.
///
/// # Errors
/// When the level is none of error, warn, info, debug, trace.
pub(crate) fn start(level: &str) -> Result<(), Failure> {
    let level: Level = level.parse().map_err(|_| {
        Failure::could_not(format!(
            "log_level: `{level}` is none of error, warn, info, debug, trace"
        ))
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr);
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber.finish());
    Ok(())
}
