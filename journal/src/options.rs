//! What a caller chooses about a journal.

use std::{fmt, io, mem::MaybeUninit};

use crate::{
    bounds::{
        SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SEGMENT_BYTES_STEP,
        payload_bytes_max,
    },
    error::JournalError,
};

/// Options of a journal that is opened for writing.
///
/// Make them before pinning the thread: they remember on which CPUs the helper thread may run.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// Size of every segment that this run makes, in bytes: a multiple of 4096.
    pub segment_bytes: u64,
    /// CPUs for the helper thread. A thread inherits the mask and the scheduling policy of the thread that spawns it, so a
    /// writer opened on a pinned thread would get a helper that fights it for its CPU, or never runs at all.
    pub helper_cpus: CpuMask,
}

impl Default for JournalOptions {
    /// 64 MiB segments; the helper may use the CPUs that the calling thread may use at this moment.
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            helper_cpus: CpuMask::of_this_thread(),
        }
    }
}

impl JournalOptions {
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        let in_range = (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&self.segment_bytes);
        if in_range && self.segment_bytes.is_multiple_of(SEGMENT_BYTES_STEP) {
            return Ok(());
        }
        Err(JournalError::SegmentBytes {
            found: self.segment_bytes,
            step: SEGMENT_BYTES_STEP,
            min: SEGMENT_BYTES_MIN,
            max: SEGMENT_BYTES_MAX,
        })
    }

    /// Largest payload that a journal with these options takes.
    pub fn payload_bytes_max(&self) -> usize {
        payload_bytes_max(
            self.segment_bytes
                .clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX),
        )
    }
}

/// A set of CPUs.
#[derive(Clone, Copy)]
pub struct CpuMask {
    set: libc::cpu_set_t,
}

impl CpuMask {
    /// The CPUs on which the calling thread may run now; all CPUs if the system does not say.
    pub fn of_this_thread() -> Self {
        let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
        // SAFETY: the pointer and the size describe the same live variable; the kernel writes at most that size.
        let found =
            unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) }
                == 0;
        if !found {
            set = MaybeUninit::new(Self::all());
        }
        // SAFETY: a CPU set is plain bits; all of them are initialised (zeroed, then perhaps overwritten).
        let set = unsafe { set.assume_init() };
        Self { set }
    }

    fn all() -> libc::cpu_set_t {
        // SAFETY: a CPU set is plain bits, all zero is the empty set; CPU_SET checks its index against the set's size.
        unsafe {
            let mut set = std::mem::zeroed::<libc::cpu_set_t>();
            for cpu in 0..libc::CPU_SETSIZE as usize {
                libc::CPU_SET(cpu, &mut set);
            }
            set
        }
    }

    /// Lets the calling thread run on these CPUs, with the normal policy and priority.
    pub(crate) fn release_this_thread(&self) -> io::Result<()> {
        let normal = libc::sched_param { sched_priority: 0 };
        // SAFETY: each call gets a pointer to a live variable of the type it expects, or plain numbers; 0 = this thread.
        let done = unsafe {
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const self.set) == 0
                && libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const normal) == 0
                && libc::setpriority(libc::PRIO_PROCESS, 0, 0) == 0
        };
        if done {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl fmt::Debug for CpuMask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: CPU_ISSET checks its index against the set's size.
        let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &self.set) };
        formatter
            .debug_set()
            .entries((0..libc::CPU_SETSIZE as usize).filter(has))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_out_of_bounds_are_refused() {
        for segment_bytes in [0, 4096, 8191, 8193, SEGMENT_BYTES_MAX + 4096] {
            let options = JournalOptions {
                segment_bytes,
                ..JournalOptions::default()
            };
            assert!(options.check().is_err(), "{segment_bytes}");
        }
        assert!(JournalOptions::default().check().is_ok());
    }
}
