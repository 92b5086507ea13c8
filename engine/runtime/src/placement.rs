//! Where threads run and how the kernel treats them: pinning, priority, locked memory.
//!
//! Everything here is an attempt: what the system refuses becomes a sentence in the run's warnings, never an error.
//! Real-time scheduling is not offered: measured, it gives about 47 ms of every second back in one piece.
//!
//! Invariant: the process's cores are read once, before any thread is pinned, since the query answers with the caller's
//! own mask and a pinned thread would see one core only.

use serde::{Deserialize, Serialize};

/// What to ask of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Which cores the busy threads get.
    pub pin: Pin,
    /// Ask for the highest ordinary priority (nice -20) for the busy threads.
    pub raise_priority: bool,
    /// Keep the process's pages in memory once touched.
    pub lock_memory: bool,
}

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
            raise_priority: false,
            lock_memory: false,
        }
    }

    /// All that helps latency: live and paper runs.
    pub const fn live() -> Self {
        Self {
            pin: Pin::Auto,
            raise_priority: true,
            lock_memory: true,
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

/// Raises the calling thread's priority; a sentence when the system refused.
pub(crate) fn raise_priority_current(thread: &str) -> Option<String> {
    // SAFETY: setpriority takes three integers and touches no memory; on Linux who = 0 means the calling thread.
    let status = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE_MOST_URGENT) };
    (status != 0).then(|| {
        let cause = std::io::Error::last_os_error();
        format!("Thread {thread} keeps its ordinary priority: nice {NICE_MOST_URGENT}: {cause}.")
    })
}

/// Locks pages as they are touched; a sentence when the system refused. Pages of the future are left out: they would
/// make every later mapping of a journal segment count against the limit and fail at it.
pub(crate) fn lock_memory() -> Option<String> {
    // SAFETY: mlockall takes flags only and changes residency, not contents.
    let status = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_ONFAULT) };
    (status != 0).then(|| {
        let cause = std::io::Error::last_os_error();
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
            let _ = raise_priority_current("test");
        })
        .join()
        .unwrap();
    }
}
