//! Where threads run and how the kernel treats them: pinning, priority, locked memory.
//!
//! Everything here is an attempt: what the system refuses becomes a sentence in the run's warnings, never an error.
//! Real-time scheduling is only for who asks for it: measured, a spinning thread then gives about 47 ms of every second
//! back in one piece.
//!
//! A child inherits mask, policy and niceness of the thread that starts it. The kernel is told to reset policy and
//! niceness for children of the busy threads; the mask it cannot reset, so a helper thread calls [`release_current`].
//!
//! Invariant: the process's cores are read once, before any thread is pinned, since the query answers with the caller's
//! own mask and a pinned thread would see one core only.

use std::io;

use serde::{Deserialize, Serialize};

/// What to ask of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Which cores the busy threads get.
    pub pin: Pin,
    /// How the busy threads are scheduled.
    pub scheduling: Scheduling,
    /// Keep the process's pages in memory once touched.
    pub lock_memory: bool,
    /// Touch all memory of the process before going live: books, rings and histograms are otherwise touched on first use.
    pub touch_memory: bool,
}

/// How the busy threads are scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheduling {
    /// As any other thread.
    Normal,
    /// The highest ordinary priority (nice -20): at worst 0.19 ms were lost in one piece when it was measured.
    Nice,
    /// Real time, first in first out, with this priority from 1 to 99; see [`FIFO_WARNING`].
    Fifo(u8),
}

/// What a run says when it was asked for real-time scheduling.
pub const FIFO_WARNING: &str = "SCHED_FIFO was asked for: a thread that spins loses about 47 ms of every second in one piece to \
    the kernel's real-time throttling or fair server; nice -20 loses 0.2 ms at worst. See `acth doctor --explain rt-throttling`.";

/// Which cores the busy threads get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// None: the kernel places them.
    Off,
    /// One core each, from the last allowed one down, if there are enough.
    Auto,
    /// These cores, in the order of the topology's busy threads.
    Cores(Vec<usize>),
}

impl Placement {
    /// Leaves everything to the kernel: tests and backtests.
    pub const fn none() -> Self {
        Self {
            pin: Pin::Off,
            scheduling: Scheduling::Normal,
            lock_memory: false,
            touch_memory: false,
        }
    }

    /// All that helps latency: live and paper runs.
    pub const fn live() -> Self {
        Self {
            pin: Pin::Auto,
            scheduling: Scheduling::Nice,
            lock_memory: true,
            touch_memory: true,
        }
    }
}

/// The cores that this process may use, by the caller's mask.
pub fn allowed_cores() -> Vec<usize> {
    core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect()
}

/// A core or none for each of `thread_count` busy threads, and a sentence when the wish could not be met.
pub(crate) fn assign_cores(
    pin: &Pin,
    allowed: &[usize],
    thread_count: usize,
) -> (Vec<Option<usize>>, Option<String>) {
    let unpinned = vec![None; thread_count];
    match pin {
        Pin::Off => (unpinned, None),
        Pin::Auto if allowed.len() < thread_count => {
            let warning = format!(
                "Threads are not pinned: {thread_count} busy threads, {} cores.",
                allowed.len()
            );
            (unpinned, Some(warning))
        }
        Pin::Auto => {
            let from_last = allowed.iter().rev().copied();
            (from_last.take(thread_count).map(Some).collect(), None)
        }
        Pin::Cores(cores) => {
            let mut assigned = unpinned;
            let mut refused = Vec::new();
            for (place, core) in assigned.iter_mut().zip(cores) {
                if allowed.contains(core) {
                    *place = Some(*core);
                } else {
                    refused.push(core.to_string());
                }
            }
            let warning = (!refused.is_empty()).then(|| {
                format!(
                    "Cores {} are not allowed to this process; their threads are not pinned.",
                    refused.join(", ")
                )
            });
            (assigned, warning)
        }
    }
}

/// Pins the calling thread; a sentence when the system refused.
pub(crate) fn pin_current(thread: &str, core: usize) -> Option<String> {
    // The crate aborts the process on a core beyond the system's mask.
    let fits_mask = core < libc::CPU_SETSIZE as usize;
    let is_pinned = fits_mask && core_affinity::set_for_current(core_affinity::CoreId { id: core });
    (!is_pinned).then(|| format!("Thread {thread} could not be pinned to core {core}."))
}

