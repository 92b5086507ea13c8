//! Makes segments ready ahead of the writer, and looks after the free space.

use std::sync::Arc;

use super::Shared;
use crate::{
    directory::Directory,
    error::JournalError,
    options::{JournalOptions, SyncMode},
    segment::WritableSegment,
    storage::again,
    words::ConditionWord,
};

/// Free space is looked at this often, and before each preparation.
const SPACE_LOOK_NS: u64 = 100_000_000;

pub(crate) struct Preparer {
    shared: Arc<Shared>,
    directory: Directory,
    segment_bytes: u64,
    sync: SyncMode,
    space_low_bytes: u64,
    space_out_bytes: u64,
    next_index: u64,
    next_look_ns: u64,
}

impl Preparer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        directory: Directory,
        options: &JournalOptions,
        next_index: u64,
    ) -> Self {
        let (space_low_bytes, space_out_bytes) = options.space_marks();
        Self {
            shared,
            directory,
            segment_bytes: options.segment_bytes,
            sync: options.sync,
            space_low_bytes,
            space_out_bytes,
            next_index,
            next_look_ns: 0,
        }
    }

    /// One segment at most; true when it made one. A failure (most likely a full disk) ends preparing, nothing else: what is
    /// written can still be closed well.
    pub(crate) fn cycle(&mut self, now_ns: u64) -> bool {
        let condition = &self.shared.words.condition;
        if condition.has(ConditionWord::FAILED | ConditionWord::STOPPING) {
            return false;
        }
        let is_wanted = !self.shared.prepared.is_full();
        if is_wanted || now_ns >= self.next_look_ns {
            self.next_look_ns = now_ns.saturating_add(SPACE_LOOK_NS);
            self.look_at_space();
        }
        if !is_wanted {
            return false;
        }
        let (bytes, sync) = (self.segment_bytes, self.sync);
        match WritableSegment::prepare(&self.directory, self.next_index, bytes, sync) {
            Ok(segment) => {
                self.next_index += 1;
                let refused = self.shared.prepared.push(segment).is_err();
                debug_assert!(!refused, "only the preparer pushes");
                true
            }
            Err(error) => {
                self.shared.fail(error);
                false
            }
        }
    }

    /// Raises the marks that the free space has fallen below. A system that does not say has space.
    fn look_at_space(&self) {
        let storage = self.directory.storage();
        let free = again(|| storage.free_bytes(self.directory.path())).unwrap_or(u64::MAX);
        let mut bits = 0;
        if free < self.space_low_bytes {
            bits |= ConditionWord::SPACE_LOW;
        }
        if free < self.space_out_bytes {
            bits |= ConditionWord::SPACE_OUT;
        }
        if bits != 0 {
            self.shared.words.condition.add(bits);
        }
    }
}

/// Removes what was prepared in vain, and everything behind the segment in use is that.
pub(crate) fn remove_prepared(
    directory: &Directory,
    index_in_use: u64,
) -> Result<(), JournalError> {
    // Last ones first: a reader must never see a gap.
    for index in directory.segments()?.into_iter().rev() {
        if index > index_in_use {
            directory.remove(&directory.segment_path(index))?;
        }
    }
    Ok(())
}
