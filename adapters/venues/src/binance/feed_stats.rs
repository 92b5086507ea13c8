//! What a feed counts.

/// What a feed has seen, all counts since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedStats {
    /// Frames taken, snapshots included.
    pub frames: u64,
    /// Frames that the fast scanner handed to the general parser.
    pub fallbacks: u64,
    /// Frames of no known form, or about a symbol that is not in the table.
    pub unknown: u64,
    /// Frames that could not be decoded.
    pub errors: u64,
    /// Frames that report a refusal of the venue.
    pub venue_errors: u64,
    /// Missing update ids, and buffers that ran over.
    pub gaps: u64,
    /// Books that became live, the first time included.
    pub syncs: u64,
    /// Books that became live again after they had been.
    pub resyncs: u64,
    /// Buffers of waiting diffs that ran over; each is counted as a gap too.
    pub overflows: u64,
    /// Snapshots that ended before the waiting diffs began.
    pub snapshots_too_old: u64,
    /// Snapshots that came for a live book.
    pub snapshots_unneeded: u64,
    /// Diffs that a book had already.
    pub diffs_old: u64,
    /// Books that are stale now.
    pub books_stale: u64,
    /// Books that are live now.
    pub books_live: u64,
}

impl FeedStats {
    /// Adds another feed's counts.
    pub const fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.fallbacks += other.fallbacks;
        self.unknown += other.unknown;
        self.errors += other.errors;
        self.venue_errors += other.venue_errors;
        self.gaps += other.gaps;
        self.syncs += other.syncs;
        self.resyncs += other.resyncs;
        self.overflows += other.overflows;
        self.snapshots_too_old += other.snapshots_too_old;
        self.snapshots_unneeded += other.snapshots_unneeded;
        self.diffs_old += other.diffs_old;
        self.books_stale += other.books_stale;
        self.books_live += other.books_live;
    }
}
