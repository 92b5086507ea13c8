//! When a book may be trusted: snapshot and diffs of one instrument, joined by the venue's own rules.
//!
//! The machine sees only update ids. It decides what happens to a diff or a snapshot; the caller does it. Levels are
//! kept only while diffs wait for a snapshot.
//!
//! ```text
//! state     | input    | condition                     | verdict                      | next
//! ----------+----------+-------------------------------+------------------------------+---------
//! Waiting   | diff     | first one                     | Buffered, ask for a snapshot | Waiting
//!           |          | joins the last buffered one   | Buffered                     | Waiting
//!           |          | does not join it              | Gap; only this one is kept   | Waiting
//!           |          | no room                       | Overflow; only this is kept  | Waiting
//!           |          | already buffered (spot)       | Old                          | Waiting
//!           | snapshot | N < U of the oldest diff      | TooOld, ask again            | Waiting
//!           |          | the newest diff ends at N     | Joined; newer diffs follow   | Live
//!           |          | no diff is newer              | Taken                        | Bridging
//!           |          | first newer diff bridges N    | Joined; newer diffs follow   | Live
//!           |          | it does not                   | TooOld, ask again            | Waiting
//! Bridging  | diff     | not newer than N              | Old                          | Bridging
//!           |          | bridges N                     | Bridged                      | Live
//!           |          | beyond N                      | Gap, ask for a snapshot      | Waiting
//!           | snapshot | older than the one taken      | Unneeded                     | Bridging
//!           |          | any other                     | Taken                        | Bridging
//! Live      | diff     | joins the last applied one    | Applied                      | Live
//!           |          | not newer (spot)              | Old                          | Live
//!           |          | OLD_DIFFS_MAX old ones in row | Gap: the ids went back       | Waiting
//!           |          | anything else                 | Gap, ask for a snapshot      | Waiting
//!           | snapshot | any                           | Unneeded                     | Live
//! any       | lost     |                               | forget all                   | Waiting
//! ```
//!
//! The two rules, for a snapshot of id N and a book at id `book`:
//!
//! | | spot | USD-M |
//! |---|---|---|
//! | not newer than the snapshot | `u <= N` | `u < N` |
//! | bridges the snapshot | `U <= N + 1` and `u >= N` | `U <= N <= u` |
//! | joins the one before | `U <= book + 1` and `u > book` | `pu == book` |
//! | not newer than the book | ignored | a gap: `pu` cannot fit |
//!
//! The venue's text for spot says `U <= N + 1 <= u`, of the first diff after those with `u <= N` were dropped. A diff
//! with `u == N` is dropped there too, or changes nothing, but it proves as well that nothing lies between the snapshot
//! and the stream: a quiet book need not wait for its next change.
//!
//! Invariant: `Live` only while every id from the snapshot on was seen; the buffer holds one unbroken run of diffs.

use acth_core::event::Level;
use acth_wire::binance::Market;

use super::diff_buffer::{Diff, DiffBuffer};

/// So many old diffs in a row mean that the venue's ids went back, not that something came twice.
pub const OLD_DIFFS_MAX: u32 = 16;

/// Update ids of one diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffIds {
    /// First update in it (`U`).
    pub first: u64,
    /// Final update in it (`u`).
    pub last: u64,
    /// Final update of the diff before it (`pu`); 0 on spot, which does not send it.
    pub previous: u64,
}

/// Where an instrument stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SyncState {
    /// No snapshot that fits; diffs are buffered.
    Waiting = 1,
    /// A snapshot was taken, but no diff has joined it yet.
    Bridging = 2,
    /// Snapshot and diffs form one unbroken run.
    Live = 3,
}

/// What to do with a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffVerdict {
    /// It waits for the snapshot.
    Buffered,
    /// Apply it.
    Applied,
    /// Apply it; the book is live from here on.
    Bridged,
    /// The book has it already: ignore it.
    Old,
    /// Something is missing before it. The book is worthless until the next snapshot.
    Gap {
        /// The id that would have joined.
        expected: u64,
        /// The id that came.
        received: u64,
    },
    /// The buffer was full: what had waited is dropped, and a newer snapshot is needed.
    Overflow {
        /// First id of the oldest diff that was dropped.
        expected: u64,
        /// First id of the diff that did not fit.
        received: u64,
    },
}

