//! Standard output, in one place. A reader that has gone away (`| head`) ends the program quietly.

use std::io::{ErrorKind, Write};

use crate::exit::Failure;

/// Writes text, and a line end where it has none.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::could_not(format!("standard output: {error}"))),
    }
}

/// Writes one JSON object on one line.
///
/// # Errors
/// When it has no JSON form or standard output cannot be written.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string(value).map_err(Failure::could_not)?)
}
