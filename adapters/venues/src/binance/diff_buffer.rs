//! The diffs of one instrument that wait for its snapshot: headers and levels in two flat, preallocated lists.
//!
//! Levels of all diffs lie one after another, bids before asks within a diff; a header says where its own begin. Both
//! lists are bounded and never grow: a diff that does not fit is refused and the caller starts over, aloud.
//!
//! Invariant: no allocation after construction; headers are in the order in which the diffs came.

use acth_core::event::Level;

use super::book_sync::DiffIds;

/// Most diffs that wait at once: 100 s of a 100 ms stream, far beyond a snapshot with two repeats.
pub const DIFFS_MAX: usize = 1024;
/// Most levels that wait at once, all diffs together: 512 KiB an instrument, touched only as far as used.
pub const LEVELS_MAX: usize = 32 * 1024;

#[derive(Clone, Copy, Debug)]
struct Header {
    ids: DiffIds,
    ts_venue_ns: i64,
    levels_first: u32,
    bids_count: u32,
    asks_count: u32,
}

/// One waiting diff, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diff<'a> {
    /// Its update ids.
    pub ids: DiffIds,
    /// The venue's time of it.
    pub ts_venue_ns: i64,
    /// Changed bids.
    pub bids: &'a [Level],
    /// Changed asks.
    pub asks: &'a [Level],
}

/// The list of waiting diffs.
#[derive(Debug)]
pub struct DiffBuffer {
    headers: Vec<Header>,
    levels: Vec<Level>,
    /// Diffs before this index were dropped.
    first: usize,
}

impl Default for DiffBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl DiffBuffer {
    /// An empty buffer with its whole room reserved.
    pub fn new() -> Self {
        Self {
            headers: Vec::with_capacity(DIFFS_MAX),
            levels: Vec::with_capacity(LEVELS_MAX),
            first: 0,
        }
    }

    /// Adds a diff at the end. False when it does not fit; the buffer is then unchanged.
    #[must_use]
    pub fn push(&mut self, diff: Diff<'_>) -> bool {
        let levels_count = diff.bids.len() + diff.asks.len();
        if self.headers.len() == DIFFS_MAX || levels_count > LEVELS_MAX - self.levels.len() {
            return false;
        }
        // Both casts fit: counts are at most LEVELS_MAX here.
        self.headers.push(Header {
            ids: diff.ids,
            ts_venue_ns: diff.ts_venue_ns,
            levels_first: self.levels.len() as u32,
            bids_count: diff.bids.len() as u32,
            asks_count: diff.asks.len() as u32,
        });
        self.levels.extend_from_slice(diff.bids);
        self.levels.extend_from_slice(diff.asks);
        true
    }

    /// Forgets everything; the room stays reserved.
    pub fn clear(&mut self) {
        self.headers.clear();
        self.levels.clear();
        self.first = 0;
    }

    /// Drops diffs from the front while `is_old` says so.
    pub fn drop_while(&mut self, is_old: impl Fn(DiffIds) -> bool) {
        while let Some(header) = self.headers.get(self.first) {
            if !is_old(header.ids) {
                return;
            }
            self.first += 1;
        }
        self.clear();
    }

    /// How many diffs wait.
    pub fn count(&self) -> usize {
        self.headers.len() - self.first
    }

    /// Ids of the oldest waiting diff.
    pub fn first_ids(&self) -> Option<DiffIds> {
        self.headers.get(self.first).map(|header| header.ids)
    }

    /// Ids of the newest waiting diff.
    pub fn final_ids(&self) -> Option<DiffIds> {
        self.headers[self.first..].last().map(|header| header.ids)
    }

    /// The waiting diffs, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Diff<'_>> {
        self.headers[self.first..].iter().map(|header| {
            let bids_first = header.levels_first as usize;
            let asks_first = bids_first + header.bids_count as usize;
            let end = asks_first + header.asks_count as usize;
            Diff {
                ids: header.ids,
                ts_venue_ns: header.ts_venue_ns,
                bids: &self.levels[bids_first..asks_first],
                asks: &self.levels[asks_first..end],
            }
        })
    }
}

const _: () = assert!(LEVELS_MAX <= u32::MAX as usize);
