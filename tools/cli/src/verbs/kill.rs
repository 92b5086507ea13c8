//! `acth kill`: the kill flag, raised from another process.
//!
//! The flag is a file beside the journal's directory, `JOURNAL.kill`. A thread of the running hub looks for it, raises the
//! engine's kill flag, and writes into the file what has become of it. That thread, the last gate and the venue's cancel-all are
//! all on egress's side: none of them needs the core, which may be the part that no longer moves. The core journals the kill as an
//! input when it moves again.
//!
//! The file stays. A hub that is started beside it is killed before it sends anything, until a person removes the flag with
//! `acth run --rearm`. So the flag outlives a process that was ended before its core could journal the kill.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use acth_engine::control::{Control, KillReason};
use serde::{Deserialize, Serialize};

use super::now_ns;
use crate::{
    args::KillArgs,
    exit::Failure,
    output::{print, print_json},
};

/// How often the running hub looks for the flag, and `acth kill` for the answer.
const LOOK: Duration = Duration::from_millis(10);

/// What stands in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Flag {
    /// When it was asked for, ns since the Unix epoch.
    asked_ns: i64,
    /// When the hub raised its flag: no order leaves from then on; 0 = not yet.
    raised_ns: i64,
    /// When the hub had asked its venue to cancel everything; 0 = not yet.
    cancelled_ns: i64,
}

/// The flag of a journal.
fn flag_path(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".kill");
    PathBuf::from(name)
}

/// The flag, if it is up. A file that cannot be read or understood is a flag too: the one mistake that must not happen is to go on.
fn read(path: &Path) -> Option<Flag> {
    match fs::read(path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => None,
        Err(_) => Some(Flag::default()),
    }
}

/// Writes the flag whole: beside it first, then in its place.
fn write(path: &Path, flag: &Flag) -> Result<(), Failure> {
    // Each process has a draft of its own, so that neither moves the other's.
    let draft = path.with_extension(format!("kill-draft-{}", std::process::id()));
    let refuse = |cause: std::io::Error| Failure::could_not(format!("{}: {cause}", path.display()));
    let bytes = serde_json::to_vec(flag).map_err(Failure::could_not)?;
    fs::write(&draft, bytes).map_err(refuse)?;
    fs::rename(&draft, path).map_err(refuse)
}

/// `acth kill`.
///
/// # Errors
/// `CheckFailed` when the hub has not confirmed it in time; the flag is up all the same.
pub fn run(args: &KillArgs) -> Result<(), Failure> {
    let journal = strip_slash(&args.journal);
    if acth_journal::info(&journal).map_or(true, |info| info.segments.is_empty()) {
        return Err(Failure::could_not(format!(
            "{}: no journal is there, so no hub writes it",
            journal.display()
        )));
    }
    let path = flag_path(&journal);
    let asked_ns = now_ns();
    write(
        &path,
        &Flag {
            asked_ns,
            ..Flag::default()
        },
    )?;
    let start = Instant::now();
    let wait = Duration::from_nanos(args.wait.max(0).cast_unsigned());
    let flag = loop {
        let flag = read(&path).unwrap_or_default();
        if flag.cancelled_ns != 0 || start.elapsed() >= wait {
            break flag;
        }
        std::thread::sleep(LOOK);
    };
    tell(args, &path, &flag)
}

fn tell(args: &KillArgs, path: &Path, flag: &Flag) -> Result<(), Failure> {
    let (is_raised, is_cancelled) = (flag.raised_ns != 0, flag.cancelled_ns != 0);
    if args.json {
        print_json(&serde_json::json!({
            "verb": "kill", "flag": path.display().to_string(), "raised": is_raised,
            "cancelled_all": is_cancelled, "asked_ns": flag.asked_ns,
            "raised_ns": flag.raised_ns, "cancelled_ns": flag.cancelled_ns,
        }))?;
    }
    if !is_raised {
        return Err(Failure::CheckFailed(format!(
            "{}: the flag is up, but no running hub has answered; the next run begins killed",
            path.display()
        )));
    }
    if !is_cancelled {
        return Err(Failure::CheckFailed(format!(
            "{}: no order leaves any more, but the cancel of everything has not been handed to the venue yet",
            path.display()
        )));
    }
    if args.json {
        return Ok(());
    }
    print(
        "killed: no order leaves any more, and the venue was asked to cancel everything; `acth run --rearm` takes the flag down",
    )
}

/// The running hub's side: looks for the flag and raises the engine's.
pub(super) struct KillWatch {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl KillWatch {
    /// Starts it. A flag that is up already is taken down by a person who re-arms, and else raised before this returns.
    ///
    /// # Errors
    /// When the flag cannot be taken down, or there is no thread to look for it: a hub that cannot be killed must not trade.
    pub(super) fn start(
        journal: &Path,
        is_rearmed: bool,
        control: &Arc<Control>,
    ) -> Result<Self, Failure> {
        let path = flag_path(&strip_slash(journal));
        if is_rearmed && read(&path).is_some() {
            fs::remove_file(&path)
                .map_err(|cause| Failure::could_not(format!("{}: {cause}", path.display())))?;
        }
        if read(&path).is_some() {
            control.kill(KillReason::Operator);
        }
        let (stop, stopped) = mpsc::channel();
        let control = Arc::clone(control);
        let look = move || {
            let mut told = Flag::default();
            loop {
                told = look_once(&path, &control, told);
                if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    // What was asked for at the very end is answered too.
                    look_once(&path, &control, told);
                    return;
                }
            }
        };
        let spawned = std::thread::Builder::new()
            .name(String::from("acth-kill"))
            .spawn(look);
        let thread = spawned
            .map_err(|cause| Failure::could_not(format!("no thread for the kill flag: {cause}")))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Ends it.
    pub(super) fn stop(mut self) {
        // A thread that is gone already needs no word.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the watch for the kill flag had panicked");
        }
    }
}

/// One look: raises the flag if it is asked for, and writes down what has become of it. Returns what is written.
fn look_once(path: &Path, control: &Control, told: Flag) -> Flag {
    let Some(asked) = read(path) else {
        return told;
    };
    control.kill(KillReason::Operator);
    let since = |before_ns: i64, is_so: bool| match (before_ns, is_so) {
        (0, true) => now_ns(),
        _ => before_ns,
    };
    let flag = Flag {
        asked_ns: asked.asked_ns,
        raised_ns: since(told.raised_ns, true),
        cancelled_ns: since(told.cancelled_ns, control.has_cancelled_all()),
    };
    if flag != asked
        && let Err(error) = write(path, &flag)
    {
        tracing::error!("{error}");
    }
    flag
}

/// A path without slashes at its end, so that a name can be put behind it.
fn strip_slash(path: &Path) -> PathBuf {
    path.components().collect()
}
