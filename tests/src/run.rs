//! A command that runs beside the test: waited for, signalled, killed.

use std::{
    path::Path,
    process::{Child, Output, Stdio},
    time::{Duration, Instant},
};

use crate::command;

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(2);
/// Bytes of a segment's header; the first frame is behind it.
const HEADER_BYTES: usize = 128;

/// A started command; killed when the test forgets it.
#[derive(Debug)]
pub struct Running(Option<Child>);

impl Running {
    /// Starts it, with both outputs kept for the end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Ok(child) => Self(Some(child)),
            Err(cause) => panic!("{arguments:?}: {cause}"),
        }
    }

    fn child(&mut self) -> &mut Child {
        match &mut self.0 {
            Some(child) => child,
            None => panic!("the command was waited for already"),
        }
    }

    /// Sends a signal by name, such as `INT`.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn signal(&mut self, name: &str) {
        let pid = self.child().id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", name, &pid])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -s {name} {pid}"
        );
    }

    /// Ends it at once, as `kill -9` does. False when it had ended by itself.
    pub fn kill(mut self) -> bool {
        let child = self.child();
        let had_ended = matches!(child.try_wait(), Ok(Some(_)));
        let _ = child.kill();
        let _ = child.wait();
        self.0 = None;
        !had_ended
    }

    /// Waits for its end. What it prints must fit a pipe.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait(mut self) -> Output {
        wait_until("its end", || matches!(self.child().try_wait(), Ok(Some(_))));
        match self.0.take().map(Child::wait_with_output) {
            Some(Ok(output)) => output,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something is so.
///
/// # Panics
/// When it does not become so in time.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what} did not come in {PATIENCE:?}"
        );
        std::thread::sleep(LOOK);
    }
}

/// Waits until a journal holds its first frame.
///
/// # Panics
/// When it does not come.
pub fn wait_for_first_frame(journal: &Path) {
    let segment = journal.join("0000000000.seg");
    wait_until("the first frame", || {
        let mut bytes = [0; HEADER_BYTES + 8];
        let file = std::fs::File::open(&segment);
        let read = file.and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes));
        read.is_ok() && bytes[HEADER_BYTES..] != [0; 8]
    });
}