/// What to do with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotVerdict {
    /// The book is live already or has a newer snapshot: ignore it.
    Unneeded,
    /// It ends before the waiting diffs begin: ignore it, another was asked for.
    TooOld,
    /// Apply it; the book becomes live with the next diff that joins.
    Taken,
    /// Apply it and then every waiting diff (`waiting`); the book is live. Call `joined` afterwards.
    Joined,
}

/// The synchronisation of one instrument's book.
#[derive(Debug)]
pub struct BookSync {
    market: Market,
    state: SyncState,
    /// Id of the last update in the book; meaningful in `Bridging` and `Live`.
    book_id: u64,
    old_diffs_count: u32,
    is_snapshot_wanted: bool,
    buffer: DiffBuffer,
}

impl BookSync {
    /// A book of which nothing is known.
    pub fn new(market: Market) -> Self {
        Self {
            market,
            state: SyncState::Waiting,
            book_id: 0,
            old_diffs_count: 0,
            is_snapshot_wanted: false,
            buffer: DiffBuffer::new(),
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> SyncState {
        self.state
    }

    /// Id of the last update in the book; 0 while there is no book.
    pub const fn book_id(&self) -> u64 {
        self.book_id
    }

    /// True once for every snapshot that is needed: asking takes the wish away.
    pub const fn take_snapshot_wish(&mut self) -> bool {
        let is_wanted = self.is_snapshot_wanted;
        self.is_snapshot_wanted = false;
        is_wanted
    }

    /// True while a snapshot is needed and nobody has taken the wish.
    pub const fn wants_snapshot(&self) -> bool {
        self.is_snapshot_wanted
    }

    /// A snapshot that was asked for will not come: wish for it again, unless the book is live by now.
    pub fn snapshot_failed(&mut self) {
        self.is_snapshot_wanted = self.state == SyncState::Waiting && self.buffer.count() > 0;
    }

    /// Forgets everything: the connection or a message was lost. The next diff asks for a snapshot.
    pub fn lose(&mut self) {
        self.state = SyncState::Waiting;
        self.book_id = 0;
        self.old_diffs_count = 0;
        self.is_snapshot_wanted = false;
        self.buffer.clear();
    }

    /// Takes one diff and says what to do with it.
    pub fn on_diff(
        &mut self,
        ids: DiffIds,
        ts_venue_ns: i64,
        bids: &[Level],
        asks: &[Level],
    ) -> DiffVerdict {
        let diff = Diff {
            ids,
            ts_venue_ns,
            bids,
            asks,
        };
        match self.state {
            SyncState::Waiting => self.buffer_diff(diff),
            SyncState::Bridging => self.bridge_diff(diff),
            SyncState::Live => self.follow_diff(diff),
        }
    }

    fn buffer_diff(&mut self, diff: Diff<'_>) -> DiffVerdict {
        let Some(before) = self.buffer.final_ids() else {
            return self.restart_with(diff, DiffVerdict::Buffered);
        };
        if self.is_old(diff.ids, before.last) {
            return self.count_old(diff, before.last);
        }
        self.old_diffs_count = 0;
        if !self.joins(diff.ids, before.last) {
            let verdict = self.gap(diff.ids, before.last);
            return self.restart_with(diff, verdict);
        }
        let oldest = self.buffer.first_ids().unwrap_or(before);
        if self.buffer.push(diff) {
            return DiffVerdict::Buffered;
        }
        let verdict = DiffVerdict::Overflow {
            expected: oldest.first,
            received: diff.ids.first,
        };
        self.restart_with(diff, verdict)
    }

    fn bridge_diff(&mut self, diff: Diff<'_>) -> DiffVerdict {
        let is_bridge = self.bridges(diff.ids, self.book_id);
        if !is_bridge && self.is_before_snapshot(diff.ids, self.book_id) {
            return DiffVerdict::Old;
        }
        if !is_bridge {
            let verdict = self.gap(diff.ids, self.book_id);
            return self.restart_with(diff, verdict);
        }
        self.state = SyncState::Live;
        self.book_id = diff.ids.last;
        DiffVerdict::Bridged
    }

    fn follow_diff(&mut self, diff: Diff<'_>) -> DiffVerdict {
        if self.is_old(diff.ids, self.book_id) {
            return self.count_old(diff, self.book_id);
        }
        if !self.joins(diff.ids, self.book_id) {
            let verdict = self.gap(diff.ids, self.book_id);
            return self.restart_with(diff, verdict);
        }
        self.old_diffs_count = 0;
        self.book_id = diff.ids.last;
        DiffVerdict::Applied
    }

    /// Takes a snapshot of id `snapshot_id` and says what to do with it.
    pub fn on_snapshot(&mut self, snapshot_id: u64) -> SnapshotVerdict {
        if self.state == SyncState::Live || snapshot_id < self.book_id {
            return SnapshotVerdict::Unneeded;
        }
        if let Some(oldest) = self.buffer.first_ids()
            && snapshot_id < oldest.first
        {
            self.is_snapshot_wanted = true;
            return SnapshotVerdict::TooOld;
        }
        let newest = self.buffer.final_ids();
        let market = self.market;
        self.buffer
            .drop_while(|ids| is_before_snapshot(market, ids, snapshot_id));
        let (Some(first), Some(last)) = (self.buffer.first_ids(), self.buffer.final_ids()) else {
            // A diff that ends exactly where the snapshot does has joined it already.
            if newest.is_some_and(|ids| ids.last == snapshot_id) {
                self.take_snapshot(SyncState::Live, snapshot_id);
                return SnapshotVerdict::Joined;
            }
            self.take_snapshot(SyncState::Bridging, snapshot_id);
            return SnapshotVerdict::Taken;
        };
        if !self.bridges(first, snapshot_id) {
            self.is_snapshot_wanted = true;
            return SnapshotVerdict::TooOld;
        }
        self.take_snapshot(SyncState::Live, last.last);
        SnapshotVerdict::Joined
    }

    /// The diffs to apply after a snapshot that `Joined`, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = Diff<'_>> {
        self.buffer.iter()
    }

    /// The waiting diffs were applied: forget them.
    pub fn joined(&mut self) {
        self.buffer.clear();
    }

    fn take_snapshot(&mut self, state: SyncState, book_id: u64) {
        self.state = state;
        self.book_id = book_id;
        self.old_diffs_count = 0;
        self.is_snapshot_wanted = false;
    }

    /// Starts over with `diff` as the oldest one. A diff too large for an empty buffer leaves it empty: the next
    /// one starts over again.
    fn restart_with(&mut self, diff: Diff<'_>, verdict: DiffVerdict) -> DiffVerdict {
        self.lose();
        if self.buffer.push(diff) {
            self.is_snapshot_wanted = true;
            return verdict;
        }
        DiffVerdict::Overflow {
            expected: diff.ids.first,
            received: diff.ids.first,
        }
    }

    fn count_old(&mut self, diff: Diff<'_>, book_id: u64) -> DiffVerdict {
        self.old_diffs_count += 1;
        if self.old_diffs_count < OLD_DIFFS_MAX {
            return DiffVerdict::Old;
        }
        let verdict = self.gap(diff.ids, book_id);
        self.restart_with(diff, verdict)
    }

    fn gap(&self, ids: DiffIds, book_id: u64) -> DiffVerdict {
        match self.market {
            Market::Spot => DiffVerdict::Gap {
                expected: book_id.saturating_add(1),
                received: ids.first,
            },
            Market::UsdM => DiffVerdict::Gap {
                expected: book_id,
                received: ids.previous,
            },
        }
    }

    fn is_before_snapshot(&self, ids: DiffIds, snapshot_id: u64) -> bool {
        is_before_snapshot(self.market, ids, snapshot_id)
    }

    fn bridges(&self, ids: DiffIds, snapshot_id: u64) -> bool {
        match self.market {
            Market::Spot => {
                let next_id = snapshot_id.saturating_add(1);
                ids.first <= next_id && snapshot_id <= ids.last
            }
            Market::UsdM => ids.first <= snapshot_id && snapshot_id <= ids.last,
        }
    }

    fn joins(&self, ids: DiffIds, book_id: u64) -> bool {
        match self.market {
            Market::Spot => ids.first <= book_id.saturating_add(1) && ids.last > book_id,
            Market::UsdM => ids.previous == book_id,
        }
    }

    fn is_old(&self, ids: DiffIds, book_id: u64) -> bool {
        match self.market {
            Market::Spot => ids.last <= book_id,
            Market::UsdM => false,
        }
    }
}

/// True when a snapshot of `snapshot_id` already holds all of the diff.
fn is_before_snapshot(market: Market, ids: DiffIds, snapshot_id: u64) -> bool {
    match market {
        Market::Spot => ids.last <= snapshot_id,
        Market::UsdM => ids.last < snapshot_id,
    }
}