/// The lowest nice value: the highest ordinary priority.
const NICE_MOST_URGENT: libc::c_int = -20;

/// Schedules the calling thread; a sentence when the system refused. Threads that it starts are ordinary ones again.
pub(crate) fn schedule_current(thread: &str, scheduling: Scheduling) -> Option<String> {
    let refused = match scheduling {
        Scheduling::Normal => return None,
        Scheduling::Nice => set_nice(NICE_MOST_URGENT)
            .and_then(|()| set_policy(libc::SCHED_OTHER | libc::SCHED_RESET_ON_FORK, 0)),
        Scheduling::Fifo(priority) => set_policy(
            libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK,
            libc::c_int::from(priority),
        ),
    };
    let wish = match scheduling {
        Scheduling::Fifo(priority) => format!("SCHED_FIFO {priority}"),
        _ => format!("nice {NICE_MOST_URGENT}"),
    };
    let cause = refused.err()?;
    Some(format!(
        "Thread {thread} keeps its ordinary priority: {wish}: {cause}."
    ))
}

/// Frees the calling thread from what it inherited: any core of `allowed`, ordinary priority. For helper threads, which
/// must never share a core with the thread that started them, nor keep it from running. What is refused stays as it is.
pub fn release_current(allowed: &[usize]) {
    set_mask(allowed);
    // Less urgency is always permitted.
    let _ = set_policy(libc::SCHED_OTHER, 0).and_then(|()| set_nice(0));
}

fn set_nice(nice: libc::c_int) -> io::Result<()> {
    // SAFETY: setpriority takes three integers and touches no memory; on Linux who = 0 means the calling thread.
    match unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_policy(policy: libc::c_int, priority: libc::c_int) -> io::Result<()> {
    let parameters = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: the call reads one sched_param, which outlives it; pid = 0 means the calling thread.
    match unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_mask(cores: &[usize]) {
    // SAFETY: a cpu_set_t is an array of words, for which all-zero bytes are a valid value: no core.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &core in cores
        .iter()
        .filter(|&&core| core < libc::CPU_SETSIZE as usize)
    {
        // SAFETY: the core is below the set's size, which was filtered for.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: the call reads a set of the size that is passed; pid = 0 means the calling thread. An empty set is refused.
    let _ = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}

/// Locks pages as they are touched; a sentence when the system refused. Mappings of the future are left out: every segment of
/// the journal would count against the limit and fail at it, readers' segments too. So each busy thread calls this again
/// when its stack and its buffers are there: what a run maps before it goes live is locked, what helpers map later is not.
pub(crate) fn lock_memory() -> Option<String> {
    // SAFETY: mlockall takes flags only and changes residency, not contents.
    let status = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_ONFAULT) };
    (status != 0).then(|| {
        let cause = io::Error::last_os_error();
        format!("Memory is not locked: {cause}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_assigned_from_the_last_or_not_at_all() {
        let allowed = [0, 1, 5, 7];
        let (cores, warning) = assign_cores(&Pin::Auto, &allowed, 3);
        assert_eq!(cores, [Some(7), Some(5), Some(1)]);
        assert!(warning.is_none());
        let (cores, warning) = assign_cores(&Pin::Auto, &allowed[..2], 3);
        assert_eq!(cores, [None; 3]);
        assert!(warning.unwrap().contains("3 busy threads, 2 cores"));
        let (cores, warning) = assign_cores(&Pin::Cores(vec![5, 9]), &allowed, 3);
        assert_eq!(cores, [Some(5), None, None]);
        assert!(warning.unwrap().contains("Cores 9"));
    }

    #[test]
    fn refusals_are_sentences() {
        std::thread::spawn(|| {
            assert!(!allowed_cores().is_empty());
            assert!(pin_current("test", 1023).is_some());
            assert!(pin_current("test", 100_000).is_some());
            // Permitted or refused: neither may panic.
            let _ = schedule_current("test", Scheduling::Nice);
        })
        .join()
        .unwrap();
    }
}
