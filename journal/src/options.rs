//! What a caller chooses about a journal.

use std::{fmt, io, mem::MaybeUninit};

use crate::{
    background::HelperMode,
    bounds::{
        SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SEGMENT_BYTES_STEP,
        payload_bytes_max,
    },
    error::JournalError,
};

/// When what is appended becomes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// When the kernel pleases, and whole segments soon after they are full. The death of the process loses nothing; the death
    /// of the machine may lose what lies behind the last full segment.
    Process,
    /// After this time or this many frames, whichever is first. The flusher begins at half of either, so that the sync itself
    /// has the other half.
    Interval {
        /// Longest time between an append and its durability, ns.
        time_ns: u64,
        /// Most frames that are not durable.
        frames: u64,
    },
    /// As soon as somebody waits for it (`Durability::ask`), many waits with one sync; else after this time.
    Gated {
        /// Longest time between an append that nobody waits for and its durability, ns.
        time_ns: u64,
    },
}

impl SyncMode {
    /// At most 10 ms and 1,024 frames.
    pub const INTERVAL_DEFAULT: Self = Self::Interval {
        time_ns: 10_000_000,
        frames: 1024,
    };
    /// At once when waited for, else within 10 ms.
    pub const GATED_DEFAULT: Self = Self::Gated {
        time_ns: 10_000_000,
    };
}

/// How much of a journal is read before it is gone on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validate {
    /// Every byte: damage anywhere is found before the first append.
    #[default]
    All,
    /// Every segment header, and every frame from the segment on that holds this sequence: for journals whose older segments were
    /// verified before. Damage in those is found by `verify`.
    From(u64),
}

/// Options of a journal that is opened for writing.
///
/// Make them before pinning the thread: they remember on which CPUs the helper threads may run.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// Size of every segment that this run makes, in bytes: a multiple of 4096.
    pub segment_bytes: u64,
    /// When what is appended becomes durable.
    pub sync: SyncMode,
    /// Free space below which `Condition::is_space_low` rises; `None` = eight segments.
    pub space_low_bytes: Option<u64>,
    /// Free space below which `Condition::is_space_out` rises; `None` = two segments. What is prepared then still takes
    /// frames: room for what stopping takes.
    pub space_out_bytes: Option<u64>,
    /// How much is read before a journal is gone on with.
    pub validate: Validate,
    /// Who drives preparing and syncing.
    pub helpers: HelperMode,
    /// CPUs for the helper threads. A thread inherits the mask and the scheduling policy of the thread that spawns it, so a
    /// writer opened on a pinned thread would get helpers that fight it for its CPU, or never run at all.
    pub helper_cpus: CpuMask,
}

impl Default for JournalOptions {
    /// 64 MiB segments, synced when full; the helpers may use the CPUs that the calling thread may use at this moment.
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            sync: SyncMode::Process,
            space_low_bytes: None,
            space_out_bytes: None,
            validate: Validate::All,
            helpers: HelperMode::Threads,
            helper_cpus: CpuMask::of_this_thread(),
        }
    }
}

/// Segments of free space below which the marks rise where no bytes are given.
const SPACE_LOW_SEGMENTS: u64 = 8;
const SPACE_OUT_SEGMENTS: u64 = 2;

impl JournalOptions {
    /// Free space below which the low and the hard mark rise, in bytes.
    pub(crate) fn space_marks(&self) -> (u64, u64) {
        let segments = |count: u64| self.segment_bytes.saturating_mul(count);
        (
            self.space_low_bytes
                .unwrap_or_else(|| segments(SPACE_LOW_SEGMENTS)),
            self.space_out_bytes
                .unwrap_or_else(|| segments(SPACE_OUT_SEGMENTS)),
        )
    }

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
