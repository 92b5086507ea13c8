//! What a run would use of the host: the checks look at these parts of it.

use std::path::PathBuf;

/// How the busy threads are to be scheduled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheduling {
    /// As any other thread.
    Normal,
    /// Nice -20.
    #[default]
    Nice,
    /// Real time, first in first out.
    Fifo,
}

/// What a run would use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Cores of the busy threads; empty = the kernel places them.
    pub cores: Vec<usize>,
    /// Whether the configuration names them; else they are what the engine would choose.
    pub are_cores_chosen: bool,
    /// Busy threads.
    pub thread_count: usize,
    /// How they are scheduled.
    pub scheduling: Scheduling,
    /// Time that a read may poll the device, us; 0 = off.
    pub busy_poll_us: u32,
    /// Directory of the journal; it need not be there yet.
    pub journal: PathBuf,
    /// Size of one segment, bytes.
    pub segment_bytes: u64,
    /// Free space below which only risk may be reduced, bytes.
    pub space_low_bytes: u64,
    /// Free space below which trading halts, bytes.
    pub space_out_bytes: u64,
    /// Network interface of the market data; `None` = every one that is up and has a device.
    pub interface: Option<String>,
}

impl Default for Subject {
    fn default() -> Self {
        let segment_bytes = 64 << 20;
        Self {
            cores: Vec::new(),
            are_cores_chosen: false,
            thread_count: 1,
            scheduling: Scheduling::default(),
            busy_poll_us: 0,
            journal: PathBuf::from("journal-data"),
            segment_bytes,
            space_low_bytes: 8 * segment_bytes,
            space_out_bytes: 2 * segment_bytes,
            interface: None,
        }
    }
}
