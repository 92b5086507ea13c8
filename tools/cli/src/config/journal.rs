//! What the configuration says about the journal, in the journal's own terms.

use std::time::Duration;

use acth_engine::snapshotter::SnapshotPace;
use acth_journal::{JournalOptions, Keep, SyncMode, Validate};

use super::{Journal, duration_ns};
use crate::exit::Failure;

/// Which verb asks: `auto` means something else for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Trading as time goes by.
    Run,
    /// Trading through recorded or simulated data; it can be done again.
    Backtest,
}

impl Journal {
    /// Checks every value.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.sync_mode(Purpose::Run)?;
        self.snapshot_pace()?;
        self.validation(None).map(drop)
    }

    /// When frames become durable.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn sync_mode(&self, purpose: Purpose) -> Result<SyncMode, Failure> {
        let time_ns = duration_ns("journal.durability_time", &self.durability_time)?;
        let time_ns = time_ns.unsigned_abs();
        let frames = self.durability_frames;
        let interval = SyncMode::Interval { time_ns, frames };
        if time_ns == 0 || frames == 0 {
            return Err(Failure::could_not(
                "journal.durability_time and journal.durability_frames: must be more than nothing; `durability = \"gated\"` \
                 makes orders wait",
            ));
        }
        match (self.durability.as_str(), purpose) {
            ("process", _) | ("auto", Purpose::Backtest) => Ok(SyncMode::Process),
            ("interval", _) | ("auto", Purpose::Run) => Ok(interval),
            ("gated", _) => Ok(SyncMode::Gated { time_ns }),
            (other, _) => Err(Failure::could_not(format!(
                "journal.durability: `{other}` is none of auto, process, interval, gated"
            ))),
        }
    }

    /// The name of a mode, as it is configured.
    pub const fn mode_name(mode: SyncMode) -> &'static str {
        match mode {
            SyncMode::Process => "process",
            SyncMode::Interval { .. } => "interval",
            SyncMode::Gated { .. } => "gated",
        }
    }

    /// How much is read before a journal is gone on with; `snapshot` is the sequence of the snapshot that was used.
    fn validation(&self, snapshot: Option<u64>) -> Result<Validate, Failure> {
        match (self.validate.as_str(), snapshot) {
            ("all", _) | ("tail", None) => Ok(Validate::All),
            ("tail", Some(sequence)) => Ok(Validate::From(sequence)),
            (other, _) => Err(Failure::could_not(format!(
                "journal.validate: `{other}` is neither all nor tail"
            ))),
        }
    }

    /// The options of a journal that is written to.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn options(
        &self,
        purpose: Purpose,
        snapshot: Option<u64>,
    ) -> Result<JournalOptions, Failure> {
        let mib = |count: u64| count.saturating_mul(1 << 20);
        let mark = |count: u64| (count > 0).then_some(mib(count));
        Ok(JournalOptions {
            segment_bytes: mib(self.segment_mib),
            sync: self.sync_mode(purpose)?,
            space_low_bytes: mark(self.space_low_mib),
            space_out_bytes: mark(self.space_out_mib),
            validate: self.validation(snapshot)?,
            ..JournalOptions::default()
        })
    }

    /// When a running session is written down; `None` = at its end only.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn snapshot_pace(&self) -> Result<Option<SnapshotPace>, Failure> {
        let time_ns = duration_ns("journal.snapshot_interval", &self.snapshot_interval)?;
        let pace = SnapshotPace {
            time: Duration::from_nanos(time_ns.unsigned_abs()),
            frames: self.snapshot_frames.max(1),
        };
        Ok((time_ns > 0).then_some(pace))
    }

    /// What stays of a journal when a snapshot covers the rest; `None` = everything.
    pub fn retention(&self) -> Option<Keep> {
        (self.retain_mib > 0).then(|| Keep::Bytes(self.retain_mib.saturating_mul(1 << 20)))
    }
}
