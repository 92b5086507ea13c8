//! What the configuration says about threads and the host, in the engine's own terms.

use acth_engine::{
    placement::Scheduling,
    ring::{RING_SLOTS_MAX, RING_SLOTS_MIN},
};

use acth_venues::SocketOptions;

use super::{Engine, Host};
use crate::exit::Failure;

/// Priorities that the kernel has for real-time threads.
const FIFO_PRIORITIES: std::ops::RangeInclusive<u8> = 1..=99;
/// Longest busy polling of one read, us: beyond it a thread no longer does anything else.
const BUSY_POLL_US_MAX: u32 = 1_000;

impl Engine {
    /// Checks every value that has a bound.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.scheduling()?;
        let slots = self.ring_slots;
        if !slots.is_power_of_two() || !(RING_SLOTS_MIN..=RING_SLOTS_MAX).contains(&slots) {
            return Err(Failure::could_not(format!(
                "engine.ring_slots: {slots} is not a power of two from {RING_SLOTS_MIN} to {RING_SLOTS_MAX}"
            )));
        }
        if self.busy_poll_us > BUSY_POLL_US_MAX {
            return Err(Failure::could_not(format!(
                "engine.busy_poll_us: {} is more than {BUSY_POLL_US_MAX}",
                self.busy_poll_us
            )));
        }
        Ok(())
    }

    /// What is asked of the kernel for sockets of market data.
    pub const fn socket_options(&self) -> SocketOptions {
        SocketOptions {
            busy_poll_us: self.busy_poll_us,
            is_stamped: self.kernel_stamps,
        }
    }

    /// How busy threads are scheduled; ordinary where nothing privileged is to be asked for.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn scheduling(&self) -> Result<Scheduling, Failure> {
        if !FIFO_PRIORITIES.contains(&self.fifo_priority) {
            return Err(Failure::could_not(format!(
                "engine.fifo_priority: {} is not from 1 to 99",
                self.fifo_priority
            )));
        }
        let wanted = match self.scheduling.as_str() {
            "normal" => Scheduling::Normal,
            "nice" => Scheduling::Nice,
            "fifo" => Scheduling::Fifo(self.fifo_priority),
            other => {
                return Err(Failure::could_not(format!(
                    "engine.scheduling: `{other}` is none of nice, normal, fifo"
                )));
            }
        };
        Ok(if self.privileged {
            wanted
        } else {
            Scheduling::Normal
        })
    }
}

impl Host {
    /// Checks that every required check exists.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for id in &self.required {
            acth_doctor::find(id)
                .map_err(|unknown| Failure::could_not(format!("host.required: {unknown}")))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheduling_is_read_and_bounded() {
        let engine = |scheduling: &str, fifo_priority, privileged| Engine {
            scheduling: scheduling.to_owned(),
            fifo_priority,
            privileged,
            ..Engine::default()
        };
        let read = |engine: Engine| engine.scheduling().ok();
        assert_eq!(read(Engine::default()), Some(Scheduling::Nice));
        assert_eq!(read(engine("fifo", 7, true)), Some(Scheduling::Fifo(7)));
        assert_eq!(read(engine("fifo", 7, false)), Some(Scheduling::Normal));
        for wrong in [
            engine("fifo", 0, true),
            engine("fifo", 100, true),
            engine("rr", 1, true),
        ] {
            assert_eq!(read(wrong), None);
        }
        let polling = Engine {
            busy_poll_us: 1_001,
            ..Engine::default()
        };
        assert!(polling.check().is_err());
    }

    #[test]
    fn a_required_check_must_exist() {
        let host = |id: &str| Host {
            required: vec![id.to_owned()],
            ..Host::default()
        };
        assert!(host("swap").check().is_ok());
        let refusal = host("swop").check().expect_err("was taken").to_string();
        assert!(
            refusal.starts_with("host.required: no check is called `swop`"),
            "{refusal}"
        );
    }
}
